"""Running one outbox row: find its consumer, run it, and say what became of it."""

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import Uuid, select, text
from sqlalchemy.dialects.postgresql import JSONB
from structlog.contextvars import bound_contextvars

from src.platform.clock import Clock
from src.platform.db.uow import UowFactory
from src.platform.jobs.context import AlreadyDone, GivenUp, JobContext, JobsTogether
from src.platform.outbox.events import Event, Registry
from src.platform.outbox.models import OutboxRow
from src.platform.outbox.relay import MAX_FAILURES
from src.platform.outbox.writer import FollowUp
from src.platform.tracing import span_after

FIRST_BACKOFF = timedelta(seconds=2)
LONGEST_BACKOFF = timedelta(hours=1)
ATTEMPT_SECONDS = 25
"""Less than a lease: who takes longer has failed, and says so before the row is handed on again."""

_ROWS = text(
    "SELECT id, topic, consumer, payload, attempts, trace FROM outbox"
    " WHERE tenant_id = :tenant_id AND id = ANY(:outbox_ids) ORDER BY id"
).columns(id=Uuid(), payload=JSONB())

log = structlog.get_logger(__name__)


_Kind = tuple[str, str]
"""A topic and its consumer."""


class _Row(NamedTuple):
    outbox_id: UUID
    attempt: int
    payload: dict[str, Any] | Event
    carried: Any = None
    trace: str | None = None


def _followed(one: FollowUp) -> tuple[_Kind, _Row]:
    return (one.event.topic, one.consumer), _Row(one.outbox_id, 1, one.event, one.carried)


class Delivery:
    """Delivers outbox rows to their consumers, one attempt at a time."""

    def __init__(
        self, registry: Registry, uow_factory: UowFactory, clock: Clock, services: Any
    ) -> None:
        self._registry = registry
        self._uow_factory = uow_factory
        self._clock = clock
        self._services = services

    async def deliver(self, tenant_id: UUID, outbox_id: UUID, attempt: int) -> None:
        """One attempt. A failure is written to the row with a backoff and not raised."""
        await self.deliver_all(tenant_id, {outbox_id: attempt})

    async def deliver_all(self, tenant_id: UUID, attempts: Mapping[UUID, int]) -> None:
        """One attempt at each row, together; rows that another attempt has overtaken are left."""
        async with self._uow_factory(tenant_id) as uow:
            found = await uow.session.execute(
                _ROWS, {"tenant_id": tenant_id, "outbox_ids": list(attempts)}
            )
            rows = [row for row in found if row.attempts == attempts[row.id]]
        await self._deliver(
            tenant_id,
            [
                (
                    (row.topic, row.consumer),
                    _Row(row.id, row.attempts, row.payload, trace=row.trace),
                )
                for row in rows
            ],
        )

    async def _deliver(self, tenant_id: UUID, found: Iterable[tuple[_Kind, _Row]]) -> None:
        by_kind: dict[_Kind, list[_Row]] = {}
        for kind, row in found:
            by_kind.setdefault(kind, []).append(row)
        portions = [
            (kind, portion)
            for kind, rows in by_kind.items()
            for portion in ([rows] if self._registry.takes_several(*kind) else [[r] for r in rows])
        ]
        await asyncio.gather(*(self._attempt(tenant_id, *portion) for portion in portions))

    async def _attempt(self, tenant_id: UUID, kind: _Kind, rows: list[_Row]) -> None:
        """Rows that failed together are tried by themselves, so that one does not hold up others.

        What they left to be done comes right after, whatever became of the rest.
        """
        together = JobsTogether([self._job(tenant_id, row) for row in rows])
        outbox_id = str(rows[0].outbox_id) if len(rows) == 1 else f"{len(rows)} rows"
        with (
            bound_contextvars(tenant_id=str(tenant_id), outbox_id=outbox_id, topic=kind[0]),
            span_after(kind[1], rows[0].trace),
        ):
            try:
                async with asyncio.timeout(ATTEMPT_SECONDS):
                    await self._consume(kind, rows, together)
            except Exception as error:  # noqa: BLE001  # told by whichever row it is about
                if len(rows) > 1 and not isinstance(error, TimeoutError):
                    log.warning("outbox_rows_tried_one_by_one", reason=repr(error))
                    await asyncio.gather(*(self._attempt(tenant_id, kind, [row]) for row in rows))
                else:
                    told = {job.outbox_id for job, _failure in together.failed}
                    untold = [job for job in together.jobs if job.outbox_id not in told]
                    together.failed.extend((job, error) for job in untold)
            for job, failure in together.failed:
                await self._note(job, failure)
        left = [together.follow_ups, *(job.follow_ups for job in together.jobs)]
        await self._deliver(tenant_id, [_followed(one) for part in left for one in part])

    def _job(self, tenant_id: UUID, row: _Row) -> JobContext:
        return JobContext(
            tenant_id,
            row.outbox_id,
            row.attempt,
            self._clock,
            self._uow_factory,
            self._services,
            carried=row.carried,
        )

    async def _consume(self, kind: _Kind, rows: Sequence[_Row], together: JobsTogether) -> None:
        """Raises: whatever the consumer does; KeyError when the rows outlived it."""
        events = [
            row.payload
            if isinstance(row.payload, Event)
            else self._registry.event(kind[0], row.payload)
            for row in rows
        ]
        consumer = self._registry.consumer(*kind)
        if self._registry.takes_several(*kind):
            await consumer(together, events)
        else:
            await consumer(together.jobs[0], events[0])

    async def _note(self, job: JobContext, error: Exception) -> None:
        if isinstance(error, AlreadyDone):
            log.info("outbox_already_done")
            return
        log.error("outbox_attempt_failed", attempt=job.attempt, exc_info=error)
        await self._put_back(job.tenant_id, job.outbox_id, job.attempt, error)

    async def _put_back(
        self, tenant_id: UUID, outbox_id: UUID, attempt: int, error: Exception
    ) -> None:
        """The last of too many failures parks the row; leases that nobody used do not count."""
        now = self._clock.now()
        async with self._uow_factory(tenant_id) as uow:
            row = await uow.session.scalar(
                select(OutboxRow)
                .where(
                    OutboxRow.tenant_id == tenant_id,
                    OutboxRow.id == outbox_id,
                    OutboxRow.attempts == attempt,
                )
                .with_for_update()
            )
            if row is None:
                return
            row.failures += 1
            row.available_at = now + backoff(row.failures)
            is_over = row.failures >= MAX_FAILURES or isinstance(error, GivenUp)
            row.parked_at = now if is_over else None
            row.last_error = f"{type(error).__name__}: {error}"[:2000]


def backoff(failures: int) -> timedelta:
    """2 s, 4 s, 8 s ... an hour, each stretched by up to a quarter so that retries spread out."""
    plain = min(FIRST_BACKOFF * float(2 ** (failures - 1)), LONGEST_BACKOFF)
    return plain * (1 + random.random() / 4)  # noqa: S311 - spreads load, guards nothing
