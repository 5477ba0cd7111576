"""A guest whose money did not come back hears so once, and once more when it goes after all."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal
from uuid import UUID

import pytest
from sqlalchemy import update

from src.billing.commands.dispute_news import take_dispute_news
from src.billing.commands.ending import end_locked_order
from src.billing.commands.open_items import close_open_items
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import MoneyBack, fail_refund, request_refund, retry_refund
from src.billing.domain.kinds import OpenItemKind, OrderState, RefundCause
from src.billing.events import PaymentCameTooLate, RefundRequested
from src.billing.jobs.refunds import lock_refund
from src.billing.processor import Dispute
from src.billing.refund_news import take_refunds_of
from src.billing.settlement import settle_page
from src.platform.ids import new_id
from src.platform.mail.models import MailRow
from src.platform.outbox.models import OutboxRow
from tests.billing.jobs.test_mails import an_owner, mails
from tests.billing.jobs.test_refunds import ask, fault, retry, sold
from tests.billing.till import Till

pytestmark = pytest.mark.anyio

__all__ = ["sold"]

FAILED, WENT, LATE = "billing.refund_failed", "billing.refunded", "billing.payment_too_late"


async def told(till: Till) -> Sequence[str]:
    return [one.kind for one in await mails(till)]


async def refuse(till: Till) -> None:
    """The next call for a refund is."""
    await fault(till, "refuse", error={"message": "Insufficient funds in your balance."})


async def try_again(till: Till, order_id: UUID) -> None:
    (refund,) = await till.refunds(order_id)
    await retry(till, refund.id)
    await till.work()


async def comes_back(till: Till, order_id: UUID) -> None:
    """It had gone, and the guest's bank sends it back."""
    (refund,) = await till.refunds(order_id)
    async with till.services.uow_factory(till.business.id) as uow:
        order, refund = await lock_refund(uow, refund.id)
        await fail_refund(uow, order, refund, "lost_or_stolen_card")
    await till.work()


async def give_back(till: Till, order_id: UUID, cause: RefundCause) -> None:
    (payment,) = await till.payments(order_id)
    async with till.services.uow_factory(till.business.id) as uow:
        order = await lock_order(uow, order_id)
        payment = await uow.session.merge(payment)
        wanted = MoneyBack(amount_minor=500, cause=cause, cause_key=str(new_id()))
        await request_refund(uow, order, payment, wanted)


async def too_late(till: Till) -> UUID:
    """A payment that books nothing any more, so that it goes back."""
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    async with till.services.uow_factory(till.business.id) as uow:
        order = await lock_order(uow, order_id)
        await end_locked_order(uow, order, OrderState.CANCELLED, "given_up", till.clock.now())
    await settle_page(till.services, till.business.id, await till.page_id(order_id))
    return order_id


async def test_a_guest_reads_what_did_not_arrive_and_nothing_that_is_the_owners(
    till: Till, sold: UUID
) -> None:
    await an_owner(till)
    await ask(till, sold, 700)
    await refuse(till)
    await till.work()
    found: dict[str, MailRow] = {one.kind: one for one in await mails(till)}
    assert sorted(found) == ["billing.open_item", FAILED]
    mail = found[FAILED]
    assert mail.to_address == "carl@guests.example"
    assert mail.subject == "£7.00 from Harbour did not reach you"
    for part in (mail.text, mail.html):
        assert "£7.00 was to come back to the card you paid with, but the refund did not" in part
        assert "Harbour decided to give this amount back." in part
        assert "Harbour knows, and will try again or get in touch with you" in part
        assert "Booked: Evening Yoga, 5 dates by now" in part
        assert (await till.state(sold)).reference in part
        assert "/b/harbour" in part
        assert "balance" not in part
        assert "Stripe" not in part
        assert "/app/" not in part


async def test_another_try_that_fails_says_nothing_new_and_one_that_goes_does(
    till: Till, sold: UUID
) -> None:
    await ask(till, sold)
    await refuse(till)
    await till.work()
    await refuse(till)
    await try_again(till, sold)
    assert (await till.refunds(sold))[0].state == "failed"
    assert await told(till) == [FAILED]
    await try_again(till, sold)
    assert await told(till) == [FAILED, WENT]


async def test_money_that_went_and_comes_back_is_told_each_time(till: Till, sold: UUID) -> None:
    await ask(till, sold)
    await till.work()
    assert await told(till) == [WENT]
    await comes_back(till, sold)
    assert await told(till) == [WENT, FAILED]
    await try_again(till, sold)
    assert await told(till) == [WENT, FAILED, WENT]
    await comes_back(till, sold)
    await refuse(till)
    await try_again(till, sold)
    assert await told(till) == [WENT, FAILED, WENT, FAILED]


async def test_what_came_back_before_its_mail_was_written_is_not_called_on_its_way(
    till: Till, sold: UUID
) -> None:
    await till.stripe.turn("refund_status", status="pending")
    await ask(till, sold)
    await till.work()
    (refund,) = await till.refunds(sold)
    for status in ("succeeded", "failed"):
        await till.stripe.turn("refund_settle", refund=refund.processor_id, status=status)
        (payment,) = await till.payments(sold)
        await take_refunds_of(till.services, till.business.id, payment.payment_intent_id)
    await till.work()
    assert await told(till) == [FAILED]


async def test_a_try_that_goes_before_the_mail_is_written_leaves_one_mail(
    till: Till, sold: UUID
) -> None:
    await ask(till, sold)
    (refund,) = await till.refunds(sold)
    async with till.services.uow_factory(till.business.id) as uow:
        order, refund = await lock_refund(uow, refund.id)
        await fail_refund(uow, order, refund, "declined")
        await uow.settle()
        await retry_refund(uow, order, refund)
    await till.work()
    assert (await till.refunds(sold))[0].state == "succeeded"
    assert await told(till) == [WENT]


