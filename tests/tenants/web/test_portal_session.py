"""What ends a guest's session: merging leads on, another address and erasing do not."""

import re
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from httpx import ASGITransport, AsyncClient, Cookies
from sqlalchemy import update

from src.platform.services import Services
from src.tenants.commands.customers import find_or_add_customer
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.models import Customer
from tests.support.builders import Business, a_business
from tests.support.mail import RememberingMailer
from tests.support.portal import CARL, ask, enter, link_in, sign_in_portal
from tests.support.shared_app import app_for
from tests.support.visitor import Visitor

pytestmark = pytest.mark.anyio

ME = "/b/lotus/me"
OVER = "This code or link was used already, or is too old."


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def carl(services: Services, lotus: Business) -> UUID:
    return await a_customer(services, lotus)


@pytest.fixture
async def guest(client: AsyncClient) -> Visitor:
    return Visitor(client)


@pytest.fixture
async def elsewhere(services: Services, client: AsyncClient) -> AsyncIterator[Visitor]:
    """Another browser."""
    transport = ASGITransport(app=app_for(services))
    async with AsyncClient(transport=transport, base_url="http://testserver.local") as browser:
        yield Visitor(browser)


async def a_customer(
    services: Services, business: Business, email: str = CARL, name: str = "Carl Guest"
) -> UUID:
    async with services.uow_factory(business.id) as uow:
        return await find_or_add_customer(uow, email, name, "", uow.clock.now())


async def is_in(guest: Visitor, slug: str = "lotus") -> bool:
    await guest.open(f"/b/{slug}/me")
    return guest.path == f"/b/{slug}/me"


@pytest.mark.slow
async def test_whoever_was_merged_is_who_is_left(
    guest: Visitor, services: Services, mailer: RememberingMailer, lotus: Business, carl: UUID
) -> None:
    kept = await a_customer(services, lotus, "kim@example.com", "Kim")
    await enter(guest, services, mailer, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, carl, kept)
    assert await is_in(guest)
    assert "kim@example.com" in guest.text
    await guest.submit(to="/me/sign-out")
    await enter(guest, services, mailer, lotus.id)
    assert "kim@example.com" in guest.text, "the former address leads there too"
    assert mailer.sent[-1].to == [f"Kim <{CARL}>"], "and nothing goes to one that was not typed"


async def test_a_session_ends_with_the_address_that_was_proved(
    guest: Visitor, services: Services, mailer: RememberingMailer, lotus: Business, carl: UUID
) -> None:
    """Staff correct a mistyped address: a stranger may have read the code."""
    await enter(guest, services, mailer, lotus.id)
    await change(services, lotus, carl, email="karl@example.com")
    assert not await is_in(guest)
    assert f"seatline_guest_{lotus.id.hex}" not in guest.client.cookies


async def test_a_link_ends_with_the_address_that_it_was_mailed_to(
    guest: Visitor, services: Services, mailer: RememberingMailer, lotus: Business, carl: UUID
) -> None:
    await ask(guest, services, lotus.id)
    link = link_in(mailer.sent[-1])
    await guest.open(link)
    await change(services, lotus, carl, email="karl@example.com")
    await guest.submit(to=link)
    assert OVER in guest.text
    await guest.open(link)
    assert OVER in guest.text


async def test_an_erased_customer_is_nobody(
    guest: Visitor, services: Services, mailer: RememberingMailer, lotus: Business, carl: UUID
) -> None:
    await enter(guest, services, mailer, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        now = uow.clock.now()
    await change(services, lotus, carl, erased_at=now)
    assert not await is_in(guest)
    await ask(guest, services, lotus.id)
    assert len(mailer.sent) == 1


async def change(
    services: Services, business: Business, customer_id: UUID, **values: object
) -> None:
    async with services.uow_factory(business.id) as uow:
        await uow.session.execute(
            update(Customer).where(Customer.id == customer_id).values(**values)
        )


@pytest.mark.slow
async def test_signing_out_everywhere_ends_every_browser_and_no_other_guest(
    guest: Visitor,
    elsewhere: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    carl: UUID,
) -> None:
    kim = await a_customer(services, lotus, "kim@example.com", "Kim")
    await enter(guest, services, mailer, lotus.id)
    await sign_in_portal(elsewhere.client, services, lotus.id, carl)
    assert await is_in(elsewhere)
    store = Cookies(guest.client.cookies)
    await post(guest, f"{ME}/sign-out/everywhere")
    assert not await is_in(elsewhere)
    guest.client.cookies.update(store)
    assert not await is_in(guest)
    await sign_in_portal(elsewhere.client, services, lotus.id, kim, "kim@example.com")
    assert await is_in(elsewhere)


async def post(guest: Visitor, path: str) -> None:
    await guest.open(ME)
    token = re.search(r'name="_csrf_token"\s+value="([^"]+)"', guest.text)
    assert token is not None
    guest.page = await guest.client.post(path, data={"_csrf_token": token[1]})
    assert guest.page.status_code == 303
