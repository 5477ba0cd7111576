"""Working off `due` rows: each in transactions of its own tenant, one failure never in the way."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import structlog

from src.billing.commands.due import list_due, put_off
from src.platform.services import Services
from src.tenants.models import Due

log = structlog.get_logger(__name__)

BATCH = 200
PARALLEL = 8
SECONDS = 40.0
AFTER_FAILURE = timedelta(minutes=1)

Work = Callable[[Services, Due], Awaitable[None]]


async def work_off(
    services: Services,
    kinds: tuple[str, ...],
    work: Work,
    *,
    parallel: int = PARALLEL,
    seconds: float = SECONDS,
    batch: int = BATCH,
) -> int:
    """Does what is due, each row once a run and none begun after `seconds`; the rest waits for the
    next run. A row whose work failed is tried again a minute later. Returns how many were begun.
    """
    stop_at, gate, begun = time.monotonic() + seconds, asyncio.Semaphore(parallel), set[UUID]()

    async def one(due: Due) -> None:
        async with gate:
            if time.monotonic() < stop_at:
                begun.add(due.id)
                await _try(services, work, due)

    while True:
        async with services.uow_factory(None) as uow:
            rows = await list_due(uow, kinds, services.clock.now(), batch)
        # What is due again at once has its turn in the next run, so that a run comes to an end.
        new = [due for due in rows if due.id not in begun]
        await asyncio.gather(*(one(due) for due in new))
        if not new or len(rows) < batch or time.monotonic() >= stop_at:
            return len(begun)


async def _try(services: Services, work: Work, due: Due) -> None:
    try:
        await work(services, due)
    except Exception:
        log.exception("due_work_failed", kind=due.kind, ref=str(due.ref), tenant=str(due.tenant_id))
        async with services.uow_factory(None) as uow:
            await put_off(uow, due, AFTER_FAILURE)
