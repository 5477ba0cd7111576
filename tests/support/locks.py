"""What transactions of a test's own database do to each other."""

import asyncio

from sqlalchemy import text

from src.platform.db.uow import UowFactory

# A waiter for a transaction's end has no database in `pg_locks`, and the server is everybody's.
WAITING = text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN"
    " (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
)


async def until_somebody_waits(factory: UowFactory, *, many: int = 1) -> None:
    """Returns once so many transactions of this database stand before a lock of another.

    Raises: TimeoutError after ten seconds.
    """
    async with asyncio.timeout(10):
        while True:
            # Who is connected is read once per transaction, so each look is one of its own.
            async with factory(None) as uow:
                if (await uow.session.scalar(WAITING) or 0) >= many:
                    return
