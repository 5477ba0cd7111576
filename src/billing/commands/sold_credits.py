"""What credits were bought with goes back only together with those that are unused.

Every function about a refund or a dispute wants the order's row locked; the lot is locked after it.
Where a person asks, the credits' own refund is the way for what they are worth; where the money is
gone already, they leave, and those that come back from places later do so too.
Source: docs/algorithms/credits.md.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Select, func, select

from src.billing.commands.credits import SYSTEM, Author, give_back_credits, write_entry
from src.billing.commands.ending_parts import void_parts
from src.billing.commands.refunded_credits import part_of_lot_minor, take_out
from src.billing.domain.credit_acts import CreditAct, Unused, worth_minor
from src.billing.domain.credits import EntryKind, LotSource
from src.billing.events import CreditsChanged
from src.billing.models import CreditEntry, CreditLot, Order, Payment, Refund
from src.billing.queries.credit_worth import get_worth
from src.billing.queries.disputes import is_payment_with_the_bank
from src.billing.queries.in_credits import list_in_credits_minor
from src.billing.queries.lots import has_ended, is_usable
from src.billing.queries.uncovered import Judged, judge_credits, list_uncovered
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _, current_locale, use_locale
from src.platform.ids import new_id
from src.platform.money import Money, format_money


async def refuse_uncovered_credits(uow: UnitOfWork, order_id: UUID, amount_minor: int) -> None:
    """So much of the order's payments was just set aside for a refund of which the credits that the
    order bought, or that were given for its places, know nothing. Raises: InvalidInput at `amount`
    when less is left of the payments than the unused credits, and all those given for places, are
    worth; the transaction has to end then.
    """
    lots = await _locked(uow, order_id, LotSource.PACKAGE)
    unused_minor = await _worth_of_unused(uow, order_id, lots)
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


async def get_free_of_credits_minor(uow: UnitOfWork, order_id: UUID) -> int | None:
    """What of the order's payments can go back in that way, as far as `refuse_uncovered_credits`
    is concerned; None where it knows of no credits.
    """
    lots = await uow.session.scalars(_lots_of(uow, order_id, LotSource.PACKAGE))
    unused_minor = await _worth_of_unused(uow, order_id, lots.all())
    return max(0, await _left_minor(uow, order_id) - unused_minor) if unused_minor else None


async def _worth_of_unused(uow: UnitOfWork, order_id: UUID, lots: Iterable[CreditLot]) -> int:
    """Of the credits that the order bought, and of all those given for its places."""
    worth = [_whole_worth(await _unused(uow, lot)) for lot in lots if is_usable(uow, lot)]
    return sum(worth) + (await list_in_credits_minor(uow, [order_id])).get(order_id, 0)


async def take_credits_with(uow: UnitOfWork, refund: Refund) -> None:
    """The order was refunded in a way that asked nobody about its credits, and the refund was just
    set aside: of the credits bought with it, or given for its places, those leave that are not
    covered any more, and with them what is still to be paid for them in parts. They are back if the
    refund fails.
    """
    leaving = await _uncovered(uow, refund.order_id)
    if leaving:
        await void_parts(uow, [refund.order_id])
    for lot, number in leaving:
        lot.refunded_minor += part_of_lot_minor(lot, refund)
        await take_out(uow, lot, EntryKind.REFUND, number, SYSTEM, refund_id=refund.id)


async def take_disputed_credits(uow: UnitOfWork, order_id: UUID) -> list[CreditsChanged]:
    """A bank keeps money of the order: of the credits that it bought, or that were given for its
    places, those leave that are not covered any more, and what is still to be paid for them in
    parts is asked no more. Staff can add them again by hand.

    Returns what their owner has to be told, for whoever calls to record: nothing of what they had
    lost already.
    """
    told, leaving = [], await _uncovered(uow, order_id)
    if leaving:
        await void_parts(uow, [order_id])
    for lot, number in leaving:
        reason = await _in_buyers_words(uow, order_id, _disputed)
        in_use = 0 if has_ended(uow, lot) else min(number, lot.balance)
        await take_out(uow, lot, EntryKind.ADJUST, number, Author(reason=reason))
        if in_use:
            event = CreditsChanged(
                lot_id=lot.id,
                act=str(CreditAct.REMOVED),
                key=str(new_id()),
                number=in_use,
                reason=reason,
            )
            told.append(event)
    return told


async def return_to_lots(
    uow: UnitOfWork, credited: Mapping[UUID, UUID], judged: Judged | None = None
) -> set[UUID]:
    """The credits of these seats, by the lots that they are of, are in them again, as
    `give_back_credits` has it; that they give them back is in the ledger. Those that nothing pays
    for any more leave at once, as `judge_coming` has `judged` where it was asked already: had they
    been in their lot when its money went, they would have left with it. So do those that were lost,
    where what is kept pays for these instead. Returns the seats that nothing has come back for.
    """
    if not credited:
        return set()
    if judged is None:
        judged = await judge_coming(uow, credited)
    counts, left = Counter(credited.values()), credited.keys() & judged.unpaid
    await give_back_credits(uow, counts)
    for order_id in judged.orders_of(counts):
        why = Author(reason=await _in_buyers_words(uow, order_id, _money_gone))
        for lot in await _locked(uow, order_id, LotSource.PACKAGE, LotSource.SEAT):
            of_lot = [seat_id for seat_id in left if credited[seat_id] == lot.id]
            for of_order in await _orders_of(uow, of_lot):
                await write_entry(uow, lot, EntryKind.ADJUST, -1, why, order_id=of_order)
        for lot, number in await _uncovered(uow, order_id):
            if has_ended(uow, lot):
                await take_out(uow, lot, EntryKind.ADJUST, number, why)
    return left


async def judge_coming(uow: UnitOfWork, credited: Mapping[UUID, UUID]) -> Judged:
    """`judge_credits`, as it stays until the transaction ends: the lots are locked. Wanted once
    for all that comes back in it, before anything of it is written.
    """
    # Whoever gives a credit instead of an ended one holds that one's lot: a statement that waited
    # for it does not see the new lot, the next one does.
    for _look in range(2):
        await lock_with_their_orders(uow, set(credited.values()))
    return await judge_credits(uow, credited)


async def _orders_of(uow: UnitOfWork, seat_ids: Collection[UUID]) -> Sequence[UUID | None]:
    """The order of each of these seats, which have just given their credit back."""
    found = await uow.session.scalars(
        select(CreditEntry.order_id)
        .where(
            CreditEntry.tenant_id == uow.tenant,
            CreditEntry.kind == str(EntryKind.RESTORE),
            CreditEntry.seat_id.in_(seat_ids),
        )
        .order_by(CreditEntry.seat_id)
    )
    return found.all()


async def lock_with_their_orders(uow: UnitOfWork, lot_ids: Collection[UUID]) -> None:
    """All lots of an order cover each other, so they are locked together, by id as everywhere."""
    of_order = select(CreditLot.order_id).where(
        CreditLot.tenant_id == uow.tenant,
        CreditLot.id.in_(lot_ids),
        CreditLot.order_id.is_not(None),
    )
    await uow.session.execute(
        select(CreditLot.id)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.id.in_(lot_ids) | CreditLot.order_id.in_(of_order),
        )
        .order_by(CreditLot.id)
        .with_for_update(key_share=True)
    )


async def _uncovered(uow: UnitOfWork, order_id: UUID) -> list[tuple[CreditLot, int]]:
    """Of the order's lots, which are locked by it."""
    # Twice, as in `judge_coming`. The order's row cannot keep them apart instead: orders come
    # before sessions, and who gives a credit instead of an ended one has sessions already.
    for _look in range(2):
        lots = await _locked(uow, order_id, LotSource.PACKAGE, LotSource.SEAT)
    return await list_uncovered(uow, order_id, lots)


