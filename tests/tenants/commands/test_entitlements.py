"""The snapshot of what a tenant may do, and overrides that widen it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from src.platform.db.uow import UowFactory
from src.platform.errors import InvalidInput, NotFound, PlanLimitReached
from src.platform.ids import new_id
from src.tenants.commands.entitlements import (
    AddGrant,
    add_grant,
    rebuild_entitlements,
    remove_grant,
)
from src.tenants.domain.entitlements import Feature, Limit
from src.tenants.gates import price_list, require_feature, require_feature_now
from src.tenants.models import Tenant
from tests.support.builders import a_business
from tests.support.clock import FrozenClock
from tests.tenants.plan_support import a_trying_business, an_admin, now_of, platform_log

pytestmark = pytest.mark.anyio


async def test_the_snapshot_says_what_the_rows_say(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory, plan="free")
    async with uow_factory(business.id) as uow:
        stored = await uow.session.scalar(select(Tenant.entitlements))
    assert stored is not None
    assert stored["plan"]["key"] == "free"
    assert stored["plan"]["limits"] == {"bookings_per_month": 30, "members": 1}


async def test_there_is_no_snapshot_of_nobody(uow_factory: UowFactory) -> None:
    nobody = new_id()
    with pytest.raises(NotFound):
        async with uow_factory(nobody) as uow:
            await rebuild_entitlements(uow, nobody)


async def test_a_trial_ends_by_the_clock_alone(uow_factory: UowFactory, clock: FrozenClock) -> None:
    business = await a_trying_business(uow_factory, clock.now() + timedelta(days=14))
    assert business.tenant.entitlements.has(Feature.GROUP_SERVICES)
    clock.advance(timedelta(days=14))
    assert (await now_of(uow_factory, business)).entitlements.has(Feature.GROUP_SERVICES)
    clock.advance(timedelta(seconds=1))
    assert not (await now_of(uow_factory, business)).entitlements.has(Feature.GROUP_SERVICES)


async def test_an_override_counts_at_once_and_can_be_taken_back(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    cmd = AddGrant(tenant_id=business.id, feature=Feature.SERIES, note="A pilot.")
    async with uow_factory(business.id) as uow:
        grant_id = await add_grant(uow, ada, cmd)
    assert (await now_of(uow_factory, business)).entitlements.has(Feature.SERIES)
    async with uow_factory(business.id) as uow:
        await remove_grant(uow, ada, grant_id)
    assert not (await now_of(uow_factory, business)).entitlements.has(Feature.SERIES)
    assert [action for action, _, _ in await platform_log(uow_factory)] == [
        "tenant.granted",
        "tenant.grant_removed",
    ]


async def test_an_override_of_a_limit(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    cmd = AddGrant(
        tenant_id=business.id, limit=Limit.BOOKINGS_PER_MONTH, value=90, note="A busy month."
    )
    async with uow_factory(business.id) as uow:
        await add_grant(uow, ada, cmd)
    entitlements = (await now_of(uow_factory, business)).entitlements
    assert entitlements.limit(Limit.BOOKINGS_PER_MONTH) == 90


@pytest.mark.parametrize(
    ("grant", "field"),
    [
        ({}, "what"),
        ({"feature": Feature.SERIES, "limit": Limit.MEMBERS}, "what"),
        ({"limit": Limit.MEMBERS, "value": -1}, "value"),
    ],
)
async def test_an_override_of_nothing_is_refused(
    uow_factory: UowFactory, grant: dict[str, object], field: str
) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    with pytest.raises(InvalidInput) as refusal:
        async with uow_factory(business.id) as uow:
            await add_grant(
                uow,
                ada,
                AddGrant(tenant_id=business.id, note="", **grant),  # type: ignore[arg-type]  # on purpose anything
            )
    assert list(refusal.value.fields) == [field]


async def test_an_override_that_has_ended_is_refused(
    uow_factory: UowFactory, clock: FrozenClock
) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    cmd = AddGrant(
        tenant_id=business.id, feature=Feature.SERIES, ends_at=clock.now(), note="Too late."
    )
    with pytest.raises(InvalidInput):
        async with uow_factory(business.id) as uow:
            await add_grant(uow, ada, cmd)


async def test_an_override_of_another_business_is_not_there(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    other = await a_business(uow_factory, "tennis", plan="free", owner="Eve")
    cmd = AddGrant(tenant_id=business.id, feature=Feature.SERIES, note="A pilot.")
    async with uow_factory(business.id) as uow:
        grant_id = await add_grant(uow, ada, cmd)
    with pytest.raises(NotFound):
        async with uow_factory(other.id) as uow:
            await remove_grant(uow, ada, grant_id)
    assert (await now_of(uow_factory, business)).entitlements.has(Feature.SERIES)


async def test_a_gate_names_the_feature_and_both_plans(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory, plan="starter")
    with pytest.raises(PlanLimitReached) as refusal:
        async with uow_factory(business.id) as uow:
            await require_feature_now(uow, business.ctx, Feature.SERIES)
    assert refusal.value.feature == "series"
    assert refusal.value.current_plan == "Starter"
    assert refusal.value.cheapest_plan == "Growth"


async def test_the_transaction_knows_better_than_the_snapshot(uow_factory: UowFactory) -> None:
    ada = await an_admin(uow_factory)
    business = await a_business(uow_factory, plan="free")
    async with uow_factory(business.id) as uow:
        await add_grant(
            uow, ada, AddGrant(tenant_id=business.id, feature=Feature.SERIES, note="A pilot.")
        )
    with pytest.raises(PlanLimitReached):
        require_feature(business.ctx, Feature.SERIES)
    async with uow_factory(business.id) as uow:
        await require_feature_now(uow, business.ctx, Feature.SERIES)


async def test_the_price_list_is_read_again_after_a_minute(clock: FrozenClock) -> None:
    price_list.remember((), clock.now())
    assert not price_list.is_stale(clock.now() + timedelta(minutes=1))
    assert price_list.is_stale(clock.now() + timedelta(minutes=1, seconds=1))
    price_list.forget()
    assert price_list.is_stale(clock.now())
