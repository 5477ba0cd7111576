"""An owner hands over what is kept about a person, or erases it."""

import re
from datetime import timedelta

import msgspec
import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.booking.commands.erase_customer import erase_customer
from src.booking.models import Booking
from src.platform.services import Services
from src.tenants.domain.roles import Role
from src.tenants.models import Customer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import as_owner, send, send_again
from tests.support.builders import a_business, a_member, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.somebody import much_is_said, zora_books
from tests.support.work import work
from tests.tenants.commands.test_customer_care import a_customer, actions
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


async def test_an_owner_takes_along_all_that_is_kept(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    customer_id = await a_customer(services.uow_factory, business, name="=cmd|' /C calc'!A0")
    await as_owner(client, services, business)
    path = f"/app/lotus/customers/{customer_id}"
    file = await send(client, path, {}, to=f"{path}/export")
    assert file.status_code == 200
    assert file.headers["content-disposition"].startswith("attachment")
    told = msgspec.json.decode(file.content)
    assert told["customers"][0]["email"] == "anna@example.com"
    assert told["audit"][0]["action"] == "customer.added"
    assert (await actions(services.uow_factory, business, customer_id))[-1] == (
        "customer.handed_over"
    )


@pytest.mark.slow
async def test_erasing_says_what_it_does_and_wants_to_be_meant(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    customer_id = await a_customer(services.uow_factory, business)
    await as_owner(client, services, business)
    path = f"/app/lotus/customers/{customer_id}"
    asked = await client.get(f"{path}/erase")
    assert "Nobody can undo this." in asked.text
    assert "anna@example.com" in asked.text
    refused = await send(client, f"{path}/erase", {"typed": "yes"})
    assert refused.status_code == 422
    assert "Please type" in refused.text
    done = await send(client, f"{path}/erase", {"typed": "Anna@example.com "})
    assert done.status_code == 303
    shown = await client.get(path)
    assert "This person was erased" in shown.text
    assert "anna" not in shown.text.lower()
    for gone in ("/edit", "/book", "/merge", "/erase"):
        assert f'href="{path}{gone}"' not in shown.text
    assert "Erased customer" not in (await client.get("/app/lotus/customers")).text
    assert (await client.get(f"{path}/erase")).status_code == 404


async def test_a_form_that_was_open_meanwhile_brings_nobody_back(
    client: AsyncClient, services: Services
) -> None:
    """One member has it on the screen while another erases the person."""
    business = await a_business(services.uow_factory)
    customer_id = await a_customer(services.uow_factory, business, phone="020 555 0134")
    await as_owner(client, services, business)
    path = f"/app/lotus/customers/{customer_id}/edit"
    opened = await client.get(path)
    async with services.uow_factory(business.id) as uow:
        await erase_customer(uow, business.ctx, customer_id, "anna@example.com")
    assert (await send_again(client, path, opened, {"name": "Anna"})).status_code == 404
    async with services.uow_factory(business.id) as uow:
        left = await uow.session.get_one(Customer, (business.id, customer_id))
    assert (left.name, left.email, left.phone) == ("Erased customer", None, "")


@pytest.mark.slow
async def test_every_page_about_what_is_left_still_opens(
    client: AsyncClient, services: Services, clock: FrozenClock
) -> None:
    business = await a_business(services.uow_factory)
    made = await zora_books(services, business)
    await much_is_said(services, business, made)
    clock.advance(timedelta(days=30))
    customer_id = made.order.customer_id
    async with services.uow_factory(business.id) as uow:
        session_id = (await uow.session.scalars(select(Booking.session_id))).one()
        await erase_customer(uow, business.ctx, customer_id, "zq@quillfeather.test")
    await as_owner(client, services, business)
    for page in (
        f"customers/{customer_id}",
        f"orders/{made.order_id}",
        "orders",
        f"bookings/{made.booking_id}",
        f"sessions/{session_id}",
        f"sessions/{session_id}/print",
        f"sessions/{session_id}/waitlist",
        "broadcasts",
        f"broadcasts/{made.order_id}",
    ):
        shown = await client.get(f"/app/lotus/{page}")
        assert shown.status_code == 200, page
        assert "quillfeather" not in shown.text.lower(), page
        assert not re.search(r'href="[^"]*/(people|seats/[-0-9a-f]{36})"', shown.text), page
    people = await client.get(f"/app/lotus/bookings/{made.booking_id}/people")
    assert people.status_code == 404


async def test_what_is_still_to_be_paid_on_site_is_said_before(
    client: AsyncClient, services: Services, clock: FrozenClock
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(
        services.uow_factory, business.id, price_type="on_site", price_minor=1550
    )
    session = await a_session(services.uow_factory, service)
    made = await booked(services.uow_factory, business, a_wish("session", session.id))
    await work(services, business.id)
    await as_owner(client, services, business)
    erase = f"/app/lotus/customers/{made.order.customer_id}/erase"
    barred = (await client.get(erase)).text
    assert "1 place of theirs lies ahead. Cancel it first." in barred
    [booking] = re.findall(r'href="(/app/lotus/bookings/[-0-9a-f]{36})">Yoga<', barred)
    assert (await client.get(booking)).status_code == 200
    clock.advance(timedelta(days=30))
    await as_owner(client, services, business)
    asked = await client.get(erase)
    assert "€15.50, and nobody is left to be asked for it" in asked.text


async def test_a_manager_is_offered_neither(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory)
    customer_id = await a_customer(services.uow_factory, business)
    mia = await a_member(services.uow_factory, business, "Mia", Role.MANAGER)
    assert mia.actor.user_id is not None
    await sign_in(client, services, mia.actor.user_id)
    path = f"/app/lotus/customers/{customer_id}"
    shown = await client.get(path)
    assert shown.status_code == 200
    assert "/erase" not in shown.text
    assert "/export" not in shown.text
