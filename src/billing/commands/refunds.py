"""Refunds as rows: asked for beside the fact that causes them, called for by a job, then finished.

The amount is set aside on payment and order when the refund is asked for, so that all refunds
together never exceed what was paid, and set free when the refund fails. Every function here wants
the order's row locked by `lock_order`.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.commands.due import add_due, drop_due, move_due
from src.billing.commands.ending_parts import end_parts_again, resume_parts
from src.billing.commands.open_items import (
    close_open_items,
    close_replaced_failures,
    raise_open_item,
)
from src.billing.commands.refunded_credits import (
    Restored,
    restore_refunded_credits,
    take_refunded_credits,
    tell_of_return,
)
from src.billing.commands.sold_credits import (
    refuse_uncovered_credits,
    take_credits_with,
    take_disputed_credits,
)
from src.billing.commands.sold_vouchers import check_revocable, restore_revoked, revoke
from src.billing.domain.kinds import (
    BY_HAND_METHODS,
    VOUCHER_METHOD,
    OpenItemKind,
    RefundCause,
    RefundState,
)
from src.billing.domain.processor_amounts import to_processor
from src.billing.domain.refund_failures import Instead
from src.billing.domain.retries import REFUND_DUE, next_refund_check
from src.billing.events import OrderRefunded, RefundFailed, RefundRequested
from src.billing.models import Order, Payment, Refund
from src.billing.processor import ProcessorRefund, RefundStatus
from src.billing.queries.disputes import has_lost, list_payments_with_the_bank
from src.billing.queries.lots import has_ended
from src.billing.queries.refund_failures import list_waiting_refunds
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import SYSTEM, RequestContext


class MoneyBack(msgspec.Struct, frozen=True, kw_only=True):
    """So much of a payment goes back, once for each `cause_key`. `instead` says of which failed
    refunds of the payment it takes the place; they are closed, by `asked_by` where a person asked.
    """

    amount_minor: int
    cause: RefundCause
    cause_key: str
    instead: Instead = Instead.NONE
    asked_by: UUID | None = None


async def request_refund(
    uow: UnitOfWork, order: Order, payment: Payment, wanted: MoneyBack
) -> UUID | None:
    """Asks for money to go back; None when it was asked for before.

    Raises: InvalidInput for more than is left of the payment; Conflict for one that the business
    took itself.
    """
    if await asked_before(uow, wanted.cause_key):
        return None
    amount_minor = wanted.amount_minor
    refuse_amount(payment, amount_minor)
    refund = Refund(
        **refund_row(uow, order, payment, new_id(), amount_minor),
        cause=str(wanted.cause),
        cause_key=wanted.cause_key,
    )
    uow.session.add(refund)
    set_aside(order, payment, amount_minor)
    await close_replaced_failures(uow, payment, amount_minor, wanted.instead, wanted.asked_by)
    uow.record(RefundRequested(refund_id=refund.id))
    now = uow.clock.now()
    await add_due(uow, REFUND_DUE, refund.id, next_refund_check(now, now))
    return refund.id


def refuse_amount(payment: Payment, amount_minor: int) -> None:
    """Raises: InvalidInput for nothing, and for more than is left of the payment."""
    if amount_minor <= 0:
        raise InvalidInput(_("Please give an amount above nothing."))
    if amount_minor > payment.amount_minor - payment.refunded_minor:
        raise InvalidInput(_("That is more than is left of this payment."))


async def asked_before(uow: UnitOfWork, cause_key: str) -> int:
    """The amount that this cause has asked for already, 0 for a new cause."""
    found = await uow.session.scalar(
        select(Refund.amount_minor).where(
            Refund.tenant_id == uow.tenant, Refund.cause_key == cause_key
        )
    )
    return found or 0


async def request_refunds(
    uow: UnitOfWork, order: Order, amount_minor: int, *, cause: RefundCause, cause_key: str
) -> int:
    """Spreads an amount over what was paid for the order by voucher and through the processor: to
    the voucher first.

    Returns the minor units asked for, at this call or at an earlier one with the same key: less
    than wanted where the business took money itself, a bank took it back, or part of it went back
    before.
    """
    left, with_the_bank = amount_minor, await list_payments_with_the_bank(uow, order.id)
    for payment in await payments_of(uow, order.id):
        if payment.is_extra or payment.method in BY_HAND_METHODS:
            continue
        key = f"{cause_key}:{payment.id}"
        part = await asked_before(uow, key)
        if not part and payment.id not in with_the_bank:
            part = min(left, payment.amount_minor - payment.refunded_minor)
        if part:
            wanted = MoneyBack(amount_minor=part, cause=cause, cause_key=key)
            await request_refund(uow, order, payment, wanted)
        left -= part
    return amount_minor - left


async def refuse_with_the_bank(uow: UnitOfWork, payment: Payment) -> None:
    """Raises: Conflict for a payment that its bank has taken back, which would go back twice."""
    if payment.id in await list_payments_with_the_bank(uow, payment.order_id):
        raise Conflict(
            _("The guest's bank has this payment because of a dispute, so it cannot be refunded."),
            code="payment_disputed",
        )


async def retry_refund(uow: UnitOfWork, order: Order, refund: Refund) -> None:
    """Makes a failed refund's next attempt, under a key of its own.

    Raises: Conflict when it did not fail, was settled in another way, a bank has taken the payment
    back, credits that it is for were used, or a part of their price was paid since; InvalidInput
    when the payment has not enough left.
    """
    waiting = {one.refund_id for one in await list_waiting_refunds(uow, refund.payment_id)}
    if refund.id not in waiting:
        raise Conflict(_("This refund is not waiting for another try."))
    payment = await get_payment(uow, refund.payment_id)
    await refuse_with_the_bank(uow, payment)
    if refund.amount_minor > payment.amount_minor - payment.refunded_minor:
        raise InvalidInput(_("That is more than is left of this payment."))
    if not payment.is_extra:
        await check_revocable(uow, order.id, refund.amount_minor)
        await revoke(uow, order.id, refund.id, refund.amount_minor)
    failed_at = refund.finished_at
    refund.attempt += 1
    refund.state = str(RefundState.PENDING)
    refund.body = refund_body(uow, payment, refund.id, refund.amount_minor, refund.attempt)
    refund.processor_id = refund.error = refund.called_at = refund.finished_at = None
    set_aside(order, payment, refund.amount_minor)
    now = uow.clock.now()
    uow.record(RefundRequested(refund_id=refund.id))
    await close_open_items(uow, OpenItemKind.REFUND_FAILED, refund.id)
    await close_replaced_failures(uow, payment, refund.amount_minor, Instead.NONE)
    await add_due(uow, REFUND_DUE, refund.id, next_refund_check(now, now))
    if await take_refunded_credits(uow, refund):
        await end_parts_again(uow, order, failed_at)
    if not payment.is_extra:
        await refuse_uncovered_credits(uow, order.id, refund.amount_minor)


async def take_refund_news(
    uow: UnitOfWork, order: Order, refund: Refund, news: ProcessorRefund
) -> None:
    """Writes down how our refund stands at the processor; the same news twice changes nothing."""
    refund.processor_id = news.id
    now = uow.clock.now()
    if news.status == RefundStatus.FAILED:
        await fail_refund(uow, order, refund, news.failure)
    elif news.status == RefundStatus.PENDING:
        await move_due(uow, refund.id, next_refund_check(refund.created_at, now))
    elif refund.state == RefundState.PENDING:
        refund.state = str(RefundState.SUCCEEDED)
        refund.finished_at = now
        await drop_due(uow, refund.id)
        uow.record(OrderRefunded(order_id=order.id, refund_id=refund.id, cause=refund.cause))


async def fail_refund(
    uow: UnitOfWork,
    order: Order,
    refund: Refund,
    why: str,
    others: Sequence[ProcessorRefund] = (),
) -> None:
    """The money did not go back: it is free for another try, and a person is told.

    `others` are the payment's refunds as the processor lists them. One of the dashboard that is new
    to us, over the same amount or leaving nothing of the payment, took its place: then nobody need
    do a thing. One that another refund of ours leaves no room for is left to later news.
    """
    if refund.state == RefundState.FAILED:
        return
    payment = await get_payment(uow, refund.payment_id)
    uow.record(RefundFailed(refund_id=refund.id, attempt=refund.attempt))
    refund.state = str(RefundState.FAILED)
    refund.error = why
    refund.finished_at = uow.clock.now()
    set_aside(order, payment, -refund.amount_minor)
    await restore_revoked(uow, order.id, refund.id)
    await drop_due(uow, refund.id)
    # First of all they are back, so that they leave with what took its place.
    restored = await restore_refunded_credits(uow, refund)
    # It may have failed because a bank has the money: then nothing pays for the credits.
    is_lost = not payment.is_extra and await has_lost(uow, payment.id)
    await _tell_of_failure(uow, order, payment, refund, [] if is_lost else restored)
    for other in others:
        if "refund_id" not in other.metadata:
            # It is refused before anything is written; the failure itself has to stand.
            with suppress(Conflict):
                await record_foreign_refund(uow, order, payment, other)
    if is_lost:
        # Whose they are read already that they are gone.
        await take_disputed_credits(uow, order.id)
    if restored or not is_lost:
        await tell_of_return(uow, refund, restored)
    if restored:
        await resume_parts(uow, order)


async def _tell_of_failure(
    uow: UnitOfWork, order: Order, payment: Payment, refund: Refund, restored: Sequence[Restored]
) -> None:
    facts = {
        "reference": order.reference,
        "amount_minor": refund.amount_minor,
        "currency": payment.currency,
        "why": refund.error,
        "attempt": refund.attempt,
    }
    if usable := [one for one in restored if not has_ended(uow, one.lot)]:
        back = {"credits": sum(one.number for one in usable)}
        facts |= back | {"page": f"credits/{usable[0].lot.id}"}
    await raise_open_item(uow, OpenItemKind.REFUND_FAILED, refund.id, order.id, facts)
    # The item and the refund tell of the last try only; the log keeps each.
    system = RequestContext(actor=SYSTEM)
    told = {"refund": str(refund.id), **facts}
    await audit(uow, system, "order.refund_failed", "order", order.id, **told)


async def record_foreign_refund(
    uow: UnitOfWork, order: Order, payment: Payment, news: ProcessorRefund
) -> None:
    """Writes down a refund that someone made in the processor's dashboard.

    Raises: Conflict when refunds of ours are under way for the same money; ask again later, when
    the processor has decided which of them got it.
    """
    known = await uow.session.scalar(
        select(Refund).where(
            Refund.tenant_id == uow.tenant,
            Refund.payment_id == payment.id,
            Refund.processor_id == news.id,
        )
    )
    if known is None:
        if news.status == RefundStatus.FAILED:
            return
        known = await _insert_foreign(uow, order, payment, news)
    await take_refund_news(uow, order, known, news)


async def _insert_foreign(
    uow: UnitOfWork, order: Order, payment: Payment, news: ProcessorRefund
) -> Refund:
    if news.amount_minor > payment.amount_minor - payment.refunded_minor:
        raise Conflict(_("Another refund of this payment is under way."), code="refund_under_way")
    refund = Refund(
        **refund_row(uow, order, payment, new_id(), news.amount_minor),
        cause=str(RefundCause.PROCESSOR),
        cause_key=f"processor:{news.id}",
        processor_id=news.id,
    )
    uow.session.add(refund)
    set_aside(order, payment, news.amount_minor)
    if not payment.is_extra:
        await uow.session.flush()
        await take_credits_with(uow, refund)
        await revoke(uow, order.id, refund.id, news.amount_minor)
    await close_replaced_failures(uow, payment, news.amount_minor, Instead.THE_SAME)
    now = uow.clock.now()
    await add_due(uow, REFUND_DUE, refund.id, next_refund_check(now, now))
    return refund


def refund_body(
    uow: UnitOfWork, payment: Payment, refund_id: UUID, amount_minor: int, attempt: int
) -> dict[str, Any]:
    """What is sent. The platform's fee goes back in proportion; without one it is not mentioned.
    Nothing is sent for what a voucher paid.

    Raises: Conflict for what the business took itself, of which the processor knows nothing.
    """
    if payment.method in BY_HAND_METHODS:
        raise Conflict(
            _("The business took this payment itself, so it goes back by hand."),
            code="paid_on_site",
        )
    if payment.method == VOUCHER_METHOD:
        return {}
    body: dict[str, Any] = {
        "payment_intent": payment.payment_intent_id,
        "amount": to_processor(amount_minor, payment.currency),
        "metadata": {
            "tenant_id": str(uow.tenant),
            "order_id": str(payment.order_id),
            "refund_id": str(refund_id),
            "attempt": str(attempt),
        },
    }
    if payment.fee_minor:
        body["refund_application_fee"] = True
    return body


def refund_row(
    uow: UnitOfWork, order: Order, payment: Payment, refund_id: UUID, amount_minor: int
) -> dict[str, Any]:
    return {
        "tenant_id": uow.tenant,
        "id": refund_id,
        "order_id": order.id,
        "payment_id": payment.id,
        "voucher_id": payment.voucher_id,
        "amount_minor": amount_minor,
        "state": str(RefundState.PENDING),
        "attempt": 1,
        "body": refund_body(uow, payment, refund_id, amount_minor, 1),
        "created_at": uow.clock.now(),
    }


def set_aside(order: Order, payment: Payment, amount_minor: int) -> None:
    """A payment in another currency than its order's never counted as paid for the order."""
    payment.refunded_minor += amount_minor
    if payment.currency == order.currency:
        order.refunded_minor += amount_minor


async def payments_of(uow: UnitOfWork, order_id: UUID) -> Sequence[Payment]:
    """The order's payments in the order in which they go back: by voucher, then oldest first."""
    found = await uow.session.scalars(
        select(Payment)
        .where(Payment.tenant_id == uow.tenant, Payment.order_id == order_id)
        .order_by(Payment.method != VOUCHER_METHOD, Payment.received_at, Payment.id)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def get_payment(uow: UnitOfWork, payment_id: UUID) -> Payment:
    """Raises: NotFound."""
    payment = await uow.session.get(Payment, {"tenant_id": uow.tenant, "id": payment_id})
    if payment is None:
        raise NotFound(_("There is no such payment."))
    return payment


async def get_refund(uow: UnitOfWork, refund_id: UUID) -> Refund:
    """Raises: NotFound."""
    refund = await uow.session.get(Refund, {"tenant_id": uow.tenant, "id": refund_id})
    if refund is None:
        raise NotFound(_("There is no such refund."))
    return refund
