"""What an order that waits to be paid is waiting for, and until when."""

from datetime import datetime

from sqlalchemy import ColumnElement

from src.billing.domain.holds import payable_until
from src.billing.domain.kinds import OrderState, PaymentMode
from src.billing.models import Order

BY_STAFF = "staff"


def is_by_link(order: Order) -> bool:
    """Whether a guest whom staff booked for is to pay by the link in a mail; one who books without
    them is at the payment page just now.
    """
    is_online = order.payment_mode == PaymentMode.ONLINE
    return order.state == OrderState.OPEN and order.source == BY_STAFF and is_online


def is_told_until(order: Order) -> bool:
    """Whether the guest was told by mail until when something is held for them."""
    return order.source == BY_STAFF or order.payment_mode == PaymentMode.TRANSFER


def told_until() -> ColumnElement[bool]:
    """The same of the row of `orders` at hand."""
    return (Order.source == BY_STAFF) | (Order.payment_mode == str(PaymentMode.TRANSFER))


def pay_until_of(order: Order) -> datetime | None:
    """The moment that the guest sees; None for an order that does not wait to be paid."""
    return payable_until(order.hold_expires_at) if order.state == OrderState.OPEN else None
