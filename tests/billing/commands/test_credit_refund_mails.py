"""What whose credits they are reads of refunds that fail, and of money that a bank took back."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.domain.kinds import VOUCHER_METHOD
from src.billing.models import CreditLot, Payment
from src.billing.open_item_words import open_item_sentence
from src.platform.ids import new_id
from src.platform.mail.models import MailRow
from src.tenants.context import RequestContext
from tests.billing.commands.test_credit_refunds import a_part_used, asked, give, refuse, retry
from tests.billing.till import Till
from tests.support.vouchers import a_voucher

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lot(till: Till, sold: UUID) -> CreditLot:
    """Ten credits bought with it, of which seven are left."""
    return await a_part_used(till, sold)


async def said_to_the_guest(till: Till) -> list[str]:
    """What mails about credits say was done, oldest first."""
    async with till.services.uow_factory(till.business.id) as uow:
        found = await uow.session.scalars(
            select(MailRow.text)
            .where(MailRow.kind == "billing.credits_changed")
            .order_by(MailRow.queued_at, MailRow.id)
        )
        return [text.split("\n\n")[1] for text in found]


async def test_whoever_read_that_their_money_is_on_its_way_hears_of_each_try_that_failed(
    till: Till, ctx: RequestContext, sold: UUID, lot: CreditLot
) -> None:
    await give(till, ctx, asked(lot))
    await refuse(till)
    await till.work()
    [refund] = await till.refunds(sold)
    gone = (
        "7 credits that you had not used are gone. £14.00 is on its way back as you paid it; banks"
        " take up to ten days."
    )
    failed = (
        "The refund of £14.00 did not go through. 7 credits that had gone with it are yours again."
        " We have been told and are looking into it."
    )
    assert await said_to_the_guest(till) == [gone, failed]
    [item] = await till.open_items(sold)
    assert "7 credits that had gone with it were given back to the guest" in open_item_sentence(
        item
    )
    assert item.facts["page"] == f"credits/{lot.id}"
    await retry(till, refund.id)
    await refuse(till)
    await till.work()
    assert await said_to_the_guest(till) == [gone, failed, gone, failed]
    await retry(till, refund.id)
    await till.work()
    assert await said_to_the_guest(till) == [gone, failed, gone, failed, gone]


async def test_of_credits_that_have_ended_meanwhile_none_are_told_as_back(
    till: Till, ctx: RequestContext, sold: UUID, lot: CreditLot
) -> None:
    await give(till, ctx, asked(lot))
    async with till.services.uow_factory(till.business.id) as uow:
        ended = await uow.session.get_one(CreditLot, (till.business.id, lot.id))
        ended.expires_at = till.clock.now() - timedelta(hours=1)
    await refuse(till)
    await till.work()
    assert (await said_to_the_guest(till))[1:] == [
        "The refund of £14.00 did not go through. We have been told and are looking into it."
    ]
    async with till.services.uow_factory(till.business.id) as uow:
        texts = await uow.session.scalars(
            select(MailRow.text)
            .where(MailRow.kind == "billing.credits_changed")
            .order_by(MailRow.queued_at, MailRow.id)
        )
        assert "Left:" not in texts.all()[1]
    [item] = await till.open_items(sold)
    assert "given back to the guest" not in open_item_sentence(item)


@pytest.fixture
async def by_two_ways(till: Till, sold: UUID) -> CreditLot:
    """One credit for 20.00, of which a voucher had paid 6.00: it leaves with the voucher's part."""
    voucher = await a_voucher(
        till.services.uow_factory, till.business.id, minor=600, currency="GBP"
    )
    (card,) = await till.payments(sold)
    async with till.services.uow_factory(till.business.id) as uow:
        by_card = await uow.session.get_one(Payment, (till.business.id, card.id))
        by_card.amount_minor -= 600
        uow.session.add(
            Payment(
                tenant_id=till.business.id,
                id=new_id(),
                order_id=sold,
                account_id=card.account_id,
                payment_intent_id=new_id().hex,
                method=VOUCHER_METHOD,
                voucher_id=voucher.id,
                amount_minor=600,
                currency="GBP",
                received_at=till.clock.now(),
            )
        )
    return await a_part_used(till, sold, credits=1, bought=1)


async def test_a_part_of_the_money_with_which_no_credit_left_is_told_of_too(
    till: Till, ctx: RequestContext, sold: UUID, by_two_ways: CreditLot
) -> None:
    await give(till, ctx, asked(by_two_ways, 2000, seen=1))
    await refuse(till)
    await till.work()
    gone = (
        "1 credit that you had not used is gone. £6.00 is on the voucher again that you paid with."
        " £14.00 is on its way back as you paid it; banks take up to ten days."
    )
    failed = "The refund of £14.00 did not go through. We have been told and are looking into it."
    assert await said_to_the_guest(till) == [gone, failed]
    [refund] = [one for one in await till.refunds(sold) if one.state == "failed"]
    await retry(till, refund.id)
    await till.work()
    assert await said_to_the_guest(till) == [
        gone,
        failed,
        "£14.00 is on its way back as you paid it; banks take up to ten days.",
    ]


async def test_such_a_part_that_the_dashboard_gave_back_instead_is_not_told_as_failed(
    till: Till, ctx: RequestContext, sold: UUID, by_two_ways: CreditLot
) -> None:
    await give(till, ctx, asked(by_two_ways, 2000, seen=1))
    (payment,) = [one for one in await till.payments(sold) if one.method != VOUCHER_METHOD]
    await till.stripe.turn("refund_from_dashboard", payment=payment.payment_intent_id, amount=1400)
    await refuse(till)
    await till.work()
    assert len(await said_to_the_guest(till)) == 1


async def test_what_the_dashboard_gave_back_instead_is_not_told_as_failed(
    till: Till, ctx: RequestContext, sold: UUID, lot: CreditLot
) -> None:
    await give(till, ctx, asked(lot))
    (payment,) = await till.payments(sold)
    await till.stripe.turn("refund_from_dashboard", payment=payment.payment_intent_id)
    await till.work()
    assert [text.partition(".")[0] for text in await said_to_the_guest(till)] == [
        "7 credits that you had not used are gone"
    ]
