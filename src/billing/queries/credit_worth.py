"""What the unused credits of a lot are worth as money, and which way it would go back."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select

from src.billing.domain.credit_acts import Unused, worth_minor
from src.billing.domain.credits import EntryKind, LotSource, RefundRule, unused_bought
from src.billing.domain.kinds import BY_HAND_METHODS
from src.billing.models import CreditEntry, CreditLot, Payment
from src.billing.queries.disputes import is_payment_with_the_bank
from src.billing.queries.to_hand_back import get_left_by_hand_minor
from src.platform.db.uow import UnitOfWork


@dataclass(frozen=True, slots=True)
class Worth:
    """What would go back, and of which payment; without one the business gives it by hand."""

    facts: Unused
    payment_id: UUID | None

    @property
    def amount_minor(self) -> int:
        return worth_minor(self.facts)

    @property
    def by_hand(self) -> bool:
        return self.payment_id is None


async def get_worth(uow: UnitOfWork, lot: CreditLot) -> Worth:
    """By the lot's own rule, as its row, its ledger and its order's payments are now."""
    added, refunded = await _counts(uow, lot.id)
    payment_id, left_minor = await _way_back(uow, lot)
    is_of_seat = lot.source == LotSource.SEAT
    bought = 1 if is_of_seat else lot.bought
    facts = Unused(
        rule=RefundRule.LINEAR if is_of_seat else RefundRule(lot.refund_rule),
        paid_minor=lot.value_minor if is_of_seat else lot.paid_minor,
        bought=bought,
        unused=unused_bought(lot.balance, bought, added),
        single_minor=lot.single_minor,
        refunded=refunded,
        refunded_minor=lot.refunded_minor,
        left_minor=left_minor,
    )
    return Worth(facts, payment_id)


async def _counts(uow: UnitOfWork, lot_id: UUID) -> tuple[int, int]:
    """How many credits staff have added, less those removed; and how many went back as money."""
    as_money = or_(CreditEntry.kind == str(EntryKind.REFUND), CreditEntry.refund_id.is_not(None))
    row = (
        await uow.session.execute(
            select(
                func.sum(CreditEntry.credits).filter(CreditEntry.kind == str(EntryKind.ADJUST)),
                func.sum(CreditEntry.credits).filter(as_money),
            ).where(CreditEntry.tenant_id == uow.tenant, CreditEntry.lot_id == lot_id)
        )
    ).one()
    return int(row[0] or 0), -int(row[1] or 0)


async def _way_back(uow: UnitOfWork, lot: CreditLot) -> tuple[UUID | None, int]:
    """The payment with most left of those that the processor took, else what the business took
    itself and has not promised elsewhere.
    """
    if lot.order_id is None:
        return None, 0
    left = Payment.amount_minor - Payment.refunded_minor
    row = (
        await uow.session.execute(
            select(Payment.id, left)
            .where(
                Payment.tenant_id == uow.tenant,
                Payment.order_id == lot.order_id,
                Payment.is_extra.is_(False),
                Payment.currency == lot.currency,
                Payment.method.not_in(BY_HAND_METHODS),
                left > 0,
                ~is_payment_with_the_bank(),
            )
            .order_by(left.desc(), Payment.id)
            .limit(1)
        )
    ).one_or_none()
    if row is not None:
        return row[0], int(row[1])
    return None, await get_left_by_hand_minor(uow, lot.order_id)
