"""Cards that guests keep: saved, asked for again, taken off."""

from datetime import timedelta
from uuid import UUID

import pytest

from src.billing.card_payments import CardOutcome
from src.billing.commands.cards import prefer_card, remove_card, store_card
from src.billing.domain.cards import CardState
from src.billing.domain.kinds import OrderState, PageState
from src.billing.models import PaymentPage, ProcessorCustomer
from src.billing.processor import ProcessorCard
from src.billing.reconcile import reconcile
from src.billing.settlement import end_hold
from src.billing.sweeper import sweep_holds
from src.platform.errors import Conflict, Gone, NotFound, Unavailable
from src.platform.ids import new_id
from tests.billing.till import Till
from tests.billing.wallet import (
    ALWAYS_ASKS,
    DECLINED_LATER,
    a_card,
    cards,
    pay_and_keep,
    press,
)

pytestmark = pytest.mark.anyio

AFTER_THE_HOLD = timedelta(minutes=37)


async def _charges(till: Till) -> int:
    return len([one for one in await till.stripe_objects("charge") if one["paid"]])


async def test_a_card_is_kept_by_who_agreed_and_only_once(till: Till) -> None:
    till.places.left = 4
    card = await a_card(till)
    assert (card.brand, card.last4, card.exp_month, card.exp_year) == ("visa", "4242", 12, 2034)
    assert card.consent["version"] == "1"
    assert "Harbour" in card.consent["text"]
    await till.work()
    await pay_and_keep(till)
    await till.work()
    older, newer = await cards(till)
    assert (older.state, newer.state) == (CardState.REMOVED, CardState.USABLE)
    methods = {one["id"]: one for one in await till.stripe_objects("payment_method")}
    assert methods[older.payment_method_id]["customer"] is None
    assert methods[newer.payment_method_id]["customer"] is not None
    assert len(await till.stripe_objects("customer")) == 1


async def test_who_did_not_agree_keeps_nothing(till: Till) -> None:
    _order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    await till.work()
    assert await cards(till) == []
    assert await till.stripe_objects("customer") == []


async def test_one_press_pays(till: Till) -> None:
    till.take_fee(250)
    card = await a_card(till)
    order_id = await till.order()
    answer = await press(till, order_id, card)
    assert answer.outcome == CardOutcome.PAID
    assert (await till.state(order_id)).state == OrderState.CONFIRMED
    (payment,) = await till.payments(order_id)
    assert (payment.amount_minor, payment.fee_minor, payment.method) == (2000, 50, "card")
    with pytest.raises(Conflict, match="paid already"):
        await press(till, order_id, card)
    assert await _charges(till) == 2


async def test_a_declined_card_leaves_the_hold_and_other_ways(till: Till) -> None:
    card = await a_card(till, DECLINED_LATER)
    order_id = await till.order()
    answer = await press(till, order_id, card)
    assert (answer.outcome, answer.why) == (CardOutcome.DECLINED, "card_declined")
    order = await till.state(order_id)
    assert order.state == OrderState.OPEN
    (page,) = await till.rows(PaymentPage, order_id)
    assert page.state == PageState.FAILED
    await till.page(order_id)
    _declined, by_page = await till.rows(PaymentPage, order_id)
    await till.pay(by_page.processor_id or "")
    await till.stripe.turn("flush")
    assert (await till.stripe_objects("payment_intent"))[1]["status"] == "canceled"


async def test_the_bank_asks_and_is_answered(till: Till) -> None:
    card = await a_card(till, ALWAYS_ASKS)
    order_id = await till.order()
    answer = await press(till, order_id, card)
    assert answer.outcome == CardOutcome.BANK
    assert "/c/authenticate/" in answer.bank_url
    assert (await press(till, order_id, card)).bank_url == answer.bank_url
    (page,) = await till.rows(PaymentPage, order_id)
    await till.stripe.turn("authenticate", intent=page.processor_id)
    assert (await press_settled(till, order_id)) == OrderState.CONFIRMED


async def press_settled(till: Till, order_id: UUID) -> str:
    from src.billing.settlement import check_payment

    await check_payment(till.services, till.business.id, order_id)
    return (await till.state(order_id)).state


async def test_a_failed_check_is_a_decline(till: Till) -> None:
    card = await a_card(till, ALWAYS_ASKS)
    order_id = await till.order()
    await press(till, order_id, card)
    (page,) = await till.rows(PaymentPage, order_id)
    await till.stripe.turn("authenticate", intent=page.processor_id, approve=False)
    assert await press_settled(till, order_id) == OrderState.OPEN
    (page,) = await till.rows(PaymentPage, order_id)
    assert page.error == "payment_intent_authentication_failure"


