"""The monthly booking counter, one transaction at a time."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import select, text

from src.platform.db.uow import UowFactory
from src.platform.errors import PlanLimitReached
from src.platform.localtime import month_key
from src.platform.services import Services
from src.tenants.commands.counters import (
    claim_booking_unit,
    get_booking_limit,
    mark_warned,
    release_booking_unit,
    retake_booking_unit,
    review_warnings,
)
from src.tenants.commands.entitlements import tell_of_end
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Limit
from src.tenants.models import BookingCounter
from src.tenants.plan_events import MonthlyLimitNeared
from tests.support.builders import a_business
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio


async def a_tenant(
    uow_factory: UowFactory, slug: str = "lotus", timezone: str = "Europe/Amsterdam"
) -> TenantSnapshot:
    return (await a_business(uow_factory, slug, plan="free", timezone=timezone)).tenant


def limited(tenant: TenantSnapshot, limit: int | None) -> TenantSnapshot:
    limits = {} if limit is None else {Limit.BOOKINGS_PER_MONTH: limit}
    entitlements = msgspec.structs.replace(tenant.entitlements, limits=limits)
    return msgspec.structs.replace(tenant, entitlements=entitlements)


async def taken_by_month(uow_factory: UowFactory, tenant: TenantSnapshot) -> dict[str, int]:
    async with uow_factory(tenant.id) as uow:
        rows = await uow.session.execute(select(BookingCounter.month, BookingCounter.taken))
        return {row.month: row.taken for row in rows}


async def book(uow_factory: UowFactory, tenant: TenantSnapshot) -> str:
    async with uow_factory(tenant.id) as uow:
        return await claim_booking_unit(uow, tenant, uow.clock.now())


async def test_units_are_taken_up_to_the_limit(uow_factory: UowFactory) -> None:
    tenant = limited(await a_tenant(uow_factory), 2)
    assert [await book(uow_factory, tenant) for _ in range(2)] == ["2027-03", "2027-03"]
    with pytest.raises(PlanLimitReached) as refusal:
        await book(uow_factory, tenant)
    assert refusal.value.limit == "bookings_per_month"
    assert refusal.value.current_plan == "Free"
    assert "plan" not in refusal.value.message.lower()
    assert await taken_by_month(uow_factory, tenant) == {"2027-03": 2}


async def test_a_limit_of_nothing_refuses_the_first(uow_factory: UowFactory) -> None:
    tenant = limited(await a_tenant(uow_factory), 0)
    with pytest.raises(PlanLimitReached):
        await book(uow_factory, tenant)
    assert await taken_by_month(uow_factory, tenant) == {}


async def test_no_limit_counts_on(uow_factory: UowFactory) -> None:
    tenant = limited(await a_tenant(uow_factory), None)
    for _ in range(5):
        await book(uow_factory, tenant)
    assert await taken_by_month(uow_factory, tenant) == {"2027-03": 5}


async def test_the_month_is_the_business_clocks(
    uow_factory: UowFactory, clock: FrozenClock
) -> None:
    sydney = await a_tenant(uow_factory, "surf", timezone="Australia/Sydney")
    honolulu = await a_tenant(uow_factory, "hula", timezone="Pacific/Honolulu")
    clock.at = datetime(2027, 3, 31, 20, 0, tzinfo=UTC)
    assert await book(uow_factory, sydney) == "2027-04"
    clock.at = datetime(2027, 4, 1, 5, 0, tzinfo=UTC)
    assert await book(uow_factory, honolulu) == "2027-03"


async def test_a_new_month_begins_anew(uow_factory: UowFactory, clock: FrozenClock) -> None:
    tenant = limited(await a_tenant(uow_factory), 1)
    await book(uow_factory, tenant)
    clock.advance(timedelta(days=31))
    assert await book(uow_factory, tenant) == "2027-04"
    assert await taken_by_month(uow_factory, tenant) == {"2027-03": 1, "2027-04": 1}


async def test_a_dead_hold_gives_its_unit_back(uow_factory: UowFactory) -> None:
    tenant = limited(await a_tenant(uow_factory), 1)
    month = await book(uow_factory, tenant)
    async with uow_factory(tenant.id) as uow:
        await release_booking_unit(uow, month)
    await book(uow_factory, tenant)
    assert await taken_by_month(uow_factory, tenant) == {month: 1}


async def test_giving_back_never_goes_below_nothing(uow_factory: UowFactory) -> None:
    tenant = await a_tenant(uow_factory)
    async with uow_factory(tenant.id) as uow:
        await release_booking_unit(uow, "2027-03")
    month = await book(uow_factory, tenant)
    for _ in range(2):
        async with uow_factory(tenant.id) as uow:
            await release_booking_unit(uow, month)
    assert await taken_by_month(uow_factory, tenant) == {month: 0}


async def test_a_late_payer_is_counted_past_the_limit(uow_factory: UowFactory) -> None:
    tenant = await a_tenant(uow_factory)
    for _ in range(30):
        month = await book(uow_factory, tenant)
    async with uow_factory(tenant.id) as uow:
        await retake_booking_unit(uow, month, await get_booking_limit(uow))
    assert await taken_by_month(uow_factory, tenant) == {month: 31}


async def test_each_warning_is_marked_once(uow_factory: UowFactory) -> None:
    tenant = await a_tenant(uow_factory)
    month = await book(uow_factory, tenant)
    async with uow_factory(tenant.id) as uow:
        assert await mark_warned(uow, month, 80)
        assert not await mark_warned(uow, month, 80)
        assert await mark_warned(uow, month, 100)
        assert not await mark_warned(uow, month, 80)


async def test_a_higher_limit_warns_anew(uow_factory: UowFactory) -> None:
    tenant = await a_tenant(uow_factory)
    month = await book(uow_factory, tenant)
    async with uow_factory(tenant.id) as uow:
        await mark_warned(uow, month, 100)
        await review_warnings(uow, tenant.entitlements, month)
        assert await mark_warned(uow, month, 80)


async def test_tenants_count_apart(uow_factory: UowFactory) -> None:
    loft = limited(await a_tenant(uow_factory, "loft"), 1)
    surf = limited(await a_tenant(uow_factory, "surf"), 1)
    month = await book(uow_factory, loft)
    await book(uow_factory, surf)
    assert await taken_by_month(uow_factory, loft) == {month: 1}


async def told(uow_factory: UowFactory, tenant: TenantSnapshot) -> list[int]:
    """The thresholds that the owner is to hear of."""
    async with uow_factory(tenant.id) as uow:
        found = await uow.session.execute(
            text("SELECT payload FROM outbox WHERE topic = :topic ORDER BY id"),
            {"topic": MonthlyLimitNeared.topic},
        )
        return [payload["percent"] for payload in found.scalars()]


async def test_a_limit_that_fell_meanwhile_is_told_by_the_next_booking(
    uow_factory: UowFactory,
) -> None:
    """A trial ended at 26 of 30: no booking crosses a threshold any more, and one tells all the
    same.
    """
    tenant = await a_tenant(uow_factory)
    async with uow_factory(tenant.id) as uow:
        month = month_key(uow.clock.now(), tenant.zone)
        uow.session.add(BookingCounter(tenant_id=tenant.id, month=month, taken=25))
    await book(uow_factory, limited(tenant, 30))
    assert await told(uow_factory, tenant) == [80]


async def test_a_month_that_is_used_up_when_the_trial_ends_is_told_though_nobody_can_book(
    services: Services, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    lotus = await a_business(services.uow_factory, plan="free")
    async with services.uow_factory(lotus.id) as uow:
        ends_at = uow.clock.now() + timedelta(days=3)
        month = month_key(uow.clock.now(), lotus.tenant.zone)
        uow.session.add(BookingCounter(tenant_id=lotus.id, month=month, taken=31))
        tell_of_end(uow, ends_at)
    await work(services, lotus.id)
    assert mailer.sent == []
    clock.advance(timedelta(days=3, seconds=2))
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert "30" in mail.body
