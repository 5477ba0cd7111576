import pytest
import stripe

from tests.sandbox.stripe.conftest import Shop

pytestmark = pytest.mark.anyio

PAID_EVENTS = [
    "account.updated",
    "payment_intent.created",
    "application_fee.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
]


async def test_a_payment_moves_money_once(shop: Shop) -> None:
    session = await shop.paid_page()
    assert (session.status, session.payment_status, session.url) == ("complete", "paid", None)
    intent = session.payment_intent
    assert (intent.status, intent.amount_received) == ("succeeded", 5000)
    assert intent.metadata.order == "7"
    charge = intent.latest_charge
    assert (charge.paid, charge.amount, charge.application_fee_amount) == (True, 5000, 250)
    assert charge.payment_method_details.card.last4 == "4242"
    assert sorted(await shop.events()) == sorted(PAID_EVENTS)
    again = await shop.running.turn("pay", session=session.id)
    assert again["outcome"] == "not_open"
    charges = await shop.client.v1.charges.list_async({"payment_intent": intent.id}, shop.on)
    assert len(charges.data) == 1


async def test_the_fee_goes_to_the_platform(shop: Shop) -> None:
    session = await shop.paid_page()
    fee_id = session.payment_intent.latest_charge.application_fee
    fee = await shop.client.v1.application_fees.retrieve_async(fee_id)
    assert (fee.amount, fee.account) == (250, shop.account)
    moved = await shop.client.v1.balance_transactions.list_async({"type": "charge"}, shop.on)
    assert {part.type: part.amount for part in moved.data[0].fee_details} == {
        "stripe_fee": 100,
        "application_fee": 250,
    }
    assert (await shop.client.v1.balance.retrieve_async()).available[0].amount == 250
    own = await shop.client.v1.balance.retrieve_async(None, shop.on)
    assert own.available[0].amount == 5000 - 350


async def test_a_fee_of_nothing_is_no_fee(shop: Shop) -> None:
    session = await shop.paid_page(payment_intent_data={"application_fee_amount": 0})
    assert session.payment_intent.latest_charge.application_fee is None
    assert "application_fee.created" not in await shop.events()


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000000000009995", "card_declined", "insufficient_funds"),
        ("4000000000000069", "expired_card", None),
    ],
)
async def test_after_a_decline_another_card_works(
    shop: Shop, card: str, code: str, decline_code: str | None
) -> None:
    session = await shop.open_page()
    told = await shop.running.turn("pay", session=session.id, card=card)
    assert told["outcome"] == "declined"
    found = await shop.session(session.id, "payment_intent.latest_charge")
    assert (found.status, found.payment_status) == ("open", "unpaid")
    error = found.payment_intent.last_payment_error.to_dict()
    assert (error["code"], error.get("decline_code")) == (code, decline_code)
    assert found.payment_intent.latest_charge.status == "failed"
    await shop.running.turn("pay", session=session.id)
    paid = await shop.session(session.id, "payment_intent")
    assert paid.payment_status == "paid"
    assert paid.payment_intent.id == found.payment_intent.id
    types = await shop.events()
    assert types.count("payment_intent.payment_failed") == 1
    assert types.count("checkout.session.completed") == 1


async def test_3ds_pays_when_approved_and_not_when_failed(shop: Shop) -> None:
    session = await shop.open_page()
    wish = {"session": session.id, "card": "4000002500003155"}
    failed = await shop.running.turn("pay", **wish, authenticate=False)
    assert failed["outcome"] == "declined"
    found = await shop.session(session.id, "payment_intent")
    assert found.status == "open"
    error = found.payment_intent.last_payment_error.code
    assert error == "payment_intent_authentication_failure"
    assert (await shop.running.turn("pay", **wish))["outcome"] == "paid"
    types = await shop.events()
    assert types.count("payment_intent.requires_action") == 2
    assert types.count("checkout.session.completed") == 1


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
async def test_a_slow_payment_is_settled_later(shop: Shop, outcome: str) -> None:
    session = await shop.open_page(allowed_payment_method_types=["card", "sepa_debit"])
    told = await shop.running.turn("pay", session=session.id, method="sepa_debit")
    assert told["outcome"] == "waiting"
    found = await shop.session(session.id, "payment_intent")
    assert (found.status, found.payment_status) == ("complete", "unpaid")
    assert found.payment_intent.status == "processing"
    with pytest.raises(stripe.InvalidRequestError, match="has a status of `complete`"):
        await shop.client.v1.checkout.sessions.expire_async(session.id, None, shop.on)
    for _ in range(2):
        await shop.running.turn("settle", session=session.id, outcome=outcome)
    settled = await shop.session(session.id, "payment_intent.latest_charge")
    types = await shop.events()
    assert types.count("checkout.session.completed") == 1
    assert types.count(f"checkout.session.async_payment_{outcome}") == 1
    if outcome == "succeeded":
        assert settled.payment_status == "paid"
        assert settled.payment_intent.latest_charge.payment_method_details.type == "sepa_debit"
    else:
        assert settled.payment_status == "unpaid"
        assert settled.payment_intent.status == "requires_payment_method"


