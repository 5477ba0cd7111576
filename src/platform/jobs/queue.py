"""arq, and nowhere else: the queue between relay and workers, and the worker itself.

The queue is only a hint. It may lose everything, hand a job out twice or late; the outbox row's
lease and the consumer's own transaction decide. So results are not kept, jobs are never aborted,
and arq's own retries are not used.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from secrets import token_hex
from typing import Any
from uuid import UUID

import msgspec
from arq import Worker, cron, func
from arq.connections import ArqRedis
from arq.cron import CronJob
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from src.platform.jobs.delivery import Delivery
from src.platform.outages import make_redis
from src.platform.outbox.relay import Claimed

QUEUE = "seatline:jobs"
DELIVER = "deliver"
JOB_SECONDS = 60
EXPIRES_MS = 60_000
RETRIES = 5
ROWS_OF_A_JOB = 10
MOST_WAITING_ROWS = 500
STOPPING_SECONDS = 27
"""A little more than an attempt may take."""

_LET_GO = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 0"


async def open_queue(redis_url: str) -> ArqRedis:
    """A pool that speaks msgpack, so that no pickle is ever read from the queue."""
    return _client(redis_url)


def _client(redis_url: str) -> ArqRedis:
    """Arq asks again and again and never waits inside of a command, so the usual limit of time
    holds; a server that is away for a moment, as at its own restart, is asked once more.
    """
    pool = make_redis(
        redis_url,
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.1), RETRIES),
        retry_on_error=[RedisConnectionError, RedisTimeoutError],
    ).connection_pool
    client = ArqRedis(
        pool,
        default_queue_name=QUEUE,
        job_serializer=msgspec.msgpack.encode,
        job_deserializer=msgspec.msgpack.decode,
    )
    client.auto_close_connection_pool = True
    return client


def dispatcher(queue: ArqRedis) -> Callable[[Sequence[Claimed]], Awaitable[None]]:
    """Hands claimed rows to the workers; the attempt is in the job's id, so none is swallowed."""

    async def dispatch(rows: Sequence[Claimed]) -> None:
        portions = [rows[at : at + ROWS_OF_A_JOB] for at in range(0, len(rows), ROWS_OF_A_JOB)]
        await asyncio.gather(*(_enqueue(queue, portion) for portion in portions))

    return dispatch


async def _enqueue(queue: ArqRedis, rows: Sequence[Claimed]) -> None:
    """A few rows of one tenant as one job: the queue costs more than many a job."""
    first = rows[0]
    await queue.enqueue_job(
        DELIVER,
        str(first.tenant_id),
        [(str(row.outbox_id), row.attempt) for row in rows],
        _job_id=f"{first.outbox_id}:{first.attempt}",
        _expires=EXPIRES_MS / 1000,
    )


def room_in(queue: ArqRedis) -> Callable[[], Awaitable[int]]:
    """How many rows the workers can take now, so that none waits in the queue until its lease is
    over and is handed on again and again.
    """

    async def room() -> int:
        waiting = await queue.zcard(QUEUE)
        return max(0, MOST_WAITING_ROWS - int(waiting) * ROWS_OF_A_JOB)

    return room


class Periodic(msgspec.Struct, frozen=True):
    """Something to run about every `every_seconds` (a divisor of 60), by one worker at a time."""

    name: str
    run: Callable[[], Awaitable[None]]
    every_seconds: int


@asynccontextmanager
async def turn(redis: ArqRedis, name: str) -> AsyncIterator[bool]:
    """Whether nobody else runs the task just now: a tick comes however long the last one takes.

    Who dies in the middle holds others up for no longer than a run may last.
    """
    key, mine = f"seatline:turn:{name}", token_hex(16)
    is_ours = bool(await redis.set(key, mine, nx=True, px=JOB_SECONDS * 1000))
    try:
        yield is_ours
    finally:
        if is_ours:
            await redis.register_script(_LET_GO)(keys=[key], args=[mine])


def _cron(task: Periodic) -> CronJob:
    async def run(ctx: dict[Any, Any]) -> None:
        async with turn(ctx["redis"], task.name) as is_ours:
            if is_ours:
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
    concurrency: int = 6,
    burst: bool = False,
) -> Worker:
    """A worker that delivers outbox rows, `concurrency` jobs at once and the rows of each together,
    and runs the periodic tasks, which take none of those places.

    Told to stop, it lets what has begun come to its end.
    """

    async def deliver(ctx: dict[Any, Any], tenant: str, rows: list[tuple[str, int]]) -> None:
        attempts = {UUID(outbox_id): attempt for outbox_id, attempt in rows}
        await delivery.deliver_all(UUID(tenant), attempts)

    return Worker(
        functions=[func(deliver, name=DELIVER)],
        cron_jobs=[_cron(task) for task in periodic],
        redis_pool=_client(redis_url),
        queue_name=QUEUE,
        job_serializer=msgspec.msgpack.encode,
        job_deserializer=msgspec.msgpack.decode,
        keep_result=0,
        max_jobs=concurrency + len(periodic),
        job_completion_wait=STOPPING_SECONDS,
        max_tries=1,
        job_timeout=JOB_SECONDS,
        poll_delay=0.1,
        burst=burst,
        handle_signals=not burst,
        log_results=False,
    )
