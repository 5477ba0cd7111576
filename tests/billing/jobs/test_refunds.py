from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from src.billing.commands.open_items import close_open_items, raise_open_item
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import MoneyBack, request_refund, request_refunds, retry_refund
from src.billing.domain.kinds import OpenItemKind, RefundCause
from src.billing.events import OrderRefunded
from src.billing.jobs.refunds import Refused, _finish, lock_refund
from src.billing.models import Refund
from src.billing.reconcile import reconcile
from src.billing.refund_news import take_refunds_of
from src.billing.settlement import settle_page
from src.platform.errors import Conflict, InvalidInput
from tests.billing.recorder import Recorder
from tests.billing.till import Till

pytestmark = pytest.mark.anyio


@pytest.fixture
async def sold(till: Till) -> UUID:
    """A confirmed order of 20.00, paid by card."""
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    await settle_page(till.services, till.business.id, await till.page_id(order_id))
    return order_id


async def ask(till: Till, order_id: UUID, amount_minor: int = 500, key: str = "k") -> None:
    (payment,) = await till.payments(order_id)
    async with till.services.uow_factory(till.business.id) as uow:
        order = await lock_order(uow, order_id)
        payment = await uow.session.merge(payment)
        wanted = MoneyBack(amount_minor=amount_minor, cause=RefundCause.STAFF, cause_key=key)
        await request_refund(uow, order, payment, wanted)


async def fault(till: Till, kind: str, **more: Any) -> None:
    await till.stripe.turn("api_faults", kind=kind, path_contains="refunds", method="POST", **more)


async def amounts(till: Till) -> list[int]:
    return [refund["amount"] for refund in await till.stripe_objects("refund")]


async def test_a_refund_is_asked_for_once_and_told_when_it_went(
    till: Till, sold: UUID, recorder: Recorder
) -> None:
    """Row 2-17: a refund failed where the platform had taken no fee."""
    for _ in range(2):
        await ask(till, sold)
    await till.work()
    (refund,) = await till.refunds(sold)
    assert (refund.state, refund.finished_at) == ("succeeded", till.clock.now())
    assert await amounts(till) == [500]
    told = OrderRefunded(order_id=sold, refund_id=refund.id, cause="staff")
    assert (await recorder.seen()).count(told) == 1
    order = await till.state(sold)
    assert (order.paid_minor, order.refunded_minor) == (2000, 500)


async def test_refunds_never_exceed_what_was_paid(till: Till, sold: UUID) -> None:
    await ask(till, sold, 1500)
    with pytest.raises(InvalidInput):
        await ask(till, sold, 501, key="more")
    await ask(till, sold, 500, key="rest")
    assert (await till.state(sold)).refunded_minor == 2000


@pytest.mark.parametrize(
    "kind", ["timeout_before", "timeout_after", "error_500_before", "rate_limit"]
)
async def test_after_a_doubt_the_same_attempt_goes_out_again(
    till: Till, sold: UUID, kind: str
) -> None:
    """Row 2-55: many refunds at once ran into the processor's limit."""
    await ask(till, sold)
    await fault(till, kind)
    with till.impatient():
        await till.work()
    assert (await till.refunds(sold))[0].state == "pending"
    await till.due_again()
    await till.work()
    (refund,) = await till.refunds(sold)
    assert (refund.state, refund.attempt) == ("succeeded", 1)
    assert await amounts(till) == [500]


async def test_a_fault_that_is_repeated_for_ever_is_got_round_by_asking(
    till: Till, sold: UUID
) -> None:
    await ask(till, sold)
    await fault(till, "error_500_sticky")
    await till.work()
    await till.due_again()
    await till.work()
    assert (await till.refunds(sold))[0].state == "succeeded"
    assert await amounts(till) == [500]


@pytest.mark.parametrize(("kind", "attempt"), [("timeout_after", 1), ("timeout_before", 2)])
async def test_once_the_key_is_too_old_the_processor_is_asked_first(
    till: Till, sold: UUID, kind: str, attempt: int
) -> None:
    await ask(till, sold)
    await fault(till, kind)
    with till.impatient():
        await till.work()
    till.clock.advance(timedelta(hours=25))
    await till.due_again()
    await till.work()
    (refund,) = await till.refunds(sold)
    assert (refund.state, refund.attempt) == ("succeeded", attempt)
    assert await amounts(till) == [500]


