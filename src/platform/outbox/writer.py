"""Writing events beside the facts they tell of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

import msgspec
from sqlalchemy import Table

from src.platform.ids import new_id
from src.platform.outbox.events import Event, registry
from src.platform.outbox.models import OutboxRow
from src.platform.outbox.relay import LEASE
from src.platform.tracing import current_trace

OUTBOX = cast(Table, OutboxRow.__table__)


class FollowUp(NamedTuple):
    """A row that its writer delivers itself, under a lease from the start: its first attempt.

    `carried` is what the writer had at hand; whoever is given the row by the relay has to read it.
    """

    outbox_id: UUID
    event: Event
    consumer: str
    carried: Any = None


class Recorded(NamedTuple):
    """An event that leaves with its transaction."""

    event: Event
    delay_seconds: int = 0
    carried: Any = None


@dataclass(frozen=True, slots=True)
class Written:
    """Rows for the outbox, and which of them the writer will not leave to the relay."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    follow_ups: list[FollowUp] = field(default_factory=list)


def rows_of_events(
    tenant_id: UUID, events: Sequence[Recorded], now: datetime, *, follows: bool
) -> Written:
    """One row per event and consumer; an event that nobody consumes costs nothing.

    With `follows`, events that can be dealt with right after are kept from the relay for as long as
    a lease; if the writer dies, they are due like any other.
    """
    written, origin = Written(), current_trace()
    for event, delay, carried in events:
        is_followed = follows and event.follows and not delay
        available_at = now + (LEASE if is_followed else timedelta(seconds=delay))
        payload = msgspec.to_builtins(event)
        for name in registry.names(event.topic):
            row_id = new_id()
            written.rows.append(
                {
                    "tenant_id": tenant_id,
                    "id": row_id,
                    "topic": event.topic,
                    "consumer": name,
                    "payload": payload,
                    "created_at": now,
                    "available_at": available_at,
                    "attempts": int(is_followed),
                    "trace": origin,
                }
            )
            if is_followed:
                written.follow_ups.append(FollowUp(row_id, event, name, carried))
    return written
