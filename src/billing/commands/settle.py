"""What a payment page's state at the processor means for its order; DOMAIN's "Odd payments".

`apply_page` is given the page as the processor shows it now, so it does not matter how often, how
late or in what order its events came: applying the same state twice changes nothing. Whatever it
does to what was held is the last that it writes.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from src.billing.commands.cards import end_card
from src.billing.commands.coupon_claims import restore_use, retake_coupon
from src.billing.commands.due import drop_due
from src.billing.commands.ending import can_still_be_paid, end_locked_order
from src.billing.commands.instalments import take_parts
from src.billing.commands.odd_payments import send_back, tell_of_mismatch
from src.billing.commands.orders import get_order, lock_order
from src.billing.commands.refunds import MoneyBack, request_refund
from src.billing.commands.voucher_claims import (
    Spent,
    restore_spend,
    retake_voucher,
    take_voucher_payment,
)
from src.billing.domain.cards import FOR_GOOD_CODES, CardState
from src.billing.domain.cause_keys import not_delivered_key
from src.billing.domain.kinds import (
    NotHad,
    OrderState,
    PageOutcome,
    PageState,
    PaymentMode,
    RefundCause,
)
from src.billing.events import CardToKeep, OrderConfirmed, PaymentCameTooLate, TransferOver
from src.billing.lines import LineKind, Undeliverable, handlers_of
from src.billing.models import Order, Payment, PaymentPage
from src.billing.processor import PageStatus, ProcessorPage
from src.platform.db.constraints import violated
from src.platform.db.uow import UnitOfWork
from src.platform.errors import DomainError, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.commands.counters import get_booking_limit, retake_booking_unit
from src.tenants.context import Actor, RequestContext

UNIQUE_VIOLATION = "23505"


class Ending(msgspec.Struct, frozen=True):
    """What becomes of an open order whose last page ends unpaid: by itself it expires, any other
    end somebody wants. `released_by`: the member who frees what it holds, which is in the log then.
    `is_left`: its guest wants nothing in its place, so that a transfer is asked for no more.
    """

    state: OrderState = OrderState.EXPIRED
    why: str = "not_paid"
    released_by: Actor | None = None
    is_left: bool = False

    async def note(self, uow: UnitOfWork, order_id: UUID) -> None:
        """Writes who released the order, and tells who gave it up that no transfer is waited for,
        in the transaction that ends it and before its end.
        """
        order = await get_order(uow, order_id)
        if self.is_left and order.payment_mode == PaymentMode.TRANSFER:
            uow.record(TransferOver(order_id=order_id))
        if self.released_by is not None:
            ctx = RequestContext(actor=self.released_by)
            await audit(uow, ctx, "order.released", "order", order_id)


EXPIRED = Ending()


async def keep_wanted_end(uow: UnitOfWork, order_id: UUID, ending: Ending) -> None:
    """Keeps on an open order how somebody wants it to end, before they close its payment page: the
    news of that may be applied before their own answer comes.
    """
    order = await lock_order(uow, order_id)
    if order.state == OrderState.OPEN:
        order.wanted_end = msgspec.to_builtins(ending)


def as_wanted(order: Order, ending: Ending | None) -> Ending:
    """How the order ends: as whoever ends it says, else as somebody wanted before."""
    if ending is not None and ending != EXPIRED:
        return ending
    if order.wanted_end is not None:
        return msgspec.convert(order.wanted_end, Ending)
    return EXPIRED


class Applied(NamedTuple):
    """What a page came to, and the state its order has after it."""

    outcome: PageOutcome
    order_state: OrderState


class _PlacesGone(Exception):
    """Rolls back what a half-done reacquiring wrote; `why` there is nothing to be had."""

    def __init__(self, why: NotHad = NotHad.GONE) -> None:
        super().__init__(why)
        self.why = why


async def lock_page(uow: UnitOfWork, page_id: UUID) -> tuple[Order, PaymentPage]:
    """The page and its order as they are now, the order's row locked. Raises: NotFound."""
    of_page = (PaymentPage.tenant_id == uow.tenant, PaymentPage.id == page_id)
    order_id = await uow.session.scalar(select(PaymentPage.order_id).where(*of_page))
    if order_id is None:
        raise NotFound(_("There is no such payment."))
    order = await lock_order(uow, order_id)
    page = await uow.session.scalar(
        select(PaymentPage).where(*of_page).execution_options(populate_existing=True)
    )
    assert page is not None
    return order, page


