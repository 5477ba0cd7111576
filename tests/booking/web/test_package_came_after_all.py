"""A transfer was taken off a package by mistake: once it is noted anew, the package is back."""

import csv
import io
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
from tests.booking.web.pages import send_again
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
from tests.support.portal import sign_in_portal
from tests.support.vouchers import CODE, a_voucher
from tests.tenants.web.signed_in import sign_in

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


async def test_once_back_no_more_were_sold_than_before(shop: Shop, clock: FrozenClock) -> None:
    """Not what was bought and what came back, less what had been taken off between."""
    order, _before = await never_paid(shop, clock)
    await receive(shop, order, PRICE_MINOR)
    lot = await only_lot(shop)
    here = "/app/lotus/credits"
    for page in (
        await page_of(shop, order, f"/../../credits/{lot.id}"),
        await read(shop, f"/app/lotus/customers/{order.customer_id}"),
    ):
        assert "10 of 10" in page
        assert "taken off" not in page.replace("was taken off", "")
    await remove(shop, lot, 2)
    page = await read(shop, f"{here}/{lot.id}")
    assert "8 of 10 2 taken off" in page
    sent = await send_again(shop.guest.client, f"{here}/sales", await shop.guest.open(here), {})
    [row] = csv.DictReader(io.StringIO(sent.content.decode("utf-8-sig")))
    assert (row["Credits"], row["Left"], row["Credits taken off"]) == ("10", "8", "2")


async def test_who_words_the_mail_reads_that_it_is_sent_then_too(shop: Shop) -> None:
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    page = await read(shop, "/app/lotus/settings/mails/package_bought")
    assert "and again when it was paid on site, or when its transfer came after all." in page


async def test_the_page_asks_for_what_the_voucher_does_not_pay(
    shop: Shop, clock: FrozenClock
) -> None:
    order, _before = await never_paid(shop, clock, by_voucher=True)
    page = await page_of(shop, order, "/transfer")
    assert "What is less than €70.00, or too much, goes back by hand." in page
    assert "less than the price" not in page


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
    assert "Paid €120.00 Of it by voucher €50.00" in page
    assert "Back on the voucher" not in page, "that paid once more"
    assert "€170.00" not in page
    lot = await only_lot(shop)
    cmd = RefundCredits(lot_id=lot.id, amount_minor=12_000, seen=10, reason="Ill", token=new_id())
    async with shop.services.uow_factory(shop.business.id) as uow:
        given = await refund_credits(uow, shop.business.ctx, cmd)
    await shop.work()
    assert given is not None
    assert (given.by_hand_minor, await left(shop)) == (REST_MINOR, 5000), "all of it, once more"
    page = await read(shop, package_path(shop.services.settings, "lotus", order))
    for words in ("Paid €120.00", "Back on the voucher €50.00", "The business gives back €70.00"):
        assert words in page
    await sign_in_portal(shop.guest.client, shop.services, shop.business.id, order.customer_id)
    receipts = await read(shop, "/b/lotus/me/receipts")
    assert "€50.00 back" in receipts, "not what only went round"
    assert "€100.00 back" not in receipts
    assert "Received in all €170.00" in await read(shop, f"/b/lotus/me/receipts/{order.id}")


async def test_once_back_it_can_be_cancelled_as_never_paid_again(
    shop: Shop, clock: FrozenClock
) -> None:
    order, _before = await never_paid(shop, clock, by_voucher=True)
    await receive(shop, order, REST_MINOR)
    await undo(shop, order, await only_lot(shop))
    ended = ["billing.credits_changed", "package_lapsed"]
    assert (await mails(shop))[-2:] == ended, "each end is told"
    assert await left(shop) == 5000
    page = await read(shop, package_path(shop.services.settings, "lotus", order))
    assert "Paid €50.00 Of it by voucher €50.00" in page
    assert "Back on the voucher €50.00" in page
    assert "€100.00" not in page
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