@pytest.mark.parametrize(
    ("currency", "method"), [("usd", "us_bank_account"), ("gbp", "bacs_debit")]
)
async def test_other_currencies_have_their_slow_method(
    shop: Shop, currency: str, method: str
) -> None:
    order = shop.order()
    order["line_items"][0]["price_data"]["currency"] = currency
    order["allowed_payment_method_types"] = [method]
    session = await shop.client.v1.checkout.sessions.create_async(order, shop.on)
    await shop.running.turn("pay", session=session.id, method=method)
    await shop.running.turn("settle", session=session.id)
    assert (await shop.session(session.id)).payment_status == "paid"


async def test_a_customer_can_be_made_and_their_card_kept(shop: Shop) -> None:
    data = {"setup_future_usage": "off_session"}
    session = await shop.paid_page(customer_creation="always", payment_intent_data=data)
    customer = await shop.client.v1.customers.retrieve_async(session.customer, None, shop.on)
    assert customer.email == "guest@example.com"
    assert session.payment_intent.customer == customer.id
    methods = await shop.client.v1.payment_methods.list_async({"customer": customer.id}, shop.on)
    assert [found.type for found in methods.data] == ["card"]
    assert {"customer.created", "payment_method.attached"} <= set(await shop.events())


async def test_customers_can_be_changed_found_and_deleted(shop: Shop) -> None:
    customers = shop.client.v1.customers
    carl = await customers.create_async({"email": "carl@example.com"}, shop.on)
    await customers.create_async({"email": "eve@example.com"}, shop.on)
    changed = await customers.update_async(
        carl.id, {"name": "Carl", "metadata": {"a": "1"}}, shop.on
    )
    assert (changed.name, changed.metadata.to_dict()) == ("Carl", {"a": "1"})
    found = await customers.list_async({"email": "carl@example.com"}, shop.on)
    assert [one.id for one in found.data] == [carl.id]
    assert (await customers.delete_async(carl.id, None, shop.on)).deleted
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        await customers.retrieve_async(carl.id, None, shop.on)


async def test_disputes_take_the_money_until_they_are_decided(shop: Shop) -> None:
    session = await shop.paid_page()
    opened = await shop.running.turn("dispute", payment=session.payment_intent.id)
    dispute = await shop.client.v1.disputes.retrieve_async(opened["id"], None, shop.on)
    assert (dispute.status, dispute.amount) == ("needs_response", 5000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.client.v1.refunds.create_async({"charge": dispute.charge}, shop.on)
    assert refused.value.code == "charge_disputed"
    await shop.running.turn("dispute", dispute=dispute.id, outcome="won")
    types = await shop.events()
    assert {"charge.dispute.created", "charge.dispute.closed"} <= set(types)
    own = await shop.client.v1.balance.retrieve_async(None, shop.on)
    assert own.available[0].amount == 5000 - 350 - 1500


async def test_one_card_is_disputed_by_itself(shop: Shop) -> None:
    session = await shop.open_page()
    await shop.running.turn("pay", session=session.id, card="4000000000000259")
    listed = await shop.client.v1.disputes.list_async({}, shop.on)
    assert [found.reason for found in listed.data] == ["fraudulent"]


async def test_events_can_be_asked_for(shop: Shop) -> None:
    session = await shop.paid_page()
    events = shop.client.v1.events
    listed = await events.list_async({"types": ["checkout.session.completed"]}, shop.on)
    assert [found.data.object["id"] for found in listed.data] == [session.id]
    fresh = await events.retrieve_async(listed.data[0].id, None, shop.on)
    assert fresh.account == shop.account
    assert (await events.list_async({"type": "charge.failed"}, shop.on)).data == []


@pytest.mark.parametrize(
    ("currency", "method"),
    [
        ("eur", "paypal"),
        ("eur", "ideal"),
        ("eur", "bancontact"),
        ("eur", "eps"),
        ("pln", "blik"),
        ("chf", "twint"),
        ("usd", "link"),
    ],
)
async def test_a_wallet_or_a_banks_own_way_is_told_by_its_name(
    shop: Shop, currency: str, method: str
) -> None:
    order = shop.order()
    order["line_items"][0]["price_data"]["currency"] = currency
    order["allowed_payment_method_types"] = ["card", method]
    session = await shop.client.v1.checkout.sessions.create_async(order, shop.on)
    told = await shop.running.turn("pay", session=session.id, method=method)
    paid = await shop.session(session.id, "payment_intent.latest_charge")
    assert (told["outcome"], paid.payment_status) == ("paid", "paid")
    assert paid.payment_intent.latest_charge.payment_method_details.type == method
