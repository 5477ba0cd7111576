"""What the payment processor tells us, in our own words, and how its calls can fail.

Amounts are in our minor units and currencies in upper case, whatever the processor counts in.
"""

from enum import StrEnum
from typing import Any, Literal

import msgspec

ACCOUNT_OUT_OF_REACH = "account_invalid"
"""The refusal to act for a business that has disconnected; it says nothing about its pages."""

TOO_SMALL = "amount_too_small"


class ProcessorError(Exception):
    """A call did not bring what was asked for. `code` is the processor's, "" when it gave none;
    `param` what of the call it was about.
    """

    def __init__(self, message: str, code: str = "", *, param: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class DefinitiveFailure(ProcessorError):
    """The processor said no: nothing was done, and the same call would be refused again."""


class Uncertain(ProcessorError):
    """Nobody knows whether it was done: a time-out, a broken line, a 5xx, 409 or 429.

    Only the very same attempt may be made again. `answered` tells whether the processor itself
    spoke: a fault it has stored under the key comes back each time.
    """

    def __init__(
        self, message: str, code: str = "", *, answered: bool = False, param: str = ""
    ) -> None:
        super().__init__(message, code, param=param)
        self.answered = answered


class BadSignature(Exception):
    """A webhook's body was not signed with our secret, or too long ago."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A business's own account at the processor."""

    id: str
    charges_enabled: bool
    details_submitted: bool


class PageStatus(StrEnum):
    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


class ProcessorPage(msgspec.Struct, frozen=True, kw_only=True):
    """A hosted payment page with its payment, or the payment by a card that is kept, as it stands
    now. Of such a one `url` is where the bank asks its guest, and `declined` the bank's no;
    `is_unconfirmed`: nobody has asked for the money yet.

    `metadata` is what we sent along: tenant_id, order_id, page_id.
    """

    id: str
    url: str | None
    status: PageStatus
    is_paid: bool
    has_failed: bool
    payment_intent_id: str | None
    amount_minor: int
    currency: str
    fee_minor: int
    method: str
    metadata: dict[str, str]
    declined: str = ""
    is_unconfirmed: bool = False


class ProcessorCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card as the processor keeps it. `customer_id` is whose it is there, None once it was taken
    off. `metadata` is that of the page that kept it.
    """

    payment_method_id: str
    customer_id: str | None
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    fingerprint: str
    metadata: dict[str, str] = {}


class RefundStatus(StrEnum):
    """`pending` is on its way or waits for the guest; `failed` is over and the money is back."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class ProcessorRefund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as it stands now; `metadata` tells ours from one made in the dashboard."""

    id: str
    status: RefundStatus
    amount_minor: int
    payment_intent_id: str | None
    failure: str
    metadata: dict[str, str]


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """A guest's bank wants the money back; `outcome` is None until it has been decided."""

    id: str
    payment_intent_id: str | None
    amount_minor: int
    currency: str
    outcome: Literal["won", "lost"] | None


class ProcessorEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A verified webhook. Its object may be old by now; only its id is to be relied on."""

    id: str
    type: str
    account_id: str | None
    object_id: str | None
    payload: dict[str, Any]
