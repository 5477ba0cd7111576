"""Odd payments, each as the processor makes it happen."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from src.billing.commands.ending import end_locked_order
from src.billing.commands.orders import insert_order, lock_order
from src.billing.domain.kinds import OrderState, PageOutcome
from src.billing.events import OrderConfirmed, PaymentCameTooLate
from src.billing.models import PaymentPage
from src.billing.open_item_words import open_item_sentence
from src.billing.settlement import (
    check_payment,
    close_page,
    end_hold,
    expire_pages_for_orders,
    give_up_order,
    settle_page,
)
from src.platform.i18n import use_locale
from src.tenants.models import BookingCounter
from tests.billing.recorder import Recorder
from tests.billing.support import new_order
from tests.billing.till import Till

pytestmark = pytest.mark.anyio

AFTER_THE_HOLD = timedelta(minutes=37)
AFTER_THE_PAGE = timedelta(minutes=32)


async def settle(till: Till, order_id: object) -> PageOutcome:
    return await settle_page(till.services, till.business.id, await till.page_id(order_id))


async def sell_out(till: Till) -> None:
    till.places.left = 0


async def taken(till: Till, month: str = "2027-03") -> int:
    async with till.services.uow_factory(till.business.id) as uow:
        found = await uow.session.scalar(
            select(BookingCounter.taken).where(BookingCounter.month == month)
        )
    return found or 0


async def test_nobody_is_asked_about_a_page_that_has_brought_its_money(till: Till) -> None:
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    assert await settle(till, order_id) == PageOutcome.PAID
    await till.stripe.turn("api_faults", kind="error_500_before", times=9)
    assert await settle(till, order_id) == PageOutcome.PAID


async def test_paid_in_time_is_confirmed_once_however_often_it_is_asked(
    till: Till, recorder: Recorder
) -> None:
    """Row 2-19: a booking was told of before its payment had come."""
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    for _ in range(3):
        assert await settle(till, order_id) == PageOutcome.PAID
    order, (payment,) = await till.state(order_id), await till.payments(order_id)
    assert (order.state, order.paid_minor, order.confirmed_at) == (
        "confirmed",
        2000,
        till.clock.now(),
    )
    assert (payment.amount_minor, payment.currency, payment.is_extra) == (2000, "GBP", False)
    assert payment.method == "card"
    assert till.places.calls == ["confirm"]
    assert await recorder.seen() == [OrderConfirmed(order_id=order_id)]
    assert (await till.rows(PaymentPage, order_id))[0].state == "complete"


async def test_an_unpaid_page_changes_nothing(till: Till) -> None:
    order_id, _session = await till.order_with_page()
    assert await settle(till, order_id) == PageOutcome.OPEN
    assert (await till.state(order_id)).state == "open"


async def test_a_declined_card_does_not_end_the_hold(till: Till) -> None:
    """Row 2-11: one declined try, and what was paid next stayed unpaid."""
    order_id, session_id = await till.order_with_page()
    declined = await till.pay(session_id, card="4000000000000002")
    assert declined["outcome"] == "declined"
    assert await settle(till, order_id) == PageOutcome.OPEN
    await till.pay(session_id)
    assert await settle(till, order_id) == PageOutcome.PAID
    assert (await till.state(order_id)).state == "confirmed"


async def test_a_page_that_ended_unpaid_frees_the_place(till: Till) -> None:
    order_id, _session = await till.order_with_page()
    till.clock.advance(AFTER_THE_PAGE)
    assert await settle(till, order_id) == PageOutcome.ENDED
    order = await till.state(order_id)
    assert (order.state, order.closed_why) == ("expired", "not_paid")
    assert till.places.left == 2


async def paid_but_swept(till: Till) -> object:
    """A guest pays at the last moment, and the hold ends before we hear of it."""
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    async with till.services.uow_factory(till.business.id) as uow:
        order = await lock_order(uow, order_id)
        await end_locked_order(uow, order, OrderState.EXPIRED, "not_paid", till.clock.now())
    return order_id


async def test_paid_after_the_hold_takes_the_places_again_at_the_quoted_price(
    till: Till, recorder: Recorder
) -> None:
    """Row 2-16: late money got nothing though seats were free."""
    order_id = await paid_but_swept(till)
    before = await taken(till)
    assert await settle(till, order_id) == PageOutcome.PAID
    order = await till.state(order_id)
    assert (order.state, order.closed_at, order.closed_why) == ("confirmed", None, None)
    assert till.places.states[order_id] == "sold"
    assert await till.refunds(order_id) == []
    assert await taken(till) == before + 1
    assert OrderConfirmed(order_id=order_id) in await recorder.seen()


async def test_paid_after_the_hold_when_all_is_gone_goes_back_in_full(
    till: Till, recorder: Recorder
) -> None:
    """Row 2-1: a card was charged, and then no place was left."""
    order_id = await paid_but_swept(till)
    await sell_out(till)
    for _ in range(2):
        assert await settle(till, order_id) == PageOutcome.PAID
    order, (payment,) = await till.state(order_id), await till.payments(order_id)
    assert order.state == "expired"
    assert payment.is_extra
    (refund,) = await till.refunds(order_id)
    assert (refund.amount_minor, refund.cause, refund.state) == (2000, "too_late", "pending")
    await till.work()
    (refund,) = await till.refunds(order_id)
    assert refund.state == "succeeded"
    assert [r["amount"] for r in await till.stripe_objects("refund")] == [2000]
    told = PaymentCameTooLate(order_id=order_id, refund_id=refund.id)
    assert (await recorder.seen()).count(told) == 1
    order = await till.state(order_id)
    assert (order.paid_minor, order.refunded_minor) == (2000, 2000)


async def test_money_for_what_the_guest_gave_up_goes_back(till: Till) -> None:
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    async with till.services.uow_factory(till.business.id) as uow:
        order = await lock_order(uow, order_id)
        await end_locked_order(uow, order, OrderState.CANCELLED, "given_up", till.clock.now())
    await settle(till, order_id)
    assert (await till.state(order_id)).state == "cancelled"
    assert "reacquire" not in till.places.calls
    assert [refund.cause for refund in await till.refunds(order_id)] == ["too_late"]


async def test_paid_twice_gives_the_second_payment_back(till: Till) -> None:
    order_id, session_id = await till.order_with_page()
    (first,) = await till.rows(PaymentPage, order_id)
    second = await _second_page(till, first)
    await till.pay(session_id)
    await till.pay(second.processor_id or "")
    await settle_page(till.services, till.business.id, first.id)
    for _ in range(2):
        await settle_page(till.services, till.business.id, second.id)
    await till.work()
    payments = await till.payments(order_id)
    assert [payment.is_extra for payment in payments] == [False, True]
    (refund,) = await till.refunds(order_id)
    assert (refund.payment_id, refund.cause, refund.state) == (
        payments[1].id,
        "paid_twice",
        "succeeded",
    )
    assert till.places.calls == ["confirm"]


async def _second_page(till: Till, first: PaymentPage) -> PaymentPage:
    """A second page of one order, as a definitive failure that was none would leave behind."""
    from src.billing.domain.page_keys import page_key
    from src.billing.stripe_gateway import StripeGateway
    from src.platform.ids import new_id

    page_id = new_id()
    gateway = till.services.port(StripeGateway)
    made = await gateway.create_checkout_page(till.account_id, first.body, page_key(page_id))
    row = PaymentPage(
        tenant_id=till.business.id,
        id=page_id,
        order_id=first.order_id,
        attempt=2,
        account_id=till.account_id,
        idempotency_key=page_key(page_id),
        body=first.body,
        state="open",
        processor_id=made.id,
        url=made.url,
        expires_at=first.expires_at,
        created_at=till.clock.now(),
        called_at=till.clock.now(),
    )
    async with till.services.uow_factory(till.business.id) as uow:
        uow.session.add(row)
    return row


async def test_a_slow_payment_keeps_the_places_until_it_is_decided(till: Till) -> None:
    """Row 2-13: a slow payment outlived its hold."""
    order_id, session_id = await till.order_with_page()
    await _allow_slow_methods(till, session_id)
    await till.pay(session_id, method="sepa_debit")
    till.clock.advance(AFTER_THE_HOLD)
    assert await settle(till, order_id) == PageOutcome.PROCESSING
    assert await end_hold(till.services, till.business.id, order_id) == OrderState.OPEN
    await till.stripe.turn("settle", session=session_id, outcome="succeeded")
    assert await settle(till, order_id) == PageOutcome.PAID
    assert (await till.state(order_id)).state == "confirmed"


async def test_a_slow_payment_that_fails_frees_the_places(till: Till) -> None:
    order_id, session_id = await till.order_with_page()
    await _allow_slow_methods(till, session_id)
    await till.pay(session_id, method="sepa_debit")
    await till.stripe.turn("settle", session=session_id, outcome="failed")
    assert await settle(till, order_id) == PageOutcome.ENDED
    assert (await till.state(order_id)).state == "expired"


async def _allow_slow_methods(till: Till, session_id: str) -> None:
    session = till.stripe.engine.store.get(till.account_id, "checkout.session", session_id)
    assert session is not None
    session["payment_method_types"] = ["card", "sepa_debit"]
    with till.stripe.engine.store.transaction():
        till.stripe.engine.store.save(session)


async def test_a_part_that_cannot_be_delivered_goes_back(till: Till) -> None:
    till.places.undeliverable_minor = 700
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    await settle(till, order_id)
    await till.work()
    order = await till.state(order_id)
    assert (order.state, order.paid_minor, order.refunded_minor) == ("confirmed", 2000, 700)
    (refund,) = await till.refunds(order_id)
    assert (refund.cause, refund.state) == ("not_delivered", "succeeded")


async def test_a_sum_that_nobody_asked_for_becomes_an_open_item(till: Till) -> None:
    order_id, session_id = await till.order_with_page()
    session = till.stripe.engine.store.get(till.account_id, "checkout.session", session_id)
    async with till.services.uow_factory(till.business.id) as uow:
        (await lock_order(uow, order_id)).total_minor = 2500
    assert session is not None
    await till.pay(session_id)
    for _ in range(2):
        await settle(till, order_id)
    (item,) = await till.open_items(order_id)
    assert item.kind == "payment_mismatch"
    assert "£20.00" in open_item_sentence(item)
    assert "£25.00" in open_item_sentence(item)
    assert till.places.calls == []
    assert (await till.state(order_id)).state == "open"
    assert await end_hold(till.services, till.business.id, order_id) == OrderState.EXPIRED
    assert till.places.left == 2


async def test_an_open_item_speaks_the_language_of_its_reader(till: Till) -> None:
    """And not that of whoever's request or job happened to find it."""
    order_id, session_id = await till.order_with_page()
    async with till.services.uow_factory(till.business.id) as uow:
        (await lock_order(uow, order_id)).total_minor = 2500
    await till.pay(session_id)
    with use_locale("de"):
        await settle(till, order_id)
    (item,) = await till.open_items(order_id)
    assert "£20.00" in open_item_sentence(item)
    with use_locale("de"):
        assert "20,00\xa0£" in open_item_sentence(item)
    item.sentence, item.facts = "Said long ago.", {}
    assert open_item_sentence(item) == "Said long ago."