async def apply_page(
    uow: UnitOfWork, page_id: UUID, found: ProcessorPage, ending: Ending | None = None
) -> Applied:
    """Brings page and order to where the processor says the money is. Raises: NotFound.

    Nothing may follow it in its transaction.
    """
    order, page = await lock_page(uow, page_id)
    outcome = await _apply(uow, order, page, found, ending)
    return Applied(outcome, OrderState(order.state))


async def _apply(
    uow: UnitOfWork,
    order: Order,
    page: PaymentPage,
    found: ProcessorPage,
    ending: Ending | None,
) -> PageOutcome:
    page.processor_id = found.id
    if found.is_paid:
        page.state = str(PageState.COMPLETE)
        await drop_due(uow, page.id)
        await _take_payment(uow, order, page, found)
        return PageOutcome.PAID
    if found.declined:
        await _decline(uow, order, page, found)
        return PageOutcome.DECLINED
    if found.status == PageStatus.OPEN:
        if page.state == PageState.COMPLETE:
            # What is complete never opens again: this was seen before what is written.
            return PageOutcome.PROCESSING
        page.state = str(PageState.OPEN)
        page.url = found.url or page.url
        return PageOutcome.OPEN
    if found.status == PageStatus.COMPLETE and not found.has_failed:
        page.state = str(PageState.COMPLETE)
        # Whoever wanted to end it is told that money is on its way, which decides from now on.
        order.wanted_end = None
        return PageOutcome.PROCESSING
    if page.put_aside_at is not None or page.state == PageState.FAILED:
        # Another attempt has taken its place: the hold ends by itself, or with that one.
        page.state = str(PageState.FAILED)
        await drop_due(uow, page.id)
        return PageOutcome.ENDED
    await end_page(uow, order, page, PageState.EXPIRED, ending)
    return PageOutcome.ENDED


async def _decline(uow: UnitOfWork, order: Order, page: PaymentPage, found: ProcessorPage) -> None:
    """The hold stays, so that its guest may pay in another way."""
    page.state, page.error = str(PageState.FAILED), found.declined
    await drop_due(uow, page.id)
    if found.declined in FOR_GOOD_CODES and page.card_id is not None:
        await end_card(uow, page.card_id, CardState.GONE)


async def end_page(
    uow: UnitOfWork,
    order: Order,
    page: PaymentPage,
    state: PageState,
    ending: Ending | None = None,
) -> None:
    """The page can never bring money again; neither can an open order that has no other page."""
    page.state = str(state)
    await drop_due(uow, page.id)
    await uow.session.flush()
    if order.state == OrderState.OPEN and not await can_still_be_paid(uow, order.id):
        end = as_wanted(order, ending)
        await end.note(uow, order.id)
        await end_locked_order(uow, order, end.state, end.why, uow.clock.now())


async def _take_payment(
    uow: UnitOfWork, order: Order, page: PaymentPage, found: ProcessorPage
) -> None:
    """Writes the payment down and lets it take effect, once."""
    known = await uow.session.scalar(
        select(Payment.id).where(
            Payment.tenant_id == uow.tenant,
            Payment.payment_intent_id == found.payment_intent_id,
        )
    )
    if known is not None:
        return
    payment = _payment(uow, page, found)
    uow.session.add(payment)
    if page.keeps_card is not None:
        uow.record(CardToKeep(page_id=page.id))
    if payment.currency == order.currency:
        order.paid_minor += payment.amount_minor
    if page.parts is not None:
        await take_parts(uow, order, page, payment)
    elif (payment.amount_minor, payment.currency) != (order.to_pay_minor, order.currency):
        await tell_of_mismatch(uow, order, payment, order.to_pay_minor)
    elif order.state == OrderState.OPEN:
        await _confirm_paid(uow, order, payment)
    elif order.state == OrderState.CONFIRMED:
        await send_back(uow, order, payment, RefundCause.PAID_TWICE)
    elif order.state != OrderState.EXPIRED or await reacquire_locked_order(uow, order) is not None:
        refund_id = await send_back(uow, order, payment, RefundCause.TOO_LATE)
        uow.record(PaymentCameTooLate(order_id=order.id, refund_id=refund_id))


