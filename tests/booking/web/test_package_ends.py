"""Bought packages that are over say what became of them, to their guest and on their receipts."""

import csv
import io
from datetime import timedelta
from html import unescape

import pytest
from httpx import AsyncClient

from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.commands.credits import SYSTEM, lock_lot, write_entry
from src.billing.commands.lapse_package import cancel_package, lapse_package
from src.billing.domain.credits import EntryKind
from src.billing.domain.kinds import PaymentMode
from src.billing.models import CreditLot, Order
from src.billing.settlement import give_up_order, released_by
from src.booking.guest_links import package_path
from src.platform.mail.models import MailRow
from src.tenants.models import MailWording
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.pages import send_again
from tests.booking.web.test_back_on_vouchers import words
from tests.booking.web.test_credits import HOME
from tests.booking.web.test_paying_packages import by_transfer, receive
from tests.booking.web.test_place_package import a_pending_one, buy, only_lot, wish
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot, a_package
from tests.support.portal import sign_in_portal
from tests.support.vouchers import CODE, a_voucher, on_it
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

ME = "/b/lotus/me"
TICK = 'rounded-full bg-success text-success-content"'


async def signed_in(shop: Shop, order: Order) -> None:
    await sign_in_portal(
        shop.guest.client, shop.services, shop.business.id, order.customer_id, order.guest_email
    )


async def test_giving_up_says_before_and_after_what_the_voucher_gets_back(shop: Shop) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=5000)
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await buy(shop, wish(package.id, coupon=CODE, way=PaymentMode.ON_SITE))
    (order,) = await rows(shop, Order)
    page = await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    assert "€50.00 goes back to the voucher you used." in page.text
    page = await shop.guest.submit(to="/give-up")
    assert "What the voucher had paid is on it again." in page.text
    assert "Back on the voucher" in page.text
    assert "On its way back to you" not in page.text
    await signed_in(shop, order)
    await shop.guest.open(f"{ME}/receipts")
    assert "Given up, nothing to pay" in shop.guest.text
    await shop.guest.open(f"{ME}/receipts/{order.id}")
    assert "You have given it up: there are no credits" in shop.guest.text


async def test_giving_up_what_was_paid_meanwhile_says_that_it_stays(shop: Shop) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await buy(shop, wish(package.id, way=PaymentMode.ON_SITE))
    (order,) = await rows(shop, Order)
    path = package_path(shop.services.settings, "lotus", order)
    page = await shop.guest.open(path)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await mark_paid_on_site(uow, shop.business.ctx, order.id)
    said = "It has been paid meanwhile, so it was not given up. Its credits are yours."
    given_up = await send_again(shop.guest.client, f"{path}/give-up", page, {})
    assert given_up.status_code == 303
    assert said in (await shop.guest.open(path)).text
    assert "10 sessions are yours" in shop.guest.text
    assert said not in (await shop.guest.open(path)).text


async def test_giving_up_twice_says_once_that_it_is_given_up(shop: Shop) -> None:
    order = await a_pending_one(shop)
    path = package_path(shop.services.settings, "lotus", order)
    page = await shop.guest.open(path)
    for _press in range(2):
        await send_again(shop.guest.client, f"{path}/give-up", page, {})
        shown = await shop.guest.open(path)
        assert "You have given it up" in shown.text
        assert "not given up" not in shown.text


