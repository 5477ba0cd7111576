"""Which ways the money went that one cause has asked for."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from src.billing.models import Payment, Refund
from src.platform.db.uow import UnitOfWork


class WaysBack(NamedTuple):
    """In minor units: onto the voucher that had paid, the way it was paid, and as a new voucher."""

    on_voucher_minor: int = 0
    as_paid_minor: int = 0
    new_voucher_minor: int = 0


async def get_ways_back(uow: UnitOfWork, order_id: UUID, cause_key: str) -> WaysBack:
    """Of the refunds that were asked for under the key, one for each of the order's payments."""
    await uow.session.flush()
    is_back_on = Refund.voucher_id == Payment.voucher_id
    sums = func.sum(Refund.amount_minor)
    found = await uow.session.execute(
        select(
            func.coalesce(sums.filter(is_back_on), 0),
            func.coalesce(sums.filter(Refund.voucher_id.is_(None)), 0),
            func.coalesce(sums.filter(is_back_on.is_distinct_from(True)), 0),
        )
        .join(Payment, (Payment.tenant_id == Refund.tenant_id) & (Payment.id == Refund.payment_id))
        .where(
            Refund.tenant_id == uow.tenant,
            Refund.order_id == order_id,
            Refund.cause_key.startswith(f"{cause_key}:", autoescape=True),
        )
    )
    on_voucher, as_paid, not_on_it = (int(one) for one in found.one())
    return WaysBack(on_voucher, as_paid, not_on_it - as_paid)
