"""What members do about vouchers by hand; each act is in the log, and in the ledger where it moves
money. The voucher's row is locked, after the order's where there is one, and nothing else is.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from src.billing.commands.by_staff import RefundByHand, give_back, lock_payment
from src.billing.commands.due import drop_due
from src.billing.commands.open_items import close_replaced_failures
from src.billing.commands.refunds import MoneyBack, refuse_amount, set_aside
from src.billing.commands.voucher_claims import ENTRIES, entry_row
from src.billing.commands.voucher_giving import given_as, voucher_for
from src.billing.commands.voucher_lines import activate, send_now, vouchers_of, zone_of
from src.billing.commands.voucher_settings import get_voucher_offer
from src.billing.domain.kinds import VOUCHER_METHOD
from src.billing.domain.vouchers import (
    EntryKind,
    VoucherState,
    end_of_day,
    masked,
    most_on_it_minor,
)
from src.billing.events import OrderRefunded
from src.billing.models import Order, Payment, Voucher
from src.billing.voucher_links import no_such_voucher
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _, current_locale
from src.platform.money import Money, format_money
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext

LONGEST_REASON = 300


async def lock_voucher(uow: UnitOfWork, voucher_id: UUID) -> Voucher:
    """Its row as it is now. Raises: NotFound."""
    voucher: Voucher | None = await uow.session.scalar(
        select(Voucher)
        .where(Voucher.tenant_id == uow.tenant, Voucher.id == voucher_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if voucher is None:
        raise no_such_voucher()
    return voucher


async def set_voucher_blocked(
    uow: UnitOfWork, ctx: RequestContext, voucher_id: UUID, *, blocked: bool
) -> None:
    """Whoever has its code can pay with it no more, or again; a second press changes nothing.

    Raises: NotFound; Conflict for one that is not paid.
    """
    voucher = await lock_voucher(uow, voucher_id)
    _refuse_pending(voucher)
    wanted = VoucherState.BLOCKED if blocked else VoucherState.ACTIVE
    if voucher.state != wanted:
        voucher.state = str(wanted)
        done = "voucher.blocked" if blocked else "voucher.unblocked"
        await audit(uow, ctx, done, "voucher", voucher_id, name=masked(voucher.code))


async def adjust_voucher(
    uow: UnitOfWork, ctx: RequestContext, voucher_id: UUID, amount_minor: int, reason: str
) -> None:
    """Adds to its balance, or takes off it with an amount below zero; never below nothing.

    Raises: NotFound, Conflict, InvalidInput.
    """
    voucher = await lock_voucher(uow, voucher_id)
    _refuse_pending(voucher)
    fields: dict[str, str] = {}
    if not reason.strip():
        fields["reason"] = _("Please say why: it stays in the ledger.")
    if amount_minor == 0:
        fields["amount"] = _("Please give an amount above nothing.")
    elif voucher.balance_minor + amount_minor < 0:
        fields["amount"] = _("That is more than is left on it.")
    elif amount_minor > 0:
        too_much = await _too_much(uow, voucher, amount_minor)
        if too_much:
            fields["amount"] = too_much
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)
    voucher.balance_minor += amount_minor
    entry = entry_row(
        uow.tenant,
        voucher_id,
        EntryKind.ADJUST,
        amount_minor,
        uow.clock.now(),
        actor=ctx.actor,
        reason=reason.strip(),
    )
    uow.insert(ENTRIES, [entry])
    facts = {"amount_minor": amount_minor, "currency": voucher.currency}
    await audit(
        uow, ctx, "voucher.adjusted", "voucher", voucher_id, name=masked(voucher.code), **facts
    )


async def _too_much(uow: UnitOfWork, voucher: Voucher, amount_minor: int) -> str | None:
    """Why so much cannot be added to it."""
    largest_minor = (await get_voucher_offer(uow)).largest_minor
    most_minor = most_on_it_minor(voucher.initial_minor, largest_minor)
    if voucher.balance_minor + amount_minor <= most_minor:
        return None
    most = format_money(Money(most_minor, voucher.currency), current_locale())
    return _("Not more than %(most)s can be on it.", most=most)


async def extend_voucher(
    uow: UnitOfWork, ctx: RequestContext, voucher_id: UUID, last_on: date | None
) -> None:
    """It is valid to the end of that day, or for ever; one that has expired is again.

    Raises: NotFound; InvalidInput for a day that is over, or earlier than it was.
    """
    voucher = await lock_voucher(uow, voucher_id)
    expires_at = end_of_day(last_on, ctx.here.zone) if last_on is not None else None
    if expires_at is not None:
        sentence = ""
        if expires_at < uow.clock.now():
            sentence = _("Please choose a day that is not over.")
        elif voucher.expires_at is None or expires_at < voucher.expires_at:
            sentence = _("It is valid for longer already; that was promised.")
        if sentence:
            raise InvalidInput(sentence, fields={"last_on": sentence})
    if expires_at != voucher.expires_at:
        voucher.expires_at = expires_at
        on = last_on.isoformat() if last_on is not None else ""
        detail = {"name": masked(voucher.code), "until": on}
        await audit(uow, ctx, "voucher.extended", "voucher", voucher_id, **detail)


async def send_voucher_again(uow: UnitOfWork, ctx: RequestContext, voucher_id: UUID) -> None:
    """One mail more, at once. Raises: NotFound; Conflict for one that cannot be used."""
    voucher = await lock_voucher(uow, voucher_id)
    if voucher.state != VoucherState.ACTIVE:
        raise Conflict(_("It cannot be used at present, so it is not sent."))
    await drop_due(uow, voucher_id)
    send_now(uow, voucher)
    await audit(uow, ctx, "voucher.sent", "voucher", voucher_id, name=masked(voucher.code))


def _refuse_pending(voucher: Voucher) -> None:
    if voucher.state == VoucherState.PENDING:
        raise Conflict(_("It is not paid yet, so there is nothing on it."))


async def refund_as_voucher(uow: UnitOfWork, ctx: RequestContext, cmd: RefundByHand) -> None:
    """Gives a part of a payment back as a new voucher for the customer, who gets it by mail.

    Only what came through the processor: what the business took itself goes back by hand, and an
    item says so until it has. For all else it is like money that goes back the way it came.
    Raises: NotFound, Conflict, InvalidInput at `amount`.
    """
    order, payment = await lock_payment(uow, cmd)
    if payment.method == VOUCHER_METHOD:
        raise NotFound(_("There is no such payment."))
    if await vouchers_of(uow, order.id):
        raise Conflict(_("This order is a voucher itself."))
    await give_back(uow, ctx, cmd, order, payment, _give_new, "order.refunded_as_voucher")


async def _give_new(uow: UnitOfWork, order: Order, payment: Payment, wanted: MoneyBack) -> UUID:
    """Nobody is called, so it has gone back at once."""
    minor = wanted.amount_minor
    refuse_amount(payment, minor)
    voucher = await voucher_for(uow, await zone_of(uow), order, payment.currency, minor)
    refund = given_as(uow, order, payment, voucher, minor, wanted.cause, wanted.cause_key)
    uow.session.add(refund)
    set_aside(order, payment, minor)
    await close_replaced_failures(uow, payment, minor, wanted.instead, wanted.asked_by)
    await uow.session.flush()
    await activate(uow, voucher, uow.clock.now(), refund_id=refund.id)
    uow.record(OrderRefunded(order_id=order.id, refund_id=refund.id, cause=refund.cause))
    return refund.id
