"""A refund that failed is told to both sides until it is tried again or something is instead."""

import re

import pytest
from sqlalchemy import select

from src.billing.commands.by_staff import RefundByHand, close_item_by_hand, refund_by_hand
from src.billing.commands.open_items import raise_open_item
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import (
    fail_refund,
    record_foreign_refund,
    retry_refund,
)
from src.billing.domain.kinds import OpenItemKind
from src.billing.models import OpenItem, Payment, Refund
from src.billing.processor import ProcessorRefund, RefundStatus
from src.billing.queries.refund_failures import list_replaceable_refunds
from src.booking.commands.book import Booked
from src.platform.errors import Conflict
from src.platform.services import Services
from tests.booking.web.money_back import (
    arrives,
    gives_back,
    gives_back_in_vain,
    guests_page,
    pays_back,
    words_of,
)
from tests.booking.web.test_disputes import hears, lotus, sold, visitor
from tests.support.builders import (
    Business,
)
from tests.support.mail import RememberingMailer
from tests.support.visitor import Visitor
from tests.support.work import work

pytestmark = pytest.mark.anyio

__all__ = ["lotus", "sold", "visitor"]


async def test_a_refund_that_failed_is_told_in_sentences_to_both_sides(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        payment_id = await uow.session.scalar(select(Payment.id))
        assert payment_id is not None
        cmd = RefundByHand(
            order_id=sold.order_id, payment_id=payment_id, amount_minor=700, token="t"
        )
        await refund_by_hand(uow, lotus.ctx, cmd)
    for attempt in (1, 2):
        async with services.uow_factory(lotus.id) as uow:
            order = await lock_order(uow, sold.order_id)
            refund = await uow.session.scalar(select(Refund))
            assert refund is not None
            if attempt == 2:
                await retry_refund(uow, order, refund)
            await fail_refund(uow, order, refund, "expired_or_canceled_card")
    await visitor.open(f"/app/lotus/orders/{sold.order_id}")
    assert "card has expired or was cancelled." in visitor.text
    assert "expired_or_canceled_card" not in visitor.text
    assert "It was tried 2 times." in visitor.text
    assert "Tried 2 times, last on" in visitor.text
    assert visitor.text.count("Needs you") == 1
    await gives_back_in_vain(services, lotus, sold, 300, instead=False)
    await visitor.open(f"/app/lotus/orders/{sold.order_id}")
    assert visitor.text.count("Needs you") == 1
    assert "2 refunds did not go through." in visitor.text
    text = await guests_page(services, lotus, sold, visitor)
    assert "Did not arrive €10.00 The refund did not go through." in text


async def test_the_mail_about_it_opens_the_page_that_says_how_it_stands(
    services: Services,
    lotus: Business,
    sold: Booked,
    visitor: Visitor,
    mailer: RememberingMailer,
) -> None:
    await gives_back_in_vain(services, lotus, sold, 700)
    await work(services, lotus.id)
    [mail] = [one for one in mailer.sent if "did not reach you" in one.subject]
    [link] = re.findall(r"See how it stands: (\S+)", mail.body)
    await visitor.open(link)
    assert "Did not arrive €7.00 The refund did not go through." in words_of(visitor)


async def nothing_is_left_to_do(
    services: Services, lotus: Business, made: Booked, visitor: Visitor
) -> None:
    """Neither the guest nor the business reads of money that did not arrive."""
    assert "Did not arrive" not in await guests_page(services, lotus, made, visitor)
    await visitor.open(f"/app/lotus/orders/{made.order_id}")
    assert "Try the refund again" not in visitor.text


async def deals_with_it(services: Services, lotus: Business, made: Booked) -> None:
    """Somebody says so of the one refund that failed."""
    async with services.uow_factory(lotus.id) as uow:
        item = (await uow.session.scalars(select(OpenItem))).one()
        await close_item_by_hand(uow, lotus.ctx, made.order_id, item.id)


@pytest.mark.slow
async def test_money_that_is_given_back_anew_is_told_once_and_no_more_when_it_is_back(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor
) -> None:
    for _again in range(2):
        await gives_back_in_vain(services, lotus, sold, 700)
        text = await guests_page(services, lotus, sold, visitor)
        assert "Did not arrive €7.00 " in text
        assert "bank" not in text
    await gives_back_in_vain(services, lotus, sold, 300, instead=False)
    await pays_back(services, lotus, sold, 700)
    text = await guests_page(services, lotus, sold, visitor)
    assert "Did not arrive €3.00 " in text
    assert "Paid back €7.00" in text
    await visitor.open(f"/app/lotus/orders/{sold.order_id}")
    assert visitor.text.count("Try the refund again") == 1
    await pays_back(services, lotus, sold, 300)
    await nothing_is_left_to_do(services, lotus, sold, visitor)


@pytest.mark.slow
async def test_what_was_dealt_with_elsewhere_stays_on_the_guests_page(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor
) -> None:
    """It is told as long as that much of the payment has not gone back after all."""
    await gives_back_in_vain(services, lotus, sold, 700)
    await deals_with_it(services, lotus, sold)
    text = await guests_page(services, lotus, sold, visitor)
    assert "Settled otherwise €7.00 The refund did not go through, and the business" in text
    assert "Did not arrive" not in text
    await gives_back_in_vain(services, lotus, sold, 300, instead=False)
    await pays_back(services, lotus, sold, 300)
    text = await guests_page(services, lotus, sold, visitor)
    assert "Settled otherwise €7.00 " in text, "what another refund replaced is no part of it"


async def test_who_has_dealt_with_it_reads_what_follows_before_it_is_done(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor
) -> None:
    await gives_back_in_vain(services, lotus, sold, 700)
    async with services.uow_factory(lotus.id) as uow:
        item_id = (await uow.session.scalars(select(OpenItem.id))).one()
    order = f"/app/lotus/orders/{sold.order_id}"
    close = f"{order}/items/{item_id}/close"
    shown = await visitor.open(order)
    assert f'href="{close}"' in shown.text
    assert f'action="{close}"' not in shown.text, "one press alone closes nothing"
    await visitor.open(close)
    assert "A refund of €7.00" in visitor.text
    assert "This refund cannot be tried again; another one can still be made" in visitor.text
    assert "but that you have dealt with it in another way" in visitor.text
    assert "you cannot open it again" in visitor.text
    text = await guests_page(services, lotus, sold, visitor)
    assert "Did not arrive €7.00 " in text, "looking has closed nothing"
    await visitor.open(close)
    await visitor.submit(to=close)
    assert "Noted as dealt with." in visitor.text
    assert "Try the refund again" not in visitor.text
    text = await guests_page(services, lotus, sold, visitor)
    assert "Settled otherwise €7.00 The refund did not go through, and the business" in text
    await visitor.open(close)
    assert visitor.path == order, "what is closed already is asked about no more"


@pytest.mark.parametrize("outcome", [None, "lost"])
async def test_of_a_dispute_it_is_promised_that_nothing_of_it_changes(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor, outcome: str | None
) -> None:
    await hears(services, lotus, sold, None)
    if outcome is not None:
        await hears(services, lotus, sold, outcome)
    async with services.uow_factory(lotus.id) as uow:
        item_id = (await uow.session.scalars(select(OpenItem.id))).one()
    await visitor.open(f"/app/lotus/orders/{sold.order_id}/items/{item_id}/close")
    assert "What the bank does or has done about it stays as it is." in visitor.text
    assert "Their page stays as it is." in visitor.text
    assert "refund" not in visitor.text.split("Have you dealt with it?")[1].lower()


@pytest.mark.parametrize("is_in_dashboard", [False, True])
async def test_what_was_dealt_with_is_told_once_where_a_refund_takes_its_place_after_all(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor, *, is_in_dashboard: bool
) -> None:
    await gives_back_in_vain(services, lotus, sold, 700)
    await deals_with_it(services, lotus, sold)
    if is_in_dashboard:
        async with services.uow_factory(lotus.id) as uow:
            order = await lock_order(uow, sold.order_id)
            payment = (await uow.session.scalars(select(Payment))).one()
            news = ProcessorRefund(
                id="re_dashboard",
                payment_intent_id=payment.payment_intent_id,
                amount_minor=700,
                status=RefundStatus.SUCCEEDED,
                failure="",
                metadata={},
            )
            await record_foreign_refund(uow, order, payment, news)
    else:
        await opens_form(services, lotus, sold, visitor)
        assert "instead of the refund of €7.00 that you had dealt with" in visitor.text
        await pays_back(services, lotus, sold, 700)
    text = await guests_page(services, lotus, sold, visitor)
    assert "Paid back €7.00" in text
    assert "Settled otherwise" not in text


async def waits_for(services: Services, lotus: Business) -> list[str]:
    """The kinds of what stands open about money."""
    async with services.uow_factory(lotus.id) as uow:
        stands = select(OpenItem.kind).where(OpenItem.closed_at.is_(None))
        return list(await uow.session.scalars(stands))


async def opens_form(services: Services, lotus: Business, made: Booked, visitor: Visitor) -> None:
    async with services.uow_factory(lotus.id) as uow:
        payment_id = await uow.session.scalar(select(Payment.id))
    await visitor.open(f"/app/lotus/orders/{made.order_id}/refund?payment={payment_id}")


WAYS = pytest.mark.parametrize(
    ("way", "told"),
    [("money", "On its way back to you €"), ("voucher", "Given back as a voucher €")],
)


@WAYS
async def test_what_goes_instead_takes_the_place_of_what_failed_whichever_way_it_goes(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor, way: str, told: str
) -> None:
    """A voucher too: the same matter would be given twice, as one and by another try."""
    await gives_back_in_vain(services, lotus, sold, 700)
    await opens_form(services, lotus, sold, visitor)
    await visitor.submit({"amount": "6.99", "back_as": way}, to="/refund", status=422)
    assert "It is less than the €7.00 that failed." in visitor.text
    await visitor.submit({"amount": "7.00"}, to="/refund")
    assert await waits_for(services, lotus) == []
    await nothing_is_left_to_do(services, lotus, sold, visitor)
    text = await guests_page(services, lotus, sold, visitor)
    assert told in text
    assert "Settled otherwise" not in text
    async with services.uow_factory(lotus.id) as uow:
        order = await lock_order(uow, sold.order_id)
        failed = await uow.session.scalar(select(Refund).where(Refund.state == "failed"))
        assert failed is not None
        with pytest.raises(Conflict):
            await retry_refund(uow, order, failed)


@WAYS
async def test_without_the_tick_what_failed_waits_on_until_nothing_is_left(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor, way: str, told: str
) -> None:
    await gives_back_in_vain(services, lotus, sold, 700)
    for amount, waits in (("5.00", ["refund_failed"]), ("10.00", [])):
        await opens_form(services, lotus, sold, visitor)
        await visitor.submit({"amount": amount, "back_as": way, "instead": []}, to="/refund")
        assert await waits_for(services, lotus) == waits
    text = await guests_page(services, lotus, sold, visitor)
    assert told in text
    assert "Did not arrive" not in text


@WAYS
async def test_what_was_dealt_with_is_replaced_whichever_way_it_goes(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor, way: str, told: str
) -> None:
    await gives_back_in_vain(services, lotus, sold, 700)
    await deals_with_it(services, lotus, sold)
    await opens_form(services, lotus, sold, visitor)
    sent = {"amount": "5.00", "back_as": way, "instead": "on"}
    await visitor.submit(sent, to="/refund", status=422)
    assert "It is less than the €7.00 that failed." in visitor.text
    await visitor.submit({"amount": "7.00"}, to="/refund")
    text = await guests_page(services, lotus, sold, visitor)
    assert told in text
    assert "Settled otherwise" not in text


async def test_the_form_names_what_waits_and_what_was_dealt_with(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor
) -> None:
    """What waits comes first: nothing else is replaced by money that is too little for it."""
    await gives_back_in_vain(services, lotus, sold, 300)
    await deals_with_it(services, lotus, sold)
    await gives_back_in_vain(services, lotus, sold, 700, instead=False)
    await opens_form(services, lotus, sold, visitor)
    said = words_of(visitor)
    assert "It goes back instead of the refund of €7.00 that failed" in said
    assert "The refund of €3.00 that you had dealt with is replaced too where " in said
    await visitor.submit({"amount": "5.00"}, to="/refund", status=422)
    assert "It is less than the €7.00 that failed." in visitor.text
    await visitor.submit({"amount": "10.00"}, to="/refund")
    text = await guests_page(services, lotus, sold, visitor)
    assert "On its way back to you €10.00" in text
    assert "Did not arrive" not in text
    assert "Settled otherwise" not in text


@WAYS
async def test_a_sum_that_nobody_expected_is_dealt_with_whichever_way_all_of_it_goes(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor, way: str, told: str
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        payment_id = await uow.session.scalar(select(Payment.id))
        assert payment_id is not None
        facts = {"reference": "R", "paid_minor": 1500, "paid_currency": "EUR"}
        facts |= {"total_minor": 2500, "total_currency": "EUR"}
        mismatch = OpenItemKind.PAYMENT_MISMATCH
        await raise_open_item(uow, mismatch, payment_id, sold.order_id, facts)
    for amount, waits in (("14.00", [str(mismatch)]), ("1.00", [])):
        await opens_form(services, lotus, sold, visitor)
        await visitor.submit({"amount": amount, "back_as": way}, to="/refund")
        assert await waits_for(services, lotus) == waits
    assert told in await guests_page(services, lotus, sold, visitor)


async def test_money_for_another_reason_leaves_what_failed_waiting(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor
) -> None:
    await gives_back_in_vain(services, lotus, sold, 500)
    goodwill = await gives_back(services, lotus, sold, 700, instead=False)
    await arrives(services, lotus, sold, goodwill)
    assert "Did not arrive €5.00 " in await guests_page(services, lotus, sold, visitor)
    await visitor.open(f"/app/lotus/orders/{sold.order_id}")
    assert visitor.text.count("Try the refund again") == 1
    assert "Settled otherwise" not in visitor.text


async def test_what_a_bank_has_is_not_told_as_not_arrived_and_is_not_tried_again(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor
) -> None:
    await gives_back_in_vain(services, lotus, sold, 700)
    order = f"/app/lotus/orders/{sold.order_id}"
    for outcome, waits in ((None, True), ("lost", False)):
        await hears(services, lotus, sold, outcome)
        assert "Did not arrive" not in await guests_page(services, lotus, sold, visitor)
        await visitor.open(order)
        assert "/retry" not in visitor.text
        assert ("A refund of €7.00" in visitor.text) is waits
        assert ("Settled otherwise" in visitor.text) is not waits


async def test_no_more_is_told_as_not_arrived_than_is_left_of_what_was_paid(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor
) -> None:
    await gives_back_in_vain(services, lotus, sold, 1000)
    for minor in (400, 700):
        await pays_back(services, lotus, sold, minor, instead=False)
    text = await guests_page(services, lotus, sold, visitor)
    assert "Did not arrive €4.00 " in text
    await pays_back(services, lotus, sold, 400, instead=False)
    await nothing_is_left_to_do(services, lotus, sold, visitor)


@pytest.mark.parametrize(
    ("minor", "told"),
    [(1500, "Did not arrive €15.00 "), (1200, "Did not arrive €12.00 Settled otherwise €3.00 ")],
)
async def test_nor_is_it_with_what_was_dealt_with(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor, minor: int, told: str
) -> None:
    """Once all was on its way, nothing is said any more to have been dealt with elsewhere."""
    await gives_back_in_vain(services, lotus, sold, 700)
    await deals_with_it(services, lotus, sold)
    await gives_back_in_vain(services, lotus, sold, minor, instead=False)
    text = await guests_page(services, lotus, sold, visitor)
    sentences = (
        "The refund did not go through. The business knows and is looking into it. ",
        "The refund did not go through, and the business has dealt with it in another way. ",
    )
    for sentence in sentences:
        text = text.replace(sentence, "")
    assert told in text
    assert ("Settled otherwise" in text) is ("Settled otherwise" in told)
    async with services.uow_factory(lotus.id) as uow:
        payment_id = (await uow.session.scalars(select(Payment.id))).one()
        left = await list_replaceable_refunds(uow, payment_id)
    assert [one.amount_minor for one in left] == ([1500] if minor == 1500 else [1200, 700])


async def test_what_failed_in_another_currency_is_not_told_in_the_orders(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        payment = await uow.session.scalar(select(Payment))
        assert payment is not None
        payment.currency = "USD"
    await gives_back_in_vain(services, lotus, sold, 700)
    assert "Did not arrive" not in await guests_page(services, lotus, sold, visitor)
