"""A card is kept, asked for again, taken off: as the program and as a person sees it."""

from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.conftest import Shop

pytestmark = pytest.mark.anyio

ALWAYS_ASKS = "4000002760003184"
DECLINED_LATER = "4000000000000341"


async def _customer(shop: Shop) -> str:
    made = await shop.client.v1.customers.create_async({"email": "anna@example.com"}, shop.on)
    return str(made.id)


async def _setup_page(shop: Shop, customer_id: str) -> Any:
    wish: Any = {
        "mode": "setup",
        "currency": "eur",
        "allowed_payment_method_types": ["card"],
        "customer": customer_id,
        "success_url": "http://127.0.0.1/kept?page={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1/back",
        "metadata": {"customer": "7"},
    }
    return await shop.client.v1.checkout.sessions.create_async(wish, shop.on)


async def _kept(shop: Shop, card: str = "4242424242424242") -> tuple[str, str]:
    """The customer and their card."""
    customer_id = await _customer(shop)
    page = await _setup_page(shop, customer_id)
    await shop.running.turn("pay", session=page.id, card=card)
    done = await shop.session(page.id, "setup_intent.payment_method")
    return customer_id, done.setup_intent.payment_method.id


async def _intent(shop: Shop, customer_id: str, method_id: str, **more: Any) -> Any:
    wish: Any = {
        "amount": 5000,
        "currency": "eur",
        "customer": customer_id,
        "payment_method": method_id,
        "allowed_payment_method_types": ["card"],
        "application_fee_amount": 250,
        "metadata": {"order": "7"},
        **more,
    }
    return await shop.client.v1.payment_intents.create_async(wish, shop.on)


async def _confirm(shop: Shop, intent_id: str) -> Any:
    wish: Any = {"return_url": "http://127.0.0.1/back?paid=1", "expand": ["latest_charge"]}
    return await shop.client.v1.payment_intents.confirm_async(intent_id, wish, shop.on)


async def test_a_page_keeps_a_card_for_its_customer(shop: Shop) -> None:
    customer_id = await _customer(shop)
    page = await _setup_page(shop, customer_id)
    assert (page.mode, page.payment_status, page.status) == ("setup", "no_payment_required", "open")
    seen = await shop.running.http.get(page.url)
    assert "Save card" in seen.text
    assert "anna@example.com" in seen.text
    done = await shop.submit(page.url)
    assert done.headers["location"] == f"http://127.0.0.1/kept?page={page.id}"
    found = await shop.session(page.id, "setup_intent.payment_method")
    method = found.setup_intent.payment_method
    assert (method.customer, method.card.last4) == (customer_id, "4242")
    told = await shop.events()
    for wanted in ("setup_intent.succeeded", "checkout.session.completed"):
        assert told.count(wanted) == 1
    assert "This card is saved" in (await shop.running.http.get(page.url or seen.url)).text


async def test_a_page_that_keeps_a_card_refuses_and_asks(shop: Shop) -> None:
    page = await _setup_page(shop, await _customer(shop))
    refused = await shop.submit(page.url, number="4000 0000 0000 0002")
    assert refused.status_code == 402
    assert "The card was not saved." in refused.text
    asked = await shop.submit(page.url, number=ALWAYS_ASKS)
    question = await shop.running.http.get(asked.headers["location"])
    assert "Nothing is charged." in question.text
    answered = await shop.running.http.post(asked.headers["location"], data={"decision": "approve"})
    assert answered.headers["location"] == f"http://127.0.0.1/kept?page={page.id}"


async def test_a_browser_is_let_back_to_the_business_from_the_bank_s_question(shop: Shop) -> None:
    """Browsers hold the redirect after a form to the page's policy as well."""
    page = await _setup_page(shop, await _customer(shop))
    asked = await shop.submit(page.url, number=ALWAYS_ASKS)
    question = await shop.running.http.get(asked.headers["location"])
    policy = question.headers["content-security-policy"]
    assert "form-action 'self' http://127.0.0.1;" in policy
    failed = await shop.running.http.post(asked.headers["location"], data={"decision": "fail"})
    assert failed.headers["location"].endswith(f"/c/pay/{page.id}")


async def test_the_overview_shows_a_card_that_was_kept_without_an_amount(shop: Shop) -> None:
    waiting = await _setup_page(shop, await _customer(shop))
    seen = await shop.running.http.get("/")
    assert seen.status_code == 200
    assert "A card to keep" in seen.text
    assert f"/c/pay/{waiting.id}" in seen.text
    await shop.running.turn("pay", session=waiting.id, card="4242424242424242")
    seen = await shop.running.http.get("/")
    assert "A card was kept" in seen.text
    assert "€" not in seen.text
    assert "/acts/" not in seen.text
    assert "waiting for the bank" not in seen.text


