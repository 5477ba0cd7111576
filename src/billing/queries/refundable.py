"""How much of an order's money can still go back the way it came."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from src.billing.domain.kinds import BY_HAND_METHODS
from src.billing.models import Order, Payment
from src.billing.queries.disputes import is_payment_with_the_bank
from src.billing.queries.unreturned import list_unreturned_minor
from src.platform.db.uow import UnitOfWork


def is_all_back(order: Order) -> bool:
    """Whether something was paid, and all of it has gone back or is on its way."""
    return 0 < order.paid_minor <= order.refunded_minor


async def list_refundable_minor(uow: UnitOfWork, order_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Minor units by order: what came through the processor less what went or goes back, and what
    banks have taken back; never more than has come back in no way, as a credit for instance.

    An order without such money is left out.
    """
    found = await uow.session.execute(
        select(Payment.order_id, func.sum(Payment.amount_minor - Payment.refunded_minor))
        .where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id.in_(order_ids),
            Payment.is_extra.is_(False),
            Payment.method.not_in(BY_HAND_METHODS),
            ~is_payment_with_the_bank(),
        )
        .group_by(Payment.order_id)
    )
    by_card = {row[0]: int(row[1]) for row in found}
    unreturned = await list_unreturned_minor(uow, list(by_card)) if by_card else {}
    return {order_id: min(minor, unreturned[order_id]) for order_id, minor in by_card.items()}
