"""The ledgers of lots, as `tell_apart` reads them."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select

from src.billing.domain.credits import EntryKind
from src.billing.domain.paid_credits import Line, Move
from src.billing.models import CreditEntry, CreditLot
from src.platform.db.uow import UnitOfWork

_IDS = ARRAY(Uuid())


class Written(NamedTuple):
    """A line of the lot's ledger, and when it was written: ids go up within a transaction."""

    at: datetime
    id: UUID
    lot_id: UUID
    line: Line


async def list_written(uow: UnitOfWork, lot_ids: Collection[UUID]) -> list[Written]:
    """What the ledgers of these lots say of their credits, the oldest first."""
    found = await uow.session.scalars(
        select(CreditEntry).where(
            CreditEntry.tenant_id == uow.tenant,
            CreditEntry.lot_id == any_(bindparam(None, list(lot_ids), type_=_IDS)),
        )
    )
    written = [
        Written(entry.at, entry.id, entry.lot_id, line)
        for entry in found
        if (line := _line(entry)) is not None
    ]
    written.extend(await _rolled_over(uow, lot_ids))
    return sorted(written, key=lambda one: one[:2])


def lines_of(written: Sequence[Written], lot_ids: Collection[UUID]) -> list[Line]:
    """Those of these lots, as if they were one."""
    return [one.line for one in written if one.lot_id in lot_ids]


def _line(entry: CreditEntry) -> Line | None:
    refund = None if entry.refund_id is None else (entry.refund_id, entry.lot_id)
    match EntryKind(entry.kind):
        case EntryKind.ADJUST:
            move = Move.STAFF if entry.by == "staff" else Move.LEFT
        case EntryKind.REFUND:
            move = Move.REFUNDED
        case EntryKind.RESTORE if refund is not None:
            move = Move.REFUND_FAILED
        case EntryKind.RESTORE if entry.seat_id is None:
            return None
        case EntryKind.EXPIRE:
            return None
        case _:
            move = Move.CAME
    return Line(move=move, credits=entry.credits, refund=refund)


async def _rolled_over(uow: UnitOfWork, lot_ids: Collection[UUID]) -> list[Written]:
    """What the new lots began with has left these, be it by their ledger or lost before."""
    found = await uow.session.execute(
        select(CreditEntry.at, CreditEntry.id, CreditLot.rolled_from_id, CreditEntry.credits)
        .join(
            CreditLot,
            (CreditLot.tenant_id == CreditEntry.tenant_id) & (CreditLot.id == CreditEntry.lot_id),
        )
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.rolled_from_id == any_(bindparam(None, list(lot_ids), type_=_IDS)),
            CreditEntry.kind == str(EntryKind.GRANT),
        )
    )
    return [
        Written(at, entry_id, rolled_from_id, Line(move=Move.LEFT, credits=-number))
        for at, entry_id, rolled_from_id, number in found
        if rolled_from_id is not None
    ]
