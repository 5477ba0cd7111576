import asyncio

import pytest
import stripe

from src.sandbox.stripe import Config, Hook, Running, serve
from src.sandbox.stripe.webhooks import signature_header
from tests.sandbox.stripe.conftest import SECRET_KEY, Receiver, Shop

pytestmark = pytest.mark.anyio


def test_the_signature_is_the_one_that_the_library_checks() -> None:
    header = signature_header('{"object": "event"}', "whsec_x", 1_000)
    verify = stripe.WebhookSignature.verify_header
    assert verify('{"object": "event"}', header, "whsec_x")
    for payload, secret in (('{"object": "events"}', "whsec_x"), ('{"object": "event"}', "y")):
        with pytest.raises(stripe.SignatureVerificationError):
            verify(payload, header, secret)


async def test_events_arrive_by_themselves(shop: Shop) -> None:
    await shop.paid_page()
    await shop.running.turn("flush")
    by_path = dict.fromkeys(shop.receiver.paths)
    assert set(by_path) == {"/connect", "/platform"}
    for event, path in zip(shop.receiver.events, shop.receiver.paths, strict=True):
        assert (path == "/connect") == (event.get("account") == shop.account)
        assert event["api_version"] == stripe.api_version
    state = await shop.running.state()
    assert state["deliveries"] == {"delivered": 6}


async def test_an_event_names_the_request_that_caused_it(shop: Shop) -> None:
    session = await shop.open_page()
    options = shop.on | {"idempotency_key": "expire-1"}
    await shop.client.v1.checkout.sessions.expire_async(session.id, None, options)
    await shop.running.turn("flush")
    assert shop.receiver.events[-1]["request"]["idempotency_key"] == "expire-1"


async def test_a_refusal_is_tried_again(shop: Shop) -> None:
    await shop.running.turn("flush")
    shop.receiver.answers = [500, 404]
    await _expire_one(shop)
    assert await shop.events() == ["account.updated", "checkout.session.expired"]
    assert shop.receiver.answers == []


async def test_lost_attempts_are_made_up_for(shop: Shop) -> None:
    await shop.running.turn("webhooks", fail_first=2)
    await _expire_one(shop)
    assert (await shop.events()).count("checkout.session.expired") == 1


async def test_lost_answers_make_doubles(shop: Shop) -> None:
    await shop.running.turn("webhooks", lose_answers=1)
    await _expire_one(shop)
    assert (await shop.events()).count("checkout.session.expired") == 2


async def test_duplicates_carry_the_same_id(shop: Shop) -> None:
    await shop.running.turn("webhooks", duplicate=2, only=["checkout.session.expired"])
    await _expire_one(shop)
    await shop.running.turn("flush")
    ids = [one["id"] for one in shop.receiver.events if one["type"].endswith("expired")]
    assert len(ids) == 3
    assert len(set(ids)) == 1


async def test_reordered_events_come_newest_first(shop: Shop) -> None:
    await shop.running.turn("flush")
    shop.receiver.events.clear()
    await shop.running.turn("webhooks", reorder=True)
    await shop.paid_page()
    types = await shop.events()
    assert types[0] == "checkout.session.completed"
    assert types[-1] == "payment_intent.created"


async def test_dropped_events_never_come_and_can_be_asked_for(shop: Shop) -> None:
    await shop.running.turn("webhooks", drop=True, only=["checkout.session.completed"])
    await shop.paid_page()
    types = await shop.events()
    assert "checkout.session.completed" not in types
    assert "charge.succeeded" in types
    listed = await shop.client.v1.events.list_async({"type": "checkout.session.completed"}, shop.on)
    assert len(listed.data) == 1


async def test_delayed_events_wait_and_a_flush_does_not(shop: Shop) -> None:
    await shop.running.turn("flush")
    await shop.running.turn("webhooks", delay_seconds=60)
    await _expire_one(shop)
    assert (await shop.running.state())["deliveries"]["pending"] == 1
    assert (await shop.events())[-1] == "checkout.session.expired"


async def test_only_wanted_types_are_sent(shop: Shop) -> None:
    await shop.running.turn("flush")
    await shop.running.turn("webhooks", events=["checkout.session.completed"])
    await shop.paid_page()
    assert await shop.events() == ["account.updated", "checkout.session.completed"]


async def test_a_receiver_that_never_answers_well_is_given_up(receiver: Receiver) -> None:
    config = Config(
        SECRET_KEY,
        hooks={"platform": Hook("http://seatline.test/platform", "whsec_platform")},
        webhook_retry_base_seconds=0.001,
        webhook_attempts=3,
    )
    receiver.answers = [500] * 3
    async with serve(config, webhook_transport=receiver) as running:
        await _make_customer(running)
        async with asyncio.timeout(5):
            while running.engine.store.delivery_counts() != {"given_up": 1}:
                await running.state()
    assert receiver.answers == []


async def test_without_an_endpoint_nothing_is_queued(receiver: Receiver) -> None:
    async with serve(Config(SECRET_KEY), webhook_transport=receiver) as running:
        await _make_customer(running)
        assert await running.turn("flush") == {}


async def _expire_one(shop: Shop) -> None:
    session = await shop.open_page()
    await shop.client.v1.checkout.sessions.expire_async(session.id, None, shop.on)


async def _make_customer(running: Running) -> None:
    headers = {"authorization": f"Bearer {SECRET_KEY}"}
    answer = await running.http.post("/v1/customers", data={"name": "Carl"}, headers=headers)
    assert answer.status_code == 200
