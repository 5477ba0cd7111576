"""The closed sets of words that orders and payments are described in."""

from enum import StrEnum


class OrderState(StrEnum):
    OPEN = "open"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class PaymentMode(StrEnum):
    """How an order is paid; only `online` ever shows a payment page."""

    ONLINE = "online"
    ON_SITE = "on_site"
    CREDIT = "credit"
    FREE = "free"
