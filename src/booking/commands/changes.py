"""Noting what a session was, so that everybody who booked it as that can be told.

Called before the change is written, in its transaction: two changes of the same state of a session
would have the same number, so the second is refused instead of telling guests half of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table, select, update

from src.booking.events import SessionsChanged
from src.booking.models import Booking, Seat, Session, SessionChange
from src.booking.queries.changes import said_of, untold
from src.booking.queries.mail_facts import SeatFacts
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.models import Location

CHANGES = cast(Table, SessionChange.__table__)
NOBODY: Mapping[UUID, str] = MappingProxyType({})


def changed_meanwhile() -> Conflict:
    return Conflict(
        _("This session has just changed. Please look at it again."), code="session_changed"
    )


register_constraint("uq_session_changes_sequence", changed_meanwhile)


async def note_changes(
    uow: UnitOfWork,
    sessions: Sequence[Session],
    *,
    timezone: str,
    reason: str = "",
    place: str | None = None,
    performers: Mapping[UUID, str] = NOBODY,
) -> None:
    """Keeps the sessions' facts as they still are, as one act, and lets their guests be told.

    Whoever calls this raises each session's sequence by one. `timezone` is the clock that the
    guests have read the times on, `reason` goes into the mails, and `place` is the line that they
    have read of it where the sessions' own is another by now. `performers` names, by session, who
    performs from now on where guests are to be told that.
    Raises, when it settles: Conflict when somebody changed one of the sessions meanwhile.
    """
    if not sessions:
        return
    action_id, places = new_id(), await _places(uow, sessions)
    rows = [_row(uow, one, action_id, places, timezone, reason) for one in sessions]
    rows = [{**row, "performer": performers.get(row["session_id"], "")} for row in rows]
    if place is not None:
        rows = [{**row, "place": place} for row in rows]
    uow.insert(CHANGES, rows)
    uow.record(SessionsChanged(action_id=action_id))


async def lock_untold_seats(uow: UnitOfWork, action_id: UUID, customer_id: UUID) -> Sequence[UUID]:
    """The customer's seats that have not heard of what the act changed, those that are being
    cancelled included, locked by (session, id).
    """
    found = await uow.session.scalars(
        untold(select(Seat.id), uow, action_id)
        .where(Booking.customer_id == customer_id)
        .order_by(Seat.session_id, Seat.id)
        .with_for_update(of=Seat, key_share=True)
    )
    return found.all()


async def mark_told(uow: UnitOfWork, seats: Iterable[SeatFacts]) -> None:
    """From now on the guests of these seats, which are locked, know their sessions as they are."""
    by_session: dict[UUID, list[SeatFacts]] = {}
    for item in seats:
        if item.is_untold:
            by_session.setdefault(item.session.id, []).append(item)
    for items in by_session.values():
        await uow.session.execute(
            update(Seat)
            .where(Seat.tenant_id == uow.tenant, Seat.id.in_([item.seat.id for item in items]))
            .values(told_sequence=items[0].session.sequence)
            .execution_options(synchronize_session=False)
        )


async def mark_known(uow: UnitOfWork, seat_ids: Sequence[UUID]) -> None:
    """Their guests have heard that these seats, which are locked, took the place of others."""
    await uow.session.execute(
        update(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(seat_ids))
        .values(is_known=True)
        .execution_options(synchronize_session=False)
    )


async def _places(uow: UnitOfWork, sessions: Sequence[Session]) -> dict[UUID | None, Location]:
    ids = {session.location_id for session in sessions if session.location_id is not None}
    if not ids:
        return {}
    found = await uow.session.scalars(
        select(Location).where(Location.tenant_id == uow.tenant, Location.id.in_(ids))
    )
    return {location.id: location for location in found}


def _row(
    uow: UnitOfWork,
    session: Session,
    action_id: UUID,
    places: dict[UUID | None, Location],
    timezone: str,
    reason: str,
) -> dict[str, Any]:
    said = said_of(session, places.get(session.location_id), timezone)
    return {
        "tenant_id": uow.tenant,
        "id": new_id(),
        "session_id": session.id,
        "action_id": action_id,
        "sequence": session.sequence + 1,
        "starts_at": said.starts_at,
        "ends_at": said.ends_at,
        "timezone": said.timezone,
        "title": said.title,
        "mode": said.mode,
        "place": said.place,
        "meeting_url": said.meeting_url,
        "reason": reason,
        "changed_at": uow.clock.now(),
    }
