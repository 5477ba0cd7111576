"""What a guest believes who has had several dates in turn."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from src.booking.models import Seat
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
