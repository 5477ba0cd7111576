"""Fees that are not asked any more, since what they were asked for was called off."""

from uuid import UUID

from sqlalchemy import select

from src.billing.commands.fees import drop_fees
from src.billing.domain.kinds import FeeKind
from src.booking.domain.kinds import SeatState
from src.booking.models import Seat
from src.platform.db.uow import UnitOfWork

_MISSED = {
    SeatState.LATE_CANCELLED: FeeKind.LATE_CANCEL,
    SeatState.CANCELLED: FeeKind.NO_SHOW,
}
"""What a seat in a session that is called off has become, and which fee it may have brought: who
had not come when the session was stopped while it ran was cancelled with it.
"""


async def drop_fees_of_missed(uow: UnitOfWork, session_ids: set[UUID]) -> None:
    """Who left late what is called off, or did not come to it, owes nothing, no fee either."""
    for state, kind in _MISSED.items():
        found = await uow.session.scalars(
            select(Seat.id)
            .where(
                Seat.tenant_id == uow.tenant,
                Seat.session_id.in_(session_ids),
                Seat.state == str(state),
            )
            .order_by(Seat.id)
        )
        if seat_ids := found.all():
            await drop_fees(uow, seat_ids, kind)
