"""What a change of plan would do to a tenant, asked of everyone who knows a part of it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from src.platform.db.uow import UnitOfWork
from src.platform.localtime import month_key
from src.tenants.domain.downgrade import (
    Consequence,
    Standing,
    feature_consequences,
    limit_consequences,
)
from src.tenants.domain.plans import Change
from src.tenants.models import BookingCounter, Member

DowngradeProbe = Callable[[UnitOfWork, Change, datetime], Awaitable[list[Consequence]]]

_probes: dict[str, DowngradeProbe] = {}


def register_downgrade_probe(name: str, probe: DowngradeProbe) -> None:
    """From now on `probe` is asked before a tenant is moved; the same name replaces it.

    It runs in a transaction of the tenant, only reads, and answers at once for a change that does
    not touch what it knows of.
    """
    _probes[name] = probe


async def list_consequences(
    uow: UnitOfWork, tenant_id: UUID, timezone: str, change: Change, now: datetime
) -> list[Consequence]:
    """Everything that follows from the change, the limits first."""
    found = limit_consequences(change, await _standing(uow, tenant_id, timezone, now))
    found += feature_consequences(change)
    for probe in _probes.values():
        found += await probe(uow, change, now)
    return found


async def month_usage(uow: UnitOfWork, tenant_id: UUID, timezone: str, now: datetime) -> int:
    """Bookings that count in the tenant's current month."""
    taken = await uow.session.scalar(
        select(BookingCounter.taken).where(
            BookingCounter.tenant_id == tenant_id,
            BookingCounter.month == month_key(now, ZoneInfo(timezone)),
        )
    )
    return taken or 0


async def _standing(uow: UnitOfWork, tenant_id: UUID, timezone: str, now: datetime) -> Standing:
    members = await uow.session.scalar(
        select(func.count()).select_from(Member).where(Member.tenant_id == tenant_id)
    )
    taken = await month_usage(uow, tenant_id, timezone, now)
    return Standing(members=members or 0, taken_this_month=taken)
