"""The credits of places that are to be cancelled, of which some do not come back."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select

from src.billing.queries.uncovered import find_unpaid_seats
from src.booking.models import Seat
from src.platform.db.uow import UnitOfWork


async def count_credits_gone(uow: UnitOfWork, seats: Select[tuple[UUID, UUID | None]]) -> int:
    """How many of the seats, each with the lot that paid it, would bring no credit back, because
    what was paid for that has gone back; by the rule that the cancelling itself asks.
    """
    credited: Any = await uow.session.execute(seats.where(Seat.credit_lot_id.is_not(None)))
    return len(await find_unpaid_seats(uow, dict(credited.tuples().all())))
