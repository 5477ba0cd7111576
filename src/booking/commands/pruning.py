"""Letting go of timetable files that were looked at, or taken up, long ago."""

from datetime import datetime

from sqlalchemy import delete, select

from src.booking.models import TimetableImport
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
