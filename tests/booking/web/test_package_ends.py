"""Bought packages that are over say what became of them, to their guest and on their receipts."""

import pytest

from src.billing.domain.kinds import PaymentMode
from src.billing.models import Order
from src.booking.guest_links import package_path
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.test_place_package import buy, wish
from tests.support.credits import a_package
from tests.support.portal import sign_in_portal
from tests.support.vouchers import CODE, a_voucher

pytestmark = pytest.mark.anyio

ME = "/b/lotus/me"


async def signed_in(shop: Shop, order: Order) -> None:
    await sign_in_portal(
        shop.guest.client, shop.services, shop.business.id, order.customer_id, order.guest_email
    )


async def test_giving_up_says_before_and_after_what_the_voucher_gets_back(shop: Shop) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=5000)
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await buy(shop, wish(package.id, coupon=CODE, way=PaymentMode.ON_SITE))
    (order,) = await rows(shop, Order)
    page = await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    assert "€50.00 goes back to the voucher you used." in page.text
    page = await shop.guest.submit(to="/give-up")
    assert "What the voucher had paid is on it again." in page.text
    assert "Back on the voucher" in page.text
    assert "On its way back to you" not in page.text
    await signed_in(shop, order)
    await shop.guest.open(f"{ME}/receipts")
    assert "Lapsed, nothing to pay" in shop.guest.text
    await shop.guest.open(f"{ME}/receipts/{order.id}")
    assert "It has lapsed: it was not paid in full" in shop.guest.text
