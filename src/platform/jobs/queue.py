"""arq, and nowhere else: the queue between relay and workers, and the worker itself.

The queue is only a hint. It may lose everything, hand a job out twice or late; the outbox row's
lease and the consumer's own transaction decide. So results are not kept, jobs are never aborted,
and arq's own retries are not used.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from arq import Worker, cron, func
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.cron import CronJob

from src.platform.jobs.delivery import Delivery
from src.platform.outbox.relay import Claimed

QUEUE = "seatline:jobs"
DELIVER = "deliver"
JOB_SECONDS = 60
EXPIRES_MS = 60_000


async def open_queue(redis_url: str) -> ArqRedis:
    """A pool that speaks msgpack, so that no pickle is ever read from the queue."""
    return await create_pool(
        RedisSettings.from_dsn(redis_url),
        default_queue_name=QUEUE,
        job_serializer=msgspec.msgpack.encode,
        job_deserializer=msgspec.msgpack.decode,
    )


def dispatcher(queue: ArqRedis) -> Callable[[Sequence[Claimed]], Awaitable[None]]:
    """Hands claimed rows to the workers; the attempt is in the job's id, so none is swallowed."""

    async def dispatch(rows: Sequence[Claimed]) -> None:
        await asyncio.gather(*(_enqueue(queue, row) for row in rows))

    return dispatch


async def _enqueue(queue: ArqRedis, row: Claimed) -> None:
    await queue.enqueue_job(
        DELIVER,
        str(row.tenant_id),
        str(row.outbox_id),
        row.attempt,
        _job_id=f"{row.outbox_id}:{row.attempt}",
        _expires=EXPIRES_MS / 1000,
    )


class Periodic(msgspec.Struct, frozen=True):
    """Something to run about every `every_seconds` (a divisor of 60), by one worker at a time."""

    name: str
    run: Callable[[], Awaitable[None]]
    every_seconds: int


def _cron(task: Periodic) -> CronJob:
    async def run(ctx: dict[Any, Any]) -> None:
        await task.run()

    return cron(
        run,
        name=task.name,
        second=set(range(0, 60, task.every_seconds)),
        unique=True,
        timeout=JOB_SECONDS,
        keep_result=0,
    )


def make_worker(
    redis_url: str,
    delivery: Delivery,
    periodic: Sequence[Periodic],
    *,
    concurrency: int = 20,
    burst: bool = False,
) -> Worker:
    """A worker that delivers outbox rows and runs the periodic tasks."""

    async def deliver(ctx: dict[Any, Any], tenant: str, outbox: str, attempt: int) -> None:
        await delivery.deliver(UUID(tenant), UUID(outbox), attempt)

    return Worker(
        functions=[func(deliver, name=DELIVER)],
        cron_jobs=[_cron(task) for task in periodic],
        redis_settings=RedisSettings.from_dsn(redis_url),
        queue_name=QUEUE,
        job_serializer=msgspec.msgpack.encode,
        job_deserializer=msgspec.msgpack.decode,
        keep_result=0,
        max_jobs=concurrency,
        max_tries=1,
        job_timeout=JOB_SECONDS,
        poll_delay=0.1,
        burst=burst,
        handle_signals=not burst,
        log_results=False,
    )
