"""What members do about orders and money by hand; each act is in the audit log."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from src.billing.commands.ending import can_still_be_paid
from src.billing.commands.open_items import close_open_items
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import (
    MoneyBack,
    asked_before,
    get_payment,
    get_refund,
    payments_of,
    refuse_with_the_bank,
    request_refund,
    retry_refund,
    set_aside,
)
from src.billing.commands.settle import confirm_locked_order
from src.billing.commands.sold_credits import refuse_uncovered_credits, take_credits_with
from src.billing.commands.sold_vouchers import check_revocable, revoke
from src.billing.domain.cause_keys import handed_back_key, of_handed_back
from src.billing.domain.kinds import (
    BY_HAND_METHODS,
    ON_SITE_METHOD,
    TRANSFER_METHOD,
    OpenItemKind,
    OrderState,
    PaymentMode,
    RefundCause,
    RefundState,
)
from src.billing.domain.refund_failures import Instead, replaced_failures
from src.billing.events import TransferSentBack
from src.billing.lines import LineKind, handlers_of
from src.billing.models import OpenItem, Order, Payment, Refund
from src.billing.owed import get_owed_minor
from src.billing.queries.refund_failures import DEALT_WITH, list_replaceable_refunds
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _, current_locale
from src.platform.ids import new_id
from src.platform.money import Money, format_money
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext


class RefundByHand(msgspec.Struct, frozen=True, kw_only=True):
    """`token` comes from the form, so that sending it twice gives the money back once. `instead`:
    the money goes back instead of refunds of the payment that failed, as far as it covers them.
    """

    order_id: UUID
    payment_id: UUID
    amount_minor: int
    token: str
    instead: bool = False


async def mark_paid_on_site(uow: UnitOfWork, ctx: RequestContext, order_id: UUID) -> Money:
    """The business took what was still to pay; a second press changes nothing.

    Returns what is written down, less than the page said where something was cancelled meanwhile.
    Raises: NotFound; Conflict for an order that is not paid on site, or not confirmed.
    """
    order = await lock_order(uow, order_id)
    if order.payment_mode != PaymentMode.ON_SITE or order.state != OrderState.CONFIRMED:
        raise Conflict(_("Only a confirmed order that is paid on site can be marked as paid."))
    due_minor = await get_owed_minor(uow, order_id)
    if due_minor > 0:
        uow.session.add(taken_on_site(uow, order, due_minor))
        order.paid_minor += due_minor
        said = {"amount_minor": due_minor, "currency": order.currency}
        await audit(uow, ctx, "order.marked_paid", "order", order.id, **said)
        await uow.settle()
        for kind in await handlers_of(uow, order):
            await kind.note_paid(uow, order, uow.clock.now())
    return Money(due_minor, order.currency)


async def take_held_on_site(uow: UnitOfWork, ctx: RequestContext, order_id: UUID) -> Money:
    """The business took the price of what waits to be paid online: it is confirmed, and from now on
    an order that is paid on site. A second press changes nothing.

    Returns what is written down. Nothing may follow it in its transaction. Raises: NotFound;
    Conflict when nothing is held any more, while it can be paid online, and when a part of it is
    called off or being cancelled, even where that can still be undone: what the business took
    itself goes back by hand, so nobody pays it for what may not take place.
    """
    order = await lock_order(uow, order_id)
    if order.state == OrderState.CONFIRMED:
        return Money(0, order.currency)
    if order.state != OrderState.OPEN or order.payment_mode != PaymentMode.ONLINE:
        raise Conflict(_("Nothing is held any more; it cannot be marked as paid."))
    if order.later_minor:
        raise Conflict(_("This is paid in parts, and its guest pays the first by card."))
    if await can_still_be_paid(uow, order_id):
        raise Conflict(
            _(
                "The guest has opened the payment page and may be paying just now. Release the"
                " places first, or wait until they are free, then book them anew as paid on site."
            ),
            code="page_still_open",
        )
    kinds = await handlers_of(uow, order)
    for kind in kinds:
        await refuse_while_cancelled(uow, kind, order)
    payment = taken_on_site(uow, order, order.to_pay_minor)
    uow.session.add(payment)
    order.payment_mode = str(PaymentMode.ON_SITE)
    order.paid_minor += payment.amount_minor
    said = {"amount_minor": payment.amount_minor, "currency": order.currency}
    await audit(uow, ctx, "order.marked_paid", "order", order.id, **said)
    await confirm_locked_order(uow, order, [(kind, ()) for kind in kinds])
    return Money(payment.amount_minor, order.currency)


async def refuse_while_cancelled(uow: UnitOfWork, kind: LineKind, order: Order) -> None:
    """Raises: Conflict while a part of the order is called off or being cancelled, even where that
    can still be undone.
    """
    if await kind.is_being_cancelled(uow, order):
        raise Conflict(
            _(
                "A part of this is being cancelled, so it cannot be marked as paid. Wait until that"
                " is done, or undo it, and then look at the dates."
            ),
            code="being_cancelled",
        )


def taken_on_site(uow: UnitOfWork, order: Order, amount_minor: int) -> Payment:
    """The processor knows nothing of it: no account, and an id of our own making."""
    payment_id = new_id()
    return Payment(
        tenant_id=uow.tenant,
        id=payment_id,
        order_id=order.id,
        account_id="",
        payment_intent_id=f"{ON_SITE_METHOD}:{payment_id}",
        page_id=None,
        amount_minor=amount_minor,
        fee_minor=0,
        refunded_minor=0,
        currency=order.currency,
        is_extra=False,
        method=ON_SITE_METHOD,
        received_at=uow.clock.now(),
    )


async def refund_by_hand(uow: UnitOfWork, ctx: RequestContext, cmd: RefundByHand) -> None:
    """Gives money back to the card or the voucher it came from; what was booked stays as it is.

    What bought a voucher goes back as far as it is still on that, and is off it with this; what
    unused credits are worth goes back with them only, see `refund_credits`.

    Raises: NotFound; InvalidInput at `amount` for more than is left of the payment or the voucher,
    or than is free of unused credits; Conflict for one that a bank has taken back.
    """
    order, payment = await lock_payment(uow, cmd)
    await give_back(uow, ctx, cmd, order, payment, request_refund, "order.refund_asked")


Giving = Callable[[UnitOfWork, Order, Payment, MoneyBack], Awaitable[UUID | None]]
"""Writes down that so much goes back in one way, and that it took the place of what failed.

