"""What of an order's money is still to come back in any way at all."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select

from src.billing.models import Order, Payment
from src.billing.queries.disputes import is_payment_with_the_bank
from src.billing.queries.in_credits import list_in_credits_minor
from src.billing.queries.to_hand_back import to_hand_back_minor
from src.platform.db.uow import UnitOfWork


async def list_unreturned_minor(uow: UnitOfWork, order_ids: Collection[UUID]) -> dict[UUID, int]:
    """What was paid by order and has come back in no way: neither as money, on its way or promised,
    nor as a credit. What a bank has taken back counts as returned.

    Whatever is given back for places goes by it, so that all ways together give no more than was
    paid. Orders for which nothing was paid are left out.
    """
    left = await list_paid_minor(uow, order_ids)
    for order_id, minor in (await list_in_credits_minor(uow, left)).items():
        left[order_id] -= minor
    return {order_id: max(minor, 0) for order_id, minor in left.items()}


async def list_paid_minor(uow: UnitOfWork, order_ids: Collection[UUID]) -> dict[UUID, int]:
    """The same, with what lies in credits."""
    await uow.session.flush()
    rest = func.sum(Payment.amount_minor - Payment.refunded_minor)
    paid = await uow.session.execute(
        select(Payment.order_id, rest - func.max(to_hand_back_minor(of_price=True)))
        .join(Order, (Order.tenant_id == Payment.tenant_id) & (Order.id == Payment.order_id))
        .where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id.in_(order_ids),
            Payment.is_extra.is_(False),
            ~is_payment_with_the_bank(),
        )
        .group_by(Payment.order_id)
    )
    return {row[0]: int(row[1]) for row in paid}