def _payment(uow: UnitOfWork, page: PaymentPage, found: ProcessorPage) -> Payment:
    return Payment(
        tenant_id=uow.tenant,
        id=new_id(),
        order_id=page.order_id,
        account_id=page.account_id,
        payment_intent_id=found.payment_intent_id,
        page_id=page.id,
        amount_minor=found.amount_minor,
        fee_minor=found.fee_minor,
        refunded_minor=0,
        currency=found.currency,
        is_extra=False,
        method=found.method,
        received_at=uow.clock.now(),
    )


async def _confirm_paid(uow: UnitOfWork, order: Order, payment: Payment) -> None:
    """In time, with the order's row locked. A part that cannot be delivered any more goes back at
    once.
    """
    parts = [
        (handler, await handler.list_undeliverable(uow, order))
        for handler in await handlers_of(uow, order)
    ]
    await _give_back(uow, order, payment, sum(p.share_minor for _kind, lost in parts for p in lost))
    await confirm_locked_order(uow, order, parts)


async def _give_back(uow: UnitOfWork, order: Order, payment: Payment, left_minor: int) -> None:
    """What cannot be delivered: to the voucher that paid for the order, the rest as it came."""
    by_voucher = await take_voucher_payment(uow, order) if left_minor else None
    for one in filter(None, (by_voucher, payment)):
        part_minor = min(left_minor, one.amount_minor)
        if part_minor:
            wanted = MoneyBack(
                amount_minor=part_minor,
                cause=RefundCause.NOT_DELIVERED,
                cause_key=not_delivered_key(one.id),
            )
            await request_refund(uow, order, one, wanted)
        left_minor -= part_minor


async def confirm_locked_order(
    uow: UnitOfWork, order: Order, parts: Sequence[tuple[LineKind, Sequence[Undeliverable]]]
) -> None:
    """Confirms an open order whose row is locked. `parts` are its handlers, each with what of it
    cannot be delivered. Nothing may follow it in its transaction.
    """
    now = uow.clock.now()
    await _mark_confirmed(uow, order, now)
    await drop_due(uow, order.id)
    await uow.settle()
    for handler, undeliverable in parts:
        await handler.confirm(uow, order, undeliverable, now)


async def reacquire_locked_order(uow: UnitOfWork, order: Order) -> NotHad | None:
    """Confirms the order after all and claims everything again at the quoted price, under its
    first month and past the month's and a coupon's limit too; all of it or nothing, and then it
    stays expired. What a voucher was to pay is not to be had either where it was spent meanwhile.

    Returns why it is nothing, None where it is all.
    """
    now = uow.clock.now()
    handlers = await handlers_of(uow, order)
    limit = await get_booking_limit(uow)
    try:
        async with uow.attempt():
            await _mark_confirmed(uow, order, now)
            order.closed_at = order.closed_why = None
            coupon_id = await restore_use(uow, order)
            spent = await restore_spend(uow, order, now)
            await uow.settle()
            for handler in handlers:
                await _reacquire_kind(uow, handler, order, now)
            if coupon_id is not None:
                await retake_coupon(uow, coupon_id, order.customer_id)
            if spent is not None:
                await _retake(uow, spent)
            if order.month is not None:
                await retake_booking_unit(uow, order.month, limit)
    except (_PlacesGone, DomainError) as failure:
        await uow.session.refresh(order)
        return failure.why if isinstance(failure, _PlacesGone) else NotHad.GONE
    except IntegrityError as failure:
        if violated(failure)[0] != UNIQUE_VIOLATION:
            raise
        # They have by another order what they can have only once.
        await uow.session.refresh(order)
        return NotHad.TWICE
    return None


async def _retake(uow: UnitOfWork, spent: Spent) -> None:
    if not await retake_voucher(uow, spent):
        raise _PlacesGone(NotHad.VOUCHER)


async def _reacquire_kind(uow: UnitOfWork, handler: LineKind, order: Order, now: datetime) -> None:
    if not await handler.reacquire(uow, order, now):
        raise _PlacesGone


async def _mark_confirmed(uow: UnitOfWork, order: Order, now: datetime) -> None:
    order.state = str(OrderState.CONFIRMED)
    order.confirmed_at = now
    order.wanted_end = None
    await take_voucher_payment(uow, order)
    uow.record(OrderConfirmed(order_id=order.id))