async def test_a_payment_can_keep_its_card(shop: Shop) -> None:
    customer_id = await _customer(shop)
    paid = await shop.paid_page(
        customer=customer_id,
        payment_method_options={"card": {"setup_future_usage": "on_session"}},
    )
    method_id = paid.payment_intent.payment_method
    method = await shop.client.v1.payment_methods.retrieve_async(method_id, None, shop.on)
    assert method.customer == customer_id


async def test_a_kept_card_pays_once_it_is_confirmed(shop: Shop) -> None:
    intent = await _intent(shop, *await _kept(shop))
    assert intent.status == "requires_confirmation"
    paid = await _confirm(shop, intent.id)
    assert (paid.status, paid.amount_received, paid.latest_charge.paid) == ("succeeded", 5000, True)
    with pytest.raises(stripe.InvalidRequestError) as again:
        await _confirm(shop, intent.id)
    assert again.value.code == "payment_intent_unexpected_state"
    assert (await shop.events()).count("payment_intent.succeeded") == 1


async def test_a_cancelled_intent_cannot_be_confirmed(shop: Shop) -> None:
    intent = await _intent(shop, *await _kept(shop))
    await shop.client.v1.payment_intents.cancel_async(intent.id, None, shop.on)
    with pytest.raises(stripe.InvalidRequestError):
        await _confirm(shop, intent.id)


async def test_a_decline_is_told_with_its_intent_and_kept(shop: Shop) -> None:
    intent = await _intent(shop, *await _kept(shop, DECLINED_LATER))
    with pytest.raises(stripe.CardError) as declined:
        await _confirm(shop, intent.id)
    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    found = await shop.client.v1.payment_intents.retrieve_async(intent.id, None, shop.on)
    assert found.status == "requires_payment_method"
    assert found.last_payment_error.decline_code == "generic_decline"
    assert "payment_intent.payment_failed" in await shop.events()


async def test_the_bank_s_question_leads_back(shop: Shop) -> None:
    intent = await _intent(shop, *await _kept(shop, ALWAYS_ASKS))
    asked = await _confirm(shop, intent.id)
    assert asked.status == "requires_action"
    url = asked.next_action.redirect_to_url.url
    assert "€50.00" in (await shop.running.http.get(url)).text
    answered = await shop.running.http.post(url, data={"decision": "approve"})
    back = answered.headers["location"]
    assert back.startswith("http://127.0.0.1/back?paid=1&payment_intent=")
    assert back.endswith("redirect_status=succeeded")
    found = await shop.client.v1.payment_intents.retrieve_async(intent.id, None, shop.on)
    assert found.status == "succeeded"


async def test_a_failed_check_takes_nothing(shop: Shop) -> None:
    intent = await _intent(shop, *await _kept(shop, ALWAYS_ASKS))
    await _confirm(shop, intent.id)
    await shop.running.turn("authenticate", intent=intent.id, approve=False)
    found = await shop.client.v1.payment_intents.retrieve_async(intent.id, None, shop.on)
    assert found.status == "requires_payment_method"
    assert found.last_payment_error.code == "payment_intent_authentication_failure"


async def test_a_card_that_was_taken_off_pays_nothing(shop: Shop) -> None:
    customer_id, method_id = await _kept(shop)
    await shop.client.v1.payment_methods.detach_async(method_id, None, shop.on)
    with pytest.raises(stripe.InvalidRequestError) as gone:
        await _intent(shop, customer_id, method_id)
    assert gone.value.param == "payment_method"
    with pytest.raises(stripe.InvalidRequestError):
        await shop.client.v1.payment_methods.detach_async(method_id, None, shop.on)
    assert (await shop.events()).count("payment_method.detached") == 1


async def test_a_card_s_time_can_be_over(shop: Shop) -> None:
    customer_id, method_id = await _kept(shop)
    await shop.running.turn("card", payment_method=method_id, what="expires")
    intent = await _intent(shop, customer_id, method_id)
    with pytest.raises(stripe.CardError) as declined:
        await _confirm(shop, intent.id)
    assert declined.value.code == "expired_card"


async def test_another_customer_s_card_is_refused(shop: Shop) -> None:
    _, method_id = await _kept(shop)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await _intent(shop, await _customer(shop), method_id)
    assert refused.value.param == "payment_method"


async def test_a_customer_goes_with_their_cards(shop: Shop) -> None:
    customer_id, method_id = await _kept(shop)
    await shop.client.v1.customers.delete_async(customer_id, None, shop.on)
    method = await shop.client.v1.payment_methods.retrieve_async(method_id, None, shop.on)
    assert method.customer is None
