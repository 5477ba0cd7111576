"""What members do about bank transfers: match the money by hand, wait longer; see DOMAIN's "Odd
payments" for money that comes when nothing waits for it any more.
"""

from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import select, update

from src.billing.commands.bring_back import bring_back_package
from src.billing.commands.by_staff import refuse_while_cancelled
from src.billing.commands.due import add_transfer_reminder, drop_due, move_due, transfer_reminder_id
from src.billing.commands.hand_back import keep_hand_back
from src.billing.commands.mistaken_transfers import was_taken_off
from src.billing.commands.orders import lock_order
from src.billing.commands.settle import confirm_locked_order, reacquire_locked_order
from src.billing.domain.kinds import TRANSFER_METHOD, NotHad, OrderState, PaymentMode
from src.billing.domain.transfers import (
    TransferTerms,
    due_at,
    due_on_error,
    reminded_at,
    transfer_name,
)
from src.billing.events import TransferAwaited, TransferNotDue, TransferPartCame
from src.billing.lines import first_start_of, handlers_of
from src.billing.models import Order, Payment
from src.billing.queries.never_paid import was_never_paid
from src.billing.queries.payment_settings import find_transfer_account
from src.billing.queries.transfers import get_noted_minor, get_received_minor
from src.billing.standing import get_is_all_cancelled
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _, current_locale
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.money import Money, format_money
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext

OLDEST = timedelta(days=366)
LARGEST_PAID_MINOR = 1_000_000_000
"""Of one order in all; a slip of the fingers is far above it, and a column holds it."""


class TransferReceived(msgspec.Struct, frozen=True, kw_only=True):
    """What is on the account, and since which day. `token` comes from the form, so that sending it
    twice is one transfer. `seen_minor` is what the page said was noted of transfers by then; None
    where nobody was shown a sum.
    """

    order_id: UUID
    amount_minor: int
    arrived_on: date
    token: UUID
    seen_minor: int | None = None


class Outcome(StrEnum):
    """What came of a transfer. `partial`: more is waited for. `too_much` stands, and the rest is to
    go back; `to_hand_back` is all of it, of an order that does not stand, `paid_already` of one
    that does. `brought_back`: a package that was cancelled as never paid is there again. `known`:
    it was written down before; `taken_off`: it was, and was a mistake.
    """

    CONFIRMED = "confirmed"
    PARTIAL = "partial"
    TOO_MUCH = "too_much"
    TO_HAND_BACK = "to_hand_back"
    PAID_ALREADY = "paid_already"
    BROUGHT_BACK = "brought_back"
    KNOWN = "known"
    TAKEN_OFF = "taken_off"


class Received(msgspec.Struct, frozen=True):
    """`minor` is still missing of a partial one, or is to go back. `why`: nothing can be had with
    it.
    """

    outcome: Outcome
    minor: int = 0
    why: NotHad | None = None


async def mark_transfer_received(
    uow: UnitOfWork, ctx: RequestContext, cmd: TransferReceived
) -> Received:
    """The money is on the business's account: once all of it is there, the order is confirmed.
    What comes after its time claims everything anew, or goes back by hand. Nothing may follow it in
    its transaction.

    Raises: NotFound; InvalidInput at `amount`, also where another sum was noted than was seen, and
    `arrived_on`; Conflict for an order that is paid in another way, and while a part of it is
    called off or being cancelled.
    """
    order = await lock_order(uow, cmd.order_id)
    if order.payment_mode != PaymentMode.TRANSFER:
        raise _not_by_transfer()
    before = await _what_came_of_it(uow, cmd)
    if before is not None:
        return Received(before)
    _refuse_nonsense(ctx, uow, order, cmd)
    await _refuse_unseen(uow, order, cmd)
    if order.state == OrderState.OPEN:
        for kind in await handlers_of(uow, order):
            await refuse_while_cancelled(uow, kind, order)
    facts = {
        "amount_minor": cmd.amount_minor,
        "currency": order.currency,
        "on": cmd.arrived_on.isoformat(),
    }
    await audit(uow, ctx, "order.transfer_received", "order", order.id, **facts)
    missing_minor = order.to_pay_minor - await get_received_minor(uow, order.id)
    order.paid_minor += cmd.amount_minor
    if order.state != OrderState.OPEN or cmd.amount_minor > missing_minor:
        uow.record(TransferNotDue(order_id=order.id, again=cmd.token))
    if was_never_paid(order) and cmd.amount_minor >= missing_minor:
        return await _take_after_all(uow, ctx, order, cmd)
    if order.state == OrderState.CONFIRMED or order.state == OrderState.CANCELLED:
        _add_payment(uow, order, cmd, cmd.amount_minor, is_extra=True)
        stands = order.state == OrderState.CONFIRMED
        outcome = Outcome.PAID_ALREADY if stands else Outcome.TO_HAND_BACK
        return Received(outcome, await keep_hand_back(uow, order), await _why_for_none(uow, order))
    if cmd.amount_minor < missing_minor:
        return await _take_part(uow, order, cmd, missing_minor)
    return await _take_all(uow, order, cmd, missing_minor)


