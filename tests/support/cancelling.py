"""Seats that staff have cancelled, with the undo window behind them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from src.booking.commands.cancel_returns import MoneyWanted
from src.booking.commands.cancel_seats import cancel_seats
from src.booking.domain.cancelling import MoneyChoice
from src.booking.jobs.cancel import _free_chunk
from src.booking.models import Cancellation, Seat
from src.platform.clock import Clock
from src.platform.db.uow import UowFactory
from tests.support.builders import Business


async def seats_taken_back(
    factory: UowFactory,
    business: Business,
    seat_ids: Sequence[UUID],
    *,
    own: Mapping[UUID, int] | None = None,
    why: str = "",
    clock: Clock | None = None,
) -> None:
    """One act for each session; `own` says by order what goes back. What they have in the outbox
    waits there.
    """
    by_session: dict[UUID, list[UUID]] = defaultdict(list)
    async with factory(business.id) as uow:
        for seat in await uow.session.scalars(select(Seat).where(Seat.id.in_(seat_ids))):
            by_session[seat.session_id].append(seat.id)
    money = MoneyWanted(choice=MoneyChoice.NOTHING, own=own or {})
    for session_id, theirs in by_session.items():
        async with factory(business.id) as uow:
            made = await cancel_seats(
                uow, business.ctx, session_id, theirs, reason=why, undo_seconds=0, money=money
            )
        async with factory(business.id) as uow:
            uow.clock = clock or uow.clock
            cancellation = await uow.session.get_one(Cancellation, (business.id, made))
            while await _free_chunk(uow, cancellation):
                pass
