"""Running one outbox row: find its consumer, run it, and say what became of it."""

import asyncio
import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row, Uuid, select, text
from sqlalchemy.dialects.postgresql import JSONB

from src.platform.clock import Clock
from src.platform.db.uow import UowFactory
from src.platform.jobs.context import AlreadyDone, JobContext
from src.platform.outbox.events import Event, Registry
from src.platform.outbox.models import OutboxRow
from src.platform.outbox.relay import MAX_FAILURES

FIRST_BACKOFF = timedelta(seconds=2)
LONGEST_BACKOFF = timedelta(hours=1)

_ROWS = text(
    "SELECT id, topic, consumer, payload, attempts FROM outbox"
    " WHERE tenant_id = :tenant_id AND id = ANY(:outbox_ids) ORDER BY id"
).columns(id=Uuid(), payload=JSONB())

log = structlog.get_logger(__name__)


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
        await asyncio.gather(*(self._deliver_row(tenant_id, row) for row in rows))

    async def _deliver_row(self, tenant_id: UUID, row: Row[Any]) -> None:
        await self._attempt(tenant_id, row.id, row.attempts, row.topic, row.consumer, row.payload)

    async def _attempt(
        self,
        tenant_id: UUID,
        outbox_id: UUID,
        attempt: int,
        topic: str,
        consumer: str,
        payload: dict[str, Any] | Event,
    ) -> None:
        structlog.contextvars.bind_contextvars(
            tenant_id=str(tenant_id), outbox_id=str(outbox_id), topic=topic
        )
        context = JobContext(
            tenant_id, outbox_id, attempt, self._clock, self._uow_factory, self._services
        )
        try:
            event = payload if isinstance(payload, Event) else self._registry.event(topic, payload)
            await self._registry.consumer(topic, consumer)(context, event)
        except AlreadyDone:
            log.info("outbox_already_done")
        except Exception as error:
            log.exception("outbox_attempt_failed", attempt=attempt)
            await self._put_back(tenant_id, outbox_id, attempt, error)
        finally:
            structlog.contextvars.unbind_contextvars("tenant_id", "outbox_id", "topic")
        for row_id, followed, name in context.follow_ups:
            await self._attempt(tenant_id, row_id, 1, followed.topic, name, followed)

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
            row.parked_at = now if row.failures >= MAX_FAILURES else None
            row.last_error = f"{type(error).__name__}: {error}"[:2000]


def backoff(failures: int) -> timedelta:
    """2 s, 4 s, 8 s ... an hour, each stretched by up to a quarter so that retries spread out."""
    plain = min(FIRST_BACKOFF * float(2 ** (failures - 1)), LONGEST_BACKOFF)
    return plain * (1 + random.random() / 4)  # noqa: S311 - spreads load, guards nothing
