"""The monthly booking counter, the most contended row of a tenant.

A unit is one guarded upsert and the last claim of its transaction: whoever would pass the limit
finds no row, whatever others do at the same moment.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import TextClause, select, text, update

from src.platform.db.uow import UnitOfWork
from src.platform.localtime import month_key
from src.tenants.context import TenantSnapshot
from src.tenants.domain.counters import percent_reached
from src.tenants.domain.entitlements import (
    Entitlements,
    Limit,
    read_sources,
    resolve_entitlements,
)
from src.tenants.gates import month_is_used_up
from src.tenants.models import BookingCounter, Tenant
from src.tenants.plan_events import MonthlyLimitNeared

_UPSERT = (
    "INSERT INTO booking_counters AS c (tenant_id, month, taken, warned_percent)"
    " VALUES (:tenant_id, :month, 1, 0)"
    " ON CONFLICT (tenant_id, month) DO UPDATE SET taken = c.taken + 1"
)
_TAKEN = "RETURNING c.taken, c.warned_percent"
_TAKE_ONE = text(f"{_UPSERT} {_TAKEN}")
_TAKE_ONE_BELOW = text(f"{_UPSERT} WHERE c.taken < :limit {_TAKEN}")


async def claim_booking_unit(uow: UnitOfWork, tenant: TenantSnapshot, now: datetime) -> str:
    """Takes one booking of the tenant's current month, the last claim before COMMIT.

    Returns the month, to be kept on the booking. A warning for the owner is recorded by a unit that
    finds a threshold reached which nobody was told of; its outbox row is written at COMMIT.
    Raises: PlanLimitReached, with a sentence fit for guests.
    """
    month = month_key(now, tenant.zone)
    limit = tenant.entitlements.limit(Limit.BOOKINGS_PER_MONTH)
    unit = await _take_one(uow, month, limit)
    if unit is None:
        raise month_is_used_up(tenant.entitlements)
    _tell_when_near(uow, month, unit, limit)
    return month


async def get_booking_limit(uow: UnitOfWork) -> int | None:
    """How many bookings a month the tenant's plan has as of now; None: any number."""
    return (await _entitlements(uow)).limit(Limit.BOOKINGS_PER_MONTH)


async def retake_booking_unit(uow: UnitOfWork, month: str, limit: int | None) -> None:
    """Takes a unit of `month` again, past the limit too: for a guest who paid after the hold died
    and its unit was given back. A paid guest is always confirmed.

    `limit` comes from `get_booking_limit`, read before the first claim.
    """
    unit = await _take_one(uow, month, None)
    assert unit is not None
    _tell_when_near(uow, month, unit, limit)


async def release_booking_unit(uow: UnitOfWork, month: str) -> None:
    """Gives one unit of the month back: only for a hold that died, never for a cancellation."""
    await uow.session.execute(
        update(BookingCounter)
        .where(
            BookingCounter.tenant_id == uow.tenant,
            BookingCounter.month == month,
            BookingCounter.taken > 0,
        )
        .values(taken=BookingCounter.taken - 1)
    )


async def mark_warned(uow: UnitOfWork, month: str, percent: int) -> bool:
    """Notes that the owner is told of `percent`; False when they were told of as much before."""
    marked = await uow.session.execute(
        update(BookingCounter)
        .where(
            BookingCounter.tenant_id == uow.tenant,
            BookingCounter.month == month,
            BookingCounter.warned_percent < percent,
        )
        .values(warned_percent=percent)
        .returning(BookingCounter.month)
    )
    return marked.first() is not None


async def review_warnings(uow: UnitOfWork, entitlements: Entitlements, month: str) -> None:
    """After the limit itself moved: lower warnings count anew, and a limit that is near already
    is told at once, since no booking may come that crosses it.
    """
    limit = entitlements.limit(Limit.BOOKINGS_PER_MONTH)
    taken = await _taken(uow, month)
    percent = percent_reached(taken, limit)
    await uow.session.execute(
        update(BookingCounter)
        .where(
            BookingCounter.tenant_id == uow.tenant,
            BookingCounter.month == month,
            BookingCounter.warned_percent > percent,
        )
        .values(warned_percent=percent)
    )
    if taken and percent and limit is not None:
        uow.record(MonthlyLimitNeared(month=month, percent=percent, taken=taken, limit=limit))


def upsert_unit(uow: UnitOfWork, month: str, limit: int | None) -> TextClause:
    """The claim itself, returning `taken` and `warned_percent`; with a limit no row once all of the
    month is used up.
    """
    if limit is None:
        return _TAKE_ONE.bindparams(tenant_id=uow.tenant, month=month)
    return _TAKE_ONE_BELOW.bindparams(tenant_id=uow.tenant, month=month, limit=limit)


class _Unit(NamedTuple):
    """How many are taken now, this one included, and of what the owner has been told."""

    taken: int
    warned_percent: int


async def _take_one(uow: UnitOfWork, month: str, limit: int | None) -> _Unit | None:
    """None when there was none left."""
    if limit is not None and limit < 1:
        return None
    claimed = (await uow.session.execute(upsert_unit(uow, month, limit))).first()
    return None if claimed is None else _Unit(*claimed)


def _tell_when_near(uow: UnitOfWork, month: str, unit: _Unit, limit: int | None) -> None:
    """Also after the limit itself has moved. Whoever comes before the owner is told records it as
    well; the mail goes out once.
    """
    percent = percent_reached(unit.taken, limit)
    if limit is not None and percent > unit.warned_percent:
        told = MonthlyLimitNeared(month=month, percent=percent, taken=unit.taken, limit=limit)
        uow.record(told)


async def _taken(uow: UnitOfWork, month: str) -> int:
    taken = await uow.session.scalar(
        select(BookingCounter.taken).where(
            BookingCounter.tenant_id == uow.tenant, BookingCounter.month == month
        )
    )
    return taken or 0


async def _entitlements(uow: UnitOfWork) -> Entitlements:
    stored = await uow.session.scalar(select(Tenant.entitlements).where(Tenant.id == uow.tenant))
    return resolve_entitlements(read_sources(stored or {}), uow.clock.now())
