"""A business's page about its plan, and what stands where the plan says no."""

from datetime import timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.platform.services import Services
from src.platform.web.formats import date_medium
from src.tenants.domain.entitlements import BUILT, Feature
from src.tenants.domain.roles import Role
from src.tenants.gates import price_list
from src.tenants.models import BookingCounter, PlanRequest
from src.tenants.plan_words import feature_name
from tests.support.builders import Business, a_business, a_member
from tests.support.clock import FrozenClock
from tests.tenants.plan_support import a_trying_business
from tests.tenants.web.signed_in import sign_in, submit

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _fresh_price_list() -> None:
    price_list.forget()


async def use(services: Services, business: Business, taken: int) -> None:
    async with services.uow_factory(business.id) as uow:
        uow.session.add(
            BookingCounter(tenant_id=business.id, month="2027-03", taken=taken, warned_percent=0)
        )


async def requests(services: Services) -> list[PlanRequest]:
    async with services.uow_factory(None) as uow:
        return list(await uow.session.scalars(select(PlanRequest)))


async def test_the_page_says_what_the_business_has_and_uses(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory, plan="starter")
    await use(services, lotus, 171)
    await sign_in(client, services, lotus.owner.id)
    shown = (await client.get("/app/lotus/plan")).text
    assert "171 of 200" in shown
    assert "1 of 3" in shown
    assert "the next month begins on Thu, Apr 1" in shown
    assert "See what changes on Growth" in shown
    assert "Internal" not in shown


async def test_the_page_says_when_the_trial_ends_and_what_then(
    client: AsyncClient, services: Services, clock: FrozenClock
) -> None:
    lotus = await a_trying_business(services.uow_factory, clock.now() + timedelta(days=1))
    await sign_in(client, services, lotus.owner.id)
    shown = (await client.get("/app/lotus/plan")).text
    assert "You are trying Growth until" in shown
    assert "1 day is left." in shown
    assert "After that you are on Free." in shown


async def test_a_change_is_shown_before_it_is_asked_for(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory, plan="scale")
    await use(services, lotus, 1_040)
    await sign_in(client, services, lotus.owner.id)
    shown = (await client.get("/app/lotus/plan/growth")).text
    assert "Bookings a month: no limit now, 1,000 then" in shown
    assert "This month has 1,040 bookings" in shown
    kept = (await client.get("/app/lotus/plan/free")).text
    assert "You would no longer have" in kept
    assert "Bookings a month: no limit now, 30 then" in kept, "of appointments"
    assert (await client.get("/app/lotus/plan/internal")).status_code == 404


async def test_asking_twice_asks_once_and_is_shown(client: AsyncClient, services: Services) -> None:
    lotus = await a_business(services.uow_factory, plan="free")
    await sign_in(client, services, lotus.owner.id)
    for _ in range(2):
        answer = await submit(
            client, "/app/lotus/plan", "/app/lotus/plan/scale", plan="growth", wanted_for="Yoga"
        )
        assert answer.status_code == 303
        assert answer.headers["location"] == "/app/lotus/plan"
    (asked,) = await requests(services)
    assert asked.wanted_for == "Yoga"
    when = date_medium(asked.created_at, lotus.tenant.timezone)
    assert f"Asked for on {when}" in (await client.get("/app/lotus/plan")).text
    growth = (await client.get("/app/lotus/plan/growth")).text
    assert f"You asked for this plan on {when}" in growth


async def test_managers_may_look_and_instructors_not(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory, plan="free")
    mia = await a_member(services.uow_factory, lotus, "Mia", Role.MANAGER)
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    for ctx, status in ((mia, 200), (ivan, 403)):
        await sign_in(client, services, ctx.user_id)
        assert (await client.get("/app/lotus/plan")).status_code == status


async def test_another_business_plan_is_not_there(client: AsyncClient, services: Services) -> None:
    lotus = await a_business(services.uow_factory, plan="free")
    await a_business(services.uow_factory, "tennis", owner="Eve")
    await sign_in(client, services, lotus.owner.id)
    assert (await client.get("/app/tennis/plan")).status_code == 404
    assert (await client.get("/app/tennis/plan/growth")).status_code == 404
    posted = await submit(client, "/app/tennis/plan", "/app/lotus/plan/growth", plan="growth")
    assert posted.status_code == 404
    assert await requests(services) == []


async def test_strangers_read_the_price_list(client: AsyncClient) -> None:
    shown = (await client.get("/")).text
    for words in ("Free", "Starter", "Growth", "Scale", "€49.00", "1,000 bookings a month"):
        assert words in shown
    assert "Internal" not in shown


NOT_BUILT = [feature_name(feature) for feature in Feature if feature not in BUILT]


async def test_what_is_not_built_is_offered_to_nobody(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory, plan="starter")
    await sign_in(client, services, lotus.owner.id)
    for path in ("/", "/app/lotus/plan", "/app/lotus/plan/growth"):
        shown = (await client.get(path)).text
        assert "Group services" in shown
        assert [name for name in NOT_BUILT if name in shown] == [], path


async def test_plans_with_only_appointments_sell_them(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory, plan="growth")
    await sign_in(client, services, lotus.owner.id)
    for path in ("/", "/app/lotus/plan"):
        shown = (await client.get(path)).text
        assert "nothing new can be booked" not in shown
        plans = shown.partition("All plans")[2] if path != "/" else shown
        assert plans.count("Appointments") >= 2
        assert plans.count(" bookings a month") == 3, "of Free, Starter and Growth"


async def test_the_trial_is_told_to_those_who_may_look_at_plans(
    client: AsyncClient, services: Services, clock: FrozenClock
) -> None:
    lotus = await a_trying_business(services.uow_factory, clock.now() + timedelta(days=3))
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    for user_id, is_told in ((lotus.owner.id, True), (ivan.user_id, False)):
        await sign_in(client, services, user_id)
        shown = (await client.get("/app/lotus/today")).text
        assert ("See plans" in shown, "Growth trial" in shown) == (is_told, is_told)
