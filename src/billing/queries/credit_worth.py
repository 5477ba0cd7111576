"""What the unused credits of a lot are worth as money, and which way it would go back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from src.billing.domain.credit_acts import Unused, split_amount, worth_minor
from src.billing.domain.credits import LotSource, RefundRule, unused_bought
from src.billing.domain.kinds import BY_HAND_METHODS, VOUCHER_METHOD
from src.billing.domain.paid_credits import Line, tell_apart
from src.billing.models import CreditLot, Payment
from src.billing.queries.disputes import is_payment_with_the_bank
from src.billing.queries.paid_credits import lines_of, list_written
from src.billing.queries.part_sums import get_left_minor
from src.billing.queries.to_hand_back import get_left_by_hand_minor
from src.platform.db.uow import UnitOfWork


class WayBack(NamedTuple):
    """A payment and what is left of it; without one the business gives it back by hand."""

    payment_id: UUID | None
    left_minor: int
    is_voucher: bool = False


@dataclass(frozen=True, slots=True)
class Worth:
    """What would go back, and which ways, those that are taken first before the others."""

    facts: Unused
    ways: Sequence[WayBack]

    @property
    def amount_minor(self) -> int:
        return worth_minor(self.facts)

    def parts(self, amount_minor: int) -> list[tuple[WayBack, int]]:
        """What of an amount goes which way, in minor units above nothing."""
        parts = split_amount(amount_minor, [way.left_minor for way in self.ways])
        return [(way, part) for way, part in zip(self.ways, parts, strict=True) if part]

    @property
    def by_hand_minor(self) -> int:
        """What of all that they are worth the business gives back by hand."""
        return sum(part for way, part in self.parts(self.amount_minor) if way.payment_id is None)

    @property
    def to_voucher_minor(self) -> int:
        """What of all that they are worth goes back to the voucher that paid."""
        return sum(part for way, part in self.parts(self.amount_minor) if way.is_voucher)


async def get_worth(
    uow: UnitOfWork,
    lot: CreditLot,
    *,
    with_forfeited: bool = False,
    coming: int = 0,
    stand_ins: Sequence[UUID] = (),
) -> Worth:
    """By the lot's own rule, as its row, its ledger and its order's payments are now.

    `with_forfeited`: those that were lost at their end count as if they were in the lot, and so do
    those that are `coming`. What staff added to lots that are `stand_ins` for it, and what of them
    went back, counts as if it had been in this one.
    """
    lot_ids = [lot.id, *stand_ins]
    lines = lines_of(await list_written(uow, lot_ids), lot_ids)
    ways = await _ways_back(uow, lot)
    held = lot.balance + (lot.forfeited if with_forfeited else 0) + coming
    facts = unused_of(lot, held, lines)
    left_minor = sum(way.left_minor for way in ways)
    to_come_minor = await get_left_minor(uow, lot.order_id)
    return Worth(replace(facts, left_minor=left_minor, to_come_minor=to_come_minor), ways)


def unused_of(lot: CreditLot, held: int, lines: Sequence[Line]) -> Unused:
    """What stands in the lot when `held` credits are left, by its ledger. The credit of a seat is
    worth what of the seat's share went into it.
    """
    is_of_seat = lot.source == LotSource.SEAT
    bought = 1 if is_of_seat else lot.bought
    apart = tell_apart(lines, bought)
    paid_minor = lot.value_minor if is_of_seat else lot.paid_minor
    return Unused(
        rule=RefundRule.LINEAR if is_of_seat else RefundRule(lot.refund_rule),
        paid_minor=paid_minor,
        bought=bought,
        unused=unused_bought(held, bought, apart.added),
        single_minor=lot.single_minor,
        refunded=apart.refunded,
        refunded_minor=lot.refunded_minor,
        left_minor=paid_minor,
    )


async def _ways_back(uow: UnitOfWork, lot: CreditLot) -> list[WayBack]:
    """To the voucher that paid first, then to the processor's payment with most left, and at last
    what the business took itself and has not promised elsewhere.
    """
    if lot.order_id is None:
        return []
    left = Payment.amount_minor - Payment.refunded_minor
    is_voucher = Payment.method == VOUCHER_METHOD
    found = await uow.session.execute(
        select(Payment.id, left, is_voucher)
        .where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id == lot.order_id,
            Payment.is_extra.is_(False),
            Payment.currency == lot.currency,
            Payment.method.not_in(BY_HAND_METHODS),
            left > 0,
            ~is_payment_with_the_bank(),
        )
        .order_by(is_voucher.desc(), left.desc(), Payment.id)
    )
    ways = [WayBack(row[0], int(row[1]), bool(row[2])) for row in found]
    return [*ways, WayBack(None, await get_left_by_hand_minor(uow, lot.order_id))]