async def _why_for_none(uow: UnitOfWork, order: Order) -> NotHad | None:
    """Of an order that is confirmed or was ended; None where what it paid for stands."""
    if order.state == OrderState.CANCELLED:
        return NotHad.ENDED
    if was_never_paid(order):
        return NotHad.PART
    return NotHad.ALL_CANCELLED if await get_is_all_cancelled(uow, order.id) else None


async def _take_part(
    uow: UnitOfWork, order: Order, cmd: TransferReceived, missing_minor: int
) -> Received:
    """Too little changes nothing but what is still missing, and its guest is told; of what has
    ended it goes back.
    """
    _add_payment(uow, order, cmd, cmd.amount_minor)
    if order.state != OrderState.OPEN:
        return Received(Outcome.TO_HAND_BACK, await keep_hand_back(uow, order), NotHad.PART)
    uow.record(TransferPartCame(order_id=order.id, again=cmd.token))
    return Received(Outcome.PARTIAL, missing_minor - cmd.amount_minor)


async def _take_all(
    uow: UnitOfWork, order: Order, cmd: TransferReceived, missing_minor: int
) -> Received:
    """What is more than the price is a payment of its own, so that it can go back by itself."""
    too_much = cmd.amount_minor - missing_minor
    _add_payment(uow, order, cmd, missing_minor)
    if too_much:
        _add_payment(uow, order, cmd, too_much, is_extra=True)
    await keep_hand_back(uow, order, stands=True)
    if order.state == OrderState.OPEN:
        kinds = [(kind, ()) for kind in await handlers_of(uow, order)]
        await confirm_locked_order(uow, order, kinds)
    elif (why := await reacquire_locked_order(uow, order)) is not None:
        await _wait_for_none(uow, order.id)
        return Received(Outcome.TO_HAND_BACK, await keep_hand_back(uow, order), why)
    return Received(Outcome.TOO_MUCH if too_much else Outcome.CONFIRMED, too_much)


async def _take_after_all(
    uow: UnitOfWork, ctx: RequestContext, order: Order, cmd: TransferReceived
) -> Received:
    """All of the price has come of a package that was cancelled as never paid, and brings it back,
    where that can be.
    """
    too_much = cmd.amount_minor - order.to_pay_minor
    _add_payment(uow, order, cmd, order.to_pay_minor)
    if too_much:
        _add_payment(uow, order, cmd, too_much, is_extra=True)
    await keep_hand_back(uow, order)
    why = await bring_back_package(uow, ctx, order)
    if why is not None:
        await _wait_for_none(uow, order.id)
        return Received(Outcome.TO_HAND_BACK, await keep_hand_back(uow, order), why)
    return Received(Outcome.TOO_MUCH if too_much else Outcome.BROUGHT_BACK, too_much)


async def _wait_for_none(uow: UnitOfWork, order_id: UUID) -> None:
    """Nothing could be had with the money any more: none of it is the price."""
    await uow.session.execute(
        update(Payment)
        .where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id == order_id,
            Payment.method == TRANSFER_METHOD,
        )
        .values(is_extra=True)
    )


