"""Packages as guests see them: cards, the form, the purchase's own page, and one's own credits."""

import re
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.domain.credits import Scope
from src.billing.domain.package_sale import WAITS_FOR_MONEY
from src.billing.lapsing import lapse_unpaid_packages
from src.billing.models import CreditLot, Order, Package
from src.billing.settlement import check_payment
from src.booking.guest_links import booking_path
from src.booking.models import Series
from src.booking.queries.guest_packages import lowest_single_minor
from src.platform.ids import new_id
from src.platform.mail.models import MailRow
from src.platform.services import Services
from src.tenants.models import Customer, Tenant
from tests.booking.web.conftest import CARL, Shop, change, rows
from tests.support.builders import a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.coupons import a_coupon
from tests.support.credits import a_lot, a_package
from tests.support.mail import RememberingMailer
from tests.support.portal import enter, sign_in_portal
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

PAGE = "/b/lotus/packages"


def form_of(package: Package) -> str:
    return f"{PAGE}/{package.id}"


async def buy(shop: Shop, package: Package, **typed: Any) -> Any:
    """The answer to the form, filled in and sent, which is not followed."""
    await shop.guest.open(form_of(package))
    return await shop.send(step="buy", **typed)


async def test_a_card_says_what_it_costs_and_saves(shop: Shop, clock: FrozenClock) -> None:
    factory = shop.services.uow_factory
    await a_service(factory, shop.business.id)
    await a_package(factory, shop.business.id, description="For <regulars>")
    text = (await shop.guest.open(PAGE)).text
    assert "10 sessions" in text
    assert "For &lt;regulars&gt;" in text
    assert "€120.00" in text
    assert "€12.00 a session" in text
    assert "Saves €30.00" in text
    assert "Everything you can book here" in text
    assert "90 days" in text


async def test_a_saving_is_up_to_where_services_differ_and_hidden_where_there_is_none(
    shop: Shop, clock: FrozenClock
) -> None:
    factory = shop.services.uow_factory
    yoga = await a_service(factory, shop.business.id)
    await a_service(factory, shop.business.id, slug="spin", name="Spin", price_minor=2000)
    await a_package(factory, shop.business.id)
    assert "Saves up to €80.00" in (await shop.guest.open(PAGE)).text
    clock.advance(timedelta(seconds=2))
    only = {"any_service": False, "service_ids": [str(yoga.id)], "price_minor": 15_000}
    await change(shop, Package, **only)
    text = (await shop.guest.open(PAGE)).text
    assert "Saves" not in text
    assert 'href="/b/lotus/yoga"' in text


async def test_a_saving_is_against_the_price_that_dates_are_sold_at(
    shop: Shop, clock: FrozenClock
) -> None:
    """The service's own price stands nowhere where its series has another for single dates."""
    factory, alone = shop.services.uow_factory, {"drop_in_allowed": True}

    async def said() -> str:
        clock.advance(timedelta(seconds=2))
        return (await shop.guest.open(PAGE)).text

    yoga = await a_service(factory, shop.business.id, sales_mode="both")
    await a_package(factory, shop.business.id)
    await a_series(factory, yoga, drop_in_price_minor=4000, active=False, **alone)
    assert "Saves €30.00" in await said(), "a draft's price is nobody's yet"
    await a_series(factory, yoga, drop_in_price_minor=1900, **alone)
    assert "Saves €70.00" in await said()
    await a_series(factory, yoga, drop_in_price_minor=4000)
    assert "Saves €70.00" in await said(), "a price for dates that are not sold alone"
    await a_session(factory, yoga)
    assert "Saves up to €70.00" in await said()
    await a_series(factory, yoga, drop_in_price_minor=4000, drop_in_pays=["online"], **alone)
    assert "Saves up to €70.00" in await said(), "no credit pays for those dates"


async def test_what_used_credits_are_charged_with_is_the_services_own_price(shop: Shop) -> None:
    """Not what a date happens to cost on the day of the purchase."""
    factory = shop.services.uow_factory
    yoga = await a_service(factory, shop.business.id, sales_mode="both", price_minor=1800)
    package = await a_package(factory, shop.business.id)
    await a_series(factory, yoga, drop_in_price_minor=200, drop_in_allowed=True)
    async with factory(shop.business.id) as uow:
        assert await lowest_single_minor(uow, package) == 1800


