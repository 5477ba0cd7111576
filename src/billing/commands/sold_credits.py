"""What credits were bought with goes back only together with those that are unused.

Every function wants the order's row locked; the lot is locked after it. Where a person asks, the
credits' own refund is the way for what they are worth; where the money is gone already, they leave.
Source: docs/algorithms/credits.md.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, select

from src.billing.commands.credits import SYSTEM, Author, lot_facts, write_entry
from src.billing.domain.credit_acts import Unused, worth_minor
from src.billing.domain.credits import EntryKind, LotSource, LotState, lot_state, taken_with_money
from src.billing.models import CreditLot, Order, Payment, Refund
from src.billing.queries.credit_worth import get_worth
from src.billing.queries.disputes import is_payment_with_the_bank
from src.billing.queries.in_credits import list_in_credits_minor
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _, current_locale, use_locale
from src.platform.money import Money, format_money


async def refuse_uncovered_credits(uow: UnitOfWork, order_id: UUID, amount_minor: int) -> None:
    """So much of the order's payments was just set aside for a refund of which the credits that the
    order bought, or that were given for its places, know nothing. Raises: InvalidInput at `amount`
    when less is left of the payments than the unused credits, and all those given for places, are
    worth; the transaction has to end then.
    """
    lots = [lot for lot in await _locked(uow, order_id) if _is_usable(uow, lot)]
    unused_minor = sum([_whole_worth(await _unused(uow, lot)) for lot in lots])
    unused_minor += (await list_in_credits_minor(uow, [order_id])).get(order_id, 0)
    free_minor = await _left_minor(uow, order_id) + amount_minor - unused_minor
    if not unused_minor or amount_minor <= free_minor:
        return
    currency = await uow.session.scalar(
        select(Order.currency).where(Order.tenant_id == uow.tenant, Order.id == order_id)
    )
    assert currency is not None
    sentence = _(
        "At most %(amount)s can go back here: the rest is what unused credits are worth. Refund"
        " those on the page of the credits, so that they leave with the money.",
        amount=format_money(Money(max(0, free_minor), currency), current_locale()),
    )
    raise InvalidInput(sentence, fields={"amount": sentence})


async def take_credits_with(uow: UnitOfWork, refund: Refund) -> None:
    """Somebody refunded the order elsewhere, which was just set aside: of the credits bought with
    it those leave that are not covered any more. They are back if the refund fails.
    """
    for lot in await _locked(uow, refund.order_id):
        if not lot.balance:
            continue
        facts = await _unused(uow, lot)
        left_minor = await _left_minor(uow, refund.order_id)
        number = taken_with_money(facts.unused, _whole_worth(facts), left_minor)
        if number:
            lot.refunded_minor += refund.amount_minor
            kind = EntryKind.REFUND
            await write_entry(uow, lot, kind, -number, SYSTEM, refund_id=refund.id)


async def take_disputed_credits(uow: UnitOfWork, order_id: UUID) -> None:
    """The buyer's bank keeps the money: what is unused of what it bought is gone. Staff can add it
    again by hand.
    """
    for lot in await _locked(uow, order_id):
        unused = (await _unused(uow, lot)).unused if lot.balance else 0
        if unused:
            why = Author(reason=await _why_disputed(uow, order_id))
            await write_entry(uow, lot, EntryKind.ADJUST, -unused, why)


def _is_usable(uow: UnitOfWork, lot: CreditLot) -> bool:
    return lot_state(lot_facts(lot), uow.clock.now()) is LotState.ACTIVE


async def _unused(uow: UnitOfWork, lot: CreditLot) -> Unused:
    return (await get_worth(uow, lot)).facts


def _whole_worth(facts: Unused) -> int:
    """What they are worth by their rule, whatever is left of a payment."""
    return worth_minor(replace(facts, left_minor=facts.paid_minor))


async def _left_minor(uow: UnitOfWork, order_id: UUID) -> int:
    await uow.session.flush()
    found = await uow.session.scalar(
        select(func.sum(Payment.amount_minor - Payment.refunded_minor)).where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id == order_id,
            Payment.is_extra.is_(False),
            ~is_payment_with_the_bank(),
        )
    )
    return int(found or 0)


async def _locked(uow: UnitOfWork, order_id: UUID) -> Sequence[CreditLot]:
    await uow.session.flush()
    found = await uow.session.scalars(
        select(CreditLot)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id == order_id,
            CreditLot.source == str(LotSource.PACKAGE),
        )
        .order_by(CreditLot.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def _why_disputed(uow: UnitOfWork, order_id: UUID) -> str:
    """In the buyer's language, for they read it in their ledger."""
    order = await uow.session.get_one(Order, (uow.tenant, order_id))
    with use_locale(order.locale):
        return _("The bank took the payment back after a dispute.")
