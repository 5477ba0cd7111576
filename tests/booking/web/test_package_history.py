"""An order's history tells how a package ended that nobody paid for."""

from datetime import datetime, timedelta

import pytest
from httpx import AsyncClient

from src.billing.domain.package_sale import WAITS_FOR_MONEY
from src.billing.lapsing import lapse_unpaid_packages
from src.billing.models import Order
from src.billing.queries.order_page import get_order_page
from src.booking.guest_links import package_path
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.pages import as_owner
from tests.booking.web.test_guest_packages import buy
from tests.support.clock import FrozenClock
from tests.support.credits import a_package

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("way", ["on_site", "online"])
async def test_it_says_that_the_guest_gave_it_up(shop: Shop, clock: FrozenClock, way: str) -> None:
    """While it waited for money at the desk, or on the page for payments."""
    package = await a_package(shop.services.uow_factory, shop.business.id, pays=[way])
    await buy(shop, package)
    (order,) = await rows(shop, Order)
    clock.advance(timedelta(minutes=3))
    await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    await shop.guest.submit(to="/give-up")
    assert (clock.now(), "Given up by the guest") in await history_of(shop)
    assert "place" not in " ".join(text for _at, text in await history_of(shop))


async def test_it_says_that_it_lapsed(shop: Shop, clock: FrozenClock) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id, pays=["on_site"])
    await buy(shop, package)
    clock.advance(WAITS_FOR_MONEY)
    await lapse_unpaid_packages(shop.services)
    *_before, last = await history_of(shop)
    assert last == (clock.now(), "Not paid for in time")


async def test_nothing_of_one_that_was_given_up_is_said_to_be_cancelled(
    shop: Shop, client: AsyncClient
) -> None:
    """It was never more than asked for; the receipt says no such sum either."""
    await buy(shop, await a_package(shop.services.uow_factory, shop.business.id, pays=["on_site"]))
    (order,) = await rows(shop, Order)
    await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    await shop.guest.submit(to="/give-up")
    await as_owner(client, shop.services, shop.business)
    page = await client.get(f"/app/lotus/orders/{order.id}")
    assert "Given up by the guest" in page.text
    assert "not to be paid" not in page.text


async def history_of(shop: Shop) -> list[tuple[datetime, str]]:
    (order,) = await rows(shop, Order)
    async with shop.services.uow_factory(shop.business.id) as uow:
        page = await get_order_page(uow, shop.business.tenant, order.id)
    return [(one.at, one.text) for one in page.timeline]