@pytest.mark.parametrize("minor", [5000, 3000])
async def test_what_was_refunded_does_not_come_back(
    shop: Shop, clock: FrozenClock, minor: int
) -> None:
    """Its credits left with a refund: with all that the voucher had paid, or with a part of it."""
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=5000)
    order = await by_transfer(shop, coupon=CODE, quoted_minor=REST_MINOR)
    await receive(shop, order, REST_MINOR)
    await refund_all(shop, minor)
    [transfer] = await mistakable(shop, order)
    await take_off(shop, order, transfer)
    await shop.work()
    assert await left(shop) == 5000
    amount = f"€{minor // 100}.00"
    page = await page_of(shop, order, "/transfer")
    assert f"cannot be brought back: {amount} was refunded for its credits before" in page
    assert "All of it goes back by hand." in page
    await page_of(shop, order, "/transfer")
    await shop.guest.submit({"amount": "70"}, to="/received")
    assert "Its credits were refunded before." in shop.guest.text
    assert "Please send back €70.00" in shop.guest.text
    lot = await only_lot(shop)
    assert (lot.state, lot.balance) == ("void", 0)
    assert await left(shop) == 5000, "the voucher pays nothing"
    assert [one.is_extra for one in await rows(shop, Payment) if one.method == "transfer"] == [True]
    assert "billing.transfer_not_due" in await mails(shop)


async def refund_all(shop: Shop, minor: int) -> None:
    lot = await only_lot(shop)
    cmd = RefundCredits(
        lot_id=lot.id, amount_minor=minor, seen=lot.balance, reason="Not paid", token=new_id()
    )
    async with shop.services.uow_factory(shop.business.id) as uow:
        await refund_credits(uow, shop.business.ctx, cmd)
    await shop.work()


async def test_once_its_time_is_over_it_does_not_come_back(shop: Shop, clock: FrozenClock) -> None:
    order, _before = await never_paid(shop, clock)
    clock.advance(timedelta(days=100))
    page = await page_of(shop, order, "/transfer")
    assert "its credits would have ended on" in page
    assert await receive(shop, order, PRICE_MINOR) is Outcome.TO_HAND_BACK
    assert (await only_lot(shop)).state == "void"
    page = await page_of(shop, order)
    assert "What came since did not bring it back." in page
    assert "It came after all" not in page
    assert "Another transfer came" in page
    page = await read(shop, package_path(shop.services.settings, "lotus", order))
    assert "since your transfer for it had not come by then" in page
    assert "has not come" not in page
    assert "€120.00 came by bank transfer that was not due." in page


async def test_after_a_part_of_it_the_rest_may_still_come(shop: Shop, clock: FrozenClock) -> None:
    order, _before = await never_paid(shop, clock)
    page = await read(shop, package_path(shop.services.settings, "lotus", order))
    assert "since your transfer for it has not come." in page
    await receive(shop, order, PRICE_MINOR - 1)
    assert "It came after all" in await page_of(shop, order)


async def test_while_the_voucher_gets_its_part_back_nothing_is_noted(shop: Shop) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=5000)
    order = await by_transfer(shop, coupon=CODE, quoted_minor=REST_MINOR)
    await receive(shop, order, REST_MINOR)
    await undo(shop, order, await only_lot(shop))
    page = await page_of(shop, order, "/transfer")
    assert "What a voucher had paid of it is just going back to it." in page
    assert "Note its transfer in a moment" in page
    for wrong in ("cannot be brought back", "Sell the package anew", "All of it goes back"):
        assert wrong not in page
    with pytest.raises(Conflict, match="try again in a moment"):
        await receive(shop, order, REST_MINOR)
    await shop.work()
    assert "is there again" not in await page_of(shop, order)
    assert "10 credits are there again" in await page_of(shop, order, "/transfer")
    assert await receive(shop, order, REST_MINOR) is Outcome.BROUGHT_BACK


async def test_nobody_reads_that_it_is_cancelled_once_it_is_back(shop: Shop) -> None:
    """The mail about its end had not left when its transfer was noted anew."""
    order = await by_transfer(shop)
    await receive(shop, order, PRICE_MINOR)
    await shop.work()
    await undo(shop, order, await only_lot(shop))
    await receive(shop, order, PRICE_MINOR)
    assert "package_lapsed" not in await mails(shop)
