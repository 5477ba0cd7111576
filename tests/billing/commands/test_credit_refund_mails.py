"""What whose credits they are reads of refunds that fail, and of money that a bank took back."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.models import CreditLot
from src.billing.open_item_words import open_item_sentence
from src.platform.mail.models import MailRow
from src.tenants.context import RequestContext
from tests.billing.commands.test_credit_refunds import a_part_used, asked, give, refuse, retry
from tests.billing.till import Till

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
