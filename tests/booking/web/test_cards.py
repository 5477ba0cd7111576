"""Keeping a card and paying with it, as a signed-in guest sees it."""

from typing import Any
from uuid import UUID

import pytest

from src.billing.domain.cards import key_of_card
from src.billing.models import Order, PaymentPage, SavedCard
from src.tenants.commands.customers import find_or_add_customer
from tests.booking.web.conftest import Shop, change, rows, subject
from tests.booking.web.test_guest_credits import a_date
from tests.support.credits import a_package
from tests.support.portal import CARL, sign_in_portal
from tests.support.visitor import Form, forms_of

pytestmark = pytest.mark.anyio

ALWAYS_ASKS = "4000002760003184"
KEEP = "Keep this card for next time with"


async def carl(shop: Shop, email: str = CARL) -> UUID:
    """Signed in."""
    async with shop.services.uow_factory(shop.business.id) as uow:
        customer_id = await find_or_add_customer(uow, email, "Carl Guest", "", uow.clock.now())
    await sign_in_portal(shop.guest.client, shop.services, shop.business.id, customer_id, email)
    return customer_id


async def with_a_card(shop: Shop, number: str = "4242424242424242") -> SavedCard:
    """Carl has typed it in on the page for it."""
    await shop.guest.open("/b/lotus/me/cards")
    sent = await shop.guest.client.post(
        "/b/lotus/me/cards", data={"agree": "on", "_csrf_token": csrf(shop)}
    )
    session_id = sent.headers["location"].rsplit("/", 1)[-1]
    await shop.stripe.turn("pay", session=session_id, card=number)
    back = await shop.guest.open(f"/b/lotus/me/cards?kept={session_id}")
    assert "Your card is saved" in back.text
    return (await rows(shop, SavedCard))[-1]


def csrf(shop: Shop) -> str:
    return form_to(shop, "/me/cards").fields["_csrf_token"][0]


def form_to(shop: Shop, end: str, **fields: str) -> Form:
    page = shop.guest.page
    assert page is not None
    for form in forms_of(page):
        has_all = all(form.fields.get(name) == [value] for name, value in fields.items())
        if form.action.endswith(end) and has_all:
            return form
    raise AssertionError(f"no form to {end} with {fields}")


async def newest(shop: Shop) -> Any:
    return (await rows(shop, Order))[-1]


async def test_strangers_are_offered_to_keep_nothing(shop: Shop) -> None:
    date = await a_date(shop)
    form = await shop.guest.open(subject("session", date.id))
    assert KEEP not in form.text
    await shop.send(keep_card="on")
    (page,) = await rows(shop, PaymentPage)
    assert page.keeps_card is None
    assert "customer" not in page.body


async def test_the_first_purchase_keeps_the_card_and_the_second_is_one_press(shop: Shop) -> None:
    date = await a_date(shop, capacity=5)
    await carl(shop)
    form = await shop.guest.open(subject("session", date.id))
    assert KEEP in form.text
    assert "You can remove it at any time" in form.text
    sent = await shop.send(keep_card="on")
    await shop.pay(sent.headers["location"])
    await shop.guest.open((await rows(shop, PaymentPage))[0].body["success_url"])
    await shop.work()
    other = await a_date_more(shop)
    form = await shop.guest.open(subject("session", other))
    assert "Visa •••• 4242" in form.text
    (card,) = await rows(shop, SavedCard)
    sent = await shop.send(way=key_of_card(card.id))
    page = await shop.guest.open(sent.headers["location"])
    assert "You are booked" in page.text


async def a_date_more(shop: Shop) -> UUID:
    from src.booking.models import Service
    from tests.support.builders import a_session

    (service,) = await rows(shop, Service)
    return (await a_session(shop.services.uow_factory, service, in_days=9)).id


async def test_the_bank_asks_and_the_page_tells_how_it_went(shop: Shop) -> None:
    date = await a_date(shop)
    await carl(shop)
    card = await with_a_card(shop, ALWAYS_ASKS)
    await shop.guest.open(subject("session", date.id))
    sent = await shop.send(way=key_of_card(card.id))
    assert "/c/authenticate/" in sent.headers["location"]
    (page,) = await rows(shop, PaymentPage)
    order_page = page.body["confirm"]["return_url"]
    seen = await shop.guest.open(order_page)
    assert "Your bank wants to check that it is you" in seen.text
    own = dict(shop.guest.client.cookies)
    shop.guest.client.cookies.clear()
    forwarded = await shop.guest.open(order_page)
    assert "Your bank" not in forwarded.text, "who has the link alone"
    assert "3184" not in forwarded.text
    for name, value in own.items():
        shop.guest.client.cookies.set(name, value, domain="testserver.local")
    await shop.stripe.turn("authenticate", intent=page.processor_id, approve=False)
    seen = await shop.guest.open(order_page)
    assert "Your bank&#39;s check for Visa •••• 3184 did not succeed." in seen.text
    assert "Pay on the payment page" in seen.text
    form = form_to(shop, "/pay", way=key_of_card(card.id))
    again = await shop.guest.client.post(form.action, data=form.filled({}))
    assert "/c/authenticate/" in again.headers["location"]
    last = (await rows(shop, PaymentPage))[-1]
    await shop.stripe.turn("authenticate", intent=last.processor_id)
    assert "You are booked" in (await shop.guest.open(order_page)).text


