"""Credits that left with a refund: they are there again when it fails, and leave with its next try.

What a refund took is the sum of the ledger's entries that name it.
"""

from uuid import UUID

from sqlalchemy import func, select

from src.billing.commands.credits import SYSTEM, lock_lot, write_entry
from src.billing.domain.credits import EntryKind
from src.billing.events import CreditEndSet
from src.billing.models import CreditEntry, Refund
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _


async def restore_refunded_credits(uow: UnitOfWork, refund: Refund) -> None:
    """The refund has failed: its credits are back in their lot, once. Nothing for other refunds."""
    found = await _of_refund(uow, refund.id)
    if found is None:
        return
    lot_id, _taken, still_out = found
    if still_out:
        lot = await lock_lot(uow, lot_id)
        lot.refunded_minor -= refund.amount_minor
        await write_entry(uow, lot, EntryKind.RESTORE, still_out, SYSTEM, refund_id=refund.id)
        if lot.expires_at is not None:
            uow.record(CreditEndSet(lot_id=lot.id))


async def take_refunded_credits(uow: UnitOfWork, refund: Refund) -> None:
    """The refund is tried again: its credits leave again.

    Raises: Conflict where the customer has used some meanwhile.
    """
    found = await _of_refund(uow, refund.id)
    if found is None:
        return
    lot_id, taken, still_out = found
    if still_out:
        return
    lot = await lock_lot(uow, lot_id)
    if lot.balance < taken:
        raise Conflict(
            _(
                "Some of these credits have been used since the refund failed. Refund those that"
                " are left from the page of the credits."
            ),
            code="credits_used",
        )
    lot.refunded_minor += refund.amount_minor
    await write_entry(uow, lot, EntryKind.REFUND, -taken, SYSTEM, refund_id=refund.id)


async def _of_refund(uow: UnitOfWork, refund_id: UUID) -> tuple[UUID, int, int] | None:
    """The lot, how many credits one try of the refund takes, and how many are out now."""
    row = (
        await uow.session.execute(
            select(
                CreditEntry.lot_id,
                func.max(func.abs(CreditEntry.credits)),
                -func.sum(CreditEntry.credits),
            )
            .where(CreditEntry.tenant_id == uow.tenant, CreditEntry.refund_id == refund_id)
            .group_by(CreditEntry.lot_id)
        )
    ).one_or_none()
    return None if row is None else (row[0], int(row[1]), int(row[2]))
