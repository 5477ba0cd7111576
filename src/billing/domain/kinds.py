"""The closed sets of words that orders and payments are described in."""

from enum import StrEnum


class OrderState(StrEnum):
    OPEN = "open"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


STANDING = (OrderState.OPEN, OrderState.CONFIRMED)
"""Orders that have not ended: what came for their price is theirs."""

NOT_PAYABLE_WHY = "not_payable"
"""Why an order ended that no payment page can be had for; kept in `closed_why`."""

RELEASED_WHY = "released"
"""Why an order ended whose places the business held for a guest, and no longer does."""

GIVEN_UP_WHY = "given_up"
"""Why an order ended whose guest left the payment page for good."""

CALLED_OFF_WHY = "cancelled"
"""Why an order ended because the business cancelled what it holds."""


class OrderEnd(StrEnum):
    """How an order ended without money; whoever tells of it has words for each."""

    EXPIRED = "expired"
    RELEASED = RELEASED_WHY
    GIVEN_UP = GIVEN_UP_WHY
    NOT_PAYABLE = NOT_PAYABLE_WHY
    CALLED_OFF = CALLED_OFF_WHY


def order_end(state: str, closed_why: str | None) -> OrderEnd:
    """How an order ended that is neither open nor confirmed."""
    if state == OrderState.EXPIRED:
        return OrderEnd.EXPIRED
    known = {str(end): end for end in OrderEnd if end is not OrderEnd.EXPIRED}
    return known.get(closed_why or "", OrderEnd.CALLED_OFF)


class NotHad(StrEnum):
    """Why nothing can be had with money that came when nothing was waited for any more. `part`: it
    is less than the price. `ended`: somebody ended the order, see `OrderEnd`. `gone`: others have
    it, or it was cancelled. `twice`: the guest has it by another order. `voucher`: what was to pay
    a part was spent. `all_cancelled`: it was paid, and nothing of it stands. `refunded`: what a
    package's credits were worth had gone back before it was cancelled.
    """

    PART = "part"
    ENDED = "ended"
    GONE = "gone"
    TWICE = "twice"
    VOUCHER = "voucher"
    ALL_CANCELLED = "all_cancelled"
    REFUNDED = "refunded"


class PaymentMode(StrEnum):
    """How an order is paid; only `online` ever shows a payment page."""

    ONLINE = "online"
    ON_SITE = "on_site"
    TRANSFER = "transfer"
    CREDIT = "credit"
    FREE = "free"


class PageState(StrEnum):
    """`pending`: the call was made or is about to be, its answer is not known. `complete` may
    still be unpaid, with a slow method. `failed`: the page never came to be, or is out of reach,
    or gave way to another, and a card's bank has said no: no order ends with such a one.
    """

    PENDING = "pending"
    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"
    FAILED = "failed"


class PageKind(StrEnum):
    """A hosted page, or a card that its guest keeps: both are attempts to pay for an order."""

    PAGE = "page"
    CARD = "card"


LIVE_PAGES = (PageState.PENDING, PageState.OPEN, PageState.COMPLETE)
"""Pages through which money may still come."""


class PageOutcome(StrEnum):
    """What asking the processor about a page came to."""

    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    ENDED = "ended"
    DECLINED = "declined"


class RefundState(StrEnum):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefundCause(StrEnum):
    """Why money goes back. `too_much`: more was transferred than was due. `in_vain`: what was
    transferred bought nothing. `not_asked`: a part of a price was let go before it was paid.
    `credits`: they were not used. `processor`: someone did it in the processor's own dashboard.
    """

    TOO_LATE = "too_late"
    PAID_TWICE = "paid_twice"
    TOO_MUCH = "too_much"
    IN_VAIN = "in_vain"
    NOT_ASKED = "not_asked"
    NOT_DELIVERED = "not_delivered"
    CANCELLED = "cancelled"
    STAFF = "staff"
    CREDITS = "credits"
    PROCESSOR = "processor"


class OpenItemKind(StrEnum):
    """What about money a person must look at."""

    PAYMENT_MISMATCH = "payment_mismatch"
    REFUND_FAILED = "refund_failed"
    PAGE_OUT_OF_REACH = "page_out_of_reach"
    DISPUTE = "dispute"
    HAND_BACK = "hand_back"
    PART_OVERDUE = "part_overdue"


ON_SITE_METHOD = "on_site"
"""The method of payments that the business took itself, at the door."""

TRANSFER_METHOD = "transfer"
"""The method of payments that came to the business's own bank account."""

VOUCHER_METHOD = "voucher"
"""The method of what a voucher paid; it goes back to the voucher, and the processor knows nothing
of it either."""

BY_HAND_METHODS = (ON_SITE_METHOD, TRANSFER_METHOD)
"""What the business took itself: the processor knows nothing of it, and what is given back of it
goes back by hand."""

BY_HAND_MODES = (PaymentMode.ON_SITE, PaymentMode.TRANSFER)
"""Orders whose money comes past the processor."""

WAITING_MODES = (PaymentMode.ONLINE, PaymentMode.TRANSFER)
"""Orders with a price that are open, and hold what they are for, until their money has come."""


class FeeKind(StrEnum):
    """Why a fee is asked."""

    NO_SHOW = "no_show"
    LATE_CANCEL = "late_cancel"


class FeeState(StrEnum):
    """`dropped`: it was asked by mistake, since the guest had come."""

    ASKED = "asked"
    PAID = "paid"
    FORGIVEN = "forgiven"
    DROPPED = "dropped"
