"""A package whose payment a bank takes back: what its buyer and its business read of it."""

from html import unescape
from typing import Literal

import pytest

from src.billing.commands.dispute_news import take_dispute_news
from src.billing.models import CreditLot, OpenItem, Order, Payment
from src.billing.open_item_words import open_item_sentence
from src.billing.processor import Dispute
from src.billing.settlement import check_payment
from src.booking.guest_links import package_path
from src.platform.mail.models import MailRow
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.test_place_package import buy, only_lot, wish
from tests.support.credits import a_package
from tests.support.portal import sign_in_portal
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


async def by_card(shop: Shop) -> CreditLot:
    """Ten credits for 120.00, none of them used."""
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await shop.pay(await buy(shop, wish(package.id)))
    lot = await only_lot(shop)
    assert lot.order_id is not None
    await check_payment(shop.services, shop.business.id, lot.order_id)
    await shop.work()
    return await only_lot(shop)


async def hears(shop: Shop, outcome: Literal["won", "lost"] | None) -> bool:
    [payment] = await rows(shop, Payment)
    news = Dispute(
        id="du_1", payment_intent_id="", amount_minor=12_000, currency="EUR", outcome=outcome
    )
    async with shop.services.uow_factory(shop.business.id) as uow:
        return await take_dispute_news(uow, payment.id, payment.order_id, "R", news)


async def test_its_buyer_reads_that_the_bank_took_it_and_has_one_mail(shop: Shop) -> None:
    await by_card(shop)
    assert await hears(shop, None)
    assert await hears(shop, "lost")
    assert not await hears(shop, "lost")
    await shop.work()
    [order] = await rows(shop, Order)
    page = await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    assert "Your bank took the payment back, so nothing is left of its credits." in page.text
    assert "All of its credits are used." not in page.text
    assert "Taken back by your bank" in page.text
    [mail] = [one for one in await rows(shop, MailRow) if one.kind == "billing.credits_changed"]
    said = " ".join(mail.text.split())
    assert "10 credits were taken off. The bank took the payment back after a dispute." in said
    assert "Left: 0 credits" in said
    assert "Good until" not in said
    await sign_in_portal(
        shop.guest.client, shop.services, shop.business.id, order.customer_id, order.guest_email
    )
    page = await shop.guest.open("/b/lotus/me")
    assert "Taken off" in page.text
    assert "Used up" not in page.text


async def test_its_business_reads_where_the_money_is_during_the_dispute_and_after(
    shop: Shop,
) -> None:
    lot = await by_card(shop)
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    here = f"/app/lotus/credits/{lot.id}"
    await hears(shop, None)
    page = await shop.guest.open(here)
    assert "Refund the rest" not in page.text
    assert "Until that is decided, nothing of it can be refunded." in page.text
    await hears(shop, "lost")
    page = await shop.guest.open(here)
    assert "€120.00 taken back by the guest's bank" in unescape(page.text)
    assert "Until that is decided" not in page.text
    assert "Taken off" in page.text
    assert "Used up" not in page.text
    [item] = await rows(shop, OpenItem)
    assert open_item_sentence(item).endswith("the guest's bank has given the money back to them.")


async def test_a_dispute_that_is_won_leaves_all_as_it_was(shop: Shop) -> None:
    lot = await by_card(shop)
    await hears(shop, None)
    await hears(shop, "won")
    await shop.work()
    assert "billing.credits_changed" not in {one.kind for one in await rows(shop, MailRow)}
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    page = await shop.guest.open(f"/app/lotus/credits/{lot.id}")
    assert "Refund the rest" in page.text
    assert "taken back" not in page.text
