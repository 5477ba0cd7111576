"""Billing's work in the background, registered by the composition root."""

from src.billing.events import (
    CardEnded,
    CardKept,
    CardToKeep,
    CreditEndSet,
    CreditsChanged,
    FeeForgiven,
    FeePaid,
    MoneyNeedsAttention,
    OrderRefunded,
    PartNotPaid,
    PartsNotAsked,
    PartsPaid,
    PartWaived,
    PaymentCameTooLate,
    ProcessorCustomerEnded,
    ProcessorEventReceived,
    RefundFailed,
    RefundRequested,
    TransferAwaited,
    TransferNotDue,
    TransferOver,
    TransferPartCame,
    TransferSentBack,
    VoucherBought,
    VoucherToSend,
)
from src.billing.jobs.cards import (
    detach_card,
    end_processor_customer,
    keep_card,
    tell_of_kept_card,
)
from src.billing.jobs.credit_ends import note_end, watching_credits
from src.billing.jobs.credit_mails import tell_of_changed_credits
from src.billing.jobs.fees import (
    CHARGE_SECONDS,
    charge_due_fees,
    tell_of_forgiven_fee,
    tell_of_paid_fee,
)
from src.billing.jobs.mails import (
    tell_of_failed_refund,
    tell_of_late_payment,
    tell_of_open_item,
    tell_of_refund,
)
from src.billing.jobs.parts import (
    charging,
    end_pages_not_asked,
    tell_of_paid_parts,
    tell_of_unpaid_part,
    tell_of_waived_part,
)
from src.billing.jobs.processor_events import handle_processor_event
from src.billing.jobs.refunds import send_refund
from src.billing.jobs.transfers import (
    remind_of_transfers,
    tell_how_to_transfer,
    tell_part_came,
    tell_transfer_over,
)
from src.billing.jobs.transfers_back import tell_sent_back, tell_transfer_not_due
from src.billing.jobs.vouchers import send_voucher, sending, tell_of_purchase
from src.billing.lapsing import lapse_unpaid_packages
from src.billing.reconcile import reconcile
from src.billing.sweeper import sweep_holds
from src.platform.jobs.queue import Periodic
from src.platform.outbox.events import Registry
from src.platform.services import Services

SWEEP_SECONDS = 10
RECONCILE_SECONDS = 30
REMIND_SECONDS = 60
LAPSE_SECONDS = 60


def register(registry: Registry) -> None:
    """Subscribes billing's consumers to what they wait for."""
    registry.on(ProcessorEventReceived, "billing.processor_event", handle_processor_event)
    registry.on(RefundRequested, "billing.send_refund", send_refund)
    registry.on(CardToKeep, "billing.keep_card", keep_card)
    registry.on(CardKept, "billing.tell_card_kept", tell_of_kept_card)
    registry.on(CardEnded, "billing.detach_card", detach_card)
    registry.on(ProcessorCustomerEnded, "billing.end_customer", end_processor_customer)
    registry.on(PaymentCameTooLate, "billing.tell_too_late", tell_of_late_payment)
    registry.on(OrderRefunded, "billing.tell_refunded", tell_of_refund)
    registry.on(RefundFailed, "billing.tell_refund_failed", tell_of_failed_refund)
    registry.on(TransferAwaited, "billing.tell_transfer", tell_how_to_transfer)
    registry.on(TransferOver, "billing.tell_transfer_over", tell_transfer_over)
    registry.on(TransferPartCame, "billing.tell_transfer_part", tell_part_came)
    registry.on(TransferNotDue, "billing.tell_not_due", tell_transfer_not_due)
    registry.on(TransferSentBack, "billing.tell_sent_back", tell_sent_back)
    registry.on(FeeForgiven, "billing.tell_forgiven", tell_of_forgiven_fee)
    registry.on(FeePaid, "billing.tell_fee_paid", tell_of_paid_fee)
    registry.on(PartsPaid, "billing.tell_part_paid", tell_of_paid_parts)
    registry.on(PartNotPaid, "billing.tell_part_unpaid", tell_of_unpaid_part)
    registry.on(PartsNotAsked, "billing.end_part_pages", end_pages_not_asked)
    registry.on(PartWaived, "billing.tell_part_waived", tell_of_waived_part)
    registry.on(CreditsChanged, "billing.tell_credits", tell_of_changed_credits)
    registry.on(CreditEndSet, "billing.watch_credits", note_end)
    registry.on(VoucherToSend, "billing.send_voucher", send_voucher)
    registry.on(VoucherBought, "billing.tell_bought", tell_of_purchase)
    registry.on(MoneyNeedsAttention, "billing.tell_open_item", tell_of_open_item)


def periodic_tasks(services: Services) -> list[Periodic]:
    """Ends of holds and of unpaid packages, news that never came, reminders of transfers, fees,
    vouchers on their day.
    """

    async def sweep() -> None:
        await sweep_holds(services)

    async def ask() -> None:
        await reconcile(services)

    async def remind() -> None:
        await remind_of_transfers(services)

    async def lapse() -> None:
        await lapse_unpaid_packages(services)

    async def charge() -> None:
        await charge_due_fees(services)

    return [
        Periodic("billing.charge_fees", charge, CHARGE_SECONDS),
        Periodic("billing.sweep_holds", sweep, SWEEP_SECONDS),
        Periodic("billing.reconcile", ask, RECONCILE_SECONDS),
        Periodic("billing.remind_of_transfers", remind, REMIND_SECONDS),
        Periodic("billing.lapse_packages", lapse, LAPSE_SECONDS),
        charging(services),
        watching_credits(services),
        sending(services),
    ]
