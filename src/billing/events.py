"""What happened to orders and their money."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from src.platform.outbox.events import Event


class OrderConfirmed(Event, frozen=True, kw_only=True):
    """The order stands: paid, or with nothing to pay online."""

    topic: ClassVar[str] = "billing.order_confirmed"
    order_id: UUID


class OrderExpired(Event, frozen=True, kw_only=True):
    """The hold ended unpaid, or was given up; everything it held is free again.

    Nobody waits for it so far, and an event without a consumer writes no row.
    """

    topic: ClassVar[str] = "billing.order_expired"
    order_id: UUID


class TransferAwaited(Event, frozen=True, kw_only=True):
    """A guest is to pay by bank transfer, and is told how. `again` tells one telling from others:
    each of them is another mail.
    """

    topic: ClassVar[str] = "billing.transfer_awaited"
    order_id: UUID
    again: UUID | None = None


class TransferPartCame(Event, frozen=True, kw_only=True):
    """A part of a bank transfer has come, and more is waited for; `again` tells it from others."""

    topic: ClassVar[str] = "billing.transfer_part_came"
    order_id: UUID
    again: UUID


class TransferOver(Event, frozen=True, kw_only=True):
    """A bank transfer is not waited for any more, and what was held for it is free again."""

    topic: ClassVar[str] = "billing.transfer_over"
    order_id: UUID


class TransferNotDue(Event, frozen=True, kw_only=True):
    """A bank transfer was noted that nothing waits for, or more than is due, as far as is known by
    now; `again` is what its form is told by.
    """

    topic: ClassVar[str] = "billing.transfer_not_due"
    order_id: UUID
    again: UUID


class TransferSentBack(Event, frozen=True, kw_only=True):
    """A member has said that so much of what was transferred is sent back; `again` tells one
    telling from others.
    """

    topic: ClassVar[str] = "billing.transfer_sent_back"
    order_id: UUID
    amount_minor: int
    again: UUID


class PackageBought(Event, frozen=True, kw_only=True):
    """A package was bought: its credits are there, or wait for what is to be paid on site. One that
    was cancelled as never paid is there `again`, which tells one such time from another.
    """

    topic: ClassVar[str] = "billing.package_bought"
    order_id: UUID
    again: UUID | None = None


class PackageLapsed(Event, frozen=True, kw_only=True):
    """A package was not paid for on site in time, or its buyer gave it up: it never was. Nor was
    one whose transfer had been noted by mistake: `again` tells one such end from another, and
    `to_voucher_minor` goes back with it to the voucher that had paid a part.
    """

    topic: ClassVar[str] = "billing.package_lapsed"
    order_id: UUID
    again: UUID | None = None
    to_voucher_minor: int = 0


class OrderRefunded(Event, frozen=True, kw_only=True):
    """The processor has taken a refund on; `cause` is one of `domain.kinds.RefundCause`."""

    topic: ClassVar[str] = "billing.order_refunded"
    order_id: UUID
    refund_id: UUID
    cause: str


class CardToKeep(Event, frozen=True, kw_only=True):
    """A guest has paid on a page and wants to keep the card that they paid with."""

    topic: ClassVar[str] = "billing.card_to_keep"
    page_id: UUID


class CardKept(Event, frozen=True, kw_only=True):
    """A customer keeps a card that was not kept before; they have not been told yet."""

    topic: ClassVar[str] = "billing.card_kept"
    card_id: UUID


class CardEnded(Event, frozen=True, kw_only=True):
    """A card is kept no longer, and is to be taken off at the processor."""

    topic: ClassVar[str] = "billing.card_ended"
    card_id: UUID


class ProcessorCustomerEnded(Event, frozen=True, kw_only=True):
    """Who this was at the processor is to be nobody there any more."""

    topic: ClassVar[str] = "billing.processor_customer_ended"
    row_id: UUID


class RefundRequested(Event, frozen=True, kw_only=True):
    """A refund row waits for its call to the processor."""

    topic: ClassVar[str] = "billing.refund_requested"
    refund_id: UUID


class RefundFailed(Event, frozen=True, kw_only=True):
    """Money did not go back. Whether that is news to its guest is told by what they were mailed."""

    topic: ClassVar[str] = "billing.refund_failed"
    refund_id: UUID
    attempt: int


class PaymentCameTooLate(Event, frozen=True, kw_only=True):
    """Money came for a hold that had ended and whose places are gone; it goes back in full.

    `refund_id` names the refund of this very payment; an event of before it was told has none.
    """

    topic: ClassVar[str] = "billing.payment_came_too_late"
    order_id: UUID
    refund_id: UUID | None = None


class PartsPaid(Event, frozen=True, kw_only=True):
    """Later parts of a price were paid, by one payment."""

    topic: ClassVar[str] = "billing.parts_paid"
    order_id: UUID
    payment_id: UUID


class PartNotPaid(Event, frozen=True, kw_only=True):
    """A part could not be charged that day, for the first time or, which is `is_last`, for good."""

    topic: ClassVar[str] = "billing.part_not_paid"
    order_id: UUID
    part_id: UUID
    day: date
    is_last: bool


class PartWaived(Event, frozen=True, kw_only=True):
    """The business lets its guest off a part."""

    topic: ClassVar[str] = "billing.part_waived"
    order_id: UUID
    part_id: UUID


class PartsNotAsked(Event, frozen=True, kw_only=True):
    """Parts were let go, or taken on site: a payment page for them may still be open."""

    topic: ClassVar[str] = "billing.parts_not_asked"
    order_id: UUID


class MoneyNeedsAttention(Event, frozen=True, kw_only=True):
    """An open item was made; the owner is told."""

    topic: ClassVar[str] = "billing.money_needs_attention"
    open_item_id: UUID


class ProcessorEventReceived(Event, frozen=True, kw_only=True):
    """A processor's event lies in the inbox and waits to take effect."""

    topic: ClassVar[str] = "billing.processor_event_received"
    inbox_id: UUID


