"""Taking up a timetable file: kept when uploaded, created all at once or not at all.

Imported sessions count nothing on the monthly counter; they are dates, not bookings.
"""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import Table, delete, insert, select

from src.booking.commands.busy import Slot, performer_exists, take_performer
from src.booking.commands.decision_due import plan_decisions
from src.booking.commands.sessions import require_group_service
from src.booking.domain.rehearsal import PlannedSession
from src.booking.domain.session_rules import LARGEST_CAPACITY
from src.booking.domain.timetable import Timetable
from src.booking.domain.timetable_columns import ColumnChoice
from src.booking.models import Service, Session, TimetableImport
from src.booking.queries.imports import (
    PlannedImport,
    get_import,
    hours_of_import,
    location_of,
    options_of,
    plan_import,
)
from src.booking.views.imports import ImportOptions, Ticks
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import require_feature_now
from src.tenants.models import Location, Performer

BATCH = 1_000
_SESSIONS = cast(Table, Session.__table__)

register_constraint(
    "uq_sessions_import_key",
    lambda: Conflict(_("This timetable has just been imported."), code="already_imported"),
)


class RehearsalChanged(Conflict):
    """Something happened since the owner looked; the new rehearsal has to be looked at first."""

    code = "rehearsal_changed"


async def keep_timetable(
    uow: UnitOfWork,
    ctx: RequestContext,
    service_id: UUID,
    *,
    filename: str,
    content: bytes,
    options: ImportOptions,
    import_id: UUID | None = None,
) -> UUID:
    """Keeps an uploaded file for its rehearsal; the same `import_id` sent again is the same import.

    Another file under that id, as from a form that was gone back to, is another import.
    Raises: NotFound, PlanLimitReached, InvalidInput.
    """
    await require_feature_now(uow, ctx, Feature.GROUP_SERVICES)
    await require_group_service(uow, service_id)
    await _check(uow, options)
    import_id = import_id or new_id()
    earlier = await uow.session.get(TimetableImport, (uow.tenant, import_id))
    if earlier is not None:
        if (earlier.content, earlier.service_id) == (content, service_id):
            return import_id
        import_id = new_id()
    uow.session.add(
        TimetableImport(
            tenant_id=uow.tenant,
            id=import_id,
            service_id=service_id,
            filename=filename,
            content=content,
            options=msgspec.to_builtins(options),
            digest="",
            created_by=ctx.actor.user_id,
            created_at=uow.clock.now(),
        )
    )
    return import_id


async def change_options(
    uow: UnitOfWork,
    ctx: RequestContext,
    import_id: UUID,
    options: ImportOptions,
    ticks: Ticks,
) -> bool:
    """Other choices for the same file, whose columns stay as they were pointed out, and other rows.

    Returns whether they are other ones. Raises: NotFound, InvalidInput, Conflict when it is done.
    """
    stored = await _open_import(uow, import_id)
    await _check(uow, options)
    before = options_of(stored)
    after = msgspec.structs.replace(
        options,
        columns=before.columns,
        headless=before.headless,
        left_out=ticks.left_out_of(before.left_out),
    )
    stored.options = msgspec.to_builtins(after)
    return after != before


async def choose_columns(
    uow: UnitOfWork, ctx: RequestContext, import_id: UUID, choice: ColumnChoice
) -> None:
    """Which column of the kept table holds what. Raises: NotFound, Conflict when it is done."""
    stored = await _open_import(uow, import_id)
    options = msgspec.structs.replace(
        options_of(stored), columns=dict(choice.places), headless=choice.headless
    )
    stored.options = msgspec.to_builtins(options)


async def commit_import(
    uow: UnitOfWork, ctx: RequestContext, import_id: UUID, timetable: Timetable, digest: str
) -> int:
    """Creates every session of the rehearsal that the owner saw, or none. Returns their number.

    `timetable` is the kept file as read now. A second call finds the work done and returns the
    same number. Raises: NotFound, PlanLimitReached, RehearsalChanged; Conflict when a performer is
    taken meanwhile.
    """
    await require_feature_now(uow, ctx, Feature.GROUP_SERVICES)
    stored = await _locked(uow, import_id)
    if stored.state == "committed":
        return stored.created_count
    service = await _service_in_turn(uow, stored.service_id)
    options = options_of(stored)
    planned = await plan_import(uow, stored, service, timetable, options)
    if planned.digest != digest:
        raise RehearsalChanged(
            _("Something has changed since this was worked out. Please look at it again.")
        )
    await _add_names(uow, planned)
    await _insert(uow, service, planned, options)
    stored.state, stored.digest = "committed", digest
    stored.created_count, stored.committed_at = len(planned.create), uow.clock.now()
    await audit(
        uow,
        ctx,
        "timetable.imported",
        "service",
        service.id,
        filename=stored.filename,
        count=len(planned.create),
    )
    return len(planned.create)