async def test_a_press_that_got_no_answer_can_be_pressed_again(shop: Shop) -> None:
    date = await a_date(shop)
    await carl(shop)
    card = await with_a_card(shop)
    await shop.guest.open(subject("session", date.id))
    await shop.stripe.turn("api_faults", kind="error_500_before", path_contains="/confirm")
    sent = await shop.send(way=key_of_card(card.id))
    waits = await shop.guest.open(sent.headers["location"])
    assert "We are waiting for your payment" in waits.text
    assert "We do not know yet whether Visa •••• 4242 has paid." in waits.text
    form = form_to(shop, "/pay", way=key_of_card(card.id))
    again = await shop.guest.client.post(form.action, data=form.filled({}))
    page = await shop.guest.open(again.headers["location"])
    assert "You are booked" in page.text
    assert len(await rows(shop, PaymentPage)) == 1


async def test_a_card_that_is_gone_says_so_at_the_form_and_keeps_what_was_typed(
    shop: Shop,
) -> None:
    date = await a_date(shop)
    await carl(shop)
    card = await with_a_card(shop)
    await shop.guest.open(subject("session", date.id))
    await change(shop, SavedCard, state="gone", ended_at=shop.services.clock.now())
    sent = await shop.send(way=key_of_card(card.id), note="By the window")
    assert sent.status_code == 422
    assert "This card is not kept any more. Please choose another way to pay." in sent.text
    assert "By the window" in sent.text
    assert await rows(shop, Order) == []


async def test_somebody_elses_card_looks_like_none(shop: Shop) -> None:
    date = await a_date(shop)
    await carl(shop)
    card = await with_a_card(shop)
    await carl(shop, "eve@example.com")
    await shop.guest.open(subject("session", date.id))
    sent = await shop.send(email="eve@example.com", way=key_of_card(card.id))
    assert sent.status_code == 422
    assert "This card is not kept any more" in sent.text
    await shop.guest.open("/b/lotus/me/cards")
    gone = await shop.guest.client.post(
        f"/b/lotus/me/cards/{card.id}/remove", data={"_csrf_token": csrf(shop)}
    )
    assert gone.status_code == 404
    assert (await rows(shop, SavedCard))[0].state == "usable"


async def test_without_signing_in_nobody_pays_with_a_card(shop: Shop) -> None:
    date = await a_date(shop)
    await carl(shop)
    card = await with_a_card(shop)
    shop.guest.client.cookies.clear()
    await shop.guest.open(subject("session", date.id))
    sent = await shop.send(way=key_of_card(card.id))
    assert sent.status_code == 422


async def test_cards_are_listed_preferred_and_removed(shop: Shop) -> None:
    await carl(shop)
    first = await with_a_card(shop)
    await with_a_card(shop, "5555555555554444")
    page = await shop.guest.open("/b/lotus/me/cards")
    assert page.text.index("Mastercard •••• 4444") < page.text.index("Visa •••• 4242")
    assert "12/34" in page.text
    await shop.guest.submit({}, to=f"/{first.id}/prefer")
    assert "Visa •••• 4242 is offered first from now on." in shop.guest.text
    assert "Nothing else is charged to it." in shop.guest.text
    await shop.guest.submit({}, to=f"/{first.id}/remove")
    assert "Visa •••• 4242 is removed." in shop.guest.text
    await shop.work()
    methods = shop.stripe.engine.store.every(first.account_id, "payment_method", {})
    assert [one["customer"] is None for one in methods if one["card"]["last4"] == "4242"] == [True]


async def test_each_card_stands_in_a_box_with_what_can_be_done_with_it(shop: Shop) -> None:
    await carl(shop)
    first = await with_a_card(shop)
    second = await with_a_card(shop, "5555555555554444")
    page = await shop.guest.open("/b/lotus/me/cards")
    for card, words, acts in ((first, "Visa", 2), (second, "Mastercard", 1)):
        box = page.text.split(f'<li class="panel" id="card-{card.id}">')[1].split("</li>")[0]
        assert words in box
        for act in ("prefer", "remove")[2 - acts :]:
            assert f"/{card.id}/{act}" in box
        assert box.count("<form") == acts


async def test_without_agreeing_no_card_is_kept(shop: Shop) -> None:
    await carl(shop)
    await shop.guest.open("/b/lotus/me/cards")
    sent = await shop.guest.client.post("/b/lotus/me/cards", data={"_csrf_token": csrf(shop)})
    assert sent.status_code == 422
    assert "Please agree to that first." in sent.text


async def test_a_package_is_bought_in_one_press(shop: Shop) -> None:
    await a_date(shop)
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await carl(shop)
    card = await with_a_card(shop)
    form = await shop.guest.open(f"/b/lotus/packages/{package.id}")
    assert "Visa •••• 4242" in form.text
    sent = await shop.send(way=key_of_card(card.id), step="buy")
    page = await shop.guest.open(sent.headers["location"])
    assert "sessions are yours" in page.text
    assert (await newest(shop)).paid_minor == package.price_minor
