"""What is still to be paid on site: one answer for lists, totals, pages and the press of a button.

Billing does not know what became of what it sold, so each line kind says what of an order's price
its guest need not pay any more. What was cancelled late is not among it; see
docs/algorithms/cancelling.md.
"""

from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from sqlalchemy import ColumnElement, case, exists, func, literal, select

from src.billing.domain.coupons import discount_within
from src.billing.domain.credits import LotState
from src.billing.domain.kinds import OrderState, PaymentMode, RefundCause, RefundState
from src.billing.lines import LineKind, line_kinds
from src.billing.models import CreditLot, Order, Refund
from src.platform.db.uow import UnitOfWork


def owed_minor() -> ColumnElement[int]:
    """Minor units still to be taken on site for the row of `orders` at hand, as SQL.

    0 for an order that is not confirmed or is paid in another way. Ask for it when the statement
    is made, not when its module is loaded: kinds are registered by the composition root.
    """
    return _owed_minor(tuple(line_kinds()))


@lru_cache(maxsize=1)
def _owed_minor(kinds: tuple[LineKind, ...]) -> ColumnElement[int]:
    """Made once: putting it together takes longer than PostgreSQL does to answer it."""
    is_on_site = Order.payment_mode == str(PaymentMode.ON_SITE)
    waived: ColumnElement[int] = literal(0)
    for kind in kinds:
        waived = waived + kind.waived_minor()
    left = func.greatest(Order.total_minor - waived - Order.paid_minor + _back_on_voucher(), 0)
    return case((is_on_site & (Order.state == str(OrderState.CONFIRMED)), left), else_=0)


def _back_on_voucher() -> ColumnElement[int]:
    """What went back to the voucher for parts that were cancelled pays for the others no more."""
    back = (
        select(func.coalesce(func.sum(Refund.amount_minor), 0))
        .where(
            Refund.tenant_id == Order.tenant_id,
            Refund.order_id == Order.id,
            Refund.voucher_id.is_not(None),
            Refund.cause.in_([str(RefundCause.CANCELLED), str(RefundCause.NOT_DELIVERED)]),
            Refund.state != str(RefundState.FAILED),
        )
        .correlate(Order)
        .scalar_subquery()
    )
    return case((Order.voucher_minor > 0, back), else_=0)


async def get_owed_minor(uow: UnitOfWork, order_id: UUID) -> int:
    """What is still to be taken on site for one order; 0 for one that is not there."""
    found = await uow.session.scalar(
        select(owed_minor()).where(Order.tenant_id == uow.tenant, Order.id == order_id)
    )
    return int(found or 0)


async def get_not_due_minor(uow: UnitOfWork, order_id: UUID) -> int:
    """What of an order's price that is paid on site was neither paid nor is to be, as what it was
    for was cancelled. 0 for a package that never came to be, which says so by itself.
    """
    never_was = exists().where(
        CreditLot.tenant_id == Order.tenant_id,
        CreditLot.order_id == Order.id,
        CreditLot.state == str(LotState.VOID),
    )
    kept = Order.paid_minor - _back_on_voucher()
    is_on_site = Order.payment_mode == str(PaymentMode.ON_SITE)
    found = await uow.session.scalar(
        select(func.greatest(Order.total_minor - kept - owed_minor(), 0)).where(
            Order.tenant_id == uow.tenant,
            Order.id == order_id,
            Order.state == str(OrderState.CONFIRMED),
            is_on_site,
            ~never_was,
        )
    )
    return int(found or 0)


async def get_discount_minor(uow: UnitOfWork, order: Order) -> int:
    """What was taken off of what is still to be paid on site; where nothing is, of what was paid,
    or of the price.
    """
    if not order.discount_minor:
        return 0
    part_minor = await get_owed_minor(uow, order.id) or order.paid_minor or order.total_minor
    return discount_within(order.discount_minor, order.total_minor, part_minor)


async def list_owed_minor(uow: UnitOfWork, order_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What is still to be taken on site for each of the orders that are there."""
    found = await uow.session.execute(
        select(Order.id, owed_minor()).where(Order.tenant_id == uow.tenant, Order.id.in_(order_ids))
    )
    return {row[0]: int(row[1]) for row in found}