async def give_up_import(uow: UnitOfWork, ctx: RequestContext, import_id: UUID) -> UUID:
    """Forgets a file that was only rehearsed. Returns its service's id.

    Raises: NotFound; Conflict when its sessions are there.
    """
    stored = await _open_import(uow, import_id)
    service_id = stored.service_id
    await audit(uow, ctx, "timetable.given_up", "service", service_id, filename=stored.filename)
    await uow.session.execute(
        delete(TimetableImport)
        .where(TimetableImport.tenant_id == uow.tenant, TimetableImport.id == import_id)
        .execution_options(synchronize_session=False)
    )
    return service_id


async def _open_import(uow: UnitOfWork, import_id: UUID) -> TimetableImport:
    stored = await get_import(uow, import_id)
    if stored.state != "rehearsed":
        raise Conflict(_("This timetable is imported already."), code="already_imported")
    return stored


async def _locked(uow: UnitOfWork, import_id: UUID) -> TimetableImport:
    """Two presses of one button wait for each other here."""
    await get_import(uow, import_id)
    return await uow.session.get_one(
        TimetableImport,
        (uow.tenant, import_id),
        with_for_update=True,
        populate_existing=True,
    )


async def _service_in_turn(uow: UnitOfWork, service_id: UUID) -> Service:
    """Two imports into one service wait for each other, or both would find nothing there."""
    found = await uow.session.scalars(
        select(Service)
        .where(Service.tenant_id == uow.tenant, Service.id == service_id)
        .with_for_update(key_share=True)
    )
    return found.one()


async def _check(uow: UnitOfWork, options: ImportOptions) -> None:
    fields: dict[str, str] = {}
    if not 1 <= options.default_capacity <= LARGEST_CAPACITY:
        fields["default_capacity"] = _("A session needs at least one seat.")
    person, place = options.default_performer_id, options.default_location_id
    if person is not None and not await performer_exists(uow, person):
        fields["default_performer_id"] = _("Please choose one of the given ones.")
    if place is not None and await uow.session.get(Location, (uow.tenant, place)) is None:
        fields["default_location_id"] = _("Please choose one of the given ones.")
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)


async def _add_names(uow: UnitOfWork, planned: PlannedImport) -> None:
    """The people and places of the file that the owner wants taken up."""
    now = uow.clock.now()
    uow.session.add_all(
        Performer(tenant_id=uow.tenant, id=performer_id, name=name, created_at=now)
        for performer_id, name in planned.new_performers.items()
    )
    uow.session.add_all(
        Location(tenant_id=uow.tenant, id=location_id, name=name, created_at=now)
        for location_id, name in planned.new_locations.items()
    )
    await uow.session.flush()


async def _insert(
    uow: UnitOfWork, service: Service, planned: PlannedImport, options: ImportOptions
) -> None:
    ids = [new_id() for _plan in planned.create]
    rows = [
        _session_row(uow, service, plan, session_id)
        | {"location_id": location_of(plan.proposed, planned.locations, options)}
        for plan, session_id in zip(planned.create, ids, strict=True)
    ]
    for first in range(0, len(rows), BATCH):
        await uow.session.execute(insert(_SESSIONS), rows[first : first + BATCH])
    await plan_decisions(
        uow,
        [(row["id"], row["starts_at"], row["decide_hours"]) for row in rows if row["min_seats"]],
    )
    for performer_id, slots in _slots(planned.create, ids).items():
        await take_performer(uow, performer_id, slots)


def _session_row(
    uow: UnitOfWork, service: Service, plan: PlannedSession, session_id: UUID
) -> dict[str, Any]:
    return {
        "tenant_id": uow.tenant,
        "id": session_id,
        "service_id": service.id,
        "title": plan.proposed.title,
        "starts_at": plan.proposed.starts_at,
        "ends_at": plan.proposed.ends_at,
        "capacity": plan.capacity,
        "seats_taken": 0,
        "mode": service.mode,
        "meeting_url": "",
        "performer_id": plan.performer_id,
        "state": "scheduled",
        "sequence": 0,
        "in_term": True,
        "import_key": plan.proposed.uid,
        "created_at": uow.clock.now(),
        "min_seats": plan.min_seats,
        "decide_hours": None if plan.min_seats is None else hours_of_import(service),
    }


def _slots(create: Sequence[PlannedSession], ids: Sequence[UUID]) -> dict[UUID, list[Slot]]:
    found: dict[UUID, list[Slot]] = {}
    for plan, session_id in zip(create, ids, strict=True):
        if plan.performer_id is not None:
            slot = Slot(session_id, plan.proposed.starts_at, plan.proposed.ends_at)
            found.setdefault(plan.performer_id, []).append(slot)
    return found
