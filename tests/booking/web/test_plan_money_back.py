"""A package in parts whose money goes back, by whatever way: what is asked of its guest then."""

from datetime import time, timedelta
from typing import Literal

import pytest
from sqlalchemy import select

from src.billing.commands.by_staff import RefundByHand, refund_by_hand
from src.billing.commands.credit_refunds import RefundCredits, refund_credits
from src.billing.commands.credits import GUEST, lock_lot, write_entry
from src.billing.commands.dispute_news import take_dispute_news
from src.billing.commands.orders import lock_order
from src.billing.commands.parts_by_staff import take_part_on_site, waive_part
from src.billing.commands.refunds import (
    fail_refund,
    get_refund,
    record_foreign_refund,
    retry_refund,
)
from src.billing.domain.credits import EntryKind
from src.billing.models import CreditLot, OpenItem, Payment, Refund
from src.billing.processor import Dispute, ProcessorRefund, RefundStatus
from src.billing.settlement import settle_page
from src.platform.errors import Conflict
from src.platform.ids import new_id
from src.platform.localtime import to_local
from tests.booking.web.conftest import Shop, change, rows
from tests.booking.web.test_payment_plans import (
    due_parts,
    lot_of,
    mails,
    press_parts,
    until_overdue,
)
from tests.properties.invariants import WHAT_IS_BROKEN
from tests.support.clock import FrozenClock
from tests.support.plans import (
    DECLINED_LATER,
    buy_in_parts,
    charges,
    make_card,
    on_day,
    pages_of,
    parts_of,
    states,
    the_order,
)

pytestmark = pytest.mark.anyio

ENDED = ["paid", "void", "void", "void"]


async def hears(shop: Shop, outcome: Literal["won", "lost"] | None) -> None:
    """Of a dispute about the first part."""
    payment = (await payments(shop))[0]
    news = Dispute(
        id="du_1", payment_intent_id="", amount_minor=3000, currency="EUR", outcome=outcome
    )
    async with shop.services.uow_factory(shop.business.id) as uow:
        await take_dispute_news(uow, payment.id, payment.order_id, "R", news)


async def payments(shop: Shop) -> list[Payment]:
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.scalars(select(Payment).order_by(Payment.received_at, Payment.id))
        return list(found)


async def in_the_dashboard(shop: Shop, minor: int = 3000) -> None:
    payment = (await payments(shop))[0]
    news = ProcessorRefund(
        id=f"re_{new_id()}",
        status=RefundStatus.SUCCEEDED,
        amount_minor=minor,
        payment_intent_id=payment.payment_intent_id,
        failure="",
        metadata={},
    )
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = await lock_order(uow, payment.order_id)
        found = await uow.session.get_one(Payment, (uow.tenant, payment.id))
        await record_foreign_refund(uow, order, found, news)


async def use(shop: Shop, number: int) -> None:
    """As if so many of the ten credits had paid a place each."""
    lot_id = (await lot_of(shop)).id
    async with shop.services.uow_factory(shop.business.id) as uow:
        await write_entry(uow, await lock_lot(uow, lot_id), EntryKind.REDEEM, -number, GUEST)


async def nothing_is_broken(shop: Shop) -> None:
    async with shop.services.uow_factory(shop.business.id) as uow:
        connection = await uow.session.connection()
        assert (await connection.exec_driver_sql(WHAT_IS_BROKEN)).all() == []


async def nothing_more_is_charged(shop: Shop, clock: FrozenClock, before: list[int]) -> None:
    for part in (await parts_of(shop))[1:]:
        await on_day(shop, clock, part.due_on)
    assert await charges(shop) == before
    assert await mails(shop, "part_coming") == []
    assert await due_parts(shop) == 0


async def test_a_lost_dispute_takes_the_credits_and_the_rest_of_the_price(
    shop: Shop, clock: FrozenClock
) -> None:
    await buy_in_parts(shop)
    await hears(shop, None)
    await hears(shop, "lost")
    assert (await lot_of(shop)).balance == 0
    assert await states(shop) == ENDED
    await nothing_more_is_charged(shop, clock, [3000])
    await nothing_is_broken(shop)