async def test_what_is_not_listed_is_not_on_the_page(shop: Shop) -> None:
    factory = shop.services.uow_factory
    other = await a_business(factory, "other", owner="Eve")
    await a_package(factory, shop.business.id, name="Listed")
    unlisted = await a_package(factory, shop.business.id, name="Secret", visibility="unlisted")
    hidden = await a_package(factory, shop.business.id, name="Hidden", visibility="hidden")
    await a_package(factory, shop.business.id, name="Off", active=False)
    refund = await a_package(factory, shop.business.id, name="Given back", purpose="refund")
    theirs = await a_package(factory, other.id, name="Theirs")
    text = (await shop.guest.open(PAGE)).text
    assert "Listed" in text
    for name in ("Secret", "Hidden", "Off", "Given back", "Theirs"):
        assert name not in text
    assert "Secret" in (await shop.guest.open(form_of(unlisted))).text
    for absent in (hidden, refund, theirs):
        await shop.guest.open(form_of(absent), status=404)


async def test_a_guest_buys_by_card_and_reads_what_they_have(
    shop: Shop, clock: FrozenClock
) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id, pays=["online"])
    sent = await buy(shop, package)
    assert sent.headers["location"].startswith(shop.stripe.base_url)
    (order,) = await rows(shop, Order)
    own = booking_path(shop.services.settings, "lotus", order)
    held = await shop.guest.open(own)
    assert "/packages/bought/" in str(held.url), "any link of the order leads to its own page"
    assert "Not paid yet" in held.text
    await shop.pay(sent.headers["location"])
    page = await shop.guest.open(f"{held.url.path}?paid=1")
    assert "10 sessions are yours" in page.text
    assert "10 of 10 left" in page.text
    assert order.reference in page.text
    assert page.headers["cache-control"] == "private, no-store"


async def test_a_package_on_site_waits_and_can_be_given_up(shop: Shop) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id, pays=["on_site"])
    sent = await buy(shop, package)
    page = await shop.guest.open(sent.headers["location"])
    assert "Waiting for payment" in page.text
    assert "How to use them, once they are paid" in page.text
    assert "€120.00" in page.text
    page = await shop.guest.submit(to="/give-up")
    assert "You have given it up" in page.text
    assert "you owe nothing" in page.text
    await shop.work()
    last = (await rows(shop, MailRow))[-1]
    assert last.subject.startswith("Given up: ")
    assert "you have given this package up. There are no credits" in last.text
    (lot,) = await rows(shop, CreditLot)
    assert lot.state == "void"


async def test_a_code_is_tried_and_taken(shop: Shop) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await a_coupon(shop.services.uow_factory, shop.business.id, percent=100)
    await shop.guest.open(form_of(package))
    shop.guest.page = await shop.send(coupon="SPRING", step="update")
    assert "Nothing to pay" in shop.guest.page.text
    sent = await shop.send(step="buy")
    assert "10 sessions are yours" in (await shop.guest.open(sent.headers["location"])).text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": ""}, "f-name-error"),
        ({"email": "nobody"}, "f-email-error"),
        ({"phone": "12"}, "f-phone-error"),
        ({"coupon": "NOSUCH"}, "f-coupon-error"),
        ({"way": "credit", "terms": []}, "f-terms-error"),
        ({"quoted_minor": "1"}, "The price has changed"),
        ({"quoted_terms": "other"}, "has just been changed"),
    ],
)
async def test_bad_input_is_told_and_buys_nothing(
    shop: Shop, typed: dict[str, Any], sentence: str
) -> None:
    await change(shop, Tenant, booking_terms="Be kind.")
    package = await a_package(shop.services.uow_factory, shop.business.id)
    sent = await buy(shop, package, **{"terms": "on", **typed})
    assert sent.status_code in (409, 422)
    assert sentence in sent.text
    assert "Carl Guest" in sent.text or typed.get("name") == ""
    assert await rows(shop, Order) == []


async def test_what_is_no_longer_sold_says_so(shop: Shop) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await shop.guest.open(form_of(package))
    await change(shop, Package, active=False)
    sent = await shop.send(step="buy")
    assert sent.status_code == 409
    assert "not on sale any more" in sent.text
    assert await rows(shop, Order) == []


async def test_a_business_that_cannot_charge_sells_on_site_only(shop: Shop) -> None:
    both = await a_package(shop.services.uow_factory, shop.business.id)
    await a_package(shop.services.uow_factory, shop.business.id, name="By card", pays=["online"])
    await change(shop, Tenant, payments_ready=False)
    text = (await shop.guest.open(PAGE)).text
    assert "By card" not in text
    sent = await buy(shop, both)
    assert "Waiting for payment" in (await shop.guest.open(sent.headers["location"])).text


