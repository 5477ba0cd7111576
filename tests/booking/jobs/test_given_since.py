"""What is told anew of an old purchase gives what it gave then, and nothing chosen since."""

from datetime import timedelta
from uuid import UUID

import pytest

from src.billing.commands.buy_package import BuyCommand, buy_package
from src.billing.domain.kinds import PaymentMode
from src.billing.events import OrderConfirmed
from src.billing.models import Order, Package
from src.booking.commands.groups import set_givers, set_group_active
from src.booking.commands.readdress import correct_customer
from src.booking.events import GroupsEarned
from src.platform.services import Services
from src.tenants.commands.customer_care import CustomerDetails
from tests.booking.commands.test_book import a_wish, booked
from tests.support.builders import Business, a_business, a_service, a_session, as_guest
from tests.support.clock import FrozenClock
from tests.support.collections import thing_of
from tests.support.credits import a_package
from tests.support.groups import a_group, members_of
from tests.support.mail import RememberingMailer
from tests.support.work import work
from tests.support.worksheets import a_worksheet, copies_of

pytestmark = pytest.mark.anyio

LATER = timedelta(days=3)


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def bought(services: Services, lotus: Business, ten: Package, name: str = "carl") -> Order:
    wish = BuyCommand(
        package_id=ten.id,
        guest_name=name.title(),
        guest_email=f"{name}@example.com",
        form_token=name,
        way=PaymentMode.ON_SITE,
    )
    async with services.uow_factory(lotus.id) as uow:
        order = await buy_package(uow, as_guest(lotus), wish)
    await work(services, lotus.id)
    return order


async def corrected(services: Services, lotus: Business, customer_id: UUID) -> None:
    """The address; what was bought is told anew."""
    details = CustomerDetails(name="Carl", email="carl@example.org")
    async with services.uow_factory(lotus.id) as uow:
        told = await correct_customer(uow, lotus.ctx, customer_id, details, readdress=True)
    assert told.confirmations == 1
    await work(services, lotus.id)


async def test_a_corrected_address_gives_an_old_package_nothing_that_was_chosen_since(
    services: Services, lotus: Business, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    ten = await a_package(services.uow_factory, lotus.id)
    order = await bought(services, lotus, ten)
    clock.advance(LATER)
    group_id = await a_group(services.uow_factory, lotus, ten)
    worksheet_id = await a_worksheet(services.uow_factory, lotus, package_ids=[ten.id])
    await corrected(services, lotus, order.customer_id)
    assert mailer.sent[-1].to == ["Carl <carl@example.org>"]
    assert await members_of(services.uow_factory, lotus.id, group_id) == []
    assert await copies_of(services.uow_factory, lotus) == []
    new = await bought(services, lotus, ten, "ben")
    assert await members_of(services.uow_factory, lotus.id, group_id) == [new.customer_id]
    [copy] = await copies_of(services.uow_factory, lotus)
    assert (copy.worksheet_id, copy.customer_id) == (worksheet_id, new.customer_id)


async def test_what_was_chosen_before_is_given_however_late_it_is_told(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service, in_days=60)
    group_id = await a_group(services.uow_factory, lotus, service)
    await a_worksheet(services.uow_factory, lotus, service_ids=[service.id])
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    clock.advance(LATER)
    await work(services, lotus.id)
    carl = made.order.customer_id
    assert await members_of(services.uow_factory, lotus.id, group_id) == [carl]
    assert [one.customer_id for one in await copies_of(services.uow_factory, lotus)] == [carl]


@pytest.mark.parametrize("how", ["chosen anew", "switched on again"])
async def test_a_group_does_not_take_in_for_what_was_bought_while_nothing_gave_it(
    services: Services, lotus: Business, clock: FrozenClock, how: str
) -> None:
    factory = services.uow_factory
    service = await a_service(factory, lotus.id, price_type="free")
    session = await a_session(factory, service, in_days=60)
    group_id = await a_group(factory, lotus, service)
    async with factory(lotus.id) as uow:
        if how == "chosen anew":
            await set_givers(uow, lotus.ctx, group_id, [])
        else:
            await set_group_active(uow, lotus.ctx, group_id, active=False)
    made = await booked(factory, lotus, a_wish("session", session.id))
    await work(services, lotus.id)
    clock.advance(LATER)
    async with factory(lotus.id) as uow:
        if how == "chosen anew":
            await set_givers(uow, lotus.ctx, group_id, [thing_of(service)])
        else:
            await set_group_active(uow, lotus.ctx, group_id, active=True)
        uow.record(OrderConfirmed(order_id=made.order_id))
        uow.record(GroupsEarned(order_id=made.order_id))
    await work(services, lotus.id)
    assert await members_of(factory, lotus.id, group_id) == []