async def test_a_refund_in_the_dashboard_takes_the_rest_of_the_price_too(
    shop: Shop, clock: FrozenClock
) -> None:
    await buy_in_parts(shop)
    await in_the_dashboard(shop)
    assert (await lot_of(shop)).balance == 0
    assert await states(shop) == ENDED
    await nothing_more_is_charged(shop, clock, [3000])
    await nothing_is_broken(shop)


async def test_half_of_it_in_the_dashboard_leaves_half_of_the_credits_and_asks_no_more(
    shop: Shop, clock: FrozenClock
) -> None:
    """What is left was paid for, as it is where staff refund credits."""
    await buy_in_parts(shop)
    await in_the_dashboard(shop, 1500)
    assert (await lot_of(shop)).balance == 5
    assert await states(shop) == ENDED
    await nothing_more_is_charged(shop, clock, [3000])
    await nothing_is_broken(shop)


async def test_a_refund_by_hand_of_credits_without_worth_takes_the_rest_too(
    shop: Shop, clock: FrozenClock
) -> None:
    order = await buy_in_parts(shop)
    # By this rule a credit that is left is worth nothing.
    await change(shop, CreditLot, refund_rule="claw_back", single_minor=12_000)
    await use(shop, 1)
    (payment,) = await payments(shop)
    cmd = RefundByHand(
        order_id=order.id, payment_id=payment.id, amount_minor=3000, token=str(new_id())
    )
    async with shop.services.uow_factory(shop.business.id) as uow:
        await refund_by_hand(uow, shop.business.ctx, cmd)
    assert (await lot_of(shop)).balance == 0
    assert await states(shop) == ENDED
    await nothing_more_is_charged(shop, clock, [3000])


async def test_nothing_is_charged_while_a_payment_is_with_the_bank(
    shop: Shop, clock: FrozenClock
) -> None:
    """Won, the parts go on: first announced anew."""
    await buy_in_parts(shop)
    await hears(shop, None)
    second = (await parts_of(shop))[1]
    await on_day(shop, clock, second.due_on)
    await on_day(shop, clock, second.due_on + timedelta(days=2))
    assert (await states(shop), await charges(shop)) == (["paid", "due", "due", "due"], [3000])
    assert (await mails(shop, "part_coming"), await mails(shop, "part_failed")) == ([], [])
    await hears(shop, "won")
    for days in range(3, 8):
        await on_day(shop, clock, second.due_on + timedelta(days=days))
    assert (await states(shop), await charges(shop)) == (
        ["paid", "paid", "due", "due"],
        [3000, 3000],
    )


async def test_who_used_their_credits_and_took_the_money_back_is_asked_and_not_charged(
    shop: Shop, clock: FrozenClock
) -> None:
    """The credits were delivered, so the rest is owed; the card is left alone."""
    await buy_in_parts(shop)
    await use(shop, 10)
    await hears(shop, "lost")
    second = (await parts_of(shop))[1]
    for days in (0, 1, 3, 5):
        await on_day(shop, clock, second.due_on + timedelta(days=days))
    assert (await states(shop))[1] == "overdue"
    assert await charges(shop) == [3000]
    assert {item.kind for item in await rows(shop, OpenItem)} == {"dispute", "part_overdue"}


async def refund_all(shop: Shop, minor: int) -> None:
    """Staff refund the credits that are left; nobody has called the processor yet."""
    lot = await lot_of(shop)
    cmd = RefundCredits(
        lot_id=lot.id, amount_minor=minor, seen=lot.balance, reason="Moves away", token=new_id()
    )
    async with shop.services.uow_factory(shop.business.id) as uow:
        await refund_credits(uow, shop.business.ctx, cmd)