async def test_a_refused_refund_is_a_persons_business_and_can_be_tried_again(
    till: Till, sold: UUID
) -> None:
    await ask(till, sold)
    await fault(till, "refuse", error={"message": "Insufficient funds in your balance."})
    await till.work()
    (refund,) = await till.refunds(sold)
    assert (refund.state, refund.error) == ("failed", "Insufficient funds in your balance.")
    (item,) = await till.open_items(sold)
    assert (item.kind, item.subject_id) == ("refund_failed", refund.id)
    assert (await till.state(sold)).refunded_minor == 0
    await retry(till, refund.id)
    await till.work()
    (refund,) = await till.refunds(sold)
    assert (refund.state, refund.attempt) == ("succeeded", 2)
    assert await till.open_items(sold) == []
    with pytest.raises(Conflict):
        await retry(till, refund.id)


async def test_a_no_to_an_earlier_attempt_does_not_end_the_one_under_way(
    till: Till, sold: UUID
) -> None:
    await ask(till, sold)
    await fault(till, "refuse", error={"message": "Insufficient funds in your balance."})
    await till.work()
    (refund,) = await till.refunds(sold)
    await retry(till, refund.id)
    async with till.services.uow_factory(till.business.id) as uow:
        await _finish(uow, refund.id, Refused(attempt=1, why="Insufficient funds."))
    assert (await till.refunds(sold))[0].state == "pending"
    assert (await till.state(sold)).refunded_minor == 500
    await till.work()
    assert (await till.refunds(sold))[0].state == "succeeded"


async def retry(till: Till, refund_id: UUID) -> None:
    async with till.services.uow_factory(till.business.id) as uow:
        order, refund = await lock_refund(uow, refund_id)
        await retry_refund(uow, order, refund)


async def test_a_refund_that_was_settled_otherwise_is_not_tried_again(
    till: Till, sold: UUID
) -> None:
    await ask(till, sold)
    await fault(till, "refuse", error={"message": "Insufficient funds in your balance."})
    await till.work()
    (refund,) = await till.refunds(sold)
    async with till.services.uow_factory(till.business.id) as uow:
        await close_open_items(uow, OpenItemKind.REFUND_FAILED, refund.id)
    with pytest.raises(Conflict):
        await retry(till, refund.id)
    assert (await till.state(sold)).refunded_minor == 0


async def test_when_nothing_is_left_no_failure_waits_whatever_took_the_rest(
    till: Till, sold: UUID
) -> None:
    for key in ("first", "second"):
        await ask(till, sold, 2000, key)
        await fault(till, "refuse", error={"message": "Insufficient funds in your balance."})
        await till.work()
    first = (await till.refunds(sold))[0]
    assert len(await till.open_items(sold)) == 1, "the second took what was left"
    async with till.services.uow_factory(till.business.id) as uow:
        await raise_open_item(uow, OpenItemKind.REFUND_FAILED, first.id, sold, {})
    await retry(till, first.id)
    await till.work()
    assert sorted(one.state for one in await till.refunds(sold)) == ["failed", "succeeded"]
    assert await till.open_items(sold) == []


async def test_a_refund_may_take_days_and_then_fail(till: Till, sold: UUID) -> None:
    await till.stripe.turn("refund_status", status="pending")
    await ask(till, sold)
    await till.work()
    (refund,) = await till.refunds(sold)
    assert (refund.state, refund.processor_id is None) == ("pending", False)
    await till.stripe.turn("refund_settle", refund=refund.processor_id, status="failed")
    for _ in range(2):
        await look(till, sold)
    (refund,) = await till.refunds(sold)
    assert refund.state == "failed"
    assert [item.kind for item in await till.open_items(sold)] == ["refund_failed"]
    assert (await till.state(sold)).refunded_minor == 0


async def look(till: Till, order_id: UUID) -> None:
    (payment,) = await till.payments(order_id)
    await take_refunds_of(till.services, till.business.id, payment.payment_intent_id)


async def test_a_refund_made_in_the_dashboard_is_written_down_once(till: Till, sold: UUID) -> None:
    (payment,) = await till.payments(sold)
    await till.stripe.turn("refund_from_dashboard", payment=payment.payment_intent_id, amount=800)
    for _ in range(2):
        await look(till, sold)
    (refund,) = await till.refunds(sold)
    assert (refund.cause, refund.state, refund.amount_minor) == ("processor", "succeeded", 800)
    assert (await till.state(sold)).refunded_minor == 800


