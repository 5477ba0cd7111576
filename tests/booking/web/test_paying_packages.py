"""Packages that a voucher pays, in part or whole, or a transfer: credits come with the money."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from src.billing.commands.buy_package import PackageChanged
from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.commands.lapse_package import lapse_package
from src.billing.commands.transfers import Outcome, TransferReceived, mark_transfer_received
from src.billing.domain.kinds import PaymentMode
from src.billing.domain.package_sale import WAITS_FOR_MONEY
from src.billing.jobs.transfers import remind_of_transfers
from src.billing.lapsing import lapse_unpaid_packages
from src.billing.models import CreditLot, Order, Payment, Refund
from src.billing.owed import get_owed_minor
from src.billing.settlement import check_payment, end_hold
from src.billing.sweeper import sweep_holds
from src.booking.guest_links import package_path
from src.platform.errors import InvalidInput
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.mail.models import MailRow
from src.platform.money import Money
from tests.booking.commands.test_transfers import takes_transfers
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.test_place_package import buy, only_lot, wish
from tests.support.clock import FrozenClock
from tests.support.credits import a_package
from tests.support.vouchers import CODE, a_voucher, change_voucher, ledger, on_it
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

PRICE_MINOR = 12_000
SEVENTY = {"quoted_minor": "7000", "quoted_off_minor": "5000"}
"""What a form says that was shown, where a voucher of 50.00 pays a part."""


async def a_shop_with(shop: Shop, minor: int, **more: Any) -> Any:
    """A package at 120.00, and a voucher with so much on it."""
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=minor)
    return await a_package(shop.services.uow_factory, shop.business.id, **more)


async def left(shop: Shop) -> int:
    return await on_it(shop.services.uow_factory, shop.business.id)


async def the_order(shop: Shop) -> Order:
    (order,) = await rows(shop, Order)
    found: Order = order
    return found


async def mails(shop: Shop) -> list[str]:
    await shop.work()
    return [mail.kind for mail in await rows(shop, MailRow)]


async def test_a_voucher_pays_all_of_it_and_the_credits_are_there_at_once(shop: Shop) -> None:
    package = await a_shop_with(shop, 15_000)
    path = await buy(shop, wish(package.id, coupon=CODE.lower(), quoted_minor=0))
    assert path.startswith("/b/lotus/packages/bought/")
    lot, order = await only_lot(shop), await the_order(shop)
    assert (lot.state, lot.balance, lot.paid_minor) == ("active", 10, PRICE_MINOR)
    assert (order.state, order.total_minor, order.paid_minor) == ("confirmed", 12_000, 12_000)
    (payment,) = await rows(shop, Payment)
    assert (payment.method, payment.amount_minor) == ("voucher", PRICE_MINOR)
    assert await left(shop) == 3000
    assert "package_bought" in await mails(shop)


async def test_it_pays_all_on_site_too_and_nobody_waits_for_the_desk(
    shop: Shop, clock: FrozenClock
) -> None:
    package = await a_shop_with(shop, PRICE_MINOR)
    await buy(shop, wish(package.id, coupon=CODE, way=PaymentMode.ON_SITE))
    assert (await only_lot(shop)).state == "active"
    clock.advance(WAITS_FOR_MONEY + timedelta(days=1))
    assert await lapse_unpaid_packages(shop.services) == 0


async def test_a_part_by_voucher_and_the_rest_by_card(shop: Shop, clock: FrozenClock) -> None:
    package = await a_shop_with(shop, 5000)
    with pytest.raises(PackageChanged, match=r"€70\.00"):
        await buy(shop, wish(package.id, coupon=CODE, quoted_minor=PRICE_MINOR))
    url = await buy(shop, wish(package.id, coupon=CODE, quoted_minor=7000))
    assert url.startswith(shop.stripe.base_url)
    assert await left(shop) == 0
    assert (await only_lot(shop)).state == "pending"
    await shop.pay(url)
    order = await the_order(shop)
    await check_payment(shop.services, shop.business.id, order.id)
    paid = sorted((one.method, one.amount_minor) for one in await rows(shop, Payment))
    assert paid == [("card", 7000), ("voucher", 5000)]
    lot = await only_lot(shop)
    assert (lot.state, lot.balance, lot.paid_minor) == ("active", 10, PRICE_MINOR)


async def test_a_hold_that_dies_gives_the_voucher_its_part_back(
    shop: Shop, clock: FrozenClock
) -> None:
    package = await a_shop_with(shop, 5000)
    cmd = wish(package.id, coupon=CODE)
    await buy(shop, cmd)
    # What the form's own hold has of it counts as still on it.
    await buy(shop, msgspec.structs.replace(cmd, guest_name="Carl B"))
    states = sorted(lot.state for lot in await rows(shop, CreditLot))
    assert (states, await left(shop)) == (["pending", "void"], 0)
    clock.advance(timedelta(hours=1))
    for order in await rows(shop, Order):
        await end_hold(shop.services, shop.business.id, order.id)
    assert await left(shop) == 5000
    assert await rows(shop, Payment) == []


async def test_the_rest_on_site_is_owed_and_brings_the_credits(shop: Shop) -> None:
    package = await a_shop_with(shop, 5000)
    await buy(shop, wish(package.id, coupon=CODE, way=PaymentMode.ON_SITE, quoted_minor=7000))
    order = await the_order(shop)
    assert (order.state, (await only_lot(shop)).state) == ("confirmed", "pending")
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert await get_owed_minor(uow, order.id) == 7000
        taken = await mark_paid_on_site(uow, shop.business.ctx, order.id)
    assert taken == Money(7000, "EUR")
    lot = await only_lot(shop)
    assert (lot.state, lot.balance) == ("active", 10)
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert not await lapse_package(uow, order.id), "what is paid for stands"


async def test_what_lapses_at_the_desk_gives_the_voucher_its_part_back_once(
    shop: Shop, clock: FrozenClock
) -> None:
    package = await a_shop_with(shop, 5000)
    await buy(shop, wish(package.id, coupon=CODE, way=PaymentMode.ON_SITE))
    order = await the_order(shop)
    clock.advance(WAITS_FOR_MONEY + timedelta(minutes=1))
    assert await lapse_unpaid_packages(shop.services) == 1
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert not await lapse_package(uow, order.id)
        assert await get_owed_minor(uow, order.id) == 0
    sent = await mails(shop)
    assert "package_lapsed" in sent
    assert (await only_lot(shop)).state == "void"
    assert await left(shop) == 5000
    (refund,) = await rows(shop, Refund)
    assert (refund.state, refund.amount_minor) == ("succeeded", 5000)
    spent = await ledger(shop.services.uow_factory, shop.business.id)
    assert spent == [("grant", 5000), ("spend", -5000), ("give_back", 5000)]


@pytest.mark.parametrize("change", [{"state": "blocked"}, {"balance_minor": 0}])
async def test_what_cannot_pay_is_refused_in_one_sentence(
    shop: Shop, change: dict[str, Any]
) -> None:
    package = await a_shop_with(shop, 5000)
    if change != {"balance_minor": 0}:
        await change_voucher(shop.services.uow_factory, shop.business.id, **change)
    else:
        await buy(shop, wish(package.id, coupon=CODE))
    with pytest.raises(InvalidInput, match="cannot be used") as refused:
        await buy(shop, wish(package.id, coupon=CODE))
    assert list(refused.value.fields) == ["coupon"]


async def by_transfer(shop: Shop, **more: Any) -> Order:
    await takes_transfers(shop.services, shop.business, days=7)
    package = await a_package(shop.services.uow_factory, shop.business.id, pays=["online"])
    path = await buy(shop, wish(package.id, way=PaymentMode.TRANSFER, **more))
    assert path.startswith("/b/lotus/packages/bought/")
    return await the_order(shop)


async def receive(shop: Shop, order: Order, minor: int, *, token: UUID | None = None) -> Outcome:
    cmd = TransferReceived(
        order_id=order.id,
        amount_minor=minor,
        arrived_on=to_local(shop.services.clock.now(), shop.business.tenant.zone).date(),
        token=token or new_id(),
    )
    async with shop.services.uow_factory(shop.business.id) as uow:
        return (await mark_transfer_received(uow, shop.business.ctx, cmd)).outcome


async def test_a_transfer_brings_the_credits_once_all_of_it_is_there(
    shop: Shop, clock: FrozenClock
) -> None:
    order = await by_transfer(shop, quoted_minor=PRICE_MINOR)
    assert (order.state, order.payment_mode) == ("open", "transfer")
    assert order.hold_expires_at is not None
    assert (order.hold_expires_at - clock.now()) > timedelta(days=7)
    lot = await only_lot(shop)
    assert (lot.state, lot.balance, lot.expires_at) == ("pending", 0, None)
    assert await mails(shop) == ["billing.transfer_awaited"]
    (mail,) = await rows(shop, MailRow)
    assert "/b/lotus/packages/bought/" in mail.text
    clock.advance(timedelta(days=3))
    assert await receive(shop, order, 2000) is Outcome.PARTIAL
    assert (await only_lot(shop)).state == "pending"
    assert await mails(shop) == ["billing.transfer_awaited", "billing.transfer_part"]
    told = (await rows(shop, MailRow))[-1]
    assert told.subject == "We have received €20.00; €100.00 is still missing"
    assert "DE89 3704 0044 0532 0130 00" in told.text
    assert "thank you. €100.00 is still missing, and we wait for it until" in told.text
    assert await receive(shop, order, 10_000) is Outcome.CONFIRMED
    lot = await only_lot(shop)
    assert (lot.state, lot.balance) == ("active", 10)
    assert lot.expires_at is not None
    assert (lot.expires_at - clock.now()).days == 90, "its time begins with the money"
    assert "package_bought" in await mails(shop)


async def test_who_does_not_transfer_is_reminded_once_and_has_nothing_then(
    shop: Shop, clock: FrozenClock
) -> None:
    order = await by_transfer(shop)
    clock.advance(timedelta(days=6))
    for _run in range(2):
        await remind_of_transfers(shop.services)
    assert (await mails(shop)).count("billing.transfer_reminder") == 1
    clock.advance(timedelta(days=3))
    await sweep_holds(shop.services)
    assert (await only_lot(shop)).state == "void"
    assert (await the_order(shop)).state == "expired"
    assert "billing.transfer_over" in await mails(shop)
    texts = [mail.text for mail in await rows(shop, MailRow)]
    assert any("so you have not bought this:\n10 sessions" in text for text in texts)
    assert not any("free for others" in text for text in texts)
    assert await receive(shop, order, PRICE_MINOR) is Outcome.CONFIRMED, "late money, and yet"
    lot = await only_lot(shop)
    assert (lot.state, lot.balance) == ("active", 10)


async def test_a_voucher_pays_a_part_and_a_transfer_the_rest(
    shop: Shop, clock: FrozenClock
) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=5000)
    order = await by_transfer(shop, coupon=CODE, quoted_minor=7000)
    assert await left(shop) == 0
    assert await receive(shop, order, 7000) is Outcome.CONFIRMED
    assert (await only_lot(shop)).state == "active"
    assert (await the_order(shop)).paid_minor == PRICE_MINOR


async def test_no_transfer_where_none_is_taken_or_it_is_sold_on_site_alone(shop: Shop) -> None:
    factory = shop.services.uow_factory
    package = await a_package(factory, shop.business.id)
    with pytest.raises(InvalidInput) as refused:
        await buy(shop, wish(package.id, way=PaymentMode.TRANSFER))
    assert list(refused.value.fields) == ["way"]
    await takes_transfers(shop.services, shop.business)
    on_site = await a_package(factory, shop.business.id, pays=["on_site"])
    with pytest.raises(InvalidInput):
        await buy(shop, wish(on_site.id, way=PaymentMode.TRANSFER))
    async with factory(shop.business.id) as uow:
        assert (await uow.session.scalars(select(CreditLot))).all() == []


async def send(shop: Shop, package: Any, **typed: Any) -> Any:
    await shop.guest.open(f"/b/lotus/packages/{package.id}")
    return await shop.send(step="buy", **typed)


async def test_the_form_works_a_voucher_out_and_its_page_tells_of_it(shop: Shop) -> None:
    package = await a_shop_with(shop, 5000, pays=["online", "on_site"])
    page = await shop.guest.open(f"/b/lotus/packages/{package.id}")
    assert "Coupon or voucher code" in page.text
    shown = await shop.send(step="update", coupon=CODE, way="on_site")
    for words in ("Voucher •••• BCDF", "\u2212€50.00", "€70.00", "nothing stays on it"):
        assert words in shown.text, words
    stale = await shop.send(step="buy", coupon=CODE, way="on_site")
    assert stale.status_code == 409
    assert "Voucher •••• BCDF takes €50.00 off. Please look again." in stale.text
    sent = await shop.send(step="buy", coupon=CODE, way="on_site", **SEVENTY)
    assert sent.status_code == 303, sent.text
    page = await shop.guest.open(sent.headers["location"])
    for words in ("Waiting for payment", "Pay €70.00 on site", "Paid by voucher", "€50.00"):
        assert words in page.text, words


async def test_the_form_takes_what_a_voucher_pays_alone(shop: Shop) -> None:
    package = await a_shop_with(shop, PRICE_MINOR)
    await shop.guest.open(f"/b/lotus/packages/{package.id}")
    shown = await shop.send(step="update", coupon=CODE)
    assert "Nothing to pay. You can use your credits at once." in shown.text
    assert "Get it now" in shown.text
    seen = {"quoted_minor": "0", "quoted_off_minor": "12000"}
    sent = await shop.send(step="buy", coupon=CODE, **seen)
    page = await shop.guest.open(sent.headers["location"])
    assert "10 sessions are yours" in page.text
    assert "Of it by voucher" in page.text


async def test_a_guest_reads_how_to_transfer_and_may_give_it_up(shop: Shop) -> None:
    await takes_transfers(shop.services, shop.business)
    package = await a_package(shop.services.uow_factory, shop.business.id, pays=["online"])
    sent = await send(shop, package, way="transfer")
    assert sent.status_code == 303, sent.text
    path = sent.headers["location"]
    page = await shop.guest.open(path)
    order = await the_order(shop)
    for words in ("We wait for your transfer", "DE89 3704 0044 0532 0130 00", order.reference):
        assert words in page.text
    await shop.guest.submit(to="/give-up")
    assert "You did not buy it" in (await shop.guest.open(path)).text
    for words in ("Receipt", "Bought on", "Bought by"):
        assert words not in shop.guest.text
    assert "Ordered by" in shop.guest.text
    assert (await only_lot(shop)).state == "void"
    await shop.work()
    assert "billing.transfer_over" in await mails(shop)


async def test_who_gives_up_a_package_reads_that_the_voucher_is_whole(shop: Shop) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=5000)
    order = await by_transfer(shop, coupon=CODE, quoted_minor=7000)
    await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    page = await shop.guest.submit(to="/give-up")
    assert "€50.00 is on the voucher again that you used." in page.text
    assert "Of it by voucher" not in page.text
    assert await left(shop) == 5000


async def test_staff_are_led_to_match_the_transfer_in_words_of_a_package(shop: Shop) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=5000)
    order = await by_transfer(shop, coupon=CODE, quoted_minor=7000)
    client, lot = shop.guest.client, await only_lot(shop)
    await sign_in(client, shop.services, shop.business.owner.id)
    transfer = f"/app/lotus/orders/{order.id}/transfer"
    page = (await client.get(f"/app/lotus/credits/{lot.id}")).text
    assert transfer in page
    assert "Match the transfer" in page
    assert "Mark as paid" not in page
    assert "on the day you match it" in page
    assert "Price" in page
    listed = (await client.get("/app/lotus/orders?state=transfer")).text
    assert "€70.00 awaited" in listed
    assert "of €120.00" in listed
    for path in (f"/app/lotus/orders/{order.id}", transfer):
        page = (await client.get(path)).text
        assert "places" not in page
        assert "first date" not in page
    await receive(shop, order, 2000)
    listed = (await client.get("/app/lotus/orders?state=transfer")).text
    assert "€50.00 awaited" in listed


async def test_nobody_is_told_of_a_part_once_its_time_is_over(
    shop: Shop, clock: FrozenClock
) -> None:
    order = await by_transfer(shop)
    await receive(shop, order, 2000)
    assert order.hold_expires_at is not None
    clock.advance(order.hold_expires_at - clock.now() + timedelta(minutes=1))
    assert "billing.transfer_part" not in await mails(shop)


async def test_two_parts_are_two_mails_and_one_noted_twice_is_one(shop: Shop) -> None:
    order, token = await by_transfer(shop), new_id()
    for sent in (token, token, new_id()):
        await receive(shop, order, 2000, token=sent)
    assert (await mails(shop)).count("billing.transfer_part") == 2