async def fails(shop: Shop, number: int = 0) -> Refund:
    """The processor says no to this refund of those that are pending."""
    pending = [one for one in await rows(shop, Refund) if one.state == "pending"]
    refund: Refund = pending[number]
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = await lock_order(uow, refund.order_id)
        found = await get_refund(uow, refund.id)
        await fail_refund(uow, order, found, "lost_or_stolen_card")
    return refund


async def retry(shop: Shop, refund: Refund) -> None:
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = await lock_order(uow, refund.order_id)
        await retry_refund(uow, order, await get_refund(uow, refund.id))


async def test_a_refund_that_fails_asks_the_parts_again(shop: Shop, clock: FrozenClock) -> None:
    await buy_in_parts(shop)
    await refund_all(shop, 3000)
    assert await states(shop) == ENDED
    await fails(shop)
    assert (await lot_of(shop)).balance == 10
    assert await states(shop) == ["paid", "due", "due", "due"]
    await nothing_is_broken(shop)
    for number, part in enumerate((await parts_of(shop))[1:], start=2):
        await on_day(shop, clock, part.due_on - timedelta(days=3))
        assert len(await mails(shop, "part_coming")) == number - 1
        await on_day(shop, clock, part.due_on)
        assert await charges(shop) == [3000] * number
    await nothing_is_broken(shop)


async def test_one_whose_day_has_passed_is_announced_and_charged_three_days_later(
    shop: Shop, clock: FrozenClock
) -> None:
    """It was overdue before, and begins anew."""
    await buy_in_parts(shop, DECLINED_LATER)
    await until_overdue(shop, clock)
    await refund_all(shop, 3000)
    second = (await parts_of(shop))[1]
    assert (second.state, await due_parts(shop)) == ("void", 0)
    await make_card(shop, "4242424242424242")
    clock.advance(timedelta(days=2))
    await fails(shop)
    today = to_local(clock.now(), shop.business.tenant.zone).date()
    await on_day(shop, clock, today, at=time(10))
    assert await charges(shop) == [3000]
    assert len(await mails(shop, "part_coming")) == 2
    await on_day(shop, clock, today + timedelta(days=2), at=time(23))
    assert await charges(shop) == [3000]
    await on_day(shop, clock, today + timedelta(days=3))
    assert await charges(shop) == [3000, 3000]
    assert (await states(shop))[:2] == ["paid", "paid"]
    (item,) = [one for one in await rows(shop, OpenItem) if one.kind == "part_overdue"]
    assert item.closed_at is not None
    await nothing_is_broken(shop)


async def test_one_that_is_tried_again_ends_the_parts_again(shop: Shop, clock: FrozenClock) -> None:
    await buy_in_parts(shop)
    await refund_all(shop, 3000)
    refund = await fails(shop)
    await retry(shop, refund)
    assert (await states(shop), (await lot_of(shop)).balance) == (ENDED, 0)
    await shop.work()
    await nothing_more_is_charged(shop, clock, [3000])
    await nothing_is_broken(shop)


async def test_one_is_not_tried_again_once_more_has_been_paid(
    shop: Shop, clock: FrozenClock
) -> None:
    """All credits would leave for a half of their money."""
    await buy_in_parts(shop)
    await refund_all(shop, 3000)
    refund = await fails(shop)
    second = (await parts_of(shop))[1]
    await on_day(shop, clock, second.due_on - timedelta(days=3))
    await on_day(shop, clock, second.due_on)
    with pytest.raises(Conflict, match="has been paid since"):
        await retry(shop, refund)
    assert (await states(shop), (await lot_of(shop)).balance) == (
        ["paid", "paid", "due", "due"],
        10,
    )
    await nothing_is_broken(shop)


