import asyncio
from typing import Any

import pytest
import stripe

from src.sandbox.stripe import Running
from tests.sandbox.stripe.conftest import SECRET_KEY, Receiver, Shop, client_for, line, new_shop

pytestmark = pytest.mark.anyio


async def test_a_wrong_key_is_refused(running: Running, http: stripe.HTTPXClient) -> None:
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided: sk_test_"):
        await client_for(running.base_url, http, "sk_test_wrong_wrong").v1.balance.retrieve_async()


async def test_no_key_is_refused(running: Running) -> None:
    answer = await running.http.get("/v1/balance")
    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_an_unknown_address_is_a_404_of_stripe_s_shape(running: Running) -> None:
    answer = await running.http.get("/v1/nonsense", headers=_bearer())
    assert answer.status_code == 404
    assert "Unrecognized request URL (GET: /v1/nonsense)" in answer.json()["error"]["message"]


async def test_headers_are_echoed(shop: Shop) -> None:
    headers = _bearer() | {"stripe-version": "2020-01-01", "stripe-account": shop.account}
    answer = await shop.running.http.get("/v1/balance", headers=headers)
    assert answer.headers["request-id"].startswith("req_")
    assert answer.headers["stripe-version"] == "2020-01-01"
    assert answer.headers["stripe-account"] == shop.account


async def test_a_foreign_account_is_refused(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.PermissionError) as refused:
        await client.v1.balance.retrieve_async(None, {"stripe_account": "acct_elsewhere"})
    assert refused.value.error is not None
    assert refused.value.error.code == "account_invalid"
    assert "does not have access to account 'acct_elsewhere'" in str(refused.value)


async def test_each_account_sees_its_own_objects(shop: Shop, receiver: Receiver) -> None:
    other = await new_shop(shop.running, shop.client, receiver)
    session = await shop.open_page()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await other.session(session.id)
    assert refused.value.code == "resource_missing"
    assert refused.value.http_status == 404
    sessions = shop.client.v1.checkout.sessions
    assert [found.id for found in (await sessions.list_async({}, shop.on)).data] == [session.id]
    assert (await sessions.list_async({}, other.on)).data == []
    assert (await sessions.list_async()).data == []


async def test_an_unknown_parameter_is_refused(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.open_page(payment_method_types=["card"])
    assert refused.value.code == "parameter_unknown"
    assert refused.value.param == "payment_method_types"


async def test_what_is_not_done_here_is_refused_and_off_is_fine(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.open_page(allow_promotion_codes=True)
    assert refused.value.code == "sandbox_unsupported"
    await shop.open_page(allow_promotion_codes=False)


async def test_a_misshapen_answer_is_a_loud_500_and_undone(shop: Shop) -> None:
    customers, engine = shop.client.v1.customers, shop.running.engine
    customer = await customers.create_async({"name": "Carl"}, shop.on)
    engine.store.save(customer.to_dict() | {"livemode": "no"})
    with pytest.raises(stripe.APIError, match=r"object\.livemode"):
        await customers.update_async(customer.id, {"name": "Karl"}, shop.on)
    stored = engine.store.get(shop.account, "customer", customer.id)
    assert stored is not None and stored["name"] == "Carl"
    assert len((await shop.running.state())["conformance_failures"]) == 1
    engine.conformance_failures.clear()


async def test_the_same_key_and_parameters_replay_the_answer(shop: Shop) -> None:
    first = await _create(shop, "key-1")
    again = await _create(shop, "key-1")
    assert again.id == first.id
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.last_response.headers
    assert (await _create(shop, "key-2")).id != first.id


async def test_the_same_key_for_something_else_is_refused(shop: Shop) -> None:
    await _create(shop, "key-1")
    with pytest.raises(stripe.IdempotencyError) as refused:
        await _create(shop, "key-1", client_reference_id="another")
    assert refused.value.http_status == 400


async def test_keys_belong_to_an_account(shop: Shop, receiver: Receiver) -> None:
    other = await new_shop(shop.running, shop.client, receiver)
    assert (await _create(shop, "key-1")).id != (await _create(other, "key-1")).id


async def test_a_refusal_is_replayed_too(shop: Shop) -> None:
    too_small: Any = shop.order(line_items=[line("Sticker", 49)])
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await shop.client.v1.checkout.sessions.create_async(
                too_small, shop.on | {"idempotency_key": "key-1"}
            )
        assert refused.value.code == "amount_too_small"
    assert refused.value.headers is not None
    assert refused.value.headers["idempotent-replayed"] == "true"


async def test_wrong_parameters_do_not_use_the_key_up(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        await _create(shop, "key-1", bogus=1)
    assert (await _create(shop, "key-1")).id


async def test_a_key_in_flight_is_a_conflict(shop: Shop) -> None:
    await shop.running.turn("api_faults", kind="delay", seconds=1.0, method="POST")
    first = asyncio.create_task(_create(shop, "key-1"))
    async with asyncio.timeout(5):
        while (await shop.running.state())["faults"]["api"]:
            pass
    with pytest.raises(stripe.APIError) as refused:
        await _create(shop, "key-1")
    assert refused.value.http_status == 409
    assert (await _create(shop, "key-2")).id
    session = await first
    assert (await _create(shop, "key-1")).id == session.id


async def test_a_key_is_forgotten_after_a_day(shop: Shop) -> None:
    first = await _create(shop, "key-1")
    await shop.running.turn("clock", advance_seconds=23 * 3600)
    assert (await _create(shop, "key-1")).id == first.id
    await shop.running.turn("clock", advance_seconds=2 * 3600)
    assert (await _create(shop, "key-1")).id != first.id


async def test_lists_page_and_narrow(shop: Shop) -> None:
    ids = [(await shop.open_page()).id for _ in range(5)]
    sessions = shop.client.v1.checkout.sessions
    page = await sessions.list_async({"limit": 2}, shop.on)
    assert [found.id for found in page.data] == ids[:2:-1]
    assert page.has_more
    walked = [found.id async for found in page.auto_paging_iter()]
    assert walked == ids[::-1]
    before = await sessions.list_async({"limit": 2, "ending_before": ids[1]}, shop.on)
    assert [found.id for found in before.data] == [ids[3], ids[2]]
    assert (await sessions.list_async({"status": "complete"}, shop.on)).data == []
    future: Any = {"created": {"gt": 4_000_000_000}}
    assert (await sessions.list_async(future, shop.on)).data == []
    with pytest.raises(stripe.InvalidRequestError):
        await sessions.list_async({"limit": 101}, shop.on)


async def test_expand_puts_objects_in_place_of_ids(shop: Shop) -> None:
    paid = await shop.paid_page()
    charge = paid.payment_intent.latest_charge
    assert (charge.object, charge.amount) == ("charge", 5000)
    found = await shop.session(paid.id, "line_items", "payment_intent")
    assert found.line_items.data[0].description == "Yoga for beginners"
    listed = await shop.client.v1.charges.list_async(
        {"expand": ["data.application_fee", "data.refunds"]}, shop.on
    )
    assert listed.data[0].application_fee.amount == 250
    assert listed.data[0].refunds.data == []
    for wrong in ("bogus", "metadata.order", "payment_intent.status", "a.b.c.d.e"):
        with pytest.raises(stripe.InvalidRequestError):
            await shop.session(paid.id, wrong)


async def _create(shop: Shop, key: str, **changes: Any) -> Any:
    return await shop.client.v1.checkout.sessions.create_async(
        shop.order(**changes), shop.on | {"idempotency_key": key}
    )


def _bearer() -> dict[str, str]:
    return {"authorization": f"Bearer {SECRET_KEY}"}
