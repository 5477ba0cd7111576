"""What a correction of an address does to everything else that its guest has."""

from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.billing.models import Order
from src.booking.commands.readdress import Readdressed, correct_customer
from src.platform.services import Services
from src.tenants.commands.customer_care import CustomerDetails
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_staff_book import by_staff, for_anna
from tests.booking.commands.test_waitlist import a_town
from tests.booking.web.test_readdress import link_in
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.visitor import Visitor
from tests.support.waiting import entries, joined, offers
from tests.support.work import work
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio

RIGHT = "ann@example.org"


async def correct(
    services: Services, business: Business, customer_id: UUID, name: str = "Ann"
) -> Readdressed:
    details = CustomerDetails(name=name, email=RIGHT)
    async with services.uow_factory(business.id) as uow:
        told = await correct_customer(uow, business.ctx, customer_id, details, readdress=True)
    await work(services, business.id)
    return told


async def test_who_joined_another_list_since_keeps_their_place_in_it(
    services: Services, mailer: RememberingMailer
) -> None:
    town = await a_town(services)
    await town.join("Ann")
    await town.free()
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    made = await town.take(offer.id)
    await town.work()
    other = await a_session(
        town.factory,
        await a_service(town.factory, town.lotus.id, price_type="free", slug="other"),
        capacity=1,
    )
    wish = a_wish("session", other.id, guest_email="zoe@example.com")
    await booked(town.factory, town.lotus, wish)
    await joined(town.factory, town.lotus, "session", other.id, "Ann")
    await town.work()
    mailer.sent.clear()
    assert await correct(services, town.lotus, made.order.customer_id) == (1, 0)
    assert [mail.to for mail in mailer.sent] == [[f"Carl <{RIGHT}>"]]
    assert await entries(town.factory, town.lotus) == {"Ann": "waiting"}


async def test_a_link_to_pay_that_went_astray_is_sent_anew_and_the_first_one_ends(
    client: AsyncClient, services: Services, mailer: RememberingMailer
) -> None:
    lotus = await a_business(services.uow_factory)
    anna = await a_customer(services.uow_factory, lotus)
    session = await a_session(services.uow_factory, await a_service(services.uow_factory, lotus.id))
    await by_staff(services.uow_factory, lotus, for_anna("session", session.id, anna, pays="link"))
    await work(services, lotus.id)
    assert await correct(services, lotus, anna, "Anna") == (0, 1)
    wrong, right = mailer.sent
    assert (wrong.to, right.to) == (["Anna <anna@example.com>"], [f"Anna <{RIGHT}>"])
    assert right.subject == wrong.subject
    guest = Visitor(client)
    await guest.open(link_in(right.body))
    for path in ("", "/leave", "/feed"):
        assert (await client.get(link_in(wrong.body) + path)).status_code == 410, path


async def test_whoever_is_paying_just_now_keeps_the_way_back(services: Services) -> None:
    """No mail has their link, and the payment page leads to it."""
    lotus = await a_business(services.uow_factory)
    session = await a_session(services.uow_factory, await a_service(services.uow_factory, lotus.id))
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    assert await correct(services, lotus, made.order.customer_id, "Carl") == (0, 0)
    async with services.uow_factory(lotus.id) as uow:
        [order] = await uow.session.scalars(select(Order))
    assert (order.state, order.guest_email, order.link_version) == ("open", RIGHT, 0)