async def test_a_page_is_ended_before_its_places_are_freed(till: Till) -> None:
    order_id, session_id = await till.order_with_page()
    assert await give_up_order(till.services, till.business.id, order_id) == OrderState.CANCELLED
    (session,) = await till.stripe_objects("checkout.session")
    assert session["status"] == "expired"
    assert till.places.left == 2
    await till.pay(session_id)
    assert await till.stripe_objects("charge") == []


async def test_ending_a_page_that_was_paid_meanwhile_fulfils_the_order(till: Till) -> None:
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    became = await expire_pages_for_orders(till.services, till.business.id, [order_id])
    assert became == {order_id: OrderState.CONFIRMED}
    assert till.places.states[order_id] == "sold"


async def test_a_hold_without_a_page_ends_too(till: Till) -> None:
    order_id = await till.order()
    became = await expire_pages_for_orders(
        till.services, till.business.id, [order_id], why="session_cancelled"
    )
    assert became == {order_id: OrderState.CANCELLED}
    assert till.places.calls == ["release: session_cancelled"]


async def test_places_stay_held_while_the_processor_does_not_answer(till: Till) -> None:
    order_id, _session = await till.order_with_page()
    await till.stripe.turn("api_faults", kind="error_500_before", times=9)
    became = await expire_pages_for_orders(till.services, till.business.id, [order_id])
    assert became == {order_id: OrderState.OPEN}
    assert till.places.states[order_id] == "held"


