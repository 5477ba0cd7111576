"""The list of first steps: what is on it, for whom, and when it is done with."""

import pytest
from httpx import AsyncClient

from src.platform.services import Services
from src.tenants.domain.roles import Role
from tests.support.builders import a_business, a_member, a_service, a_session, a_user
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


async def test_an_owner_is_led_through_money_services_dates_and_series(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory, payments_ready=False)
    await sign_in(client, services, business.owner.id)
    shown = (await client.get("/app/lotus/start")).text
    for step, href in (
        ("Get paid by card", "/app/lotus/payments"),
        ("Describe what you offer", "/app/lotus/services/new"),
        ("Publish the first date, or set hours", "/app/lotus/services"),
        ("Sell several dates as one", "/app/lotus/series"),
    ):
        assert f"Start: {step}" in shown
        assert f'href="{href}"' in shown
    assert "http://testserver.local/b/lotus" in shown


async def test_an_owner_is_told_which_address_guests_read(
    client: AsyncClient, services: Services
) -> None:
    assert "Guests read it on your booking page" in (await client.get("/sign-up")).text
    business = await a_business(services.uow_factory, contact_email="olive@lotus.example")
    await sign_in(client, services, business.owner.id)
    assert "Guests read the e-mail of your account" in (await client.get("/app/new")).text
    shown = (await client.get("/app/lotus/start")).text
    assert "Guests read there that they write to olive@lotus.example." in shown
    assert 'href="/app/lotus/settings">Name another address</a>' in shown


async def test_what_is_optional_does_not_keep_the_list_open(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory, payments_ready=False)
    await sign_in(client, services, business.owner.id)
    first = await client.get("/app/lotus", follow_redirects=False)
    assert first.headers["location"] == "/app/lotus/start"
    await a_session(services.uow_factory, await a_service(services.uow_factory, business.id))
    later = await client.get("/app/lotus", follow_redirects=False)
    assert later.headers["location"] == "/app/lotus/today"
    assert "Go to today" in (await client.get("/app/lotus/start")).text


async def test_a_manager_is_not_sent_to_a_page_of_the_owner(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory, payments_ready=False)
    mia = await a_member(services.uow_factory, business, "Mia", Role.MANAGER)
    assert mia.user_id is not None
    await sign_in(client, services, mia.user_id)
    shown = (await client.get("/app/lotus/start")).text
    assert "Get paid by card" not in shown
    assert "Describe what you offer" in shown
    entered = await client.get("/app/lotus", follow_redirects=False)
    assert entered.headers["location"] == "/app/lotus/today"


async def test_the_way_in_depends_on_how_many_businesses_there_are(
    client: AsyncClient, services: Services
) -> None:
    carl = await a_user(services.uow_factory, "Carl")
    await sign_in(client, services, carl.id)
    nothing = await client.get("/app", follow_redirects=False)
    assert nothing.headers["location"] == "/app/new"
    business = await a_business(services.uow_factory)
    await sign_in(client, services, business.owner.id)
    one = await client.get("/app", follow_redirects=False)
    assert one.headers["location"] == "/app/lotus"
