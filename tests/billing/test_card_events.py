"""News of cards and of payments with them: twice, late, or of what is not ours."""

from typing import Any

import pytest
from sqlalchemy import select

from src.billing.card_payments import CardOutcome
from src.billing.commands.inbox import receive_event
from src.billing.domain.cards import CardState
from src.billing.domain.kinds import OrderState
from src.billing.models import InboxEvent, PaymentPage
from src.billing.processor import ProcessorEvent
from tests.billing.till import Till
from tests.billing.wallet import a_card, cards, press

pytestmark = pytest.mark.anyio


async def told(till: Till, number: int, kind: str, thing: dict[str, Any]) -> str | None:
    """What the inbox says of the event once it is worked off."""
    event = ProcessorEvent(
        id=f"evt_{number}",
        type=kind,
        account_id=till.account_id,
        object_id=thing["id"],
        payload={"data": {"object": thing}},
    )
    async with till.services.uow_factory(None) as uow:
        await receive_event(uow, "connect", event)
    await till.work()
    async with till.services.uow_factory(None) as uow:
        return await uow.session.scalar(
            select(InboxEvent.outcome).where(InboxEvent.event_id == event.id)
        )


async def _newest_intent(till: Till) -> dict[str, Any]:
    return (await till.stripe_objects("payment_intent"))[-1]


async def test_an_event_tells_what_the_answer_did_not_and_once(till: Till) -> None:
    card = await a_card(till)
    order_id = await till.order()
    await till.stripe.turn("api_faults", kind="error_500_after", path_contains="/confirm")
    assert (await press(till, order_id, card)).outcome == CardOutcome.UNSURE
    intent = await _newest_intent(till)
    assert await told(till, 1, "payment_intent.succeeded", intent) == "paid"
    assert (await till.state(order_id)).state == OrderState.CONFIRMED
    await told(till, 1, "payment_intent.succeeded", intent)
    assert await told(till, 2, "payment_intent.succeeded", intent) == "paid"
    assert len(await till.payments(order_id)) == 1


async def test_the_payment_of_a_page_is_the_page_s_matter(till: Till) -> None:
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    intent = await _newest_intent(till)
    assert await told(till, 1, "payment_intent.succeeded", intent) == "not ours"
    (page,) = await till.rows(PaymentPage, order_id)
    assert page.processor_id == session_id


async def test_a_card_that_was_taken_off_elsewhere_is_gone(till: Till) -> None:
    card = await a_card(till)
    method = {"id": card.payment_method_id}
    await till.stripe.turn("card", payment_method=card.payment_method_id, what="detached")
    assert await told(till, 1, "payment_method.detached", method) == "card looked at"
    assert (await cards(till))[0].state == CardState.GONE
    assert await told(till, 2, "payment_method.detached", {"id": "pm_unheard_of"}) == "not ours"


async def test_a_card_s_new_date_is_taken_over(till: Till) -> None:
    card = await a_card(till)
    await till.stripe.turn("card", payment_method=card.payment_method_id, what="expires")
    method = {"id": card.payment_method_id}
    await told(till, 1, "payment_method.automatically_updated", method)
    (known,) = await cards(till)
    assert (known.state, known.exp_year) == (CardState.USABLE, 2020)


async def test_a_refund_of_what_a_card_paid_is_known(till: Till) -> None:
    """News of the payment's refund can be faster than that of the payment itself."""
    card = await a_card(till)
    order_id = await till.order()
    await till.stripe.turn("api_faults", kind="error_500_after", path_contains="/confirm")
    await press(till, order_id, card)
    intent = await _newest_intent(till)
    await till.stripe.turn("refund_from_dashboard", payment=intent["id"])
    refund = {"id": "re_1", "payment_intent": intent["id"]}
    assert await told(till, 1, "refund.created", refund) == "refunds looked at"
    (payment,) = await till.payments(order_id)
    assert payment.refunded_minor == payment.amount_minor
