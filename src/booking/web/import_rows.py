"""The rows of a rehearsed timetable as its page shows them."""

from collections import defaultdict

import msgspec

from src.booking.domain.rehearsal import PlannedSession
from src.booking.domain.timetable import ProposedSession
from src.booking.queries.imports import PlannedImport
from src.booking.views.imports import EventRow, ImportRow
from src.platform.i18n import _, ngettext

KINDS = ("create", "clashes", "refused", "there")
"""What may become of a row; the first that any row has is shown first."""


MOST_EVENTS = 100
"""How many events are listed to be left out as a whole, the largest first."""


def rows_of(planned: PlannedImport, left_out: frozenset[str]) -> dict[str, list[ImportRow]]:
    """Every row of the file under what would become of it; what was unticked stays in its place."""
    kept = [(plan.proposed, _created(plan, planned)) for plan in planned.create]
    gone = [(one, _unticked(one, left_out)) for one in planned.rehearsal.left_out]
    wanted = sorted([*kept, *gone], key=lambda pair: pair[0].starts_at)
    return {
        "create": [row for _proposed, row in wanted],
        "clashes": [_row(clash.proposed, clash.reason) for clash in planned.clashes],
        "refused": [
            ImportRow(
                row_ref=row.row_ref, title=row.title, starts_at=row.starts_at, said=row.reason
            )
            for row in planned.rehearsal.refused
        ],
        "there": [_row(proposed) for proposed in planned.rehearsal.already_there],
    }


def nothing_created(planned: PlannedImport) -> str:
    """Why nothing of the file would be: what becomes of its rows instead."""
    told = planned.rehearsal
    instead = [
        (len(told.left_out), _not_ticked),
        (len(planned.clashes), _clashing),
        (len(told.refused), _refused),
        (len(told.already_there), _there),
    ]
    why = [said(count) for count, said in instead if count]
    if not why:
        return _("Nothing in this file would be created.")
    return _("Nothing in this file would be created: %(why)s.", why=", ".join(why))


def _not_ticked(count: int) -> str:
    return ngettext("%(num)s row is not ticked", "%(num)s rows are not ticked", count)


def _clashing(count: int) -> str:
    return ngettext("%(num)s row clashes", "%(num)s rows clash", count)


def _refused(count: int) -> str:
    return ngettext("%(num)s row is refused", "%(num)s rows are refused", count)


def _there(count: int) -> str:
    return ngettext("%(num)s row is there already", "%(num)s rows are there already", count)


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
        said=" ".join([*proposed.notes, *_needed(plan)]),
        uid=proposed.uid,
        may_tick=True,
    )


def _needed(plan: PlannedSession) -> list[str]:
    if plan.min_seats is None:
        return []
    return [
        ngettext(
            "Needs at least %(num)s person.",
            "Needs at least %(num)s people.",
            plan.min_seats,
        )
    ]


def _unticked(proposed: ProposedSession, left_out: frozenset[str]) -> ImportRow:
    """One that is left out; with its whole event it can only come back with it."""
    with_event = proposed.event in left_out
    said = _("Left out with its event.") if with_event else _("Left out.")
    row = _row(proposed, said)
    return msgspec.structs.replace(row, uid=proposed.uid, ticked=False, may_tick=not with_event)


def events_of(planned: PlannedImport, left_out: frozenset[str]) -> list[EventRow]:
    """Events of several dates that would be created or are left out."""
    dates: dict[str, list[ProposedSession]] = defaultdict(list)
    for proposed in (*(plan.proposed for plan in planned.create), *planned.rehearsal.left_out):
        dates[proposed.event].append(proposed)
    several = [found for found in dates.values() if len(found) > 1]
    largest = sorted(several, key=len, reverse=True)[:MOST_EVENTS]
    return [_event(found, left_out) for found in largest]


def _event(dates: list[ProposedSession], left_out: frozenset[str]) -> EventRow:
    first = min(dates, key=lambda one: one.starts_at)
    return EventRow(
        uid=first.event,
        title=first.title,
        row_ref=first.row_ref,
        starts_at=first.starts_at,
        count=len(dates),
        ticked=first.event not in left_out,
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