async def test_nothing_is_missing_where_it_was_dealt_with_before_the_mail_is_written(
    till: Till, sold: UUID
) -> None:
    await ask(till, sold)
    (refund,) = await till.refunds(sold)
    async with till.services.uow_factory(till.business.id) as uow:
        order, refund = await lock_refund(uow, refund.id)
        await fail_refund(uow, order, refund, "declined")
        await uow.settle()
        await close_open_items(uow, OpenItemKind.REFUND_FAILED, refund.id)
    await till.work()
    assert await told(till) == []


async def disputed(till: Till, order_id: UUID, outcome: Literal["won", "lost"] | None) -> None:
    (payment,) = await till.payments(order_id)
    news = Dispute(
        id="dp_1",
        payment_intent_id=payment.payment_intent_id or "",
        amount_minor=2000,
        currency="GBP",
        outcome=outcome,
    )
    async with till.services.uow_factory(till.business.id) as uow:
        assert await take_dispute_news(uow, payment.id, order_id, "ABCD-2345", news)
    await till.work()


async def test_what_the_guests_bank_has_is_not_told_as_missing(till: Till, sold: UUID) -> None:
    await ask(till, sold)
    await refuse(till)
    await disputed(till, sold, None)
    assert (await till.refunds(sold))[0].state == "failed"
    assert await told(till) == []


async def test_what_failed_meanwhile_is_told_once_its_bank_has_given_the_money_back(
    till: Till, sold: UUID
) -> None:
    await ask(till, sold)
    await refuse(till)
    await disputed(till, sold, None)
    await disputed(till, sold, "won")
    assert await told(till) == [FAILED]
    await refuse(till)
    await try_again(till, sold)
    assert await told(till) == [FAILED]
    await try_again(till, sold)
    assert await told(till) == [FAILED, WENT]


async def test_who_has_read_of_it_reads_it_no_second_time_after_a_dispute(
    till: Till, sold: UUID
) -> None:
    await ask(till, sold)
    await refuse(till)
    await till.work()
    for outcome in (None, "won"):
        await disputed(till, sold, outcome)
    assert await told(till) == [FAILED]


@pytest.mark.parametrize(
    ("cause", "mail_of_going"),
    [
        (RefundCause.CANCELLED, [WENT]),
        (RefundCause.PROCESSOR, []),
        (RefundCause.CREDITS, []),
    ],
)
async def test_who_heard_that_it_failed_hears_that_it_goes_whatever_it_is_for(
    till: Till, sold: UUID, cause: RefundCause, mail_of_going: list[str]
) -> None:
    """A cancelling's own mail says once that money comes. Of credits their owner hears, and of what
    was done in the dashboard from who did it.
    """
    await give_back(till, sold, cause)
    async with till.services.uow_factory(till.business.id) as uow:
        order, refund = await lock_refund(uow, (await till.refunds(sold))[0].id)
        if cause == RefundCause.CREDITS:
            refund.cause_key = f"credits:{new_id()}:{refund.payment_id}"
        await fail_refund(uow, order, refund, "declined")
    await till.work()
    failed = [FAILED] if mail_of_going else []
    assert await told(till) == failed
    await try_again(till, sold)
    assert await told(till) == failed + mail_of_going
    for mail in await mails(till):
        assert "What you had paid it for was cancelled." in mail.text


async def test_a_late_payment_that_cannot_go_back_is_one_mail(till: Till) -> None:
    order_id = await too_late(till)
    await refuse(till)
    await till.work()
    (mail,) = await mails(till)
    assert mail.kind == LATE
    assert "Your money has not gone back yet" in mail.text
    await try_again(till, order_id)
    assert await told(till) == [LATE, WENT]
    assert "You had given the places up before it came." in (await mails(till))[-1].text
    await comes_back(till, order_id)
    assert await told(till) == [LATE, WENT, FAILED]


async def test_a_late_payment_that_was_said_to_go_back_is_told_when_it_does_not(
    till: Till,
) -> None:
    order_id = await too_late(till)
    await till.work()
    assert await told(till) == [LATE]
    await comes_back(till, order_id)
    assert await told(till) == [LATE, FAILED]


async def test_what_a_late_payment_s_mail_called_on_its_way_is_told_when_that_try_fails_too(
    till: Till,
) -> None:
    """That mail is written when the first try has failed and the second one is under way."""
    order_id = await too_late(till)
    (refund,) = await till.refunds(order_id)
    async with till.services.uow_factory(till.business.id) as uow:
        order, refund = await lock_refund(uow, refund.id)
        await fail_refund(uow, order, refund, "declined")
    await retry(till, refund.id)
    async with till.services.uow_factory(till.business.id) as uow:
        for topic, minutes in ((PaymentCameTooLate.topic, 1), (RefundRequested.topic, 2)):
            later = uow.clock.now() + timedelta(minutes=minutes)
            of_topic = update(OutboxRow).where(OutboxRow.topic == topic)
            await uow.session.execute(of_topic.values(available_at=later))
    await till.work()
    assert await told(till) == []
    till.clock.advance(timedelta(minutes=1))
    await till.work()
    assert await told(till) == [LATE]
    assert "on its way back to you" in (await mails(till))[0].text
    await refuse(till)
    till.clock.advance(timedelta(minutes=1))
    await till.work()
    assert await told(till) == [LATE, FAILED]


async def test_a_guest_without_an_address_is_not_mailed(till: Till) -> None:
    order_id, session_id = await till.order_with_page(guest_email="")
    await till.pay(session_id)
    await settle_page(till.services, till.business.id, await till.page_id(order_id))
    await ask(till, order_id)
    await refuse(till)
    await till.work()
    assert await told(till) == []
