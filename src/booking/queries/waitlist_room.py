"""The places of a list that are nobody's: neither taken, nor about to be offered to who waits."""

from datetime import datetime
from uuid import UUID

from src.booking.domain.waiting import ListFacts, left_behind_queue, weigh
from src.booking.models import Service
from src.booking.queries.waiting import load_pool, pools_of
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


async def find_list(
    uow: UnitOfWork, tenant: TenantSnapshot, subject_id: UUID, now: datetime
) -> tuple[Service, ListFacts, dict[UUID, int]]:
    """The list of a series or a session by itself, with what is free in its sessions once those who
    wait have been offered theirs: between a place's getting free and the job that offers it, the
    place is not to be promised to anybody else. Raises: NotFound.
    """
    [pool_id] = await pools_of(uow, [subject_id]) or [subject_id]
    pool = await load_pool(uow, tenant, pool_id, now)
    weighed = weigh(pool.queue, pool.lists, pool.free, pool.terms, now, tenant.zone)
    return pool.service, pool.lists[subject_id], left_behind_queue(pool.free, weighed)
