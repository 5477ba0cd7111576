from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.conftest import Shop

pytestmark = pytest.mark.anyio


async def refund(shop: Shop, **params: Any) -> Any:
    return await shop.client.v1.refunds.create_async(params, shop.on)


async def charge_of(shop: Shop, session: Any) -> Any:
    found = await shop.session(session.id, "payment_intent.latest_charge.refunds")
    return found.payment_intent.latest_charge


async def test_a_charge_is_refunded_in_parts_and_never_more(shop: Shop) -> None:
    session = await shop.paid_page()
    intent = session.payment_intent.id
    part = await refund(shop, payment_intent=intent, amount=2000, metadata={"seat": "3"})
    assert (part.status, part.amount, part.metadata.seat) == ("succeeded", 2000, "3")
    with pytest.raises(stripe.InvalidRequestError, match=r"Refund amount \(€30\.01\)") as refused:
        await refund(shop, payment_intent=intent, amount=3001)
    assert refused.value.param == "amount"
    rest = await refund(shop, payment_intent=intent)
    assert rest.amount == 3000
    charge = await charge_of(shop, session)
    assert (charge.refunded, charge.amount_refunded) == (True, 5000)
    assert [found.id for found in charge.refunds.data] == [rest.id, part.id]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await refund(shop, charge=charge.id)
    assert refused.value.code == "charge_already_refunded"
    types = await shop.events()
    assert (types.count("refund.created"), types.count("charge.refunded")) == (2, 2)


@pytest.mark.parametrize("amount", [0, -1])
async def test_nothing_is_no_refund(shop: Shop, amount: int) -> None:
    session = await shop.paid_page()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await refund(shop, payment_intent=session.payment_intent.id, amount=amount)
    assert refused.value.param == "amount"


async def test_what_was_not_paid_cannot_be_refunded(shop: Shop) -> None:
    session = await shop.open_page()
    await shop.running.turn("pay", session=session.id, card="4000000000000002")
    tried = await shop.session(session.id)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        await refund(shop, payment_intent=tried.payment_intent)
    with pytest.raises(stripe.InvalidRequestError, match="No such payment_intent"):
        await refund(shop, payment_intent="pi_none")
    with pytest.raises(stripe.InvalidRequestError):
        await refund(shop, reason="duplicate")


async def test_the_fee_comes_back_in_proportion(shop: Shop) -> None:
    session = await shop.paid_page(payment_intent_data={"application_fee_amount": 101})
    intent = session.payment_intent
    for amount in (1700, 1700, 1600):
        await refund(shop, payment_intent=intent.id, amount=amount, refund_application_fee=True)
    fee = await shop.client.v1.application_fees.retrieve_async(intent.latest_charge.application_fee)
    assert [part.amount for part in fee.refunds.data] == [33, 34, 34]
    assert (fee.amount_refunded, fee.refunded) == (101, True)
    assert (await shop.client.v1.balance.retrieve_async()).available[0].amount == 0
    assert (await shop.events()).count("application_fee.refunded") == 3


async def test_the_fee_stays_when_it_is_not_asked_back(shop: Shop) -> None:
    session = await shop.paid_page()
    await refund(shop, payment_intent=session.payment_intent.id)
    assert (await shop.client.v1.balance.retrieve_async()).available[0].amount == 250
    own = await shop.client.v1.balance.retrieve_async(None, shop.on)
    assert own.available[0].amount == -350


async def test_no_fee_cannot_come_back(shop: Shop) -> None:
    session = await shop.paid_page(payment_intent_data={})
    with pytest.raises(stripe.InvalidRequestError, match="but it has no application fee"):
        await refund(shop, payment_intent=session.payment_intent.id, refund_application_fee=True)


async def test_the_fee_can_be_given_back_by_itself(shop: Shop) -> None:
    session = await shop.paid_page()
    fee_id = session.payment_intent.latest_charge.application_fee
    fees = shop.client.v1.application_fees
    back = await fees.refunds.create_async(fee_id, {"amount": 100})
    assert back.amount == 100
    with pytest.raises(stripe.InvalidRequestError):
        await fees.refunds.create_async(fee_id, {"amount": 151})
    assert [one.id for one in (await fees.refunds.list_async(fee_id)).data] == [back.id]


async def test_a_pending_refund_is_settled_later(shop: Shop) -> None:
    session = await shop.paid_page()
    await shop.running.turn("refund_status", status="pending", times=1)
    pending = await refund(shop, payment_intent=session.payment_intent.id, amount=1000)
    assert (pending.status, pending.pending_reason) == ("pending", "processing")
    assert (await charge_of(shop, session)).amount_refunded == 1000
    await shop.running.turn("refund_settle", refund=pending.id, status="succeeded")
    settled = await shop.client.v1.refunds.retrieve_async(pending.id, None, shop.on)
    assert settled.status == "succeeded"
    assert (await shop.events())[-2:] == ["refund.updated", "charge.refund.updated"]
    after = await refund(shop, payment_intent=session.payment_intent.id, amount=1000)
    assert after.status == "succeeded"


async def test_a_failed_refund_gives_the_money_back_to_the_business(shop: Shop) -> None:
    session = await shop.paid_page()
    before = (await shop.client.v1.balance.retrieve_async(None, shop.on)).available[0].amount
    await shop.running.turn("refund_status", status="failed", times=1)
    failed = await refund(shop, payment_intent=session.payment_intent.id)
    assert (failed.status, failed.failure_reason) == ("failed", "expired_or_canceled_card")
    charge = await charge_of(shop, session)
    assert (charge.refunded, charge.amount_refunded) == (False, 0)
    after = (await shop.client.v1.balance.retrieve_async(None, shop.on)).available[0].amount
    assert after == before
    assert "refund.failed" in await shop.events()


async def test_two_cards_refund_late_or_never(shop: Shop) -> None:
    statuses = []
    for card in ("4000000000007726", "4000000000005126"):
        session = await shop.open_page()
        await shop.running.turn("pay", session=session.id, card=card)
        paid = await shop.session(session.id)
        statuses.append((await refund(shop, payment_intent=paid.payment_intent)).status)
    assert statuses == ["pending", "failed"]


async def test_the_business_refunds_in_its_own_dashboard(shop: Shop) -> None:
    session = await shop.paid_page()
    intent = session.payment_intent.id
    done = await shop.running.turn("refund_from_dashboard", payment=intent, amount=500)
    listed = await shop.client.v1.refunds.list_async({"payment_intent": intent}, shop.on)
    assert [found.id for found in listed.data] == [done["id"]]
    event = next(one for one in await _events(shop) if one["type"] == "charge.refunded")
    assert event["request"] == {"id": None, "idempotency_key": None}


async def test_metadata_of_a_refund_can_be_changed(shop: Shop) -> None:
    session = await shop.paid_page()
    made = await refund(shop, payment_intent=session.payment_intent.id)
    changed = await shop.client.v1.refunds.update_async(
        made.id, {"metadata": {"row": "1"}}, shop.on
    )
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"row": "1"}


async def _events(shop: Shop) -> list[dict[str, Any]]:
    await shop.events()
    return shop.receiver.events