async def test_the_sweeper_cancels_before_it_frees(till: Till) -> None:
    card = await a_card(till, ALWAYS_ASKS)
    order_id = await till.order()
    await press(till, order_id, card)
    till.clock.advance(AFTER_THE_HOLD)
    await sweep_holds(till.services)
    assert (await till.state(order_id)).state == OrderState.EXPIRED
    (page,) = await till.rows(PaymentPage, order_id)
    assert page.state == PageState.EXPIRED
    found = await till.stripe.turn("authenticate", intent=page.processor_id)
    assert found["status"] == "canceled"


async def test_the_sweeper_fulfils_what_was_paid(till: Till) -> None:
    card = await a_card(till, ALWAYS_ASKS)
    order_id = await till.order()
    await press(till, order_id, card)
    (page,) = await till.rows(PaymentPage, order_id)
    await till.stripe.turn("authenticate", intent=page.processor_id)
    till.clock.advance(AFTER_THE_HOLD)
    await sweep_holds(till.services)
    assert (await till.state(order_id)).state == OrderState.CONFIRMED


async def test_a_confirmation_nobody_heard_of_is_found_and_not_made_twice(till: Till) -> None:
    card = await a_card(till)
    order_id = await till.order()
    await till.stripe.turn("api_faults", kind="timeout_after", path_contains="/confirm", seconds=2)
    with till.impatient():
        answer = await press(till, order_id, card)
    assert answer.outcome == CardOutcome.UNSURE
    assert (await till.state(order_id)).state == OrderState.OPEN
    with pytest.raises(Conflict, match="paid already"):
        await press(till, order_id, card)
        await press(till, order_id, card)
    assert await _charges(till) == 2


async def test_a_confirmation_that_never_came_is_asked_for_by_the_next_press(till: Till) -> None:
    card = await a_card(till)
    order_id = await till.order()
    await till.stripe.turn("api_faults", kind="error_500_before", path_contains="/confirm")
    assert (await press(till, order_id, card)).outcome == CardOutcome.UNSURE
    assert (await press(till, order_id, card)).outcome == CardOutcome.PAID
    assert len(await till.rows(PaymentPage, order_id)) == 1


async def test_who_died_after_the_money_is_found_by_reconciling(till: Till) -> None:
    """Between the processor's yes and our writing it down."""
    card = await a_card(till)
    order_id = await till.order()
    await till.stripe.turn(
        "api_faults", kind="error_500_before", method="GET", path_contains="/payment_intents/"
    )
    assert (await press(till, order_id, card)).outcome == CardOutcome.UNSURE
    till.clock.advance(timedelta(minutes=5))
    await reconcile(till.services)
    assert (await till.state(order_id)).state == OrderState.CONFIRMED


async def test_a_card_that_was_taken_off_behind_our_back(till: Till) -> None:
    card = await a_card(till)
    await till.stripe.turn("card", payment_method=card.payment_method_id, what="detached")
    order_id = await till.order()
    answer = await press(till, order_id, card)
    assert (answer.outcome, answer.why) == (CardOutcome.DECLINED, "card_gone")
    assert (await cards(till))[0].state == CardState.GONE
    assert (await till.state(order_id)).state == OrderState.OPEN
    await till.page(order_id)


async def test_a_card_whose_time_is_over_is_marked(till: Till) -> None:
    card = await a_card(till)
    await till.stripe.turn("card", payment_method=card.payment_method_id, what="expires")
    order_id = await till.order()
    assert (await press(till, order_id, card)).why == "expired_card"
    assert (await cards(till))[0].state == CardState.GONE


async def test_a_removed_card_is_unusable_at_once_and_taken_off_once(till: Till) -> None:
    card = await a_card(till)
    for _press in range(2):
        async with till.services.uow_factory(till.business.id) as uow:
            await remove_card(uow, till.business.customer_id, card.id)
    order_id = await till.order()
    with pytest.raises(Conflict):
        await press(till, order_id, card)
    assert await till.work() == ["billing.card_ended"]
    methods = await till.stripe_objects("payment_method")
    assert methods[0]["customer"] is None
    assert (await cards(till))[0].detached_at is not None


