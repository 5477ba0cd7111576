from dataclasses import replace
from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.stripe.conftest import Shop, client_for

pytestmark = pytest.mark.anyio


@pytest.fixture
def in_haste(shop: Shop, hasty: stripe.HTTPXClient) -> Shop:
    """The same account, asked by who does not wait for long."""
    return replace(shop, client=client_for(shop.running.base_url, hasty))


async def create(shop: Shop, key: str = "key-1") -> Any:
    return await shop.client.v1.checkout.sessions.create_async(
        shop.order(), shop.on | {"idempotency_key": key}
    )


async def sessions(shop: Shop) -> list[str]:
    found = await shop.client.v1.checkout.sessions.list_async({}, shop.on)
    return [session.id for session in found.data]


async def test_a_time_out_before_the_work_leaves_nothing(shop: Shop, in_haste: Shop) -> None:
    await shop.running.turn("api_faults", kind="timeout_before", path_contains="/checkout/")
    with pytest.raises(stripe.APIConnectionError):
        await create(in_haste)
    assert await sessions(shop) == []
    session = await create(shop)
    assert await sessions(shop) == [session.id]


async def test_a_time_out_after_the_work_is_healed_by_the_same_key(
    shop: Shop, in_haste: Shop
) -> None:
    await shop.running.turn("api_faults", kind="timeout_after", path_contains="/checkout/")
    with pytest.raises(stripe.APIConnectionError):
        await create(in_haste)
    made = await sessions(shop)
    assert len(made) == 1
    assert (await create(shop)).id == made[0]
    assert await sessions(shop) == made


async def test_a_500_before_the_work_leaves_nothing(shop: Shop) -> None:
    await shop.running.turn("api_faults", kind="error_500_before", times=2)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as failed:
            await create(shop)
        assert failed.value.http_status == 500
    session = await create(shop)
    assert await sessions(shop) == [session.id]


async def test_a_500_after_the_work_is_healed_by_the_same_key(shop: Shop) -> None:
    await shop.running.turn("api_faults", kind="error_500_after", method="POST")
    with pytest.raises(stripe.APIError):
        await create(shop)
    made = await sessions(shop)
    assert len(made) == 1
    assert (await create(shop)).id == made[0]


async def test_a_sticky_500_stays_with_its_key(shop: Shop) -> None:
    await shop.running.turn("api_faults", kind="error_500_sticky", account=shop.account)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            await create(shop)
    assert len(await sessions(shop)) == 1
    assert (await create(shop, "key-2")).id


async def test_too_many_requests(shop: Shop) -> None:
    await shop.running.turn("api_faults", kind="rate_limit")
    with pytest.raises(stripe.RateLimitError):
        await create(shop)
    assert (await create(shop)).id


async def test_a_chosen_refusal_is_kept_under_the_key(shop: Shop) -> None:
    error = {
        "message": "Insufficient funds in your Stripe balance.",
        "code": "balance_insufficient",
    }
    await shop.running.turn("api_faults", kind="refuse", error=error)
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await create(shop)
        assert refused.value.code == "balance_insufficient"
    assert await sessions(shop) == []


async def test_faults_hit_only_what_they_name_and_can_be_taken_back(shop: Shop) -> None:
    for wish in (
        {"method": "DELETE"},
        {"path_contains": "/refunds"},
        {"account": "acct_elsewhere"},
    ):
        await shop.running.turn("api_faults", kind="error_500_before", **wish)
    assert (await create(shop)).id
    assert len((await shop.running.state())["faults"]["api"]) == 3
    await shop.running.turn("reset_faults")
    assert (await shop.running.state())["faults"]["api"] == []


async def test_a_clock_can_be_set(shop: Shop) -> None:
    assert (await shop.running.turn("clock", set=2_000_000_000))["now"] == 2_000_000_000
    assert (await shop.open_page()).created == pytest.approx(2_000_000_000, abs=5)


async def test_the_state_counts_and_sums(shop: Shop) -> None:
    session = await shop.paid_page()
    await shop.client.v1.refunds.create_async(
        {"payment_intent": session.payment_intent.id, "amount": 1500}, shop.on
    )
    await shop.open_page()
    told = (await shop.running.state())["accounts"][shop.account]
    assert told["counts"] == {
        "charge": {"succeeded": 1},
        "checkout.session": {"complete": 1, "open": 1},
        "payment_intent": {"succeeded": 1},
        "refund": {"succeeded": 1},
    }
    assert told["sums"] == {
        "eur": {"paid_minor": 5000, "refunded_minor": 1500, "application_fee_minor": 250}
    }
    assert told["paid_sessions"] == 1


@pytest.mark.parametrize(
    ("knob", "wish"),
    [
        ("bogus", {}),
        ("pay", {}),
        ("pay", {"session": "cs_none"}),
        ("clock", {"seconds": 5}),
        ("api_faults", {"kind": "flood"}),
        ("webhooks", {"duplicates": 1}),
    ],
)
async def test_a_wrong_wish_is_refused(shop: Shop, knob: str, wish: dict[str, Any]) -> None:
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await shop.running.turn(knob, **wish)
    assert refused.value.response.status_code in (400, 404)


async def test_a_number_that_is_no_test_card_is_refused(shop: Shop) -> None:
    session = await shop.open_page()
    with pytest.raises(httpx.HTTPStatusError):
        await shop.running.turn("pay", session=session.id, card="4111")
    with pytest.raises(httpx.HTTPStatusError):
        await shop.running.turn("pay", session=session.id, method="sepa_debit")
