"""The places of a list that are nobody's: neither taken, nor about to be offered to who waits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from src.booking.domain.waiting import (
    EntryState,
    ListFacts,
    Waiting,
    is_rush,
    left_behind_queue,
    wanted_places,
    weigh,
    why_nobody,
)
from src.booking.models import Service, WaitlistEntry
from src.booking.queries.waiting import Pool, add_completing, keep_back, load_lists, pools_of
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


async def find_list(
    uow: UnitOfWork, tenant: TenantSnapshot, subject_id: UUID, now: datetime
) -> tuple[Service, ListFacts, dict[UUID, int]]:
    """The list of a series or a session by itself, with what is free in its sessions once those who
    wait have been offered theirs: between a place's getting free and the job that offers it, the
    place is not to be promised to anybody else. Raises: NotFound.

    Anybody may ask that, however many wait: nobody is looked at where nothing is free for the list,
    and where those at the head of the queue take all, nobody behind them.
    """
    [pool_id] = await pools_of(uow, [subject_id]) or [subject_id]
    pool = await load_lists(uow, tenant, pool_id, [], now)
    facts, left = pool.lists[subject_id], pool.free
    places = max((pool.free.get(one, 0) for one in facts.session_ids), default=0)
    for most in (places, None):
        if wanted_places(facts, 1, left)[1] <= 0:
            break
        queue = await _load_queue(uow, tenant, pool, most, now)
        weighed = weigh(queue, pool.lists, pool.free, pool.terms, now, tenant.zone)
        left = left_behind_queue(pool.free, weighed)
        if most is not None and len(queue) < most:
            break
    return pool.service, facts, left


async def _load_queue(
    uow: UnitOfWork, tenant: TenantSnapshot, pool: Pool, most: int | None, now: datetime
) -> list[Waiting]:
    """Those of the pool who could have something that is free kept for them, in their order; at
    `most` so many of them. What has no place, is not on sale or is anybody's by now is left out.
    """
    lists = [one for one, facts in pool.lists.items() if _is_served(pool, facts, now)]
    with_room = [one for one, places in pool.free.items() if places > 0]
    # Who completes a purchase may, whether or not the date is sold by itself.
    completes = WaitlistEntry.for_booking_id.is_not(None) & WaitlistEntry.session_id.in_(with_room)
    found = await uow.session.execute(
        select(WaitlistEntry.id, WaitlistEntry.session_id, WaitlistEntry.series_id)
        .add_columns(WaitlistEntry.party_size, WaitlistEntry.queued_at, WaitlistEntry.short_since)
        .add_columns(WaitlistEntry.for_booking_id, WaitlistEntry.address)
        .where(
            WaitlistEntry.tenant_id == uow.tenant,
            WaitlistEntry.state == str(EntryState.WAITING),
            WaitlistEntry.session_id.in_(lists) | WaitlistEntry.series_id.in_(lists) | completes,
        )
        .order_by(WaitlistEntry.queued_at, WaitlistEntry.id)
        .limit(most)
    )
    rows = found.all()
    await _add_completing(uow, tenant, pool, rows)
    await keep_back(uow, pool, {row.id: row.address for row in rows})
    return [
        Waiting(
            entry_id=row.id,
            list_id=row.session_id or row.series_id,
            size=row.party_size,
            queued_at=row.queued_at,
            short_since=row.short_since,
        )
        for row in rows
    ]


def _is_served(pool: Pool, facts: ListFacts, now: datetime) -> bool:
    """Whether anybody at all of the list could have a free place kept for them."""
    if why_nobody(facts, 1, pool.terms, now) is not None:
        return False
    has_room = wanted_places(facts, 1, pool.free)[1] > 0
    return has_room and not is_rush(facts.closes_at, now, pool.terms)


async def _add_completing(
    uow: UnitOfWork, tenant: TenantSnapshot, pool: Pool, rows: Sequence[Row[Any]]
) -> None:
    own = [row.id for row in rows if row.for_booking_id is not None]
    if own:
        found = await uow.session.scalars(
            select(WaitlistEntry).where(
                WaitlistEntry.tenant_id == uow.tenant, WaitlistEntry.id.in_(own)
            )
        )
        await add_completing(uow, tenant, pool, found.all())
