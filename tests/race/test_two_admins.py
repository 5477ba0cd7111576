"""Two platform admins at the same business at the same moment, with real commits."""

import asyncio

import pytest

from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict
from src.running import owners_work
from src.tenants.commands.entitlements import AddGrant, add_grant
from src.tenants.commands.plans import MoveTenant, move_tenant
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from tests.conftest import Committing
from tests.support.builders import Business, a_business
from tests.tenants.plan_support import an_admin, now_of, version_of

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

FEATURES = [Feature.COUPONS, Feature.PACKAGES, Feature.COLLECTIONS, Feature.WAITLIST]


async def move(
    uow_factory: UowFactory,
    ctx: RequestContext,
    business: Business,
    to: str,
    start: asyncio.Barrier,
) -> bool:
    cmd = MoveTenant(
        tenant_id=business.id,
        version_id=await version_of(uow_factory, to),
        expected_version_id=await version_of(uow_factory, "free"),
    )
    try:
        async with uow_factory(business.id) as uow:
            await uow.session.connection()
            await start.wait()
            await move_tenant(uow, ctx, cmd)
    except Conflict:
        return False
    return True


async def grant(
    uow_factory: UowFactory,
    ctx: RequestContext,
    business: Business,
    feature: Feature,
    start: asyncio.Barrier,
) -> None:
    async with uow_factory(business.id) as uow:
        await uow.session.connection()
        await start.wait()
        await add_grant(uow, ctx, AddGrant(tenant_id=business.id, feature=feature, note="A pilot."))


async def test_of_two_moves_one_counts(committing: Committing) -> None:
    factory = committing.uow_factory
    async with owners_work(committing.settings) as owners:
        ada = await an_admin(owners)
    business = await a_business(factory, plan="free")
    start = asyncio.Barrier(2)
    made = await asyncio.gather(
        move(factory, ada, business, "growth", start), move(factory, ada, business, "scale", start)
    )
    assert sorted(made) == [False, True]
    name = (await now_of(factory, business)).entitlements.plan_name
    assert name == ("Growth" if made[0] else "Scale")


async def test_a_move_and_overrides_at_once_are_all_in_the_snapshot(
    committing: Committing,
) -> None:
    factory = committing.uow_factory
    async with owners_work(committing.settings) as owners:
        ada = await an_admin(owners)
    business = await a_business(factory, plan="free")
    start = asyncio.Barrier(1 + len(FEATURES))
    await asyncio.gather(
        move(factory, ada, business, "starter", start),
        *(grant(factory, ada, business, feature, start) for feature in FEATURES),
    )
    after = (await now_of(factory, business)).entitlements
    assert after.plan_name == "Starter"
    assert after.features == {Feature.APPOINTMENTS, *FEATURES}
