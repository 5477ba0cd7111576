"""Credits that left with a refund: they are there again when it fails, and leave with its next try.

What a refund took is the sum of the ledger's entries that name it.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from src.billing.commands.credits import SYSTEM, Author, lock_lot, write_entry
from src.billing.domain.cause_keys import token_of_credits
from src.billing.domain.credit_acts import CreditAct
from src.billing.domain.credits import EntryKind
from src.billing.domain.kinds import RefundCause
from src.billing.events import CreditEndSet, CreditsChanged
from src.billing.models import CreditEntry, CreditLot, Refund
from src.billing.queries.lots import has_ended
from src.billing.queries.refund_failures import list_waiting_refunds
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _


async def take_out(
    uow: UnitOfWork,
    lot: CreditLot,
    kind: EntryKind,
    number: int,
    author: Author,
    refund_id: UUID | None = None,
) -> None:
    """So many credits leave the locked lot because their money does; where it holds fewer, those
    that were lost at its end leave too, so that extending it brings them back to nobody.
    """
    lost = max(0, number - lot.balance)
    if lost:
        lot.forfeited -= lost
        await write_entry(uow, lot, EntryKind.RESTORE, lost, author)
    await write_entry(uow, lot, kind, -number, author, refund_id=refund_id)


def part_of_lot_minor(lot: CreditLot, refund: Refund) -> int:
    """What of a refund is for this lot: never more than it cost."""
    return min(refund.amount_minor, lot.paid_minor + lot.value_minor - lot.refunded_minor)


class Restored(NamedTuple):
    """So many credits are in the locked lot again, which held `balance` with them."""

    lot: CreditLot
    number: int
    balance: int

    @property
    def still_there(self) -> int:
        """How many of them have not left again in the same transaction."""
        return max(0, self.number - max(0, self.balance - self.lot.balance))


async def restore_refunded_credits(uow: UnitOfWork, refund: Refund) -> list[Restored]:
    """The refund has failed: its credits are back in their lots, once. Nothing for other
    refunds.
    """
    restored = []
    for one in await _of_refund(uow, refund.id):
        if not one.out:
            continue
        lot = await lock_lot(uow, one.lot_id)
        lot.refunded_minor -= min(refund.amount_minor, lot.refunded_minor)
        await write_entry(uow, lot, EntryKind.RESTORE, one.out, SYSTEM, refund_id=refund.id)
        if lot.expires_at is not None:
            uow.record(CreditEndSet(lot_id=lot.id))
        restored.append(Restored(lot, one.out, lot.balance))
    return restored


async def tell_of_return(uow: UnitOfWork, refund: Refund, restored: Sequence[Restored]) -> None:
    """Whose credits they are had a mail that they are gone and their money on its way: they hear
    that it failed, of each try once. What the dashboard's refund took is the owner's to tell. Of
    credits that have ended meanwhile none are theirs again: only the failure is told, and so it is
    of a part of the money with which none had left.
    """
    if refund.cause != RefundCause.CREDITS:
        return
    for one in restored:
        if one.still_there:
            number = 0 if has_ended(uow, one.lot) else one.still_there
            _tell(uow, refund, one.lot.id, CreditAct.REFUND_FAILED, number)
    if not restored and (lot_id := await _lot_of_part(uow, refund)) is not None:
        waiting = await list_waiting_refunds(uow, refund.payment_id)
        if refund.id in {one.refund_id for one in waiting}:
            _tell(uow, refund, lot_id, CreditAct.REFUND_FAILED, 0)


async def _lot_of_part(uow: UnitOfWork, refund: Refund) -> UUID | None:
    """The lot whose credits the refund is for, where all of them left with other parts of it."""
    await uow.settle()
    if await _of_refund(uow, refund.id):
        return None
    entry = await uow.session.get(CreditEntry, (uow.tenant, token_of_credits(refund.cause_key)))
    return None if entry is None else entry.lot_id


def _tell(uow: UnitOfWork, refund: Refund, lot_id: UUID, act: CreditAct, number: int) -> None:
    uow.record(
        CreditsChanged(
            lot_id=lot_id,
            act=str(act),
            key=f"{refund.id}:{refund.attempt}",
            number=number,
            amount_minor=refund.amount_minor,
        )
    )


async def take_refunded_credits(uow: UnitOfWork, refund: Refund) -> bool:
    """The refund is tried again: its credits leave again, and their owner is told of the money.
    Returns whether any do.

    Raises: Conflict where the customer has used some meanwhile.
    """
    has_taken = False
    for one in await _of_refund(uow, refund.id):
        if one.out:
            continue
        lot = await lock_lot(uow, one.lot_id)
        if lot.balance + lot.forfeited < one.taken:
            raise Conflict(
                _(
                    "Some of these credits have been used since the refund failed. Refund those"
                    " that are left from the page of the credits."
                ),
                code="credits_used",
            )
        lot.refunded_minor += part_of_lot_minor(lot, refund)
        await take_out(uow, lot, EntryKind.REFUND, one.taken, SYSTEM, refund_id=refund.id)
        has_taken = True
        if refund.cause == RefundCause.CREDITS:
            _tell(uow, refund, lot.id, CreditAct.REFUNDED, one.taken)
    if refund.cause == RefundCause.CREDITS:
        lot_id = await _lot_of_part(uow, refund)
        if lot_id is not None:
            _tell(uow, refund, lot_id, CreditAct.REFUNDED, 0)
    return has_taken


class _OfLot(NamedTuple):
    """How many credits of a lot one try of the refund takes, and how many are out now."""

    lot_id: UUID
    taken: int
    out: int


async def _of_refund(uow: UnitOfWork, refund_id: UUID) -> list[_OfLot]:
    """By lot, in the order in which lots are locked."""
    found = await uow.session.execute(
        select(
            CreditEntry.lot_id,
            func.max(func.abs(CreditEntry.credits)),
            -func.sum(CreditEntry.credits),
        )
        .where(CreditEntry.tenant_id == uow.tenant, CreditEntry.refund_id == refund_id)
        .group_by(CreditEntry.lot_id)
        .order_by(CreditEntry.lot_id)
    )
    return [_OfLot(row[0], int(row[1]), int(row[2])) for row in found]
