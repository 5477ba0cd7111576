"""Credits that left with a refund: they are there again when it fails, and leave with its next try.

What a refund took is the sum of the ledger's entries that name it.
"""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from src.billing.commands.credits import SYSTEM, Author, lock_lot, write_entry
from src.billing.domain.credits import EntryKind
from src.billing.events import CreditEndSet
from src.billing.models import CreditEntry, CreditLot, Refund
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


async def restore_refunded_credits(uow: UnitOfWork, refund: Refund) -> None:
    """The refund has failed: its credits are back in their lots, once. Nothing for other
    refunds.
    """
    for one in await _of_refund(uow, refund.id):
        if not one.out:
            continue
        lot = await lock_lot(uow, one.lot_id)
        lot.refunded_minor -= min(refund.amount_minor, lot.refunded_minor)
        await write_entry(uow, lot, EntryKind.RESTORE, one.out, SYSTEM, refund_id=refund.id)
        if lot.expires_at is not None:
            uow.record(CreditEndSet(lot_id=lot.id))


async def take_refunded_credits(uow: UnitOfWork, refund: Refund) -> None:
    """The refund is tried again: its credits leave again.

    Raises: Conflict where the customer has used some meanwhile.
    """
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
