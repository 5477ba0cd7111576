"""Worksheets on pages about something else, and what staff do with copies besides reading them."""

import re

import pytest

from src.billing.domain.kinds import PaymentMode
from src.billing.models import Order
from src.booking.guest_links import package_path
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.test_place_package import buy, wish
from tests.support.credits import a_package
from tests.support.mail import RememberingMailer
from tests.support.portal import sign_in_portal
from tests.support.worksheets import a_worksheet, copies_of

pytestmark = pytest.mark.anyio


async def test_a_bought_package_says_what_comes_with_it_and_its_buyer_what_is_left(
    shop: Shop, mailer: RememberingMailer
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    package = await a_package(factory, business.id)
    worksheet_id = await a_worksheet(factory, business, package_ids=[package.id])
    await buy(shop, wish(package.id, way=PaymentMode.ON_SITE))
    await shop.work()
    assert any("To fill in" in mail.subject for mail in mailer.sent)
    (order,) = await rows(shop, Order)
    (copy,) = await copies_of(factory, business)
    bought = package_path(shop.services.settings, "lotus", order)
    stranger = await shop.guest.open(bought)
    assert "A worksheet comes with it" in stranger.text
    assert re.search(r"/b/lotus/worksheets/", stranger.text) is None
    client = shop.guest.client
    await sign_in_portal(client, shop.services, business.id, order.customer_id)
    own = f"/b/lotus/me/worksheets/{copy.id}"
    page = await shop.guest.open(bought)
    assert "One worksheet to fill in" in page.text
    assert own in page.text


async def test_a_package_that_was_given_up_says_nothing_of_worksheets(shop: Shop) -> None:
    factory, business = shop.services.uow_factory, shop.business
    package = await a_package(factory, business.id)
    await a_worksheet(factory, business, package_ids=[package.id])
    await buy(shop, wish(package.id, way=PaymentMode.ON_SITE))
    (order,) = await rows(shop, Order)
    await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    page = await shop.guest.submit(to="/give-up")
    assert "You have given it up" in page.text
    assert "worksheet" not in page.text.lower()
