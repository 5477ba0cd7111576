from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.conftest import Shop, line

pytestmark = pytest.mark.anyio

HALF_HOUR = 30 * 60
DAY = 24 * 3600


async def test_a_new_session_is_open_and_unpaid(shop: Shop) -> None:
    session = await shop.open_page(customer_email="anna@example.com", expand=["line_items"])
    assert session.id.startswith("cs_test_")
    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert (session.amount_total, session.currency) == (5000, "eur")
    assert session.url == f"{shop.running.base_url}/c/pay/{session.id}"
    assert session.payment_intent is None
    assert session.metadata.order == "7"
    assert session.customer_details.email == "anna@example.com"
    assert [item.amount_total for item in session.line_items.data] == [5000]
    lines = await shop.client.v1.checkout.sessions.line_items.list_async(session.id, {}, shop.on)
    assert lines.data[0].quantity == 2
    assert await shop.events() == ["account.updated"]


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"line_items": [line("Sticker", 49)]}, "amount_too_small", None),
        ({"line_items": [line("Naklejka", 199, currency="pln")]}, "amount_too_small", None),
        ({"line_items": [line("Gift", 0)]}, "amount_too_small", None),
        ({"line_items": []}, "parameter_missing", "line_items"),
        ({"line_items": [line("A", 500), line("B", 500, currency="usd")]}, None, None),
        ({"line_items": [line("A", -500)]}, None, "line_items[0][price_data][unit_amount]"),
        ({"line_items": [line("A", 500, quantity=0)]}, None, "line_items[0][quantity]"),
        ({"line_items": [line("A", 500, currency="EURO")]}, None, None),
        ({"line_items": [{"price": "price_none", "quantity": 1}]}, "resource_missing", None),
        ({"line_items": [{"quantity": 1}]}, None, "line_items[0][price_data]"),
        ({"success_url": "javascript:alert(1)"}, "url_invalid", "success_url"),
        ({"customer_email": "anna"}, "email_invalid", "customer_email"),
        ({"customer": "cus_none"}, "resource_missing", "customer"),
        ({"mode": "subscription"}, "sandbox_unsupported", "mode"),
        ({"allowed_payment_method_types": ["us_bank_account"]}, None, None),
        ({"payment_intent_data": {"application_fee_amount": 5001}}, None, None),
    ],
)
async def test_a_wrong_session_is_refused(
    shop: Shop, changes: Any, code: str | None, param: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.open_page(**changes)
    assert refused.value.http_status == 400
    if code:
        assert refused.value.code == code
    if param:
        assert refused.value.param == param
    assert (await shop.client.v1.checkout.sessions.list_async({}, shop.on)).data == []


@pytest.mark.parametrize(
    ("seconds", "accepted"),
    [(HALF_HOUR - 5, False), (HALF_HOUR + 5, True), (DAY - 5, True), (DAY + 5, False)],
)
async def test_the_expiry_is_between_half_an_hour_and_a_day(
    shop: Shop, seconds: int, accepted: bool
) -> None:
    expires_at = shop.running.engine.clock.now() + seconds
    if accepted:
        assert (await shop.open_page(expires_at=expires_at)).expires_at == expires_at
        return
    with pytest.raises(stripe.InvalidRequestError, match="The `expires_at` timestamp") as refused:
        await shop.open_page(expires_at=expires_at)
    assert refused.value.param == "expires_at"


async def test_a_fee_needs_a_connected_account(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="application_fee_amount"):
        await shop.client.v1.checkout.sessions.create_async(shop.order())
    order = shop.order(payment_intent_data={})
    own = await shop.client.v1.checkout.sessions.create_async(order)
    await shop.running.turn("pay", session=own.id)
    await shop.running.turn("flush")
    paid = [event for event in shop.receiver.events if "checkout" in event["type"]]
    assert [event.get("account") for event in paid] == [None]
    assert shop.receiver.paths[-1] == "/platform"


async def test_expiring_ends_an_open_session_for_good(shop: Shop) -> None:
    session = await shop.open_page()
    expired = await shop.client.v1.checkout.sessions.expire_async(session.id, None, shop.on)
    assert (expired.status, expired.url) == ("expired", None)
    assert (await shop.events())[-1] == "checkout.session.expired"
    told = await shop.running.turn("pay", session=session.id)
    assert told["outcome"] == "not_open"
    with pytest.raises(stripe.InvalidRequestError, match="has a status of `expired`") as refused:
        await shop.client.v1.checkout.sessions.expire_async(session.id, None, shop.on)
    assert refused.value.http_status == 400
    assert refused.value.code is None


async def test_a_paid_session_cannot_be_expired(shop: Shop) -> None:
    session = await shop.paid_page()
    with pytest.raises(stripe.InvalidRequestError, match="has a status of `complete`"):
        await shop.client.v1.checkout.sessions.expire_async(session.id, None, shop.on)
    assert (await shop.session(session.id)).payment_status == "paid"


async def test_a_session_expires_by_itself(shop: Shop) -> None:
    session = await shop.open_page(expires_at=shop.running.engine.clock.now() + HALF_HOUR + 60)
    await shop.running.turn("clock", advance_seconds=HALF_HOUR)
    assert (await shop.session(session.id)).status == "open"
    turned = await shop.running.turn("clock", advance_seconds=61)
    assert turned["expired"] == 1
    assert (await shop.session(session.id)).status == "expired"
    assert (await shop.events()).count("checkout.session.expired") == 1


async def test_expiry_cancels_what_was_tried(shop: Shop) -> None:
    session = await shop.open_page()
    await shop.running.turn("pay", session=session.id, card="4000000000000002")
    tried = await shop.session(session.id)
    intents = shop.client.v1.payment_intents
    with pytest.raises(stripe.InvalidRequestError, match="Expire the Checkout Session instead"):
        await intents.cancel_async(tried.payment_intent, None, shop.on)
    await shop.client.v1.checkout.sessions.expire_async(session.id, None, shop.on)
    intent = await intents.retrieve_async(tried.payment_intent, None, shop.on)
    assert intent.status == "canceled"
    assert (await shop.events())[-2:] == ["payment_intent.canceled", "checkout.session.expired"]


async def test_slow_methods_are_offered_unless_excluded(shop: Shop) -> None:
    unrestricted = shop.order()
    del unrestricted["allowed_payment_method_types"]
    create = shop.client.v1.checkout.sessions.create_async
    assert (await create(unrestricted, shop.on)).payment_method_types == ["card", "sepa_debit"]
    assert (await shop.open_page()).payment_method_types == ["card"]


async def test_prices_of_the_catalogue_can_be_sold(shop: Shop) -> None:
    product = await shop.client.v1.products.create_async({"name": "Ten classes"}, shop.on)
    price = await shop.client.v1.prices.create_async(
        {"currency": "eur", "unit_amount": 9000, "product": product.id}, shop.on
    )
    session = await shop.open_page(line_items=[{"price": price.id, "quantity": 1}])
    assert session.amount_total == 9000
    listed = await shop.client.v1.prices.list_async({"product": product.id}, shop.on)
    assert [found.id for found in listed.data] == [price.id]


async def test_metadata_can_be_changed(shop: Shop) -> None:
    session = await shop.open_page()
    changed = await shop.client.v1.checkout.sessions.update_async(
        session.id, {"metadata": {"order": "8", "extra": "x"}}, shop.on
    )
    assert changed.metadata.to_dict() == {"order": "8", "extra": "x"}
