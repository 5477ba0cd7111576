"""The ends of credits: who is told, and what is lost.

Source: docs/algorithms/credits.md.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from hashlib import md5
from typing import cast
from uuid import UUID

from sqlalchemy import Table, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from src.billing.commands.credits import SYSTEM, Author, write_entry
from src.billing.domain.credit_ends import NoticeKind
from src.billing.domain.credits import EntryKind, LotState
from src.billing.models import CreditLot, CreditNotice
from src.platform.db.batch import insert_unless_taken
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.tenants.models import Due

CREDITS_DUE = "credits"
_DUE = cast(Table, Due.__table__)
_NOTICES = cast(Table, CreditNotice.__table__)


def credits_due_id(tenant_id: UUID) -> UUID:
    """The id of the tenant's one row of `due`: its own id names another one's."""
    return UUID(md5(f"credits:{tenant_id}".encode(), usedforsecurity=False).hexdigest())


async def watch_credits(uow: UnitOfWork) -> None:
    """The tenant's credits are looked at from now on, if they were not before."""
    row = insert(_DUE).values(
        id=credits_due_id(uow.tenant),
        tenant_id=uow.tenant,
        kind=CREDITS_DUE,
        ref=uow.tenant,
        at=uow.clock.now(),
    )
    await uow.session.execute(row.on_conflict_do_nothing(index_elements=[_DUE.c.id]))


async def look_again(uow: UnitOfWork, seen: datetime, at: datetime | None) -> None:
    """Puts the tenant's next look off until `at`; None: nothing is left to look at.

    A row that is no longer as it was `seen` belongs to another look.
    """
    is_mine = (Due.id == credits_due_id(uow.tenant), Due.at == seen)
    if at is None:
        await uow.session.execute(delete(Due).where(*is_mine))
    else:
        await uow.session.execute(update(Due).where(*is_mine).values(at=at))


async def claim_notices(
    uow: UnitOfWork, lots: Sequence[CreditLot], kind: NoticeKind
) -> list[CreditLot]:
    """Those of which nobody else tells: once for each end of a lot."""
    now = uow.clock.now()
    by_id = {new_id(): lot for lot in lots}
    rows = [
        {
            "tenant_id": uow.tenant,
            "id": notice_id,
            "lot_id": lot.id,
            "kind": str(kind),
            "expires_at": lot.expires_at,
            "claimed_at": now,
        }
        for notice_id, lot in by_id.items()
    ]
    claimed = await insert_unless_taken(uow.session, _NOTICES, rows, "uq_credit_notices")
    return [lot for notice_id, lot in by_id.items() if notice_id in claimed]


async def forfeit_ended(uow: UnitOfWork, most: int) -> list[CreditLot]:
    """What is left in lots that have ended is lost, and their ledgers say so; so many at a time.

    Lots that somebody else is changing are left for the next look. Returns those it found.
    """
    found = await uow.session.scalars(
        select(CreditLot)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.state == str(LotState.ACTIVE),
            CreditLot.balance > 0,
            CreditLot.expires_at < uow.clock.now(),
        )
        .order_by(CreditLot.expires_at)
        .limit(most)
        .with_for_update(key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    lots = list(found)
    for lot in lots:
        lost = lot.balance
        await write_entry(uow, lot, EntryKind.EXPIRE, -lost, SYSTEM)
        lot.forfeited += lost
    return lots


async def lock_credits_of(uow: UnitOfWork, customer_ids: Collection[UUID]) -> None:
    """All lots of these customers that an erasure ends or lets lapse, in one step and by id, after
    everything else: whoever gives credits back to several lots takes them so.
    """
    await uow.session.execute(
        select(CreditLot.id)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.customer_id.in_(customer_ids),
            CreditLot.state.in_([str(LotState.ACTIVE), str(LotState.PENDING)]),
        )
        .order_by(CreditLot.id)
        .with_for_update(key_share=True)
    )


async def end_credits_of(
    uow: UnitOfWork, customer_ids: Collection[UUID], why: str, now: datetime
) -> None:
    """Nobody is left who could use them: all credits of these customers end now, and the ledger of
    each lot that has some says `why`. The lots are locked.
    """
    found = await uow.session.scalars(
        select(CreditLot)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.customer_id.in_(customer_ids),
            CreditLot.state == str(LotState.ACTIVE),
        )
        .order_by(CreditLot.id)
        .execution_options(populate_existing=True)
    )
    for lot in found.all():
        lost = lot.balance
        if lost:
            await write_entry(uow, lot, EntryKind.EXPIRE, -lost, Author(reason=why))
            lot.forfeited += lost
        if lot.expires_at is None or lot.expires_at > now:
            lot.expires_at = now


async def list_to_warn(uow: UnitOfWork, until: datetime, most: int) -> list[CreditLot]:
    """Lots with credits left that end by `until`, the soonest first, and nobody was warned of."""
    warned = (
        select(CreditNotice.id)
        .where(
            CreditNotice.tenant_id == CreditLot.tenant_id,
            CreditNotice.lot_id == CreditLot.id,
            CreditNotice.kind == str(NoticeKind.WARNING),
            CreditNotice.expires_at == CreditLot.expires_at,
        )
        .exists()
    )
    # As `warn_at` has it: seven days before, or at half of the time since it was told.
    half = CreditLot.expires_at - (CreditLot.expires_at - CreditLot.end_set_at) / 2
    now = uow.clock.now()
    found = await uow.session.scalars(
        select(CreditLot)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.state == str(LotState.ACTIVE),
            CreditLot.balance > 0,
            CreditLot.expires_at >= now,
            CreditLot.expires_at <= until,
            or_(half <= literal(now, CreditLot.expires_at.type), CreditLot.end_set_at.is_(None)),
            ~warned,
        )
        .order_by(CreditLot.expires_at)
        .limit(most)
    )
    return list(found)


async def next_end(uow: UnitOfWork) -> datetime | None:
    """When the next credits end, or ended that are still to be written off."""
    found: datetime | None = await uow.session.scalar(
        select(func.min(CreditLot.expires_at)).where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.state == str(LotState.ACTIVE),
            CreditLot.balance > 0,
        )
    )
    return found
