"""What a correction of an address does to everything else that its guest has."""

from uuid import UUID

import pytest

from src.booking.commands.readdress import correct_customer
from src.platform.services import Services
from src.tenants.commands.customer_care import CustomerDetails
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_waitlist import a_town
from tests.support.builders import Business, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.waiting import entries, joined, offers
from tests.support.work import work

pytestmark = pytest.mark.anyio

RIGHT = "ann@example.org"


async def correct(
    services: Services, business: Business, customer_id: UUID, name: str = "Ann"
) -> int:
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
    assert await correct(services, town.lotus, made.order.customer_id) == 1
    assert [mail.to for mail in mailer.sent] == [[f"Carl <{RIGHT}>"]]
    assert await entries(town.factory, town.lotus) == {"Ann": "waiting"}