async def test_who_is_signed_in_sees_their_own_below_and_nobody_else_does(
    shop: Shop, mailer: RememberingMailer
) -> None:
    factory = shop.services.uow_factory
    await a_package(factory, shop.business.id)
    await a_lot(factory, shop.business.id, "carl@example.com", 7)
    await a_lot(factory, shop.business.id, "dora@example.com", 3)
    stranger = await shop.guest.open(PAGE)
    assert "of 7 left" not in stranger.text
    await enter(shop.guest, shop.services, mailer, shop.business.id)
    page = await shop.guest.open(PAGE)
    assert "7 of 7 left" in page.text
    assert "of 3 left" not in page.text
    assert page.headers["cache-control"] == "private, no-store"
    shop.guest.client.cookies.clear()
    assert "of 7 left" not in (await shop.guest.open(PAGE)).text


async def test_who_is_signed_in_buys_for_themselves_whatever_is_typed(
    shop: Shop, mailer: RememberingMailer
) -> None:
    factory = shop.services.uow_factory
    package = await a_package(factory, shop.business.id, price_minor=0, pays=[])
    customer_id, _lot = await a_lot(factory, shop.business.id, "carl@example.com")
    await enter(shop.guest, shop.services, mailer, shop.business.id)
    form = await shop.guest.open(form_of(package))
    assert 'name="email"' not in form.text
    await shop.send(step="buy", email="dora@example.com")
    assert {lot.customer_id for lot in await rows(shop, CreditLot)} == {customer_id}
    assert len(await rows(shop, Customer)) == 1


async def test_a_link_opens_its_own_business_only(shop: Shop) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id, price_minor=0, pays=[])
    sent = await buy(shop, package)
    await a_business(shop.services.uow_factory, "other", owner="Eve")
    await shop.guest.open(sent.headers["location"].replace("/lotus/", "/other/"), status=404)
    await shop.guest.open(f"{PAGE}/{new_id()}", status=404)


async def test_the_frame_may_stand_anywhere_and_leads_out_of_itself(shop: Shop) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id)
    frame = await shop.guest.open("/embed/lotus/packages")
    assert "frame-ancestors *" in frame.headers["content-security-policy"]
    assert "x-frame-options" not in frame.headers
    assert "set-cookie" not in frame.headers
    assert f'href="{form_of(package)}"' in frame.text
    assert frame.text.count("<a ") == frame.text.count('target="_top"') + 1, "but for the skip link"
    page = await shop.guest.open(PAGE)
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


async def test_paid_late_is_bought_all_the_same(shop: Shop) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id, pays=["online"])
    sent = await buy(shop, package, email=CARL["email"])
    (order,) = await rows(shop, Order)
    await shop.pay(sent.headers["location"])
    await check_payment(shop.services, shop.business.id, order.id)
    (lot,) = await rows(shop, CreditLot)
    assert lot.balance == 10


async def test_the_page_after_buying_and_the_mail_say_the_tax_that_is_inside(
    shop: Shop, mailer: RememberingMailer
) -> None:
    package = await a_package(
        shop.services.uow_factory, shop.business.id, pays=["on_site"], tax_rate_bp=2100
    )
    sent = await buy(shop, package)
    shown = (await shop.guest.open(sent.headers["location"])).text
    words = " ".join(re.sub(r"<[^>]+>", " ", shown).split())
    assert "Tax inside, 21% €20.83" in words
    await shop.work()
    (mail,) = mailer.sent
    assert "To pay on site: €120.00 · Tax inside, 21%: €20.83" in mail.body


async def test_the_buyer_is_told_how_the_credits_stand(
    shop: Shop, mailer: RememberingMailer, clock: FrozenClock
) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id, pays=["on_site"])
    await buy(shop, package)
    await shop.work()
    (first,) = mailer.sent
    assert first.subject.startswith("Pay on site by ")
    assert first.subject.endswith(": 10 sessions")
    assert "it lapses by itself and you owe nothing" in " ".join(first.body.split())
    assert "as soon as you have paid" in first.body
    assert "To pay on site: €120.00" in first.body
    assert "/b/lotus/packages/bought/" in first.body
    (order,) = await rows(shop, Order)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await mark_paid_on_site(uow, shop.business.ctx, order.id)
    await shop.work()
    _first, second = mailer.sent
    assert second.subject == "Yours: 10 sessions"
    assert "You can use the credits now" in second.body
    (customer,) = await rows(shop, Customer)
    assert customer.is_established


