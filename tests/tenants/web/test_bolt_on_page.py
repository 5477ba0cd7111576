"""Plan and bolt-ons: what a business sees, asks for and removes."""

import re
from html import unescape
from uuid import UUID

import pytest
from httpx import AsyncClient

from src.platform.services import Services
from src.platform.web.formats import date_medium
from src.tenants.domain.entitlements import Feature, Limit
from src.tenants.domain.roles import Role
from src.tenants.gates import price_list
from tests.support.builders import a_business, a_member
from tests.support.visitor import as_read
from tests.tenants.bolt_on_support import (
    MORE,
    REFUNDS,
    ask_for,
    given,
    holdings,
    request_states,
)
from tests.tenants.plan_support import an_admin, now_of
from tests.tenants.web.signed_in import sign_in, submit
from tests.tenants.web.test_plan_page import use

pytestmark = pytest.mark.anyio

PLAN = "/app/lotus/plan"
HELD = re.compile(r'name="held_id"\s+value="([^"]+)"')


@pytest.fixture(autouse=True)
def _fresh_price_list() -> None:
    price_list.forget()


def words(text: str) -> str:
    """What a page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", as_read(text))).split())


async def test_the_page_shows_each_bolt_on_with_its_price(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory, plan="growth")
    await sign_in(client, services, lotus.owner.id)
    shown = words((await client.get(PLAN)).text)
    assert "Plan and bolt-ons" in shown
    for said in ("Auto-refund", "+100 bookings a month", "€9.00 a month", "or €90.00 a year"):
        assert said in shown
    assert "Together a month" not in shown, "nothing is there to add up"


async def test_what_it_changes_and_costs_is_said_before_it_is_asked_for(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory, plan="growth")
    await sign_in(client, services, lotus.owner.id)
    shown = words((await client.get(f"{PLAN}/bolt-ons/{MORE}")).text)
    assert "Bookings a month: 1,000 now, 1,100 then" in shown
    assert "Growth €49.00 +100 bookings a month €9.00" in shown
    assert "Together a month €49.00 until now, then €58.00" in shown
    assert "or €580.00 a year" in shown
    refunds = words((await client.get(f"{PLAN}/bolt-ons/{REFUNDS}")).text)
    assert "You gain Auto-refund" in refunds


async def test_asking_twice_asks_once_and_is_shown(client: AsyncClient, services: Services) -> None:
    lotus = await a_business(services.uow_factory, plan="growth")
    await sign_in(client, services, lotus.owner.id)
    place = f"{PLAN}/bolt-ons/{REFUNDS}"
    for _time in range(2):
        answer = await submit(client, place, f"{PLAN}/bolt-ons/{MORE}", wanted_for="Courses")
        assert answer.headers["location"] == PLAN
    assert await request_states(services.uow_factory) == ["open"]
    async with services.uow_factory(None) as uow:
        when = date_medium(uow.clock.now(), lotus.tenant.timezone)
    assert f"Asked for on {when}" in words((await client.get(PLAN)).text)
    assert f"You asked for this on {when}" in words((await client.get(place)).text)
    assert await holdings(services.uow_factory, lotus) == [], "asking gives nothing"


async def test_an_owner_removes_it_with_what_follows_said_first(
    client: AsyncClient, services: Services
) -> None:
    factory = services.uow_factory
    ada = await an_admin(factory)
    lotus = await a_business(factory, plan="starter")
    await given(factory, ada, lotus, MORE)
    await given(factory, ada, lotus, REFUNDS)
    await use(services, lotus, 171)
    await sign_in(client, services, lotus.owner.id)
    own = words((await client.get(PLAN)).text)
    assert "171 of 300" in own
    assert "Together a month €37.00" in own
    remove = f"{PLAN}/bolt-ons/{MORE}/remove"
    asked = await client.get(remove)
    said = words(asked.text)
    assert "Bookings a month: 300 now, 200 then" in said
    assert "This month's limit becomes 200 bookings, of which 171 are used." in said
    assert "Together a month €37.00 until now, then €28.00" in said
    held = HELD.search(asked.text)
    assert held is not None
    gone = await submit(client, remove, held_id=held[1])
    assert gone.headers["location"] == PLAN
    limit = (await now_of(factory, lotus)).entitlements.limit(Limit.BOOKINGS_PER_MONTH)
    assert limit == 200
    refunds = words((await client.get(f"{PLAN}/bolt-ons/{REFUNDS}/remove")).text)
    assert "You would no longer have Auto-refund" in refunds
    assert "Credits that guests have got back stay usable" in refunds
    # A second tab still shows the form.
    page = f"{PLAN}/bolt-ons/{REFUNDS}/remove"
    again = await submit(client, remove, page, held_id=held[1])
    assert again.headers["location"] == PLAN
    assert "This bolt-on was removed already." in words((await client.get(PLAN)).text)


async def test_a_month_that_would_be_over_is_said(client: AsyncClient, services: Services) -> None:
    ada = await an_admin(services.uow_factory)
    lotus = await a_business(services.uow_factory, plan="growth")
    await given(services.uow_factory, ada, lotus, MORE)
    await use(services, lotus, 1_040)
    await sign_in(client, services, lotus.owner.id)
    said = words((await client.get(f"{PLAN}/bolt-ons/{MORE}/remove")).text)
    assert "This month has 1,040 bookings and the plan has 1,000 a month." in said
    assert "becomes" not in said


async def test_managers_ask_and_only_owners_remove(client: AsyncClient, services: Services) -> None:
    factory = services.uow_factory
    ada = await an_admin(factory)
    lotus = await a_business(factory, plan="growth")
    held_id = await given(factory, ada, lotus, REFUNDS)
    mia = await a_member(factory, lotus, "Mia", Role.MANAGER)
    await sign_in(client, services, mia.user_id)
    place = f"{PLAN}/bolt-ons/{REFUNDS}"
    shown = (await client.get(place)).text
    assert "Only an owner can remove it." in shown
    assert f"{place}/remove" not in shown
    refused = await submit(client, f"{place}/remove", place, held_id=str(held_id))
    assert refused.status_code == 403
    asked = await submit(client, f"{PLAN}/bolt-ons/{MORE}")
    assert asked.headers["location"] == PLAN
    assert (await now_of(factory, lotus)).entitlements.has(Feature.AUTO_REFUND)


async def test_an_owner_gives_himself_nothing(client: AsyncClient, services: Services) -> None:
    """The desk does not exist for him, and asking is all that his own pages do."""
    lotus = await a_business(services.uow_factory, plan="growth")
    await sign_in(client, services, lotus.owner.id)
    give = f"/admin/tenants/{lotus.id}/bolt-ons/{REFUNDS}/give"
    assert (await client.get(give)).status_code == 404
    tried = await submit(client, give, PLAN + "/scale", version_id=str(UUID(int=1)))
    assert tried.status_code == 404
    assert await holdings(services.uow_factory, lotus) == []


async def test_what_the_plan_has_is_marked_and_not_sold(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory, plan="scale")
    await sign_in(client, services, lotus.owner.id)
    assert words((await client.get(PLAN)).text).count("Part of your plan") == 2
    place = f"{PLAN}/bolt-ons/{REFUNDS}"
    shown = words((await client.get(place)).text)
    assert "All of this is part of your plan already." in shown
    assert "Ask for it" not in shown
    await submit(client, place, PLAN + "/growth")
    assert await request_states(services.uow_factory) == []


async def test_another_plan_is_shown_with_the_bolt_ons_that_stay(
    client: AsyncClient, services: Services
) -> None:
    ada = await an_admin(services.uow_factory)
    lotus = await a_business(services.uow_factory, plan="growth")
    await sign_in(client, services, lotus.owner.id)
    assert "With your bolt-ons" not in (await client.get(f"{PLAN}/scale")).text
    await given(services.uow_factory, ada, lotus, REFUNDS)
    shown = words((await client.get(f"{PLAN}/scale")).text)
    assert "Together a month €58.00 until now, then €138.00" in shown
    assert "Scale has all of Auto-refund by itself: the bolt-on can be removed then." in shown
    smaller = words((await client.get(f"{PLAN}/starter")).text)
    assert "Together a month €58.00 until now, then €28.00" in smaller
    assert "by itself: the bolt-on" not in smaller
    assert "You would no longer have Group services" in smaller


async def test_what_is_not_there_is_not_found(client: AsyncClient, services: Services) -> None:
    lotus = await a_business(services.uow_factory, plan="growth")
    eves = await a_business(services.uow_factory, "tennis", owner="Eve")
    await sign_in(client, services, lotus.owner.id)
    assert (await client.get(f"{PLAN}/bolt-ons/nonsense")).status_code == 404
    assert (await submit(client, f"{PLAN}/bolt-ons/nonsense", PLAN + "/scale")).status_code == 404
    assert (await client.get(f"/app/tennis/plan/bolt-ons/{REFUNDS}")).status_code == 404
    posted = await submit(client, f"/app/tennis/plan/bolt-ons/{REFUNDS}", PLAN + "/scale")
    assert posted.status_code == 404
    assert await request_states(services.uow_factory) == []
    assert await holdings(services.uow_factory, eves) == []
    not_held = await client.get(f"{PLAN}/bolt-ons/{REFUNDS}/remove")
    assert not_held.headers["location"] == PLAN


async def test_the_months_panel_says_when_it_was_asked_for(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory, plan="growth")
    await use(services, lotus, 1_000)
    await sign_in(client, services, lotus.owner.id)
    today = words((await client.get("/app/lotus/today")).text)
    assert "Add the bolt-on +100 bookings a month to it, for €9.00 a month." in today
    assert "Ask for this bolt-on" in today
    await ask_for(services.uow_factory, lotus, MORE)
    today = words((await client.get("/app/lotus/today")).text)
    assert "We will be in touch by mail." in today
    assert "Ask for this bolt-on" not in today


async def test_the_log_tells_of_it(client: AsyncClient, services: Services) -> None:
    factory = services.uow_factory
    ada = await an_admin(factory)
    lotus = await a_business(factory, plan="growth")
    await ask_for(factory, lotus, REFUNDS)
    await given(factory, ada, lotus, REFUNDS)
    await sign_in(client, services, lotus.owner.id)
    shown = words((await client.get("/app/lotus/settings/log")).text)
    assert "Asked for a bolt-on “Auto-refund”" in shown.replace(":", "")
    assert "Seatline added a bolt-on “Auto-refund”" in shown.replace(":", "")
