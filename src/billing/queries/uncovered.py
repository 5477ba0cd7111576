"""Credits that what a business keeps of their order's money pays for no more.

Source: docs/algorithms/credits.md.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, or_, select

from src.billing.domain.credit_acts import by_rule_minor
from src.billing.domain.credits import LotSource, taken_with_money
from src.billing.models import CreditLot, Payment
from src.billing.queries.credit_worth import get_worth
from src.billing.queries.disputes import lost_of_payment_minor
from src.billing.queries.lots import has_ended, is_usable
from src.platform.db.uow import UnitOfWork

PAID = (str(LotSource.PACKAGE), str(LotSource.SEAT))
"""Sources of credits that the money of an order is in."""


async def list_uncovered(
    uow: UnitOfWork,
    order_id: UUID,
    lots: Iterable[CreditLot],
    coming: Mapping[UUID, int] | None = None,
) -> list[tuple[CreditLot, int]]:
    """How many credits of which of all the order's `lots` nothing pays for. What is kept covers
    those first that can be used, then `coming`, credits by lot that are about to come back from
    places, and those last that were lost at their end and can still be extended.

    What was paid for a lot pays for those that stand for its credits too. Of these together the
    ones leave first that come back now.
    """
    kept_minor, found, more = await get_kept_minor(uow, order_id), [], coming or {}
    for paid, stand_ins in sorted(_with_stand_ins(lots), key=lambda one: _rank(uow, one, more)):
        all_of_it = [paid, *stand_ins]
        held = {lot.id: lot.balance + lot.forfeited + more.get(lot.id, 0) for lot in all_of_it}
        if not any(held.values()):
            continue
        worth = await get_worth(
            uow,
            paid,
            with_forfeited=True,
            coming=sum(held.values()) - paid.balance - paid.forfeited,
            stand_ins=[lot.id for lot in stand_ins],
        )
        facts = worth.facts
        worth_minor = by_rule_minor(facts)
        if kept_minor or not facts.paid_minor:
            number = taken_with_money(facts.unused, worth_minor, kept_minor)
        else:
            # Of what nothing is kept, nothing is paid for, be it worth nothing by its rule.
            number = facts.unused
        kept_minor = max(0, kept_minor - worth_minor)
        for lot in sorted([*stand_ins, paid], key=lambda one: _stays(uow, one, more)):
            leaving = min(number, held[lot.id])
            number -= leaving
            if leaving:
                found.append((lot, leaving))
    return found


def _with_stand_ins(lots: Iterable[CreditLot]) -> list[tuple[CreditLot, list[CreditLot]]]:
    """The lots that were paid for, each with those that stand for credits of it, or for one of
    those that do.
    """
    by_id = {lot.id: lot for lot in lots}
    found: dict[UUID, tuple[CreditLot, list[CreditLot]]] = {}
    stand_ins = []
    for lot in by_id.values():
        if lot.stands_for_id in by_id:
            stand_ins.append(lot)
        else:
            found[lot.id] = (lot, [])
    for lot in stand_ins:
        paid = lot
        while paid.stands_for_id in by_id:
            paid = by_id[paid.stands_for_id]
        found[paid.id][1].append(lot)
    return list(found.values())


def _rank(uow: UnitOfWork, one: tuple[CreditLot, list[CreditLot]], coming: Collection[UUID]) -> int:
    """Whose turn it is to be paid for: the lower, the earlier."""
    paid, stand_ins = one
    live = [
        lot.id
        for lot in (paid, *stand_ins)
        if (lot.balance or lot.id in coming) and not has_ended(uow, lot)
    ]
    if not live:
        return 2
    return 1 if any(lot_id in coming for lot_id in live) else 0


def _stays(uow: UnitOfWork, lot: CreditLot, coming: Collection[UUID]) -> tuple[bool, bool]:
    """Sorts those last that leave last."""
    return (lot.id not in coming, is_usable(uow, lot))


class Judged(NamedTuple):
    """Of seats that give back the credit of their lot, the `unpaid`, whose credits nothing pays for
    any more. `orders`, by lots that are of them, are those of whose price some has gone back, or a
    bank has kept some.
    """

    unpaid: set[UUID]
    orders: Mapping[UUID, UUID]

    def orders_of(self, lot_ids: Collection[UUID]) -> list[UUID]:
        """By id, each once."""
        return sorted({order for lot_id, order in self.orders.items() if lot_id in lot_ids})


async def _find_orders_given_back(uow: UnitOfWork, lot_ids: Collection[UUID]) -> dict[UUID, UUID]:
    went_back = or_(Payment.refunded_minor > 0, lost_of_payment_minor() > 0)
    found = await uow.session.execute(
        select(CreditLot.id, Payment.order_id)
        .join(
            CreditLot,
            (CreditLot.tenant_id == Payment.tenant_id) & (CreditLot.order_id == Payment.order_id),
        )
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.id.in_(lot_ids),
            CreditLot.source.in_(PAID),
            Payment.is_extra.is_(False),
            went_back,
        )
        .distinct()
    )
    return dict(found.tuples().all())


async def find_unpaid_seats(uow: UnitOfWork, credited: Mapping[UUID, UUID]) -> set[UUID]:
    """Of seats that would give back the credit of their lot, those whose credit would not stay
    there, because nothing pays for it any more.
    """
    return (await judge_credits(uow, credited)).unpaid


async def judge_credits(uow: UnitOfWork, credited: Mapping[UUID, UUID]) -> Judged:
    """`find_unpaid_seats`, with the orders that it looked at."""
    coming = Counter(credited.values())
    if not coming:
        return Judged(set(), {})
    judged = Judged(set(), await _find_orders_given_back(uow, coming))
    unpaid: dict[UUID, int] = {}
    for order_id in judged.orders_of(coming):
        await uow.settle()
        lots = await uow.session.scalars(
            select(CreditLot)
            .where(
                CreditLot.tenant_id == uow.tenant,
                CreditLot.order_id == order_id,
                CreditLot.source.in_(PAID),
            )
            .order_by(CreditLot.id)
            .execution_options(populate_existing=True)
        )
        for lot, number in await list_uncovered(uow, order_id, lots.all(), coming):
            unpaid[lot.id] = min(number, coming.get(lot.id, 0))
    return judged._replace(unpaid=last_seats(credited, unpaid))


def last_seats(credited: Mapping[UUID, UUID], numbers: Mapping[UUID, int]) -> set[UUID]:
    """Of the seats, by their lots, so many of each lot."""
    found: set[UUID] = set()
    for lot_id, number in numbers.items():
        of_lot = sorted((seat for seat, lot in credited.items() if lot == lot_id), reverse=True)
        found.update(of_lot[:number])
    return found


async def get_kept_minor(uow: UnitOfWork, order_id: UUID) -> int:
    """What the business keeps of the order's price: what neither went back nor did a bank take for
    good. What is disputed counts until it is lost, for it may come back.
    """
    await uow.settle()
    left = Payment.amount_minor - Payment.refunded_minor
    found = await uow.session.scalar(
        select(func.sum(func.greatest(left - lost_of_payment_minor(), 0))).where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id == order_id,
            Payment.is_extra.is_(False),
        )
    )
    return int(found or 0)
