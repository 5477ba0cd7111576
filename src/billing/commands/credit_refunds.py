"""Money for credits that were not used.

The credits leave in the transaction that asks for the money, so that nobody spends them meanwhile;
should the refund fail, they are there again (`refunded_credits`).
Source: docs/algorithms/credits.md.
"""

from uuid import UUID

import msgspec

from src.billing.commands.credit_acts import (
    SUBJECT,
    reason_error,
    refuse_fields,
    refuse_unseen,
    tell,
)
from src.billing.commands.credits import Author, lock_lot, write_entry
from src.billing.commands.ending_parts import void_parts
from src.billing.commands.open_items import NewItem, keep_open_items
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import MoneyBack, get_payment, request_refund
from src.billing.domain.cause_keys import credits_key
from src.billing.domain.credit_acts import CreditAct, split_credits
from src.billing.domain.credits import EntryKind, LotSource, LotState, lot_state
from src.billing.domain.kinds import OpenItemKind, RefundCause
from src.billing.domain.refund_failures import Instead
from src.billing.models import CreditEntry, CreditLot, Order
from src.billing.queries.credit_worth import WayBack, Worth, get_worth
from src.billing.queries.lots import lot_facts, no_such_credits
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _, current_locale
from src.platform.money import Money, format_money
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext


class RefundCredits(msgspec.Struct, frozen=True, kw_only=True):
    """All credits of the lot leave for so much. `seen` is the balance that the page showed; `token`
    becomes the ledger's entry, so that sending the form twice gives the money back once.
    """

    lot_id: UUID
    amount_minor: int
    seen: int
    reason: str
    token: UUID


class Refunded(msgspec.Struct, frozen=True):
    """`by_hand_minor` of it the business took itself, and gives back itself."""

    amount_minor: int
    by_hand_minor: int = 0


async def refund_credits(
    uow: UnitOfWork, ctx: RequestContext, cmd: RefundCredits
) -> Refunded | None:
    """Returns what goes back, None for a form that was sent before.

    Raises: NotFound; Conflict where nothing was paid, nothing is left, or a credit was used since
    the page was shown; InvalidInput at `amount` above what the credits are worth, or `reason`.
    """
    refuse_fields({"reason": reason_error(cmd.reason)})
    found = await uow.session.get(CreditLot, (uow.tenant, cmd.lot_id))
    if found is None:
        raise no_such_credits()
    if found.order_id is None:
        raise _nothing_paid()
    order = await lock_order(uow, found.order_id)
    lot = await lock_lot(uow, cmd.lot_id)
    if await uow.session.get(CreditEntry, (uow.tenant, cmd.token)) is not None:
        return None
    worth = await _checked(uow, lot, cmd)
    author, number = Author.of_staff(ctx.actor, cmd.reason.strip()), lot.balance
    parts = worth.parts(cmd.amount_minor)
    leaving = split_credits(number, [minor for _way, minor in parts])
    entry_id: UUID | None = cmd.token
    for (way, minor), taken in zip(parts, leaving, strict=True):
        refund_id = await _ask(uow, order, lot, cmd, way, minor)
        lot.refunded_minor += minor
        if taken:
            named = {"refund_id": refund_id, "entry_id": entry_id}
            await write_entry(uow, lot, EntryKind.REFUND, -taken, author, **named)
            entry_id = None
    await void_parts(uow, [order.id])
    by_hand_minor = sum(minor for way, minor in parts if way.payment_id is None)
    said = {"name": lot.name, "amount_minor": cmd.amount_minor, "currency": lot.currency}
    await audit(uow, ctx, "credits.refund_asked", SUBJECT, lot.id, credits=number, **said)
    tell(
        uow,
        lot.id,
        CreditAct.REFUNDED,
        cmd.token,
        cmd.reason,
        number=number,
        amount_minor=cmd.amount_minor,
        by_hand_minor=by_hand_minor,
        to_voucher_minor=sum(minor for way, minor in parts if way.is_voucher),
    )
    return Refunded(cmd.amount_minor, by_hand_minor)


async def _checked(uow: UnitOfWork, lot: CreditLot, cmd: RefundCredits) -> Worth:
    """What the credits of the locked lot are worth, if so much may go back for them."""
    state = lot_state(lot_facts(lot), uow.clock.now())
    if state is LotState.EXPIRED:
        raise Conflict(_("These credits have ended. Extend them first."), code="credits_ended")
    if state is not LotState.ACTIVE:
        raise Conflict(_("Nothing is left of these credits."))
    refuse_unseen(lot, cmd.seen)
    worth = await get_worth(uow, lot)
    if not worth.amount_minor:
        raise _nothing_paid()
    if not 0 < cmd.amount_minor <= worth.amount_minor:
        most = format_money(Money(worth.amount_minor, lot.currency), current_locale())
        sentence = _("Give an amount above nothing, and at most %(most)s.", most=most)
        raise InvalidInput(sentence, fields={"amount": sentence})
    return worth


async def _ask(
    uow: UnitOfWork,
    order: Order,
    lot: CreditLot,
    cmd: RefundCredits,
    way: WayBack,
    minor: int,
) -> UUID | None:
    """The refund that is on its way, None for what the business gives back itself."""
    if way.payment_id is not None:
        payment = await get_payment(uow, way.payment_id)
        wanted = MoneyBack(
            amount_minor=minor,
            cause=RefundCause.CREDITS,
            cause_key=credits_key(cmd.token, payment.id),
            instead=Instead.THE_SAME,
        )
        return await request_refund(uow, order, payment, wanted)
    facts = {
        "credits": lot.name,
        "of_place": lot.source == LotSource.SEAT,
        "guest": order.guest_name,
        "reference": order.reference,
        "amount_minor": minor,
        "currency": lot.currency,
        "method": order.payment_mode,
        "page": f"credits/{lot.id}",
    }
    await keep_open_items(uow, OpenItemKind.HAND_BACK, [NewItem(cmd.token, order.id, facts)])
    return None


def _nothing_paid() -> Conflict:
    return Conflict(_("Nothing that was paid for these credits is left to give back."))
