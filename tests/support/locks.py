"""What transactions of a test's own database do to each other."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, text

from src.platform.db.uow import UowFactory

T = TypeVar("T")

# A waiter for a transaction's end has no database in `pg_locks`, and the server is everybody's.
WAITING = text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN"
    " (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
)


async def until_somebody_waits(factory: UowFactory, *, many: int = 1) -> None:
    """Returns once so many transactions of this database stand before a lock of another.

    Raises: TimeoutError after a minute.
    """
    async with asyncio.timeout(60):
        while True:
            # Who is connected is read once per transaction, so each look is one of its own.
            async with factory(None) as uow:
                if (await uow.session.scalar(WAITING) or 0) >= many:
                    return


async def held_until_all_wait(
    factory: UowFactory,
    tenant_id: UUID,
    rows: Select[Any],
    *,
    many: int,
    acts: Coroutine[Any, Any, T],
) -> T:
    """What came of `acts`, which are so many and want these rows last: none of them has the rows
    before all have looked at whatever they go by, however busy the machine is.

    The pool has to have a connection for each of them and two more.
    Raises: TimeoutError, in a group, where one of them gets by without waiting.
    """
    async with asyncio.TaskGroup() as group, factory(tenant_id) as uow:
        await uow.session.execute(rows.with_for_update(key_share=True))
        running = group.create_task(acts)
        await until_somebody_waits(factory, many=many)
    return running.result()