async def _unused(uow: UnitOfWork, lot: CreditLot) -> Unused:
    """With those that were lost at their end, which extending brings back."""
    return (await get_worth(uow, lot, with_forfeited=True)).facts


def _whole_worth(facts: Unused) -> int:
    """What they are worth by their rule, whatever is left of a payment."""
    return worth_minor(replace(facts, left_minor=facts.paid_minor))


async def _left_minor(uow: UnitOfWork, order_id: UUID) -> int:
    """What can still go back."""
    await uow.settle()
    found = await uow.session.scalar(
        select(func.sum(Payment.amount_minor - Payment.refunded_minor)).where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id == order_id,
            Payment.is_extra.is_(False),
            ~is_payment_with_the_bank(),
        )
    )
    return int(found or 0)


async def _locked(uow: UnitOfWork, order_id: UUID, *sources: LotSource) -> Sequence[CreditLot]:
    # The ledger is counted next: what this transaction has written into it belongs to it.
    await uow.settle()
    lots = _lots_of(uow, order_id, *sources).with_for_update(key_share=True)
    found = await uow.session.scalars(lots.execution_options(populate_existing=True))
    return found.all()


def _lots_of(uow: UnitOfWork, order_id: UUID, *sources: LotSource) -> Select[tuple[CreditLot]]:
    return (
        select(CreditLot)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id == order_id,
            CreditLot.source.in_([str(source) for source in sources]),
        )
        .order_by(CreditLot.id)
    )


async def _in_buyers_words(uow: UnitOfWork, order_id: UUID, why: Callable[[], str]) -> str:
    """They read it in their ledger."""
    order = await uow.session.get_one(Order, (uow.tenant, order_id))
    with use_locale(order.locale):
        return why()


def _disputed() -> str:
    return _("The bank took the payment back after a dispute.")


def _money_gone() -> str:
    return _("What was paid for it had gone back.")
