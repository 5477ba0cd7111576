"""What a guest believes who has had several dates in turn."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from src.booking.models import Seat
from src.booking.queries.changes import Believed, Earlier, find_believed, said_of
from src.booking.queries.mail_facts import SeatFacts, facts_of_seats
from src.platform.db.uow import UnitOfWork


async def find_known_seats(uow: UnitOfWork, new: Mapping[UUID, UUID]) -> dict[UUID, UUID]:
    """For each new seat, of which `new` names the one it replaced, the last one before it that its
    guest has heard of.
    """
    known = dict(new)
    while True:
        found = await uow.session.execute(
            select(Seat.id, Seat.replaces_id).where(
                Seat.tenant_id == uow.tenant,
                Seat.id.in_(known.values()),
                Seat.is_known.is_(False),
                Seat.replaces_id.is_not(None),
            )
        )
        earlier = {row.id: row.replaces_id for row in found}
        if not earlier:
            return known
        known = {seat_id: earlier.get(one, one) for seat_id, one in known.items()}


async def find_believed_dates(
    uow: UnitOfWork, seats: Sequence[SeatFacts], timezone: str
) -> Believed:
    """What the guest of these seats knows of their dates, where it is no longer so: a date changed,
    or took the place of another one, and the guest has not heard of it.
    """
    [believed] = await find_believed_by_each(uow, [seats], timezone)
    return believed


async def find_believed_by_each(
    uow: UnitOfWork, guests: Sequence[Sequence[SeatFacts]], timezone: str
) -> list[Believed]:
    """`find_believed_dates` for the seats of each guest: what changed is read for all together. A
    date that took the place of another did so for its own guest only.
    """
    changed = await find_believed(uow, [item for seats in guests for item in seats])
    return [await _with_replaced(uow, seats, changed, timezone) for seats in guests]


async def _with_replaced(
    uow: UnitOfWork, seats: Sequence[SeatFacts], plain: Believed, timezone: str
) -> Believed:
    new = {
        item.seat.id: item.seat.replaces_id
        for item in seats
        if item.seat.replaces_id is not None and not item.seat.is_known
    }
    if not new:
        return plain
    believed = dict(plain)
    known = await find_known_seats(uow, new)
    [bookings] = await facts_of_seats(uow, [sorted(set(known.values()))])
    before = {item.seat.id: item for facts in bookings for item in facts.seats}
    changed = await find_believed(uow, before.values())
    for item in seats:
        was = before.get(known[item.seat.id]) if item.seat.id in known else None
        if was is not None:
            said = said_of(was.session, was.location, timezone)
            believed[item.known] = changed.get(was.known) or Earlier(said)
    return believed
