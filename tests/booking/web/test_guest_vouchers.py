"""A guest buys a voucher, somebody gets it by mail, and it pays for a booking; without scripts."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from src.billing.cron import work_off
from src.billing.domain.coupons import no_use, unknown_code
from src.billing.jobs.vouchers import VOUCHER_DUE, send_due
from src.billing.models import Order, Payment, PaymentPage, Voucher
from src.billing.queries.order_page import get_order_page
from src.billing.settlement import check_payment
from src.billing.voucher_links import voucher_path
from src.booking.web.guest_booking import CODES_BY_ADDRESS
from tests.booking.web.conftest import Shop, subject
from tests.support.builders import a_business, a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.lots import a_customer
from tests.support.mail import RememberingMailer
from tests.support.portal import sign_in_portal
from tests.support.visitor import forms_of
from tests.support.vouchers import CODE, a_voucher, ledger, on_it, sells_vouchers

pytestmark = pytest.mark.anyio

BEA = {"name": "Bea Buyer", "email": "bea@example.com"}
DORA = {"to": "other", "recipient_name": "Dora", "recipient_email": "dora@example.com"}


@pytest.fixture
async def vouchers(shop: Shop) -> None:
    await sells_vouchers(shop.services.uow_factory, shop.business.id)


async def sent(shop: Shop, **typed: Any) -> httpx.Response:
    """The form as it is open, filled in; the answer is not followed."""
    assert shop.guest.page is not None
    (form,) = [one for one in forms_of(shop.guest.page) if "form_token" in one.fields]
    return await shop.guest.client.post(form.action, data=form.filled({**BEA, **typed}))


async def buys(shop: Shop, **typed: Any) -> httpx.Response:
    await shop.guest.open("/b/lotus/vouchers")
    return await sent(shop, **typed)


async def the_voucher(shop: Shop) -> Voucher:
    async with shop.services.uow_factory(shop.business.id) as uow:
        return (await uow.session.scalars(select(Voucher))).one()


async def pays(shop: Shop, answer: httpx.Response) -> None:
    assert answer.headers["location"].startswith(shop.stripe.base_url), answer.text[:3000]
    await shop.pay(answer.headers["location"])
    voucher = await the_voucher(shop)
    assert voucher.order_id is not None
    await check_payment(shop.services, shop.business.id, voucher.order_id)
    await shop.work()


async def test_it_is_bought_and_mailed_with_a_page_to_print(
    shop: Shop, vouchers: None, mailer: RememberingMailer
) -> None:
    answer = await buys(shop, amount="5000", message="Happy birthday!", **DORA)
    pending = await the_voucher(shop)
    assert (pending.state, pending.balance_minor) == ("pending", 0)
    await pays(shop, answer)
    voucher = await the_voucher(shop)
    assert (voucher.state, voucher.balance_minor) == ("active", 5000)
    assert await ledger(shop.services.uow_factory, shop.business.id) == [("grant", 5000)]
    by_address = {mail.to[0]: mail for mail in mailer.sent}
    gift, receipt = by_address["Dora <dora@example.com>"], by_address["Bea Buyer <bea@example.com>"]
    assert voucher.code in gift.body
    assert "Bea Buyer gives you a voucher for €50.00" in gift.body
    assert "Happy birthday!" in gift.body
    assert voucher.code not in receipt.body
    ((name, content, kind),) = gift.attachments
    assert (name, kind) == (f"voucher-{voucher.code[-4:].lower()}.pdf", "application/pdf")
    assert content.startswith(b"%PDF")
    assert "2030" in gift.body, "three years, to the end of that year"


async def test_the_purchases_page_says_how_it_stands(
    shop: Shop, vouchers: None, clock: FrozenClock
) -> None:
    answer = await buys(shop, amount="own", own_amount="12.50", to="me")
    voucher = await the_voucher(shop)
    assert voucher.initial_minor == 1250
    async with shop.services.uow_factory(shop.business.id) as uow:
        (body,) = await uow.session.scalars(select(PaymentPage.body))
        back = body["cancel_url"].removeprefix("http://testserver.local")
    assert "waits for its payment" in (await shop.guest.open(back)).text
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = await get_order_page(uow, shop.business.tenant, voucher.order_id or voucher.id)
    assert not order.holds_places, "nobody else waits for a voucher"
    await shop.pay(answer.headers["location"])
    bought = (await shop.guest.open(f"{back}?paid=1")).text
    assert "is paid" in bought, "we ask at once"
    assert "You, to use or to give away" in bought
    assert "See what there is to book" in bought
    own = voucher_path(shop.services.settings, "lotus", voucher)
    shown = (await shop.guest.open(own)).text
    assert voucher.code in shown
    assert "€12.50" in shown
    pdf = await shop.guest.client.get(f"{own}/voucher.pdf")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.headers["cache-control"] == "private, no-store"


async def test_it_is_sent_on_its_morning_once(
    shop: Shop, vouchers: None, mailer: RememberingMailer, clock: FrozenClock
) -> None:
    on = (clock.now() + timedelta(days=3)).date()
    await pays(shop, await buys(shop, amount="2500", send_on=on.isoformat(), **DORA))
    assert [mail.to for mail in mailer.sent] == [["Bea Buyer <bea@example.com>"]]
    clock.advance(timedelta(days=2))
    await work_off(shop.services, (VOUCHER_DUE,), send_due)
    await shop.work()
    assert len(mailer.sent) == 1
    clock.advance(timedelta(days=1))
    for _again in range(2):
        await work_off(shop.services, (VOUCHER_DUE,), send_due)
        await shop.work()
    assert [mail.to for mail in mailer.sent][1:] == [["Dora <dora@example.com>"]]


async def test_the_same_form_buys_once_and_changed_content_takes_its_place(
    shop: Shop, vouchers: None
) -> None:
    first = await buys(shop, amount="5000", to="me")
    again = await sent(shop, amount="5000", to="me")
    assert first.headers["location"] == again.headers["location"]
    other = await sent(shop, amount="2500", to="me")
    assert other.headers["location"] != first.headers["location"]
    async with shop.services.uow_factory(shop.business.id) as uow:
        states = list(await uow.session.scalars(select(Order.state).order_by(Order.id)))
    assert states == ["cancelled", "open"]


@pytest.mark.parametrize(
    "typed",
    [
        {"recipient_email": "nonsense"},
        {"recipient_email": "d@example.com" * 30},
        {"send_on": "some day in spring"},
        {"own_amount": "lots and lots and lots of money"},
    ],
)
async def test_what_another_choice_does_without_stops_no_purchase(
    shop: Shop, vouchers: None, typed: dict[str, str]
) -> None:
    """Its field is hidden, so that no sentence at it could be seen."""
    bought = await buys(shop, **{"amount": "5000", "to": "me", **typed})
    assert bought.status_code == 303, bought.text
    await pays(shop, bought)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"amount": "1"}, "amount"),
        ({"amount": "own", "own_amount": "9.99"}, "own_amount"),
        ({"amount": "own", "own_amount": "lots"}, "own_amount"),
        ({"amount": "own", "own_amount": ""}, "own_amount"),
        ({"amount": "99999999999999999999"}, "amount"),
        ({"to": "other", "recipient_email": ""}, "recipient_email"),
        ({"email": "nonsense"}, "email"),
        ({"send_on": "2020-01-01", "recipient_email": "d@example.com"}, "send_on"),
        ({"send_on": "tomorrow", "recipient_email": "d@example.com"}, "send_on"),
        ({"message": "x" * 301, "to": "me"}, "message"),
    ],
)
async def test_bad_input_is_told_at_its_field_and_buys_nothing(
    shop: Shop, vouchers: None, typed: dict[str, str], field: str
) -> None:
    base = {"amount": "5000", "to": "other", "recipient_email": "d@example.com"}
    refused = await buys(shop, **{**base, "recipient_name": "Keep me", **typed})
    assert refused.status_code == 422
    assert f'id="f-{field.replace("_", "-")}-error"' in refused.text or (
        f'id="f-{field}-error"' in refused.text
    )
    assert "Keep me" in refused.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert (await uow.session.scalars(select(Order.id))).all() == []


async def test_a_day_in_the_past_is_marked_with_all_that_is_wrong(
    shop: Shop, vouchers: None
) -> None:
    wrong = {"amount": "1", "to": "other", "recipient_email": "", "send_on": "2020-01-01"}
    refused = await buys(shop, **{**wrong, "name": ""})
    assert refused.status_code == 422
    for field in ("amount", "recipient_email", "send_on", "name"):
        assert f'id="f-{field.replace("_", "-")}-error"' in refused.text or (
            f'id="f-{field}-error"' in refused.text
        ), field
    assert "Please choose a day from today on, within a year." in refused.text
    assert 'value="2020-01-01"' in refused.text


async def test_none_are_sold_where_the_business_does_not(shop: Shop) -> None:
    closed = await shop.guest.open("/b/lotus/vouchers")
    assert "cannot be bought here at present" in closed.text
    assert forms_of(closed) == []
    data = {"form_token": "x" * 24, **BEA, "amount": "5000", "to": "me"}
    refused = await shop.guest.client.post("/b/lotus/vouchers", data=data)
    assert refused.status_code in (403, 409)


async def test_a_link_opens_one_voucher_of_one_business(shop: Shop) -> None:
    voucher = await a_voucher(shop.services.uow_factory, shop.business.id)
    rival = await a_business(shop.services.uow_factory, "rival", owner="Eve")
    own = voucher_path(shop.services.settings, "lotus", voucher)
    assert (await shop.guest.open(own)).headers["x-robots-tag"] == "noindex"
    await shop.guest.open(own.replace("/lotus/", f"/{rival.slug}/"), status=404)
    await shop.guest.open(own[:-3] + "abc", status=404)
    purchase = own.replace("/vouchers/", "/vouchers/bought/")
    await shop.guest.open(purchase, status=404)


@pytest.fixture
async def url(shop: Shop) -> str:
    """The form of a series of EUR 60."""
    factory = shop.services.uow_factory
    term = await a_series(factory, await a_service(factory, shop.business.id))
    return subject("series", term.series.id)


async def applied(shop: Shop, url: str, code: str) -> httpx.Response:
    await shop.guest.open(url)
    answer = await shop.send(coupon=code, step="update")
    shop.guest.page = answer
    return answer


async def the_order(shop: Shop) -> UUID:
    async with shop.services.uow_factory(shop.business.id) as uow:
        return (await uow.session.scalars(select(Order.id))).one()


async def test_it_pays_a_part_and_the_page_asks_for_the_rest(shop: Shop, url: str) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=2500)
    shown = await applied(shop, url, CODE)
    assert "Voucher •••• BCDF" in shown.text
    assert CODE.split("-")[0] not in shown.text.replace(f'value="{CODE}"', "")
    assert "Pay €35.00" in shown.text
    answer = await shop.send()
    await shop.pay(answer.headers["location"])
    order_id = await the_order(shop)
    await check_payment(shop.services, shop.business.id, order_id)
    async with shop.services.uow_factory(shop.business.id) as uow:
        (body,) = await uow.session.scalars(select(PaymentPage.body))
        paid = {one.method: one.amount_minor for one in await uow.session.scalars(select(Payment))}
        order = await uow.session.get_one(Order, (shop.business.id, order_id))
    (item,) = body["line_items"]
    assert item["price_data"]["unit_amount"] == 3500
    assert paid == {"voucher": 2500, "card": 3500}
    assert (order.state, order.paid_minor) == ("confirmed", 6000)


async def test_one_that_is_enough_books_without_a_payment_page(shop: Shop, url: str) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=10000)
    shown = await applied(shop, url, CODE.replace("-", "").lower())
    assert "Book now" in shown.text
    assert "€40.00 stay on it" in shown.text
    answer = await shop.send()
    assert "You are booked" in (await shop.guest.open(answer.headers["location"])).text
    assert await on_it(shop.services.uow_factory, shop.business.id) == 4000


async def test_who_typed_the_code_and_never_applied_it_sees_the_rest_first(
    shop: Shop, url: str
) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=2500)
    await shop.guest.open(url)
    asked = await shop.send(coupon=CODE)
    assert asked.status_code == 409
    assert "Pay €35.00" in asked.text


async def test_who_is_signed_in_finds_their_name_and_address_in_the_form(
    shop: Shop, vouchers: None
) -> None:
    await shop.guest.open("/b/lotus/vouchers")
    assert "bea@example.com" not in shop.guest.text
    bea = await a_customer(
        shop.services.uow_factory, shop.business.id, name="Bea Buyer", email="bea@example.com"
    )
    await sign_in_portal(
        shop.guest.client, shop.services, shop.business.id, bea.id, "bea@example.com"
    )
    await shop.guest.open("/b/lotus/vouchers")
    (form,) = [one for one in forms_of(shop.guest.page) if "form_token" in one.fields]
    assert (form.fields["name"], form.fields["email"]) == (["Bea Buyer"], ["bea@example.com"])


@pytest.mark.slow
async def test_codes_are_guessed_slowly_and_in_one_sentence(shop: Shop, url: str) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, state="blocked")
    assert no_use() in (await applied(shop, url, CODE)).text
    for _try in range(CODES_BY_ADDRESS.times):
        shown = await applied(shop, url, "K7QF-2M9X-3456-ZZZZ")
        assert no_use() not in shown.text
    assert unknown_code() not in shown.text, "the last try was one too many"
    assert "Pay €60.00" in shown.text
