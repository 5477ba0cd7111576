"""Rows of the billing package."""

from src.billing.models.coupons import Coupon, CouponCustomer, CouponUse
from src.billing.models.disputes import DisputeRow
from src.billing.models.orders import Order, OrderLine
from src.billing.models.payments import (
    ConnectedAccount,
    InboxEvent,
    OpenItem,
    Payment,
    PaymentPage,
    Refund,
)
from src.billing.models.settings import PaymentSettings

__all__ = [
    "ConnectedAccount",
    "Coupon",
    "CouponCustomer",
    "CouponUse",
    "DisputeRow",
    "InboxEvent",
    "OpenItem",
    "Order",
    "OrderLine",
    "Payment",
    "PaymentPage",
    "PaymentSettings",
    "Refund",
]