Returns the refund, None for a cause that had one before. Raises: InvalidInput for more than is left
of the payment.
"""


async def lock_payment(uow: UnitOfWork, cmd: RefundByHand) -> tuple[Order, Payment]:
    """With its order locked. Raises: NotFound, also for what the business took itself."""
    order = await lock_order(uow, cmd.order_id)
    payment = await get_payment(uow, cmd.payment_id)
    if payment.order_id != order.id or payment.method in BY_HAND_METHODS:
        raise NotFound(_("There is no such payment."))
    return order, payment


async def give_back(
    uow: UnitOfWork,
    ctx: RequestContext,
    cmd: RefundByHand,
    order: Order,
    payment: Payment,
    give: Giving,
    done: str,
) -> None:
    """What holds whichever way the money goes; `done` is what the log calls it. A form that was
    sent before changes nothing.

    Raises: InvalidInput, Conflict.
    """
    cause_key = f"{RefundCause.STAFF}:{cmd.token}"
    # Before anything is judged: what the first press took would be missing at the second.
    if await asked_before(uow, cause_key):
        return
    await refuse_with_the_bank(uow, payment)
    user_id = ctx.actor.user_id
    wanted = MoneyBack(
        amount_minor=cmd.amount_minor,
        cause=RefundCause.STAFF,
        cause_key=cause_key,
        instead=Instead.COVERED if cmd.instead else Instead.NONE,
        asked_by=user_id,
    )
    if cmd.instead:
        await _refuse_too_little(uow, payment, cmd.amount_minor)
    try:
        if not payment.is_extra:
            await check_revocable(uow, order.id, cmd.amount_minor)
        refund_id = await give(uow, order, payment, wanted)
    except InvalidInput as refusal:
        raise InvalidInput(refusal.message, fields={"amount": refusal.message}) from refusal
    assert refund_id is not None
    if not payment.is_extra:
        await refuse_uncovered_credits(uow, order.id, cmd.amount_minor)
        await take_credits_with(uow, await get_refund(uow, refund_id))
        await revoke(uow, order.id, refund_id, cmd.amount_minor)
    if payment.refunded_minor == payment.amount_minor:
        await close_open_items(uow, OpenItemKind.PAYMENT_MISMATCH, payment.id, user_id)
    facts = {
        "amount_minor": cmd.amount_minor,
        "currency": payment.currency,
        "refund": str(refund_id),
    }
    await audit(uow, ctx, done, "order", order.id, **facts)


async def _refuse_too_little(uow: UnitOfWork, payment: Payment, amount_minor: int) -> None:
    """Raises: InvalidInput at `amount` for what takes the place of no refund that failed, be it one
    that somebody has dealt with.
    """
    failed = await list_replaceable_refunds(uow, payment.id)
    if failed and not list(replaced_failures(failed, amount_minor, Instead.COVERED)):
        asked = [one for one in failed if not one.is_dealt_with] or failed
        least = min(one.amount_minor for one in asked)
        sentence = _(
            "It is less than the %(amount)s that failed. Give that much, or untick the box below.",
            amount=format_money(Money(least, payment.currency), current_locale()),
        )
        raise InvalidInput(sentence, fields={"amount": sentence})


async def retry_refund_by_hand(
    uow: UnitOfWork, ctx: RequestContext, order_id: UUID, refund_id: UUID
) -> None:
    """Raises: NotFound; Conflict when it did not fail; InvalidInput when too little is left."""
    order = await lock_order(uow, order_id)
    refund = await get_refund(uow, refund_id)
    if refund.order_id != order.id:
        raise NotFound(_("There is no such refund."))
    await retry_refund(uow, order, refund)
    await audit(uow, ctx, "order.refund_retried", "order", order.id, refund=str(refund.id))


async def close_item_by_hand(
    uow: UnitOfWork, ctx: RequestContext, order_id: UUID, item_id: UUID
) -> int:
    """A person has dealt with it elsewhere, which its facts keep; closing it twice changes nothing.
    What was to be handed back is written down as given. Returns how much that is in minor units.
    Raises: NotFound.
    """
    order = await lock_order(uow, order_id)
    item = await uow.session.get(OpenItem, {"tenant_id": uow.tenant, "id": item_id})
    if item is None or item.order_id != order_id:
        raise NotFound(_("There is nothing here."))
    if item.closed_at is not None:
        return 0
    item.closed_at, item.closed_by = uow.clock.now(), ctx.actor.user_id
    item.facts = {**item.facts, DEALT_WITH: True}
    written = await _hand_back(uow, order, item) if item.kind == OpenItemKind.HAND_BACK else 0
    await audit(uow, ctx, "order.item_closed", "order", order_id, item=item.kind)
    return written


async def _hand_back(uow: UnitOfWork, order: Order, item: OpenItem) -> int:
    """Writes down that the business handed back so much of what it took itself: of what no order
    waited for, where the item is about that. Its guest is told of what they had transferred.

    The order's row is locked, and the item was open until now. Returns the minor units written
    down, less than was said where less is left.
    """
    for kind in await handlers_of(uow, order):
        await kind.note_handed_back(uow, item.subject_id, uow.clock.now())
    amount_minor, written, transferred = item.facts["amount_minor"], 0, 0
    wants_extra = bool(item.facts.get("extra"))
    payments = await payments_of(uow, order.id)
    for payment in sorted(payments, key=lambda one: one.is_extra != wants_extra):
        part = min(amount_minor - written, payment.amount_minor - payment.refunded_minor)
        if payment.method not in BY_HAND_METHODS or part <= 0:
            continue
        uow.session.add(await _handed_back(uow, order, payment, part, item))
        set_aside(order, payment, part)
        written += part
        transferred += part if payment.method == TRANSFER_METHOD else 0
    if transferred:
        sent = TransferSentBack(order_id=order.id, amount_minor=transferred, again=new_id())
        uow.record(sent)
    return written


async def _handed_back(
    uow: UnitOfWork, order: Order, payment: Payment, amount_minor: int, item: OpenItem
) -> Refund:
    """The processor knows nothing of it either, so there is nothing to call for or to wait for."""
    now = uow.clock.now()
    before = await uow.session.scalar(
        select(func.count()).where(
            Refund.tenant_id == uow.tenant,
            Refund.payment_id == payment.id,
            Refund.cause_key.startswith(of_handed_back(item.id, payment.id)),
        )
    )
    return Refund(
        tenant_id=uow.tenant,
        id=new_id(),
        order_id=order.id,
        payment_id=payment.id,
        amount_minor=amount_minor,
        state=str(RefundState.SUCCEEDED),
        attempt=1,
        body={},
        cause=str(_why_handed_back(order, item)),
        cause_key=handed_back_key(item.id, payment.id, int(before or 0) + 1),
        created_at=now,
        finished_at=now,
    )


def _why_handed_back(order: Order, item: OpenItem) -> RefundCause:
    if item.facts.get("extra"):
        stood = order.state == OrderState.CONFIRMED
        return RefundCause.TOO_MUCH if stood else RefundCause.IN_VAIN
    return RefundCause.CREDITS if "credits" in item.facts else RefundCause.CANCELLED
