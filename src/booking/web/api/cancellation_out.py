"""A cancellation as the API shows it."""

from uuid import UUID

import msgspec

from src.booking.commands.cancel import get_cancellation
from src.booking.queries.returns import get_money_back
from src.booking.views.api import (
    CancellationOut,
    CancellationScope,
    CancellationState,
    FailedRefundOut,
    MoneyOut,
    ReturnsOut,
)
from src.booking.views.returns import MoneyBack
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


async def get_cancellation_out(
    uow: UnitOfWork, tenant: TenantSnapshot, cancellation_id: UUID
) -> CancellationOut:
    """Raises: NotFound."""
    row = await get_cancellation(uow, cancellation_id)
    back = await get_money_back(uow, tenant, cancellation_id)
    return CancellationOut(
        id=row.id,
        scope=msgspec.convert(row.scope, CancellationScope),
        subject_id=row.subject_id,
        state=msgspec.convert(row.state, CancellationState),
        customers=row.total,
        customers_told=row.done,
        seats_freed=row.seats_freed,
        starts_at=row.starts_at,
        returns=None if back is None else _returns(back),
    )


def _returns(back: MoneyBack) -> ReturnsOut:
    return ReturnsOut(
        chosen=MoneyOut(back.goes_back_minor, back.currency),
        pending=MoneyOut(back.pending_minor, back.currency),
        returned=MoneyOut(back.returned_minor, back.currency),
        by_hand=MoneyOut(back.still_by_hand_minor, back.currency),
        failed=[
            FailedRefundOut(
                refund_id=one.refund_id,
                order_id=one.order_id,
                amount=MoneyOut(one.amount_minor, one.currency),
                why=one.why,
            )
            for one in back.failed
        ],
    )
