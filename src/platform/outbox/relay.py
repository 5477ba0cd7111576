"""The relay: finds due outbox rows and hands them to the workers under a lease.

A row that is handed on has its `available_at` pushed past the lease. If the worker dies, or the
queue loses everything, the row is simply due again; nothing is lost, and nothing is held against
it: what counts is how often a consumer failed. Only a row whose workers die for hours is parked
here, since it may be what kills them.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.platform.clock import Clock

LEASE = timedelta(seconds=30)
MAX_FAILURES = 12
MAX_LEASES = 500
BATCH = 200
TENANTS_PER_ROUND = 50

log = structlog.get_logger(__name__)

_TENANTS = text(
    "SELECT tenant_id FROM (SELECT tenant_id, min(available_at) AS first FROM outbox"
    " WHERE parked_at IS NULL AND available_at <= :now GROUP BY tenant_id) due"
    " ORDER BY first LIMIT :tenants"
)
# By the time since when they are due, not by age: rows that fail over and over, a processor being
# out of reach, are due again behind those that nobody has tried yet.
_CLAIM = text(
    "UPDATE outbox SET attempts = attempts + 1, available_at = :lease WHERE tenant_id = :tenant_id"
    " AND id = ANY(ARRAY(SELECT id FROM outbox WHERE tenant_id = :tenant_id AND parked_at IS NULL"
    " AND available_at <= :now AND attempts < :max ORDER BY available_at, id LIMIT :batch"
    " FOR UPDATE SKIP LOCKED)) RETURNING id, attempts"
)
_PARK = text(
    "UPDATE outbox SET parked_at = :now, last_error = coalesce(last_error, :why)"
    " WHERE tenant_id = :tenant_id AND parked_at IS NULL AND available_at <= :now"
    " AND attempts >= :max RETURNING id"
)


class Claimed(NamedTuple):
    """A row under lease, with the number of this attempt (1 for the first)."""

    tenant_id: UUID
    outbox_id: UUID
    attempt: int


Dispatch = Callable[[Sequence[Claimed]], Awaitable[None]]
Room = Callable[[], Awaitable[int]]


async def _much_room() -> int:
    return BATCH * TENANTS_PER_ROUND


class Relay:
    """One pass takes what is due, fairly by tenant; looped, by as many processes as liked.

    `room` says how many rows can be handed on now; the rest stays in the outbox.
    """

    def __init__(
        self, engine: AsyncEngine, clock: Clock, dispatch: Dispatch, room: Room | None = None
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._dispatch = dispatch
        self._room = room or _much_room

    async def run_once(self) -> int:
        """Hands on all rows due now, at most one batch a tenant. Returns how many."""
        handed, room = 0, await self._room()
        for tenant_id in await self._tenants() if room > 0 else []:
            if handed >= room:
                break
            claimed = await self._claim(tenant_id, min(BATCH, room - handed))
            if claimed:
                await self._dispatch(claimed)
            handed += len(claimed)
        return handed

    async def _tenants(self) -> list[UUID]:
        async with self._engine.connect() as connection:
            found = await connection.execute(
                _TENANTS, {"now": self._clock.now(), "tenants": TENANTS_PER_ROUND}
            )
            return list(found.scalars())

    async def _claim(self, tenant_id: UUID, most: int) -> list[Claimed]:
        now = self._clock.now()
        scope = {"tenant_id": tenant_id, "now": now, "max": MAX_LEASES}
        async with self._engine.begin() as connection:
            rows = await connection.execute(
                _CLAIM, {**scope, "lease": now + LEASE, "batch": max(most, 0)}
            )
            claimed = [Claimed(tenant_id, row.id, row.attempts) for row in rows]
            why = "Handed on for hours, and no worker lived to tell of it."
            parked = (await connection.execute(_PARK, {**scope, "why": why})).scalars().all()
        for outbox_id in parked:
            log.error("outbox_parked", tenant_id=str(tenant_id), outbox_id=str(outbox_id))
        return sorted(claimed, key=lambda row: row.outbox_id)