async def extend_transfer(
    uow: UnitOfWork, ctx: RequestContext, order_id: UUID, due_on: date
) -> None:
    """The money is waited for until the end of that day; the guest is told.

    Raises: NotFound; Conflict where no transfer is waited for; InvalidInput at `due_on`.
    """
    order = await lock_order(uow, order_id)
    refuse_unless_awaited(order)
    zone, now = ctx.here.zone, uow.clock.now()
    terms = await find_transfer_account(uow) or TransferTerms(holder="", iban="")
    starts_at = await first_start_of(uow, order)
    error = due_on_error(due_on, to_local(now, zone).date(), terms, starts_at, zone)
    if error is not None:
        raise InvalidInput(error, fields={"due_on": error})
    until = due_at(due_on, zone)
    if until == order.hold_expires_at:
        return
    order.hold_expires_at = until
    await move_due(uow, order.id, until)
    await drop_due(uow, transfer_reminder_id(order.id))
    await add_transfer_reminder(uow, order.id, reminded_at(now, until))
    uow.record(TransferAwaited(order_id=order.id, again=new_id()))
    await audit(uow, ctx, "order.transfer_extended", "order", order.id, until=due_on.isoformat())


def refuse_unless_awaited(order: Order) -> None:
    """Raises: Conflict."""
    if order.payment_mode != PaymentMode.TRANSFER:
        raise _not_by_transfer()
    if order.state != OrderState.OPEN:
        raise Conflict(_("No bank transfer is waited for any more."), code="not_awaited")


async def _what_came_of_it(uow: UnitOfWork, cmd: TransferReceived) -> Outcome | None:
    """Of this very form, where it was sent before."""
    names = (transfer_name(cmd.token), transfer_name(cmd.token, is_extra=True))
    found = await uow.session.scalar(
        select(Payment.id)
        .where(Payment.tenant_id == uow.tenant, Payment.payment_intent_id.in_(names))
        .limit(1)
    )
    if found is not None:
        return Outcome.KNOWN
    is_mistake = await was_taken_off(uow, cmd.order_id, intent=names)
    return Outcome.TAKEN_OFF if is_mistake else None


def _refuse_nonsense(
    ctx: RequestContext, uow: UnitOfWork, order: Order, cmd: TransferReceived
) -> None:
    wrong: dict[str, str] = {}
    if cmd.amount_minor <= 0:
        wrong["amount"] = _("Please give an amount that is more than nothing.")
    elif order.paid_minor + cmd.amount_minor > LARGEST_PAID_MINOR:
        wrong["amount"] = _("This amount is too large.")
    today = to_local(uow.clock.now(), ctx.here.zone).date()
    if cmd.arrived_on > today:
        wrong["arrived_on"] = _("That day is still to come.")
    elif cmd.arrived_on < today - OLDEST:
        wrong["arrived_on"] = _("That is too long ago.")
    if wrong:
        raise InvalidInput(_("Please look at the marked fields."), fields=wrong)


async def _refuse_unseen(uow: UnitOfWork, order: Order, cmd: TransferReceived) -> None:
    """What was noted meanwhile may be this very money, noted in another tab or by a colleague.

    Raises: InvalidInput at `amount`.
    """
    noted_minor = await get_noted_minor(uow, order.id)
    if cmd.seen_minor is None or cmd.seen_minor == noted_minor:
        return
    more_minor = noted_minor - cmd.seen_minor
    amount = format_money(Money(abs(more_minor), order.currency), current_locale())
    if more_minor > 0:
        sentence = _(
            "%(amount)s was noted since you opened this page. If this is another transfer, send it"
            " again.",
            amount=amount,
        )
    else:
        sentence = _(
            "%(amount)s was taken off as a mistake since you opened this page. If the amount is"
            " still right, send it again.",
            amount=amount,
        )
    raise InvalidInput(sentence, fields={"amount": sentence})


def _add_payment(
    uow: UnitOfWork,
    order: Order,
    cmd: TransferReceived,
    amount_minor: int,
    *,
    is_extra: bool = False,
) -> None:
    """The processor knows nothing of it: no account, and an id of our own making. It counts from
    now on, whichever day it arrived on.
    """
    uow.session.add(
        Payment(
            tenant_id=uow.tenant,
            id=new_id(),
            order_id=order.id,
            account_id="",
            payment_intent_id=transfer_name(cmd.token, is_extra=is_extra),
            page_id=None,
            amount_minor=amount_minor,
            fee_minor=0,
            refunded_minor=0,
            currency=order.currency,
            is_extra=is_extra,
            method=TRANSFER_METHOD,
            received_at=uow.clock.now(),
            arrived_on=cmd.arrived_on,
        )
    )


def _not_by_transfer() -> Conflict:
    return Conflict(_("This order is not paid by bank transfer."), code="not_by_transfer")