async def test_ours_gives_way_to_one_from_the_dashboard_that_was_faster(
    till: Till, sold: UUID
) -> None:
    await ask(till, sold, 2000)
    (payment,) = await till.payments(sold)
    await till.stripe.turn("refund_from_dashboard", payment=payment.payment_intent_id)
    with pytest.raises(Conflict):
        await look(till, sold)
    await till.work()
    states = {(refund.cause, refund.state) for refund in await till.refunds(sold)}
    assert states == {("staff", "failed"), ("processor", "succeeded")}
    assert await till.open_items(sold) == []
    assert (await till.state(sold)).refunded_minor == 2000


async def test_the_same_amount_from_the_dashboard_takes_the_place_of_ours_before_and_after(
    till: Till, sold: UUID
) -> None:
    await ask(till, sold, 1200)
    (payment,) = await till.payments(sold)
    await till.stripe.turn("refund_from_dashboard", payment=payment.payment_intent_id, amount=1200)
    await till.work()
    states = {(refund.cause, refund.state) for refund in await till.refunds(sold)}
    assert states == {("staff", "failed"), ("processor", "succeeded")}
    assert await till.open_items(sold) == []


@pytest.mark.parametrize("minor", [1500, 2000])
async def test_two_of_ours_under_way_give_way_to_one_from_the_dashboard(
    till: Till, sold: UUID, minor: int
) -> None:
    await ask(till, sold, 1200, "first")
    await ask(till, sold, 800, "second")
    (payment,) = await till.payments(sold)
    await till.stripe.turn("refund_from_dashboard", payment=payment.payment_intent_id, amount=minor)
    await till.work()
    states = sorted((one.amount_minor, one.state) for one in await till.refunds(sold))
    assert states == [(800, "failed"), (1200, "failed"), (minor, "succeeded")]
    assert (await till.state(sold)).refunded_minor == minor
    waiting = [item.facts["amount_minor"] for item in await till.open_items(sold)]
    assert sorted(waiting) == ([] if minor == 2000 else [800, 1200])


async def test_the_platforms_fee_goes_back_in_proportion(till: Till) -> None:
    till.take_fee(1000)
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    await settle_page(till.services, till.business.id, await till.page_id(order_id))
    (payment,) = await till.payments(order_id)
    assert payment.fee_minor == 200
    await ask(till, order_id, 500)
    await till.work()
    (refund,) = await till.refunds(order_id)
    assert refund.body["refund_application_fee"] is True
    fees = till.stripe.engine.store.totals(
        "SELECT json_extract(body, '$.amount_refunded') FROM objects WHERE kind = 'application_fee'"
    )
    assert fees == [(50,)]


async def test_an_amount_is_spread_over_what_was_paid(till: Till, sold: UUID) -> None:
    async with till.services.uow_factory(till.business.id) as uow:
        order = await lock_order(uow, sold)
        asked = await request_refunds(
            uow, order, 2500, cause=RefundCause.CANCELLED, cause_key="cancellation:1"
        )
        again = await request_refunds(
            uow, order, 2500, cause=RefundCause.CANCELLED, cause_key="cancellation:1"
        )
    assert (asked, again) == (2000, 2000)
    await till.work()
    assert await amounts(till) == [2000]


async def test_a_refund_whose_job_was_lost_is_sent_by_reconciling(till: Till, sold: UUID) -> None:
    await ask(till, sold)
    await till.lose_outbox()
    till.clock.advance(timedelta(minutes=21))
    assert await reconcile(till.services, parallel=1) >= 1
    await till.work()
    (refund,) = await till.refunds(sold)
    assert refund.state == "succeeded"


async def test_a_refund_whose_news_never_came_is_asked_about(till: Till, sold: UUID) -> None:
    await till.stripe.turn("refund_status", status="pending")
    await ask(till, sold)
    await till.work()
    refund: Refund = (await till.refunds(sold))[0]
    await till.stripe.turn("refund_settle", refund=refund.processor_id, status="succeeded")
    till.clock.advance(timedelta(minutes=41))
    await reconcile(till.services, parallel=1)
    assert (await till.refunds(sold))[0].state == "succeeded"