async def test_who_lets_it_lapse_hears_so_once(
    shop: Shop, mailer: RememberingMailer, clock: FrozenClock
) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id, pays=["on_site"])
    await buy(shop, package)
    await shop.work()
    clock.advance(WAITS_FOR_MONEY)
    await lapse_unpaid_packages(shop.services)
    await lapse_unpaid_packages(shop.services)
    await shop.work()
    _bought, lapsed = mailer.sent
    assert "has lapsed" in lapsed.body
    assert "you owe nothing" in lapsed.body


async def test_hub_and_service_lead_to_packages_while_there_are_any(
    shop: Shop, clock: FrozenClock
) -> None:
    factory = shop.services.uow_factory
    await a_session(factory, await a_service(factory, shop.business.id))
    for address in ("/b/lotus", "/b/lotus/yoga"):
        assert PAGE not in (await shop.guest.open(address)).text
    await a_package(factory, shop.business.id)
    clock.advance(timedelta(seconds=2))
    assert f'href="{PAGE}"' in (await shop.guest.open("/b/lotus")).text
    text = (await shop.guest.open("/b/lotus/yoga")).text
    assert "10 sessions" in text
    assert "€12.00 a session" in text
    await change(shop, Package, pays=["online"])
    await change(shop, Tenant, payments_ready=False)
    clock.advance(timedelta(seconds=2))
    assert f'href="{PAGE}"' not in (await shop.guest.open("/b/lotus")).text


async def test_the_hub_says_where_only_credits_work(shop: Shop, clock: FrozenClock) -> None:
    factory = shop.services.uow_factory
    await a_series(factory, await a_service(factory, shop.business.id), drop_in_allowed=True)
    await change(shop, Series, drop_in_pays=["credit"])
    text = (await shop.guest.open("/b/lotus")).text
    assert "With credits; worth €15.00" in text
    assert "Use a credit" in text


async def test_the_owner_copies_what_shows_the_packages_elsewhere(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory, "lotus")
    await sign_in(client, services, business.owner.id)
    text = (await client.get("/app/lotus/packages/embed")).text
    assert "&lt;iframe src=&#34;" in text
    assert "/embed/lotus/packages" in text
    assert "/static/js/embed.js" in text
    assert "No package is on sale just now" in text
    script = await client.get("/static/js/embed.js")
    assert script.status_code == 200


async def test_what_fits_nothing_on_offer_says_so_and_is_not_sold(
    shop: Shop, clock: FrozenClock
) -> None:
    factory = shop.services.uow_factory
    await a_series(factory, await a_service(factory, shop.business.id), tags=["mornings"])
    only = {"any_service": False, "tags": ["mornings"]}
    package = await a_package(factory, shop.business.id, name="5 mornings", **only)
    await a_lot(factory, shop.business.id, scope=Scope(tags=frozenset({"mornings"})))
    page = await shop.guest.open(PAGE)
    assert "Anything tagged “mornings”" in page.text
    assert "Get 5 mornings" in page.text
    await shop.guest.open(form_of(package))
    open_form = shop.guest.page
    clock.advance(timedelta(seconds=2))
    await change(shop, Series, tags=[])
    shop.guest.page = open_form
    refused = await shop.send(step="buy")
    assert refused.status_code == 409
    assert not await rows(shop, Order)
    for text in (refused.text, (await shop.guest.open(form_of(package))).text):
        assert "Nothing on offer has this tag at present." in text
        assert "Nothing on offer can be booked with this package at present." in text
        assert 'name="form_token"' not in text
    page = await shop.guest.open(PAGE)
    assert "Nothing on offer has this tag at present." in page.text
    assert "Get 5 mornings" not in page.text
    (carl,) = [one for one in await rows(shop, Customer) if one.email == CARL["email"]]
    await sign_in_portal(shop.guest.client, shop.services, shop.business.id, carl.id)
    own = await shop.guest.open("/b/lotus/me")
    assert "Nothing on offer has this tag at present." in own.text


async def test_what_was_bought_stays_bought_once_it_fits_nothing(
    shop: Shop, clock: FrozenClock
) -> None:
    """The form is sent twice, and in between the last date of its tag has lost it."""
    factory = shop.services.uow_factory
    await a_series(factory, await a_service(factory, shop.business.id), tags=["mornings"])
    only = {"any_service": False, "tags": ["mornings"], "pays": ["on_site"]}
    package = await a_package(factory, shop.business.id, **only)
    await shop.guest.open(form_of(package))
    open_form = shop.guest.page
    bought = await shop.send(step="buy")
    await change(shop, Series, tags=[])
    clock.advance(timedelta(seconds=2))
    shop.guest.page = open_form
    again = await shop.send(step="buy")
    assert (again.status_code, again.headers["location"]) == (303, bought.headers["location"])
    assert len(await rows(shop, Order)) == 1
