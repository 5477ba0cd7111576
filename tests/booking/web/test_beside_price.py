"""What a guest reads of money that came by transfer though nothing waited for it."""

import pytest
from sqlalchemy import select

from src.billing.models import Order
from src.booking.guest_links import booking_path, package_path
from tests.booking.commands.test_transfers import PRICE_MINOR as OF_DATE_MINOR
from tests.booking.commands.test_transfers import by_transfer as date_by_transfer
from tests.booking.commands.test_transfers import receive as receive_for_date
from tests.booking.commands.test_transfers import takes_transfers
from tests.booking.web.conftest import Shop
from tests.booking.web.test_overpaid import hand_back
from tests.booking.web.test_package_transfer_mistaken import mistakable, remove, take_off
from tests.booking.web.test_paying_packages import PRICE_MINOR, by_transfer, receive
from tests.booking.web.test_place_package import only_lot
from tests.booking.web.test_transfer_words import read

pytestmark = pytest.mark.anyio


async def guest_page(shop: Shop, order: Order) -> str:
    return await read(shop, package_path(shop.services.settings, "lotus", order))


async def test_who_transferred_more_than_the_price_reads_what_comes_back(shop: Shop) -> None:
    order = await by_transfer(shop)
    await receive(shop, order, PRICE_MINOR)
    assert "Paid €120.00" in await guest_page(shop, order)
    await receive(shop, order, 1000)
    page = await guest_page(shop, order)
    for words in ("Price €120.00", "Received €130.00", "The business gives back €10.00"):
        assert words in page
    assert "€10.00 came by bank transfer that was not due. Lotus sends it back to you." in page
    assert "Paid €" not in page
    await hand_back(shop, order)
    page = await guest_page(shop, order)
    for words in ("Price €120.00", "Received €130.00", "Paid back €10.00"):
        assert words in page
    assert "€10.00 came by bank transfer that was not due. Lotus has sent it back to you." in page
    assert "gives back" not in page


async def test_so_does_who_transferred_it_for_a_date(shop: Shop) -> None:
    services, lotus = shop.services, shop.business
    await takes_transfers(services, lotus)
    order = (await date_by_transfer(services, lotus)).order
    await receive_for_date(services, lotus, order.id, OF_DATE_MINOR + 500)
    path = booking_path(services.settings, "lotus", order)
    page = await read(shop, path)
    for words in ("Price €15.00", "Received €20.00", "The business gives back €5.00"):
        assert words in page
    assert "€5.00 came by bank transfer that was not due. Lotus sends it back to you." in page


async def test_who_transferred_for_what_is_cancelled_reads_that_it_comes_back(shop: Shop) -> None:
    order = await by_transfer(shop)
    await receive(shop, order, PRICE_MINOR)
    await remove(shop, await only_lot(shop), 10)
    [transfer] = await mistakable(shop, order)
    await take_off(shop, order, transfer)
    await receive(shop, order, 1000)
    page = await guest_page(shop, order)
    assert "This package was cancelled" in page
    assert "€10.00 came by bank transfer that was not due. Lotus sends it back to you." in page
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert (await uow.session.scalars(select(Order.paid_minor))).one() == 1000
