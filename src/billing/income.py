"""What counts as brought in by an order.

A voucher that is bought is owed: it counts when it is spent, as what pays for an order, and not a
second time when it was sold.
"""

from sqlalchemy import ColumnElement, select

from src.billing.models import Order, Voucher
from src.platform.db.uow import UnitOfWork


def is_income(uow: UnitOfWork) -> ColumnElement[bool]:
    """Whether the row of `orders` at hand sold anything but vouchers: SQL, looked up once."""
    sold = select(Voucher.order_id).where(
        Voucher.tenant_id == uow.tenant, Voucher.order_id.is_not(None)
    )
    return Order.id.not_in(sold)
