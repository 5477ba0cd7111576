"""Fees that are not asked any more, since what they were asked for was called off."""

from uuid import UUID

from sqlalchemy import select

from src.billing.commands.fees import drop_fees
from src.billing.domain.kinds import FeeKind
from src.booking.domain.kinds import SeatState
from src.booking.models import Seat
from src.platform.db.uow import UnitOfWork


async def drop_late_fees(uow: UnitOfWork, session_ids: set[UUID]) -> None:
    """Who left late what is called off owes nothing for it, no fee either."""
    left = await uow.session.scalars(
        select(Seat.id)
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.session_id.in_(session_ids),
            Seat.state == str(SeatState.LATE_CANCELLED),
        )
        .order_by(Seat.id)
    )
    if seat_ids := left.all():
        await drop_fees(uow, seat_ids, FeeKind.LATE_CANCEL)
