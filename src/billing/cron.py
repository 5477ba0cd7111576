"""Working off `due` rows: each in transactions of its own tenant, one failure never in the way."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

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
) -> int:
    """Does what is due, a batch at most and none begun after `seconds`; the rest waits for the
    next run. A row whose work failed is tried again a minute later. Returns how many were begun.
    """
    async with services.uow_factory(None) as uow:
        rows = await list_due(uow, kinds, services.clock.now(), BATCH)
    stop_at, gate, begun = time.monotonic() + seconds, asyncio.Semaphore(parallel), 0

    async def one(due: Due) -> None:
        nonlocal begun
        async with gate:
            if time.monotonic() < stop_at:
                begun += 1
                await _try(services, work, due)

    await asyncio.gather(*(one(due) for due in rows))
    return begun


async def _try(services: Services, work: Work, due: Due) -> None:
    try:
        await work(services, due)
    except Exception:
        log.exception("due_work_failed", kind=due.kind, ref=str(due.ref), tenant=str(due.tenant_id))
        async with services.uow_factory(None) as uow:
            await put_off(uow, due, AFTER_FAILURE)
