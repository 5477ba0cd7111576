"""A coupon in the booking form, without scripts: tried, seen in the price, booked with."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from src.billing.domain.coupons import no_use, unknown_code, used_up_meanwhile
from src.billing.models import Order, PaymentPage
from src.billing.settlement import check_payment
from src.booking.models import Series
from src.booking.web.guest_booking import CODES_BY_ADDRESS
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.conftest import CARL, Shop, change, subject
from tests.support.builders import a_series, a_service, a_session
from tests.support.coupons import a_coupon, change_coupon, uses
from tests.support.mail import RememberingMailer
from tests.support.visitor import forms_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def url(shop: Shop) -> str:
    """The form of a series of EUR 60."""
    factory = shop.services.uow_factory
    term = await a_series(factory, await a_service(factory, shop.business.id))
    return subject("series", term.series.id)


async def orders(shop: Shop) -> list[Order]:
    async with shop.services.uow_factory(shop.business.id) as uow:
        return list(await uow.session.scalars(select(Order)))


async def applied(shop: Shop, url: str, code: str, **typed: Any) -> httpx.Response:
    """The form after "Apply" was pressed; it is the one that is open from now on."""
    await shop.guest.open(url)
    answer = await shop.send(coupon=code, step="update", **typed)
    shop.guest.page = answer
    return answer


async def test_a_code_is_asked_for_only_where_one_can_be_used(shop: Shop, url: str) -> None:
    assert 'name="coupon"' not in (await shop.guest.open(url)).text
    await a_coupon(shop.services.uow_factory, shop.business.id)
    assert 'name="coupon"' in (await shop.guest.open(url)).text
    await change(shop, Series, price_type="free", price_minor=0)
    assert 'name="coupon"' not in (await shop.guest.open(url)).text, "it costs nothing anyway"
    await change(shop, Series, price_type="online", price_minor=6000)
    await change_coupon(shop.services.uow_factory, shop.business.id, active=False)
    assert 'name="coupon"' not in (await shop.guest.open(url)).text


async def test_who_types_two_codes_reads_that_one_goes_at_a_time(shop: Shop, url: str) -> None:
    await a_coupon(shop.services.uow_factory, shop.business.id)
    typed = "SPRING-2, K7QF-2M9X-BCDF-GHJK"
    said = "One code at a time, please: “SPRING-2” or “K7QF-2M9X-BCDF-GHJK”."
    shown = await applied(shop, url, typed)
    assert said in shown.text
    assert f'value="{typed}"' in shown.text, "what was typed is kept"
    sent = await shop.send(coupon=typed)
    assert sent.status_code == 422
    assert said in sent.text
    assert f'value="{typed}"' in sent.text
    assert unknown_code() in (await applied(shop, url, "SPRING time")).text


async def test_a_guest_applies_a_code_and_pays_what_they_were_shown(shop: Shop, url: str) -> None:
    await a_coupon(shop.services.uow_factory, shop.business.id)
    shown = await applied(shop, url, "spring")
    assert shown.status_code == 200
    assert "Code SPRING" in shown.text
    assert "-€6.00" in shown.text.replace("\u2212", "-")
    assert "Pay €54.00" in shown.text
    sent = await shop.send()
    assert sent.headers["location"].startswith(shop.stripe.base_url)
    await shop.pay(sent.headers["location"])
    (order,) = await orders(shop)
    await check_payment(shop.services, shop.business.id, order.id)
    (order,) = await orders(shop)
    assert (order.total_minor, order.discount_minor) == (5400, 600)
    assert (order.state, order.paid_minor) == ("confirmed", 5400)
    assert await uses(shop.services.uow_factory, shop.business.id) == 1
    async with shop.services.uow_factory(shop.business.id) as uow:
        [body] = await uow.session.scalars(select(PaymentPage.body))
    [item] = body["line_items"]
    assert item["price_data"]["product_data"]["name"] == "Yoga · Spring term · SPRING"


async def test_who_cancels_for_one_of_two_reads_what_is_due_now(
    shop: Shop, mailer: RememberingMailer
) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, price_type="on_site")
    session = await a_session(factory, service)
    await a_coupon(factory, shop.business.id)
    seen = {"quoted_size": "2", "quoted_minor": "2700", "quoted_off_minor": "300"}
    typed = {"size": "2", "coupon": "SPRING", **seen}
    sent = await shop.book(subject("session", session.id), **typed)
    own = sent.headers["location"]
    leaving = await shop.guest.open(f"{own}/leave?date={session.id}")
    (form,) = [one for one in forms_of(leaving) if "/leave" in one.action]
    await shop.guest.client.post(form.action, data={**form.fields, "seat": form.fields["seat"][0]})
    page = (await shop.guest.open(own)).text
    assert "In all, €13.50 is to be paid on site." in page
    _before, shown = page.split("To pay on site</dt>")
    assert re.findall("€[0-9.]+", shown)[:2] == ["€13.50", "€1.50"], "its own part of the discount"
    await shop.work()
    said = "Nothing was paid for it, so nothing comes back. In all, €13.50 is to be paid on site."
    assert any(said in mail.body for mail in mailer.sent)


async def test_a_whole_discount_is_booked_without_a_payment_page(shop: Shop, url: str) -> None:
    await a_coupon(shop.services.uow_factory, shop.business.id, percent=100)
    assert "Book now" in (await applied(shop, url, "SPRING")).text
    sent = await shop.send()
    assert not sent.headers["location"].startswith(shop.stripe.base_url)
    assert "You are booked" in (await shop.guest.open(sent.headers["location"])).text


@pytest.mark.parametrize(("code", "said"), [("NOSUCH", unknown_code), ("SPENT", no_use)])
async def test_what_cannot_be_used_is_one_sentence_at_the_field(
    shop: Shop, url: str, code: str, said: Callable[[], str]
) -> None:
    await a_coupon(shop.services.uow_factory, shop.business.id, "SPENT", max_uses=1, used=1)
    shown = await applied(shop, url, code, note="Window seat")
    assert 'id="f-coupon-error"' in shown.text
    assert [one() for one in (no_use, unknown_code) if one() in shown.text] == [said()]
    assert "Pay €60.00" in shown.text
    assert "Window seat" in shown.text
    assert f'value="{code}"' in shown.text


async def test_one_that_stopped_working_books_nothing_and_keeps_what_was_typed(
    shop: Shop, url: str
) -> None:
    await a_coupon(shop.services.uow_factory, shop.business.id)
    await applied(shop, url, "SPRING")
    await change_coupon(shop.services.uow_factory, shop.business.id, active=False)
    refused = await shop.send(note="Window seat")
    assert refused.status_code == 422
    assert 'id="f-coupon-error"' in refused.text
    assert "Window seat" in refused.text
    assert "Pay €60.00" in refused.text, "the price is the one without it again"
    assert await orders(shop) == []


async def test_who_was_shown_its_price_reads_that_it_was_used_up_since(
    shop: Shop, url: str
) -> None:
    factory = shop.services.uow_factory
    await a_coupon(factory, shop.business.id, max_uses=1)
    assert "Pay €54.00" in (await applied(shop, url, "SPRING")).text
    await change_coupon(factory, shop.business.id, used=1)
    refused = await shop.send()
    assert refused.status_code == 422
    assert used_up_meanwhile() in refused.text
    assert no_use() not in refused.text
    assert "Pay €60.00" in refused.text
    assert await orders(shop) == []
    shop.guest.page = refused
    again = await shop.send(coupon="SPRING")
    assert no_use() in again.text, "of the price that is shown now nobody learns what a code was"
    assert used_up_meanwhile() not in again.text


async def test_used_up_is_told_to_nobody_where_more_stands_against_it(shop: Shop, url: str) -> None:
    factory = shop.services.uow_factory
    await a_coupon(factory, shop.business.id, max_uses=1)
    await applied(shop, url, "SPRING")
    await change_coupon(factory, shop.business.id, used=1, active=False)
    refused = await shop.send()
    assert no_use() in refused.text
    assert used_up_meanwhile() not in refused.text


async def test_what_only_the_address_rules_out_is_said_at_the_field_too(
    shop: Shop, url: str
) -> None:
    factory = shop.services.uow_factory
    await a_coupon(factory, shop.business.id, max_per_customer=1)
    series_id = UUID(url.rpartition("=")[2])
    await booked(factory, shop.business, a_wish("series", series_id, coupon="SPRING"))
    assert "Pay €54.00" in (await applied(shop, url, "SPRING")).text
    refused = await shop.send(email="carl@example.com")
    assert refused.status_code == 422
    assert no_use() in refused.text
    assert "Pay €60.00" in refused.text
    assert len(await orders(shop)) == 1


async def test_a_code_that_was_typed_and_not_applied_changes_no_price_unseen(
    shop: Shop, url: str
) -> None:
    await a_coupon(shop.services.uow_factory, shop.business.id)
    refused = await shop.book(url, coupon="SPRING")
    assert refused.status_code == 409
    assert "€54.00" in refused.text
    assert "Code SPRING takes €6.00 off. Please look again." in refused.text
    assert "The price has changed" not in refused.text
    assert 'class="notice tone-error' not in refused.text
    assert await orders(shop) == []


async def test_the_same_form_sent_again_finds_the_hold_that_has_the_last_use(
    shop: Shop, url: str
) -> None:
    await a_coupon(shop.services.uow_factory, shop.business.id, max_uses=1)
    await applied(shop, url, "SPRING")
    first = await shop.send()
    again = await shop.send()
    assert again.headers["location"] == first.headers["location"]
    shown = {"quoted_minor": "10800", "quoted_off_minor": "1200"}
    wider = await shop.send(size="2", quoted_size="2", **shown)
    assert wider.status_code == 303
    assert [each.total_minor for each in await orders(shop) if each.state == "open"] == [10800]
    assert await uses(shop.services.uow_factory, shop.business.id) == 1


@pytest.mark.slow
async def test_guessing_codes_is_slow(shop: Shop, url: str) -> None:
    await a_coupon(shop.services.uow_factory, shop.business.id)
    for number in range(CODES_BY_ADDRESS.times):
        shown = await applied(shop, url, f"GUESS{number}")
    shown = await applied(shop, url, "SPRING")
    assert "Too many tries" in shown.text
    assert "Pay €60.00" in shown.text
    refused = await shop.send(coupon="SPRING", **CARL)
    assert refused.status_code == 422
    assert await orders(shop) == []


async def test_with_scripts_only_what_changed_comes_back_and_the_reason_is_read_out(
    shop: Shop, url: str
) -> None:
    await a_coupon(shop.services.uow_factory, shop.business.id)
    await shop.guest.open(url)
    shop.guest.client.headers["HX-Request"] = "true"
    shown = await shop.send(coupon="NOSUCH", step="update")
    assert "<html" not in shown.text
    live = shown.text.rpartition('id="live"')[2]
    assert f"{unknown_code()} Total: €60.00" in live


async def test_a_code_in_the_place_of_another_is_no_changed_price(shop: Shop, url: str) -> None:
    factory = shop.services.uow_factory
    await a_coupon(factory, shop.business.id)
    await a_coupon(factory, shop.business.id, "SUMMER", percent=20)
    await applied(shop, url, "SPRING")
    refused = await shop.send(coupon="SUMMER")
    assert refused.status_code == 409
    assert "Code SUMMER takes €12.00 off. Please look again." in refused.text
    one = "One code at a time: “Code SUMMER” is used in place of “Code SPRING”."
    assert one in refused.text
    assert "The price has changed" not in refused.text
    assert 'class="notice tone-error' not in refused.text
    shop.guest.page = refused
    wrong = await shop.send(coupon="SUMER")
    assert "“Code SUMMER” is not used any more. Type it again to have it." in wrong.text
    taken_out = await shop.send(coupon="")
    assert taken_out.status_code == 409
    assert "One code at a time" not in taken_out.text
    assert "Without the code the price is €60.00. Please look again." in taken_out.text
    assert "The price has changed" not in taken_out.text
    assert await orders(shop) == []


async def test_a_price_that_has_changed_beside_the_code_is_called_changed(
    shop: Shop, url: str
) -> None:
    factory = shop.services.uow_factory
    await a_coupon(factory, shop.business.id)
    await a_coupon(factory, shop.business.id, "SUMMER", percent=20)
    await applied(shop, url, "SPRING")
    await change(shop, Series, price_minor=9000)
    refused = await shop.send(coupon="SUMMER")
    assert refused.status_code == 409
    assert "The price has changed to €72.00." in refused.text
