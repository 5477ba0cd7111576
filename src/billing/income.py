"""What counts as brought in by an order.

A voucher that is bought is owed: it counts when it is spent, as what pays for an order, and not a
second time when it was sold. What is to go back counts for nothing.
"""

from sqlalchemy import ColumnElement, func, literal, or_, select

from src.billing.domain.kinds import STANDING, TRANSFER_METHOD
from src.billing.models import Order, Payment, Voucher
from src.platform.db.uow import UnitOfWork


def is_income(uow: UnitOfWork) -> ColumnElement[bool]:
    """Whether the row of `orders` at hand sold anything but vouchers: SQL, looked up once."""
    sold = select(Voucher.order_id).where(
        Voucher.tenant_id == uow.tenant, Voucher.order_id.is_not(None)
    )
    return Order.id.not_in(sold)


def to_send_back_minor(*, stands: bool | None = None) -> ColumnElement[int]:
    """What came to the row of `orders` at hand by transfer and a person gives back, by the rule of
    `keep_hand_back`: all of it where the order does not stand, else what came beside its price. No
    refund tells of it.
    """
    left = func.sum(Payment.amount_minor - Payment.refunded_minor)
    is_standing = (
        Order.state.in_([str(state) for state in STANDING]) if stands is None else literal(stands)
    )
    found: ColumnElement[int] = (
        select(func.coalesce(left, 0))
        .where(
            Payment.tenant_id == Order.tenant_id,
            Payment.order_id == Order.id,
            Payment.method == TRANSFER_METHOD,
            or_(Payment.is_extra, ~is_standing),
        )
        .correlate(Order)
        .scalar_subquery()
    )
    return found