async def test_half_of_a_refund_that_fails_leaves_half_of_the_credits_and_asks_no_more(
    shop: Shop, clock: FrozenClock
) -> None:
    """Two parts were paid, and go back as two refunds: the rest is asked once both have failed."""
    await buy_in_parts(shop)
    second = (await parts_of(shop))[1]
    await on_day(shop, clock, second.due_on - timedelta(days=3))
    await on_day(shop, clock, second.due_on)
    await refund_all(shop, 6000)
    await fails(shop)
    assert (await lot_of(shop)).balance == 5
    assert await states(shop) == ["paid", "paid", "void", "void"]
    await nothing_is_broken(shop)
    await fails(shop)
    assert (await lot_of(shop)).balance == 10
    assert await states(shop) == ["paid", "paid", "due", "due"]
    await nothing_is_broken(shop)


async def test_a_refund_that_fails_as_the_bank_took_the_payment_asks_nothing_again(
    shop: Shop, clock: FrozenClock
) -> None:
    await buy_in_parts(shop)
    await refund_all(shop, 3000)
    await hears(shop, None)
    await hears(shop, "lost")
    await fails(shop)
    assert (await states(shop), (await lot_of(shop)).balance) == (ENDED, 0)
    await nothing_is_broken(shop)


async def test_who_paid_a_part_that_was_let_go_reads_why_it_goes_back(shop: Shop) -> None:
    order = await buy_in_parts(shop)
    url = await press_parts(shop)
    second = (await parts_of(shop))[1]
    async with shop.services.uow_factory(shop.business.id) as uow:
        await waive_part(uow, shop.business.ctx, order.id, second.id, "Was ill")
    await shop.pay(url)
    await settle_page(shop.services, shop.business.id, (await pages_of(shop))[-1].id)
    (mail,) = await mails(shop, "refunded")
    said = " ".join(mail.text.split())
    assert "It was for a part of the price that you need not pay any more." in said
    assert "paid for this booking before" not in said
    (refund,) = await rows(shop, Refund)
    assert (refund.cause, refund.state) == ("not_asked", "succeeded")
    await nothing_is_broken(shop)


async def test_what_was_taken_on_site_and_what_was_let_go_goes_back_each_for_its_reason(
    shop: Shop,
) -> None:
    """Their guest was at the payment page for all that is left."""
    order = await buy_in_parts(shop)
    url = await press_parts(shop, everything=True)
    _first, second, third, _fourth = await parts_of(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await take_part_on_site(uow, shop.business.ctx, order.id, second.id)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await waive_part(uow, shop.business.ctx, order.id, third.id, "Was ill")
    await shop.pay(url)
    await settle_page(shop.services, shop.business.id, (await pages_of(shop))[-1].id)
    await shop.work()
    assert await states(shop) == ["paid", "paid", "waived", "paid"]
    assert {(one.cause, one.amount_minor, one.state) for one in await rows(shop, Refund)} == {
        ("paid_twice", 3000, "succeeded"),
        ("not_asked", 3000, "succeeded"),
    }
    await nothing_is_broken(shop)


@pytest.mark.parametrize("by", ["waived", "taken", "refunded"])
async def test_a_payment_page_for_what_is_not_asked_any_more_ends(shop: Shop, by: str) -> None:
    order = await buy_in_parts(shop)
    await press_parts(shop)
    second = (await parts_of(shop))[1]
    async with shop.services.uow_factory(shop.business.id) as uow:
        if by == "waived":
            await waive_part(uow, shop.business.ctx, order.id, second.id, "Was ill")
        elif by == "taken":
            await take_part_on_site(uow, shop.business.ctx, order.id, second.id)
    if by == "refunded":
        await refund_all(shop, 3000)
    await shop.work()
    assert (await pages_of(shop))[-1].state == "expired"
    assert (await the_order(shop)).state == "confirmed"


async def test_a_payment_page_for_another_part_stays(shop: Shop) -> None:
    order = await buy_in_parts(shop)
    await press_parts(shop)
    third = (await parts_of(shop))[2]
    async with shop.services.uow_factory(shop.business.id) as uow:
        await waive_part(uow, shop.business.ctx, order.id, third.id, "Was ill")
    await shop.work()
    assert (await pages_of(shop))[-1].state == "open"