class FeeForgiven(Event, frozen=True, kw_only=True):
    """A fee that its guest knows of need not be paid any more; they have not been told yet."""

    topic: ClassVar[str] = "billing.fee_forgiven"
    fee_id: UUID


class FeePaid(Event, frozen=True, kw_only=True):
    """A guest's payment for a fee has come; they have not been told yet."""

    topic: ClassVar[str] = "billing.fee_paid"
    fee_id: UUID


class CreditsChanged(Event, frozen=True, kw_only=True):
    """Somebody's credits changed by staff, or by what came of it; `act` is a
    `domain.credit_acts.CreditAct`.

    `number` of credits came or went, `amount_minor` goes back, `by_hand_minor` of it from the
    business itself, `to_voucher_minor` to the voucher that paid and `new_voucher_minor` as a new
    one. `with_purchase`: they are taken off with the purchase that brought them. `key` is the act's
    own: the customer hears of each once.
    """

    topic: ClassVar[str] = "billing.credits_changed"
    lot_id: UUID
    act: str
    key: str
    number: int = 0
    amount_minor: int = 0
    by_hand_minor: int = 0
    to_voucher_minor: int = 0
    new_voucher_minor: int = 0
    reason: str = ""
    with_purchase: bool = False


class CreditEndSet(Event, frozen=True, kw_only=True):
    """Credits end at some time, or at another than before: their owner is warned in time."""

    topic: ClassVar[str] = "billing.credit_end_set"
    lot_id: UUID


class VoucherBought(Event, frozen=True, kw_only=True):
    """A guest has paid for a voucher online; they are told."""

    topic: ClassVar[str] = "billing.voucher_bought"
    order_id: UUID
    voucher_id: UUID


class VoucherToSend(Event, frozen=True, kw_only=True):
    """A voucher is to be mailed; `number` tells one wish of that from another."""

    topic: ClassVar[str] = "billing.voucher_to_send"
    voucher_id: UUID
    number: int
