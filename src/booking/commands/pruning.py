"""Letting go of timetable files that were looked at long ago, and of who waited long ago."""

from datetime import datetime

from sqlalchemy import delete, select

from src.booking.models import TimetableImport, WaitlistEntry, WaitlistOffer
from src.platform.db.uow import UnitOfWork


async def prune_imports(uow: UnitOfWork, before: datetime, most: int) -> int:
    """Deletes at most `most` imports whose file came before `before`. Returns how many.

    The sessions that came of one stay, with the keys that keep the same file from making them
    twice, and so does the log's line about it.
    """
    oldest = (
        select(TimetableImport.id)
        .where(TimetableImport.tenant_id == uow.tenant, TimetableImport.created_at < before)
        .order_by(TimetableImport.created_at)
        .limit(most)
    )
    gone = await uow.session.execute(
        delete(TimetableImport)
        .where(TimetableImport.tenant_id == uow.tenant, TimetableImport.id.in_(oldest))
        .returning(TimetableImport.id),
        execution_options={"synchronize_session": False},
    )
    return len(gone.all())


async def prune_waitlists(uow: UnitOfWork, before: datetime, most: int) -> int:
    """Deletes at most `most` entries of waiting lists that ended before `before`, with what was
    offered to them. Returns how many. What they booked stays.
    """
    oldest = await uow.session.scalars(
        select(WaitlistEntry.id)
        .where(WaitlistEntry.tenant_id == uow.tenant, WaitlistEntry.ended_at < before)
        .order_by(WaitlistEntry.ended_at)
        .limit(most)
    )
    entry_ids = list(oldest)
    for table, ids in ((WaitlistOffer, WaitlistOffer.entry_id), (WaitlistEntry, WaitlistEntry.id)):
        await uow.session.execute(
            delete(table).where(table.tenant_id == uow.tenant, ids.in_(entry_ids)),
            execution_options={"synchronize_session": False},
        )
    return len(entry_ids)
