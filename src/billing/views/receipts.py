"""What guests see of what they paid."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.billing.views.badges import Badge
from src.billing.views.fees import GuestFees
from src.billing.views.orders import LineView
from src.billing.words import refund_state
from src.tenants.portal_sections import PortalHead


class ReceiptRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order with money in it. `what` is the first thing in it as it was sold, `more` how many
    others, and `by_now` what it is for since then, empty where that is the same.
    `has_lapsed`: it was a package that was not paid in full in time, or that its buyer did not want
    any more (`is_given_up`), or the business called off (`is_called_off`). `credits_given`: so many
    credits were given for parts of it. `in_parts_minor` is still to be paid in parts. Of
    `refunded_minor` so much is `too_much_minor`: it came beyond what was due, and no part of what
    was bought is back with it.
    """

    order_id: UUID
    href: str
    reference: str
    what: str
    more: int
    by_now: str
    ordered_at: datetime
    total_minor: int
    paid_minor: int
    refunded_minor: int
    too_much_minor: int
    owed_minor: int
    in_parts_minor: int
    currency: str
    has_lapsed: bool = False
    is_given_up: bool = False
    is_called_off: bool = False
    credits_given: int = 0


class ReceiptsView(msgspec.Struct, frozen=True, kw_only=True):
    """A page of them; `fees` are asked and not paid, and stand above the newest."""

    head: PortalHead
    rows: list[ReceiptRow]
    fees: GuestFees | None = None
    zone: ZoneInfo
    previous_href: str | None
    next_href: str | None


class ReceiptPayment(msgspec.Struct, frozen=True, kw_only=True):
    """Money that came; `method` is "card", "on_site" or another word of the processor's.
    `is_extra`: more than was due, which goes back.
    """

    at: datetime
    amount_minor: int
    currency: str
    method: str
    is_extra: bool = False


class ReceiptRefund(msgspec.Struct, frozen=True, kw_only=True):
    """Money that went back, or is about to, or did not arrive and is looked into. `way`: to the
    "voucher" that had paid, as a "new_voucher", or as "money".
    """

    at: datetime
    amount_minor: int
    currency: str
    state: str
    way: str = "money"

    @property
    def badge(self) -> Badge:
        return Badge(*refund_state(self.state))


class TaxSum(msgspec.Struct, frozen=True):
    """How much of the total is tax at one rate, in hundredths of a percent."""

    rate_bp: int
    minor: int


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """One order as its receipt says it. `discount_minor` is off by the code `coupon`; `taxes` are
    in the total. Of it `not_due_minor` was neither paid nor is to be, as it was cancelled. Of what
    is paid in parts, `in_parts_minor` is still to come and `let_go_minor` not asked any more.
    """

    reference: str
    guest_name: str
    guest_email: str
    ordered_at: datetime
    lines: list[LineView]
    coupon: str
    discount_minor: int
    total_minor: int
    taxes: list[TaxSum]
    payments: list[ReceiptPayment]
    refunds: list[ReceiptRefund]
    paid_minor: int
    refunded_minor: int
    owed_minor: int
    not_due_minor: int = 0
    in_parts_minor: int = 0
    let_go_minor: int = 0
    currency: str
    has_lapsed: bool = False
    is_given_up: bool = False
    is_called_off: bool = False

    @property
    def back_minor(self) -> int:
        """What of it went or goes back; in the order's currency."""
        return sum(
            one.amount_minor
            for one in self.refunds
            if one.state != "failed" and one.currency == self.currency
        )


class ReceiptView(msgspec.Struct, frozen=True, kw_only=True):
    """`booking_href` leads to what was bought, empty where it has no page of its own.
    `credits_given` are lines about credits that were given for parts of it.
    """

    receipt: Receipt
    business: str
    contact_email: str
    contact_phone: str
    back: str
    booking_href: str
    credits_given: list[str] = []
    zone: ZoneInfo
