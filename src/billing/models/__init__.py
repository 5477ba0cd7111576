"""Rows of the billing package."""

from src.billing.models.cards import ProcessorCustomer, SavedCard
from src.billing.models.coupons import Coupon, CouponCustomer, CouponUse
from src.billing.models.credits import CreditEntry, CreditLot, CreditNotice, Package
from src.billing.models.disputes import DisputeRow
from src.billing.models.fees import Fee
from src.billing.models.instalments import Instalment
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
from src.billing.models.vouchers import Voucher, VoucherEntry, VoucherSettings

__all__ = [
    "ConnectedAccount",
    "Coupon",
    "CouponCustomer",
    "CouponUse",
    "CreditEntry",
    "CreditLot",
    "CreditNotice",
    "DisputeRow",
    "Fee",
    "InboxEvent",
    "Instalment",
    "OpenItem",
    "Order",
    "OrderLine",
    "Package",
    "Payment",
    "PaymentPage",
    "PaymentSettings",
    "ProcessorCustomer",
    "Refund",
    "SavedCard",
    "Voucher",
    "VoucherEntry",
    "VoucherSettings",
]
