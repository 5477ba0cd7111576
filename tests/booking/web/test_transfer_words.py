"""What an order's pages say of money that comes by transfer, in part or when it is cancelled."""

import pytest

from src.billing.models import Order
from tests.booking.commands.test_book_by_credit import by_credit
from tests.booking.web.conftest import Shop
from tests.booking.web.money_back import words_of
from tests.booking.web.test_package_transfer_mistaken import mistakable, remove, take_off
from tests.booking.web.test_paying_packages import PRICE_MINOR, by_transfer, receive
from tests.booking.web.test_place_package import only_lot
from tests.support.builders import a_service, a_session
from tests.support.vouchers import CODE, a_voucher
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


async def read(shop: Shop, path: str) -> str:
    await shop.guest.open(path)
    return words_of(shop.guest)


async def page_of(shop: Shop, order: Order, more: str = "") -> str:
    """The order's own page, or one below it, for staff."""
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    return await read(shop, f"/app/lotus/orders/{order.id}{more}")


async def test_an_order_says_what_is_still_missing_of_a_transfer(shop: Shop) -> None:
    order = await by_transfer(shop)
    assert "Still missing" not in await page_of(shop, order)
    await receive(shop, order, PRICE_MINOR - 950)
    assert "Still missing €9.50" in await page_of(shop, order)
    await receive(shop, order, 950)
    assert "Still missing" not in await page_of(shop, order)


async def test_the_transfer_of_what_is_cancelled_waits_for_nothing(shop: Shop) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=5000)
    order = await by_transfer(shop, coupon=CODE, quoted_minor=7000)
    page = await page_of(shop, order, "/transfer")
    assert "A voucher pays €50.00" in page
    assert "the rest is still waited for" in page
    await receive(shop, order, 7000)
    assert "A voucher has paid €50.00" in await page_of(shop, order, "/transfer")
    await remove(shop, await only_lot(shop), 10)
    [transfer] = await mistakable(shop, order)
    await take_off(shop, order, transfer)
    page = await page_of(shop, order, "/transfer")
    assert "Back on the voucher €50.00" in page
    assert "A voucher" not in page
    assert "still waited for" not in page


async def test_where_the_credits_are_taken_off_is_linked_and_worded_by_what_is_used(
    shop: Shop,
) -> None:
    order = await by_transfer(shop)
    await receive(shop, order, PRICE_MINOR)
    lot = await only_lot(shop)
    of_lot = f'href="/app/lotus/credits/{lot.id}'
    page = await page_of(shop, order)
    assert "did it never come? Then take all its credits off" in page
    assert f'{of_lot}/remove"' in shop.guest.text
    service = await a_service(shop.services.uow_factory, shop.business.id)
    session = await a_session(shop.services.uow_factory, service)
    ids = (lot.customer_id, lot.id)
    await by_credit(shop.services, shop.business, "session", session.id, ids)
    page = await page_of(shop, order)
    assert "A place was booked with 1 of these credits: cancel it first." in page
    assert f'{of_lot}/remove"' not in shop.guest.text


async def test_what_never_came_of_it_is_told_while_another_transfer_is_left(shop: Shop) -> None:
    order = await by_transfer(shop)
    await receive(shop, order, 3000)
    await receive(shop, order, PRICE_MINOR - 3000)
    lot = await only_lot(shop)
    here, order_page = f"/app/lotus/credits/{lot.id}", f"/app/lotus/orders/{order.id}"
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    page = await read(shop, here)
    assert "Paid €120.00" in page
    assert "never came" not in page
    assert "Never came" not in await read(shop, order_page)
    await remove(shop, lot, 10)
    [newest, oldest] = await mistakable(shop, order)
    await take_off(shop, order, oldest)
    assert "Paid €90.00 €30.00 never came" in await read(shop, here)
    page = await read(shop, order_page)
    assert "Paid €90.00 Never came, and was taken off €30.00" in page
    await take_off(shop, order, newest)
    assert "Price €120.00" in await read(shop, here), "never paid, as its badge says"
    assert "Never came" not in await read(shop, order_page)
