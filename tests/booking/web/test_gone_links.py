"""A link that is over says where another is, if there is one."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from src.billing.domain.kinds import PaymentMode
from src.billing.models import Order
from src.booking.commands.erase_customer import erase_customer
from src.booking.guest_links import package_path
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.test_place_package import buy, wish
from tests.support.clock import FrozenClock
from tests.support.credits import a_package

pytestmark = pytest.mark.anyio


async def test_a_link_of_somebody_erased_sends_nobody_to_a_mail_that_is_not_there(
    shop: Shop, clock: FrozenClock
) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id, price_minor=0)
    await buy(shop, wish(package.id, way=PaymentMode.FREE, quoted_minor=0))
    await shop.work()
    (order,) = await rows(shop, Order)
    path = package_path(shop.services.settings, "lotus", order)
    clock.advance(timedelta(days=1))
    async with shop.services.uow_factory(shop.business.id) as uow:
        await erase_customer(uow, shop.business.ctx, order.customer_id, order.guest_email)
    await shop.guest.open(path, 410)
    assert "what was kept about its guest was erased" in shop.guest.text
    assert "newest mail" not in shop.guest.text


async def test_a_corrected_address_has_another_link_to_the_package(shop: Shop) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id, price_minor=0)
    await buy(shop, wish(package.id, way=PaymentMode.FREE, quoted_minor=0))
    (order,) = await rows(shop, Order)
    path = package_path(shop.services.settings, "lotus", order)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Order).values(link_version=Order.link_version + 1))
    await shop.guest.open(path, 410)
    assert "Your newest mail about the package has another." in shop.guest.text
