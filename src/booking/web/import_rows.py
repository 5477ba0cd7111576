"""The rows of a rehearsed timetable as its page shows them."""

from src.booking.domain.rehearsal import PlannedSession
from src.booking.domain.timetable import ProposedSession
from src.booking.queries.imports import PlannedImport
from src.booking.views.imports import ImportRow

KINDS = ("create", "clashes", "refused", "there")
"""What may become of a row, the first shown first."""


def rows_of(planned: PlannedImport) -> dict[str, list[ImportRow]]:
    """Every row of the file under what would become of it."""
    return {
        "create": [_created(plan, planned) for plan in planned.create],
        "clashes": [_row(clash.proposed, clash.reason) for clash in planned.clashes],
        "refused": [
            ImportRow(row_ref=row.row_ref, title=row.title, said=row.reason)
            for row in planned.rehearsal.refused
        ],
        "there": [_row(proposed) for proposed in planned.rehearsal.already_there],
    }


def _created(plan: PlannedSession, planned: PlannedImport) -> ImportRow:
    proposed, person = plan.proposed, plan.performer_id
    return ImportRow(
        row_ref=proposed.row_ref,
        title=proposed.title,
        starts_at=proposed.starts_at,
        ends_at=proposed.ends_at,
        capacity=plan.capacity,
        performer=planned.performer_names.get(person, "") if person is not None else "",
        place=_place(proposed, planned),
        said=" ".join(proposed.notes),
    )


def _place(proposed: ProposedSession, planned: PlannedImport) -> str:
    """The file's word for the place where it becomes one here."""
    name = proposed.location_name or ""
    return name if name.casefold() in planned.locations else ""


def _row(proposed: ProposedSession, said: str = "") -> ImportRow:
    return ImportRow(
        row_ref=proposed.row_ref,
        title=proposed.title,
        starts_at=proposed.starts_at,
        ends_at=proposed.ends_at,
        capacity=proposed.capacity,
        performer=proposed.performer_name or "",
        place=proposed.location_name or "",
        said=said,
    )