async def test_the_business_cancels_what_waits_for_money_and_its_buyer_reads_so(
    shop: Shop,
) -> None:
    await a_voucher(shop.services.uow_factory, shop.business.id, minor=5000)
    package = await a_package(shop.services.uow_factory, shop.business.id)
    await buy(shop, wish(package.id, coupon=CODE, way=PaymentMode.ON_SITE))
    (order,) = await rows(shop, Order)
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    here = f"/app/lotus/orders/{order.id}"
    lot = await only_lot(shop)
    assert f"{here}#cancel" in (await shop.guest.open(f"{HOME}/{lot.id}")).text
    page = await shop.guest.open(here)
    assert "€50.00 goes back to the voucher that paid a part." in page.text
    assert "gets a mail about it." in page.text
    for said in ("The package is cancelled", "nothing was changed"):
        await send_again(shop.guest.client, f"{here}/package/cancel", page, {})
        shown = await shop.guest.open(here)
        assert said in shown.text
    assert "Cancel the package" not in shown.text
    assert f"{here}/paid" not in shown.text
    assert shown.text.count("Cancelled by the business before it was paid") == 1
    await shop.work()
    assert await on_it(shop.services.uow_factory, shop.business.id) == 5000
    [mail] = [one for one in await rows(shop, MailRow) if one.kind == "package_lapsed"]
    assert mail.subject == f"Cancelled: {lot.name}"
    assert "has cancelled this package, which was not paid yet." in mail.text
    page = await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    assert "has cancelled it: there are no credits, and you owe nothing." in page.text
    await signed_in(shop, order)
    await shop.guest.open(f"{ME}/receipts")
    assert "Cancelled, nothing to pay" in shop.guest.text


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            "Hello {customer_name}, {package_name} was not paid for, so it has lapsed.",
            "has cancelled this package, which was not paid yet.",
        ),
        ("About {package_name}. {reason} Bye.", "has cancelled it before it was paid. Bye."),
    ],
    ids=["words that do not say how it ended", "words that do"],
)
async def test_own_words_say_nothing_untrue_of_one_that_the_business_cancelled(
    shop: Shop, body: str, said: str
) -> None:
    order = await a_pending_one(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        uow.session.add(
            MailWording(
                tenant_id=shop.business.id,
                kind="package_lapsed",
                locale="en",
                subject="About {package_name}",
                body=body,
                changed_at=uow.clock.now(),
            )
        )
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert await cancel_package(uow, shop.business.ctx, order.id)
    await shop.work()
    [mail] = [one for one in await rows(shop, MailRow) if one.kind == "package_lapsed"]
    assert said in mail.text
    assert "not paid for" not in mail.text


async def test_what_was_paid_meanwhile_is_not_cancelled(shop: Shop) -> None:
    order = await a_pending_one(shop)
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    here = f"/app/lotus/orders/{order.id}"
    page = await shop.guest.open(here)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await mark_paid_on_site(uow, shop.business.ctx, order.id)
    await send_again(shop.guest.client, f"{here}/package/cancel", page, {})
    assert "nothing was changed" in (await shop.guest.open(here)).text
    assert (await only_lot(shop)).balance == 10


async def test_what_was_paid_back_is_not_counted_out_of_what_was_bought(shop: Shop) -> None:
    email = "carl@example.com"
    customer_id, lot_id = await a_lot(shop.services.uow_factory, shop.business.id, email)
    async with shop.services.uow_factory(shop.business.id) as uow:
        lot = await uow.session.get_one(CreditLot, (shop.business.id, lot_id))
        lot.refunded_minor = lot.paid_minor
        await write_entry(uow, lot, EntryKind.ADJUST, 1, SYSTEM)
        await write_entry(uow, lot, EntryKind.REFUND, -11, SYSTEM)
    await sign_in_portal(shop.guest.client, shop.services, shop.business.id, customer_id, email)
    await shop.guest.open(ME)
    assert "Its unused credits were given back for money." in shop.guest.text
    assert "of 11" not in shop.guest.text


@pytest.mark.parametrize("end", ["refunded", "used", "ended"])
async def test_what_nobody_can_use_any_more_does_not_read_as_if_one_could(
    shop: Shop, clock: FrozenClock, end: str
) -> None:
    order = await a_pending_one(shop)
    path = package_path(shop.services.settings, "lotus", order)
    waiting = await shop.guest.open(path)
    assert "A session has to start by then." in waiting.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        await mark_paid_on_site(uow, shop.business.ctx, order.id)
    bought = await shop.guest.open(path)
    assert TICK in bought.text
    assert "A session has to start by then." in bought.text
    lot = await only_lot(shop)
    if end == "ended":
        clock.advance(timedelta(days=91))
    else:
        async with shop.services.uow_factory(shop.business.id) as uow:
            locked = await lock_lot(uow, lot.id)
            locked.refunded_minor = locked.paid_minor if end == "refunded" else 0
            kind = EntryKind.REFUND if end == "refunded" else EntryKind.REDEEM
            await write_entry(uow, locked, kind, -10, SYSTEM)
    over = await shop.guest.open(path)
    assert TICK not in over.text
    assert "A session has to start by then." not in over.text
    assert "0 of 10 left" in over.text


async def test_the_heading_counts_what_is_left(shop: Shop) -> None:
    """Row 2-45: nobody saw how much of a package was used."""
    order = await a_pending_one(shop)
    path = package_path(shop.services.settings, "lotus", order)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await mark_paid_on_site(uow, shop.business.ctx, order.id)
    whole = await shop.guest.open(path)
    assert "10 sessions are yours" in whole.text
    assert f"This page's link is in the mail to {order.guest_email}." in unescape(whole.text)
    lot = await only_lot(shop)
    for taken, said in ((7, "3 sessions are left"), (2, "1 session is left")):
        async with shop.services.uow_factory(shop.business.id) as uow:
            await write_entry(uow, await lock_lot(uow, lot.id), EntryKind.REDEEM, -taken, SYSTEM)
        page = await shop.guest.open(path)
        assert said in page.text
        assert "yours" not in page.text


async def test_what_came_in_part_is_told_beside_the_price(shop: Shop) -> None:
    order = await by_transfer(shop)
    path = package_path(shop.services.settings, "lotus", order)
    assert "Price €120.00" in words(await shop.guest.open(path))
    await receive(shop, order, 1000)
    await give_up_order(shop.services, shop.business.id, order.id, released_by(shop.business.ctx))
    page = words(await shop.guest.open(path))
    assert "Price €120.00 Paid €10.00" in page
    assert "The business gives back €10.00" in page


async def test_what_was_never_bought_says_that_it_has_no_credits(shop: Shop) -> None:
    order = await a_pending_one(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert await cancel_package(uow, shop.business.ctx, order.id)
    page = await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    assert "None: 10 sessions were ordered" in page.text
    assert "A session has to start by then." not in page.text


async def test_the_file_of_what_was_sold_counts_as_paid_what_was_paid(shop: Shop) -> None:
    """Neither what waits for its money nor what was given up."""
    client, services = shop.guest.client, shop.services
    package = await a_package(services.uow_factory, shop.business.id)
    await buy(shop, wish(package.id, way=PaymentMode.ON_SITE))
    (order,) = await rows(shop, Order)
    await sign_in(client, services, shop.business.owner.id)
    assert await paid_in_file(client) == ["0.00"]
    async with services.uow_factory(shop.business.id) as uow:
        await lapse_package(uow, order.id)
    assert await paid_in_file(client) == ["0.00"]


async def paid_in_file(client: AsyncClient) -> list[str]:
    shown = await client.get(HOME)
    sent = await send_again(client, f"{HOME}/sales", shown, {})
    return [row["Paid"] for row in csv.DictReader(io.StringIO(sent.content.decode("utf-8-sig")))]
