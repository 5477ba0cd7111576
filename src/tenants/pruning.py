"""Letting go of old rows that nothing needs any more, tenant by tenant and a few at a time.

Each package says what it lets go of, how long that is kept and how to delete some of it. What is in
directories is looked through in the platform's own turn.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.services import Services
from src.tenants.commands.pruning import PRUNE_EVERY, prune_again
from src.tenants.domain.platform_tenant import PLATFORM_TENANT_ID
from src.tenants.models import Due

log = structlog.get_logger(__name__)

CHUNK = 500
CHUNKS_AT_ONCE = 10
"""Of each kind, in transactions of their own; what is left then comes with the next run."""

Prune = Callable[[UnitOfWork, datetime, int], Awaitable[int]]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of rows: `prune` deletes at most so many from before a moment, and counts them."""

    name: str
    days: Callable[[Settings], int]
    prune: Prune
    in_directory: bool = False


_kept: dict[str, Kept] = {}


def register_kept(kept: Kept) -> None:
    """From now on rows of this kind go when their days are over."""
    _kept[kept.name] = kept


async def prune_tenant(services: Services, due: Due) -> None:
    """Deletes what is too old, and puts the tenant's next look off: to tomorrow, or to a minute
    from now where some is left. May run twice, or stop anywhere.
    """
    is_platform = due.tenant_id == PLATFORM_TENANT_ID
    is_more_left = False
    for kept in _kept.values():
        if is_platform or not kept.in_directory:
            is_more_left |= await _prune(services, due.tenant_id, kept)
    async with services.uow_factory(due.tenant_id) as uow:
        pause = timedelta(minutes=1) if is_more_left else PRUNE_EVERY
        await prune_again(uow, uow.clock.now() + pause)


async def _prune(services: Services, tenant_id: UUID, kept: Kept) -> bool:
    """Returns whether some may be left."""
    before = services.clock.now() - timedelta(days=kept.days(services.settings))
    gone, found = 0, CHUNK
    for _chunk in range(CHUNKS_AT_ONCE):
        async with services.uow_factory(tenant_id) as uow:
            found = await kept.prune(uow, before, CHUNK)
        gone += found
        if found < CHUNK:
            break
    if gone:
        log.info("pruned", kind=kept.name, rows=gone, tenant=str(tenant_id))
    return found == CHUNK
