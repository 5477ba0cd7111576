"""Many bookings at once for the month's last unit, with real commits."""

import asyncio

import pytest
from sqlalchemy import select

from src.platform.db.uow import UowFactory
from src.platform.errors import PlanLimitReached
from src.tenants.commands.counters import claim_booking_unit, upsert_unit
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Limit
from src.tenants.models import BookingCounter
from tests.conftest import Committing
from tests.support.builders import a_business

pytestmark = [pytest.mark.anyio, pytest.mark.race]

AT_ONCE = 20
MONTH = "2027-03"
LIMIT = 30


async def business_with_one_unit_left(uow_factory: UowFactory) -> TenantSnapshot:
    tenant = (await a_business(uow_factory, plan="free")).tenant
    assert tenant.entitlements.limit(Limit.BOOKINGS_PER_MONTH) == LIMIT
    async with uow_factory(tenant.id) as uow:
        used = BookingCounter(tenant_id=tenant.id, month=MONTH, taken=LIMIT - 1, warned_percent=80)
        uow.session.add(used)
    return tenant


async def taken(uow_factory: UowFactory, tenant: TenantSnapshot) -> int | None:
    async with uow_factory(tenant.id) as uow:
        return await uow.session.scalar(
            select(BookingCounter.taken).where(BookingCounter.month == MONTH)
        )


async def claim(uow_factory: UowFactory, tenant: TenantSnapshot, start: asyncio.Barrier) -> bool:
    try:
        async with uow_factory(tenant.id) as uow:
            await uow.session.connection()
            await start.wait()
            await claim_booking_unit(uow, tenant, uow.clock.now())
    except PlanLimitReached:
        return False
    return True


async def claim_without_guard(
    uow_factory: UowFactory, tenant: TenantSnapshot, start: asyncio.Barrier
) -> bool:
    async with uow_factory(tenant.id) as uow:
        before = await uow.session.scalar(
            select(BookingCounter.taken).where(BookingCounter.month == MONTH)
        )
        await start.wait()
        if before is None or before >= LIMIT:
            return False
        await uow.session.execute(upsert_unit(uow, MONTH, None))
    return True


async def test_the_last_unit_goes_to_exactly_one(committing: Committing) -> None:
    tenant = await business_with_one_unit_left(committing.uow_factory)
    start = asyncio.Barrier(AT_ONCE)
    won = await asyncio.gather(
        *(claim(committing.uow_factory, tenant, start) for _ in range(AT_ONCE))
    )
    assert sum(won) == 1
    assert await taken(committing.uow_factory, tenant) == LIMIT


async def test_without_the_guard_the_month_is_oversold(committing: Committing) -> None:
    """The control: the race is real, and it is the guard that settles it."""
    tenant = await business_with_one_unit_left(committing.uow_factory)
    start = asyncio.Barrier(AT_ONCE)
    won = await asyncio.gather(
        *(claim_without_guard(committing.uow_factory, tenant, start) for _ in range(AT_ONCE))
    )
    assert sum(won) == AT_ONCE
    assert await taken(committing.uow_factory, tenant) == LIMIT - 1 + AT_ONCE