async def test_a_confirmed_order_is_left_alone(till: Till) -> None:
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    await settle(till, order_id)
    assert await end_hold(till.services, till.business.id, order_id) == OrderState.CONFIRMED
    assert till.places.calls == ["confirm"]


async def test_the_page_a_guest_comes_back_to_asks_by_itself(till: Till) -> None:
    """Row 2-14: guests sat before "processing" for ever."""
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    await till.stripe.turn("api_faults", kind="error_500_before")
    await check_payment(till.services, till.business.id, order_id)
    assert (await till.state(order_id)).state == "open"
    await check_payment(till.services, till.business.id, order_id)
    assert (await till.state(order_id)).state == "confirmed"


async def test_a_page_out_of_reach_keeps_its_places_until_its_time_is_over(till: Till) -> None:
    order_id, _session = await till.order_with_page()
    await till.stripe.turn("deauthorize", account=till.account_id)
    page_id = await till.page_id(order_id)
    assert await close_page(till.services, till.business.id, page_id) == PageOutcome.OPEN
    assert till.places.states[order_id] == "held"
    till.clock.advance(AFTER_THE_PAGE)
    assert await close_page(till.services, till.business.id, page_id) == PageOutcome.ENDED
    assert (await till.state(order_id)).state == "expired"
    (item,) = await till.open_items(order_id)
    assert item.kind == "page_out_of_reach"


