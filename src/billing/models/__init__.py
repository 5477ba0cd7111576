"""Rows of the billing package."""

from src.billing.models.orders import Order, OrderLine
from src.billing.models.payments import (
    ConnectedAccount,
    InboxEvent,
    OpenItem,
    Payment,
    PaymentPage,
    Refund,
)

__all__ = [
    "ConnectedAccount",
    "InboxEvent",
    "OpenItem",
    "Order",
    "OrderLine",
    "Payment",
    "PaymentPage",
    "Refund",
]
