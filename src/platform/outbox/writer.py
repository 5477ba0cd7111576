"""Writing events beside the facts they tell of."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from src.platform.ids import new_id
from src.platform.outbox.events import Event, registry
from src.platform.outbox.models import OutboxRow


async def insert_events(
    session: AsyncSession, tenant_id: UUID, events: Sequence[tuple[Event, int]], now: datetime
) -> None:
    """One row per event and consumer; an event that nobody consumes costs nothing."""
    rows = [row for event, delay in events for row in _rows(tenant_id, event, delay, now)]
    if rows:
        await session.execute(insert(OutboxRow).values(rows))


def _rows(tenant_id: UUID, event: Event, delay: int, now: datetime) -> list[dict[str, Any]]:
    payload = msgspec.to_builtins(event)
    return [
        {
            "tenant_id": tenant_id,
            "id": new_id(),
            "topic": event.topic,
            "consumer": name,
            "payload": payload,
            "created_at": now,
            "available_at": now + timedelta(seconds=delay),
            "attempts": 0,
        }
        for name in registry.names(event.topic)
    ]
