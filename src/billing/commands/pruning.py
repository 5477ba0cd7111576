"""Letting go of the processor's events that have had their effect."""

from datetime import datetime

from sqlalchemy import delete, select

from src.billing.models import InboxEvent
from src.platform.db.uow import UnitOfWork


async def prune_inbox(uow: UnitOfWork, before: datetime, most: int) -> int:
    """Deletes at most `most` handled events that came before `before`. Returns how many.

    One that waits to be handled stays, however old.
    """
    oldest = (
        select(InboxEvent.id)
        .where(InboxEvent.received_at < before, InboxEvent.handled_at.is_not(None))
        .order_by(InboxEvent.received_at)
        .limit(most)
    )
    gone = await uow.session.execute(
        delete(InboxEvent).where(InboxEvent.id.in_(oldest)).returning(InboxEvent.id),
        execution_options={"synchronize_session": False},
    )
    return len(gone.all())