async def test_another_customer_s_card_and_order_are_refused(till: Till) -> None:
    card = await a_card(till)
    other = await a_customer_called_dora(till)
    order_id = await till.order(customer_id=other)
    with pytest.raises(Conflict):
        await press(till, order_id, card, customer_id=other)
    with pytest.raises(Conflict):
        await press(till, order_id, card)
    async with till.services.uow_factory(till.business.id) as uow:
        with pytest.raises(NotFound):
            await remove_card(uow, other, card.id)
    async with till.services.uow_factory(till.business.id) as uow:
        with pytest.raises(NotFound):
            await prefer_card(uow, other, card.id)


async def a_customer_called_dora(till: Till) -> UUID:
    from sqlalchemy import insert

    from src.platform.ids import new_id
    from src.tenants.models import Customer

    customer_id = new_id()
    async with till.services.uow_factory(till.business.id) as uow:
        await uow.session.execute(
            insert(Customer).values(
                tenant_id=till.business.id,
                id=customer_id,
                email="dora@guests.example",
                name="Dora",
                created_at=uow.clock.now(),
            )
        )
    return customer_id


async def test_a_page_gives_way_to_a_card_and_the_hold_stays(till: Till) -> None:
    card = await a_card(till)
    order_id, session_id = await till.order_with_page()
    assert (await press(till, order_id, card)).outcome == CardOutcome.PAID
    page, _by_card = await till.rows(PaymentPage, order_id)
    assert page.state == PageState.FAILED
    assert (await till.pay(session_id))["outcome"] == "not_open"


async def test_a_card_gives_way_to_a_page(till: Till) -> None:
    card = await a_card(till, ALWAYS_ASKS)
    order_id = await till.order()
    await press(till, order_id, card)
    await till.page(order_id)
    assert (await till.state(order_id)).state == OrderState.OPEN
    by_card, page = await till.rows(PaymentPage, order_id)
    assert (by_card.state, page.state) == (PageState.FAILED, PageState.OPEN)
    await end_hold(till.services, till.business.id, order_id)
    assert (await till.state(order_id)).state == OrderState.EXPIRED


async def test_who_pays_too_late_by_card_is_told(till: Till) -> None:
    card = await a_card(till)
    order_id = await till.order()
    till.clock.advance(AFTER_THE_HOLD)
    with pytest.raises(Gone):
        await press(till, order_id, card)


async def test_nothing_is_made_while_the_processor_is_silent(till: Till) -> None:
    card = await a_card(till)
    order_id, _session = await till.order_with_page()
    await till.stripe.turn("api_faults", kind="error_500_before", times=3)
    with pytest.raises(Unavailable):
        await press(till, order_id, card)
    assert (await till.state(order_id)).state == OrderState.OPEN


async def test_after_a_silence_one_may_go_back_to_the_page(till: Till) -> None:
    """The page was put aside and could not be ended: that is made up for, whatever is pressed."""
    card = await a_card(till)
    order_id, session_id = await till.order_with_page()
    await till.stripe.turn("api_faults", kind="error_500_before", path_contains="/expire")
    with pytest.raises(Unavailable):
        await press(till, order_id, card)
    await till.page(order_id)
    first, second = await till.rows(PaymentPage, order_id)
    assert (first.processor_id, first.state) == (session_id, PageState.FAILED)
    assert second.state == PageState.OPEN


async def test_what_is_kept_for_no_customer_is_nobodys(till: Till) -> None:
    """Least of all theirs whose own name at the processor is not known yet."""
    await till.order_with_page()
    async with till.services.uow_factory(till.business.id) as uow:
        unnamed = ProcessorCustomer(
            tenant_id=uow.tenant,
            id=new_id(),
            customer_id=till.business.customer_id,
            account_id="acct_of_the_till",
            processor_id=None,
            body={},
            created_at=uow.clock.now(),
        )
        uow.session.add(unnamed)
        await uow.session.flush()
        card = ProcessorCard(
            payment_method_id="pm_of_a_stranger",
            customer_id=None,
            brand="visa",
            last4="0005",
            exp_month=12,
            exp_year=2034,
            fingerprint="",
            metadata={},
        )
        assert await store_card(uow, "acct_of_the_till", card, {}) is None
    assert await cards(till) == []


async def test_the_preferred_card_is_one(till: Till) -> None:
    till.places.left = 4
    first = await a_card(till)
    second = await a_card(till, "5555555555554444")
    for chosen in (first, second, second, first):
        async with till.services.uow_factory(till.business.id) as uow:
            await prefer_card(uow, till.business.customer_id, chosen.id)
        assert [one.id for one in await cards(till) if one.is_default] == [chosen.id]
