"""A transfer was taken off a package by mistake: once it is noted anew, the package is back."""

from datetime import datetime, timedelta
from typing import NamedTuple

import pytest

from src.billing.commands.credit_refunds import RefundCredits, refund_credits
from src.billing.commands.transfers import Outcome
from src.billing.commands.vouchers import adjust_voucher, set_voucher_blocked
from src.billing.models import CreditLot, Order, Payment, Voucher
from src.billing.queries.credit_lists import get_credit_totals
from src.billing.queries.order_page import get_order_page
from src.billing.queries.orders import month_totals
from src.booking.guest_links import package_path
from src.platform.errors import Conflict
from src.platform.ids import new_id
from src.platform.mail.models import MailRow
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.test_package_transfer_mistaken import mistakable, remove, take_off
from tests.booking.web.test_paying_packages import (
    PRICE_MINOR,
    by_transfer,
    left,
    mails,
    receive,
    the_order,
)
from tests.booking.web.test_place_package import only_lot
from tests.booking.web.test_transfer_words import page_of, read
from tests.support.clock import FrozenClock
from tests.support.vouchers import CODE, a_voucher

pytestmark = pytest.mark.anyio

REST_MINOR = 7000
"""What is transferred where a voucher of 50.00 pays a part."""


class Before(NamedTuple):
    """As the package was while it counted as paid."""

    expires_at: datetime | None
    activated_at: datetime | None


async def never_paid(
    shop: Shop, clock: FrozenClock, *, by_voucher: bool = False
) -> tuple[Order, Before]:
    """Cancelled some days after it was bought, and all that follows is done."""
    more = {}
    if by_voucher:
        await a_voucher(shop.services.uow_factory, shop.business.id, minor=5000)
        more = {"coupon": CODE, "quoted_minor": REST_MINOR}
    order = await by_transfer(shop, **more)
    await receive(shop, order, order.to_pay_minor)
    lot = await only_lot(shop)
    await shop.work()
    clock.advance(timedelta(days=3))
    await undo(shop, order, lot)
    await shop.work()
    return await the_order(shop), Before(lot.expires_at, lot.activated_at)


async def undo(shop: Shop, order: Order, lot: CreditLot) -> None:
    await remove(shop, lot, lot.balance)
    [transfer] = await mistakable(shop, order)
    await take_off(shop, order, transfer)


async def test_it_came_after_all_and_brings_the_package_back(
    shop: Shop, clock: FrozenClock
) -> None:
    order, before = await never_paid(shop, clock)
    page = await page_of(shop, order)
    assert "taken off as one that never came, and the package is cancelled." in page
    assert "It came after all" in page
    page = await page_of(shop, order, "/transfer")
    assert "Did €120.00 come after all? Then mark all of it as received, in one sum:" in page
    assert "10 credits are there again, until" in page
    assert "voucher" not in page
    told = await mails(shop)
    await shop.guest.submit({}, to="/received")
    assert "The money has come, and the package is there again." in shop.guest.text
    assert "It came after all" not in shop.guest.text
    lot = await only_lot(shop)
    assert (lot.state, lot.balance) == ("active", 10)
    assert Before(lot.expires_at, lot.activated_at) == before, "valid as it was"
    assert await mails(shop) == [*told, "package_bought"]
    mail = (await rows(shop, MailRow))[-1]
    assert "Your transfer came after all, so this is yours again." in mail.text
    page = await read(shop, package_path(shop.services.settings, "lotus", order))
    assert "10 sessions are yours" in page
    assert "Paid €120.00" in page
    await it_adds_up(shop, order, PRICE_MINOR, 0)


async def it_adds_up(shop: Shop, order: Order, paid_minor: int, refunded_minor: int) -> None:
    tenant, now = shop.business.tenant, shop.services.clock.now()
    async with shop.services.uow_factory(tenant.id) as uow:
        page = await get_order_page(uow, tenant, order.id)
        month = await month_totals(uow, tenant, now)
        totals = await get_credit_totals(uow, tenant)
    assert (page.paid_minor, page.refunded_minor) == (paid_minor, refunded_minor)
    assert (month.paid_minor, month.refunded_minor) == (paid_minor, refunded_minor)
    assert (page.is_all_cancelled, page.to_hand_back_minor, page.closed_why) == (False, 0, None)
    assert (totals.sold, totals.sold_minor) == (1, PRICE_MINOR)
    said = [one.text for one in page.timeline]
    assert "The transfer came after all, and the package with it" in said


async def test_the_voucher_pays_its_part_again(shop: Shop, clock: FrozenClock) -> None:
    order, _before = await never_paid(shop, clock, by_voucher=True)
    assert await left(shop) == 5000
    page = await page_of(shop, order, "/transfer")
    assert "The voucher pays its €50.00 again." in page
    assert "To be transferred €70.00" in page
    assert await receive(shop, order, REST_MINOR) is Outcome.BROUGHT_BACK
    await shop.work()
    assert await left(shop) == 0
    assert (await only_lot(shop)).state == "active"
    await it_adds_up(shop, order, 5000 + 5000 + REST_MINOR, 5000)
    page = await read(shop, package_path(shop.services.settings, "lotus", order))
    for words in ("Price €120.00", "Received €170.00", "Back on the voucher €50.00"):
        assert words in page
    lot = await only_lot(shop)
    cmd = RefundCredits(lot_id=lot.id, amount_minor=12_000, seen=10, reason="Ill", token=new_id())
    async with shop.services.uow_factory(shop.business.id) as uow:
        given = await refund_credits(uow, shop.business.ctx, cmd)
    await shop.work()
    assert given is not None
    assert (given.by_hand_minor, await left(shop)) == (REST_MINOR, 5000), "all of it, once more"


