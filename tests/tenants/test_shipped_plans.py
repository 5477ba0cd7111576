"""The plans that Seatline comes with."""

import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from src.platform.db.engine import make_engine, make_sessions
from src.platform.db.uow import UowFactory, unit_of_work_factory
from src.sandbox.postgres import Role
from src.tenants.domain.entitlements import Feature, Limit
from src.tenants.queries.plans import find_starting_plans, list_plans, list_public_plans
from tests.support.builders import a_business
from tests.support.clock import FrozenClock
from tests.support.servers import CHECKOUT

pytestmark = pytest.mark.anyio

EVERYTHING = frozenset(Feature)


async def test_they_are_as_agreed(uow_factory: UowFactory) -> None:
    async with uow_factory(None) as uow:
        plans = {plan.key: plan for plan in await list_plans(uow)}
    assert list(plans) == ["free", "starter", "growth", "scale", "internal"]
    limits = {
        key: (plan.limits.get(Limit.BOOKINGS_PER_MONTH), plan.limits.get(Limit.MEMBERS))
        for key, plan in plans.items()
    }
    assert limits == {
        "free": (30, 1),
        "starter": (200, 3),
        "growth": (1000, 10),
        "scale": (None, None),
        "internal": (None, None),
    }
    assert plans["free"].features == plans["starter"].features == {Feature.APPOINTMENTS}
    assert plans["growth"].features == EVERYTHING - {Feature.AUTO_REFUND}
    assert plans["scale"].features == plans["internal"].features == EVERYTHING
    versions = {plan.key: plan.version for plan in plans.values()}
    assert versions == {"free": 1, "starter": 1, "growth": 1, "scale": 2, "internal": 2}
    assert "between two seasons" in plans["free"].summary
    assert "between two seasons" in plans["starter"].summary


async def test_a_new_business_is_on_free_and_tries_growth(uow_factory: UowFactory) -> None:
    async with uow_factory(None) as uow:
        start = await find_starting_plans(uow)
        plans = {plan.key: plan for plan in await list_plans(uow)}
    assert start.plan_version_id == plans["free"].version_id
    assert start.trial_version_id == plans["growth"].version_id
    assert start.trial_days == 14


async def test_strangers_do_not_see_the_internal_plan(uow_factory: UowFactory) -> None:
    async with uow_factory(None) as uow:
        prices = await list_public_plans(uow)
    assert [plan.key for plan in prices.plans] == ["free", "starter", "growth", "scale"]
    assert [plan.key for plan in prices.plans if plan.is_highlighted] == ["growth"]
    assert (prices.trial_plan, prices.trial_days) == ("Growth", 14)


@pytest.mark.slow
async def test_going_back_and_forth_keeps_the_plans_in_use(
    own_urls: Mapping[Role, str], clock: FrozenClock
) -> None:
    engine = make_engine(own_urls[Role.APP], pool_size=1)
    factory = unit_of_work_factory(make_sessions(engine), clock)
    business = await a_business(factory, plan="growth")
    for step in (("downgrade", "0004"), ("upgrade", "head")):
        await engine.dispose()
        _alembic(own_urls[Role.MIGRATOR], *step)
    async with factory(None) as uow:
        plans = {plan.key: plan for plan in await list_plans(uow)}
    await engine.dispose()
    assert list(plans) == ["free", "starter", "growth", "scale", "internal"]
    assert plans["growth"].name == business.tenant.entitlements.plan_name


def _alembic(url: str, *step: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "alembic", *step],
        check=True,
        cwd=CHECKOUT,
        env={**os.environ, "MIGRATOR_DATABASE_URL": url},
        capture_output=True,
    )