async def test_a_payment_found_once_the_account_is_in_reach_again_takes_effect(till: Till) -> None:
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    await till.stripe.turn("deauthorize", account=till.account_id)
    till.clock.advance(AFTER_THE_PAGE)
    assert await settle(till, order_id) == PageOutcome.ENDED
    till.stripe.engine.store.save_private(till.account_id, {"connected": True})
    assert await settle(till, order_id) == PageOutcome.PAID
    assert (await till.state(order_id)).state == "confirmed"


async def test_a_page_left_open_by_an_order_that_ended_is_ended(till: Till) -> None:
    order_id, _session = await till.order_with_page()
    async with till.services.uow_factory(till.business.id) as uow:
        order = await lock_order(uow, order_id)
        await end_locked_order(uow, order, OrderState.CANCELLED, "given_up", till.clock.now())
    assert await settle(till, order_id) == PageOutcome.ENDED
    (session,) = await till.stripe_objects("checkout.session")
    assert session["status"] == "expired"


async def test_an_order_that_counts_nothing_moves_no_counter(till: Till) -> None:
    new = new_order(till.business)
    async with till.services.uow_factory(till.business.id) as uow:
        await insert_order(uow, new, month=None, now=till.clock.now())
    till.places.hold(new.order_id)
    await end_hold(till.services, till.business.id, new.order_id)
    assert await taken(till) == 0
