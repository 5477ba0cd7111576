"""Upcoming sessions after the business's clock changed, where they were to keep their clock time.

One transaction moves them all, the performers' times with them: either every session shows its old
clock time in the new zone, or none does yet. Their guests are told, each in one mail for all dates.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Uuid, bindparam, delete, exists, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, Range, insert

from src.booking.commands.busy import slot_of
from src.booking.commands.changes import note_changes
from src.booking.commands.decision_due import plan_decisions
from src.booking.commands.series_dates import lock_dates
from src.booking.commands.waking import wake_moved
from src.booking.domain.kinds import SessionState
from src.booking.domain.session_rules import ZoneChange, ZoneShift, preview_zone_change
from src.booking.models import Session, SessionChange
from src.booking.queries.busy import SOURCE
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.platform.jobs.context import JobContext
from src.platform.outbox.models import OutboxRow
from src.tenants.commands.audit import audit
from src.tenants.context import SYSTEM, RequestContext
from src.tenants.events import TimezoneChanged
from src.tenants.models import PerformerBusy

_MOVE = text(
    "WITH moved AS (SELECT * FROM unnest(:ids, :starts, :ends) AS m (id, starts_at, ends_at))"
    " UPDATE sessions SET starts_at = moved.starts_at, ends_at = moved.ends_at,"
    " sequence = sequence + 1, moved_sequence = sequence + 1, decision_asked_at = NULL"
    " FROM moved WHERE sessions.tenant_id = :tenant_id AND sessions.id = moved.id"
).bindparams(
    bindparam("ids", type_=ARRAY(Uuid)),
    bindparam("starts", type_=ARRAY(TIMESTAMP(timezone=True))),
    bindparam("ends", type_=ARRAY(TIMESTAMP(timezone=True))),
)


async def follow_zone_change(job: JobContext, event: TimezoneChanged) -> None:
    """Moves what was published before the change; `instants` leaves all as it is."""
    changed_at = await _changed_at(job)
    async with job.unit_of_work(done=True) as uow:
        if event.keep != "wall_clock":
            return
        sessions = await _upcoming(uow, changed_at)
        shifts = [
            shift
            for shift in preview_zone_change(
                [(one.id, one.starts_at, one.ends_at) for one in sessions],
                ZoneInfo(event.old),
                ZoneInfo(event.new),
                ZoneChange.KEEP_WALL_CLOCK,
            )
            if shift.moved_by
        ]
        await _move(uow, sessions, shifts, event.old)


async def _changed_at(job: JobContext) -> datetime:
    """When the change was committed: sessions made later are on the new clock already."""
    async with job.unit_of_work() as uow:
        found = await uow.session.scalar(
            select(OutboxRow.created_at).where(
                OutboxRow.tenant_id == uow.tenant, OutboxRow.id == job.outbox_id
            )
        )
    return found or job.clock.now()


async def _upcoming(uow: UnitOfWork, changed_at: datetime) -> Sequence[Session]:
    """Those whose time was typed on the old clock: none made, and none moved, since the change."""
    moved_since = exists().where(
        SessionChange.tenant_id == Session.tenant_id,
        SessionChange.session_id == Session.id,
        SessionChange.sequence == Session.moved_sequence,
        SessionChange.changed_at > changed_at,
    )
    found = await uow.session.scalars(
        select(Session).where(
            Session.tenant_id == uow.tenant,
            Session.starts_at > uow.clock.now(),
            Session.created_at <= changed_at,
            Session.state.not_in((SessionState.CANCELLED, SessionState.VACATED)),
            ~moved_since,
        )
    )
    return found.all()


async def _move(
    uow: UnitOfWork, sessions: Sequence[Session], shifts: Sequence[ZoneShift], old_zone: str
) -> None:
    """A session that somebody changed since it was read makes all of it fail and be tried again."""
    if not shifts:
        return
    await _move_performers(uow, sessions, shifts)
    before = {session.id: session for session in sessions}
    await _move_decisions(uow, before, shifts)
    await note_changes(uow, [before[shift.session_id] for shift in shifts], timezone=old_zone)
    await wake_moved(uow, [shift.session_id for shift in shifts])
    system = RequestContext(actor=SYSTEM)
    for shift in shifts:
        was = before[shift.session_id]
        told = {
            "was": [was.starts_at.isoformat(), was.ends_at.isoformat()],
            "became": [shift.starts_at.isoformat(), shift.ends_at.isoformat()],
        }
        await audit(uow, system, "session.moved", "session", shift.session_id, **told)
    await uow.settle()
    await lock_dates(uow, {shift.session_id for shift in shifts})
    await uow.session.execute(
        _MOVE,
        {
            "tenant_id": uow.tenant,
            "ids": [shift.session_id for shift in shifts],
            "starts": [shift.starts_at for shift in shifts],
            "ends": [shift.ends_at for shift in shifts],
        },
    )


async def _move_performers(
    uow: UnitOfWork, sessions: Sequence[Session], shifts: Sequence[ZoneShift]
) -> None:
    """All busy times go before the new ones come, so that neighbours do not collide on the way.

    Where the new zone's clocks skip an hour two sessions may come to overlap; the later of them
    then takes nobody's time, since a session that is sold cannot be refused any more.
    """
    with_one = {one.id: one for one in sessions if one.performer_id is not None}
    led = [shift for shift in shifts if shift.session_id in with_one]
    if not led:
        return
    await uow.session.execute(
        delete(PerformerBusy).where(
            PerformerBusy.tenant_id == uow.tenant,
            PerformerBusy.source == SOURCE,
            PerformerBusy.source_id.in_([shift.session_id for shift in led]),
        )
    )
    rows = [_busy_row(with_one[shift.session_id], shift) for shift in led]
    await uow.session.execute(insert(PerformerBusy).on_conflict_do_nothing(), rows)


async def _move_decisions(
    uow: UnitOfWork, before: Mapping[UUID, Session], shifts: Sequence[ZoneShift]
) -> None:
    """A minimum group size is decided so many hours before the new start, and asked for anew."""
    hours = {shift.session_id: before[shift.session_id].decide_hours for shift in shifts}
    planned = [
        (shift.session_id, shift.starts_at, ahead)
        for shift in shifts
        if (ahead := hours[shift.session_id]) is not None
    ]
    await plan_decisions(uow, planned)


def _busy_row(session: Session, shift: ZoneShift) -> dict[str, object]:
    slot = slot_of(session, shift.starts_at, shift.ends_at)
    return {
        "tenant_id": session.tenant_id,
        "id": new_id(),
        "performer_id": session.performer_id,
        "during": Range(slot.starts_at, slot.ends_at, bounds="[)"),
        "source": SOURCE,
        "source_id": shift.session_id,
    }