async def test_once_back_it_can_be_cancelled_as_never_paid_again(
    shop: Shop, clock: FrozenClock
) -> None:
    order, _before = await never_paid(shop, clock, by_voucher=True)
    await receive(shop, order, REST_MINOR)
    await undo(shop, order, await only_lot(shop))
    ended = ["billing.credits_changed", "package_lapsed"]
    assert (await mails(shop))[-2:] == ended, "each end is told"
    assert await left(shop) == 5000
    assert (await the_order(shop)).paid_minor == (await the_order(shop)).refunded_minor == 10_000
    assert await receive(shop, order, REST_MINOR) is Outcome.BROUGHT_BACK
    assert (await only_lot(shop)).balance == 10


async def test_the_same_press_twice_brings_it_back_once(shop: Shop, clock: FrozenClock) -> None:
    order, _before = await never_paid(shop, clock)
    token = new_id()
    assert await receive(shop, order, PRICE_MINOR, token=token) is Outcome.BROUGHT_BACK
    assert await receive(shop, order, PRICE_MINOR, token=token) is Outcome.KNOWN
    assert await receive(shop, order, PRICE_MINOR) is Outcome.PAID_ALREADY
    lot = await only_lot(shop)
    assert (lot.balance, (await the_order(shop)).paid_minor) == (10, PRICE_MINOR * 2)


async def test_what_is_too_much_goes_back(shop: Shop, clock: FrozenClock) -> None:
    order, _before = await never_paid(shop, clock)
    assert await receive(shop, order, PRICE_MINOR + 500) is Outcome.TOO_MUCH
    assert (await only_lot(shop)).balance == 10
    extra = [one.amount_minor for one in await rows(shop, Payment) if one.is_extra]
    assert extra == [500]


async def test_a_part_brings_nothing_back(shop: Shop, clock: FrozenClock) -> None:
    order, _before = await never_paid(shop, clock)
    await page_of(shop, order, "/transfer")
    await shop.guest.submit({"amount": "100"}, to="/received")
    assert "It is less than the price" in shop.guest.text
    assert "Please send back €100.00" in shop.guest.text
    assert (await only_lot(shop)).state == "void"
    assert await receive(shop, order, PRICE_MINOR) is Outcome.BROUGHT_BACK


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("spent", "only €20.00 can still be taken from it."),
        ("blocked", "only €0.00 can still be taken from it."),
    ],
)
async def test_without_its_voucher_it_does_not_come_back(
    shop: Shop, clock: FrozenClock, how: str, words: str
) -> None:
    order, _before = await never_paid(shop, clock, by_voucher=True)
    [voucher], ctx = await rows(shop, Voucher), shop.business.ctx
    async with shop.services.uow_factory(shop.business.id) as uow:
        if how == "spent":
            await adjust_voucher(uow, ctx, voucher.id, -3000, "Spent at the desk")
        else:
            await set_voucher_blocked(uow, ctx, voucher.id, blocked=True)
    had = await left(shop)
    page = await page_of(shop, order, "/transfer")
    assert f"of the €50.00 that a voucher had paid, {words}" in page
    assert "All of it goes back by hand." in page
    assert await receive(shop, order, REST_MINOR) is Outcome.TO_HAND_BACK
    assert (await only_lot(shop)).state == "void"
    assert await left(shop) == had
    assert [one.is_extra for one in await rows(shop, Payment) if one.method == "transfer"] == [True]
    page = await page_of(shop, order)
    assert "Please send it back." in page


async def test_once_its_time_is_over_it_does_not_come_back(shop: Shop, clock: FrozenClock) -> None:
    order, _before = await never_paid(shop, clock)
    clock.advance(timedelta(days=100))
    page = await page_of(shop, order, "/transfer")
    assert "its credits would have ended on" in page
    assert await receive(shop, order, PRICE_MINOR) is Outcome.TO_HAND_BACK
    assert (await only_lot(shop)).state == "void"


async def test_while_the_voucher_gets_its_part_back_nothing_is_noted(shop: Shop) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=5000)
    order = await by_transfer(shop, coupon=CODE, quoted_minor=REST_MINOR)
    await receive(shop, order, REST_MINOR)
    await undo(shop, order, await only_lot(shop))
    with pytest.raises(Conflict, match="try again in a moment"):
        await receive(shop, order, REST_MINOR)
    await shop.work()
    assert await receive(shop, order, REST_MINOR) is Outcome.BROUGHT_BACK


async def test_nobody_reads_that_it_is_cancelled_once_it_is_back(shop: Shop) -> None:
    """The mail about its end had not left when its transfer was noted anew."""
    order = await by_transfer(shop)
    await receive(shop, order, PRICE_MINOR)
    await shop.work()
    await undo(shop, order, await only_lot(shop))
    await receive(shop, order, PRICE_MINOR)
    assert "package_lapsed" not in await mails(shop)
