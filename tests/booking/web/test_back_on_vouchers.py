"""What a voucher paid goes back onto it at once, and is said so before and after."""

import re

import pytest
from httpx import Response

from src.billing.commands.by_staff import RefundByHand, mark_paid_on_site
from src.billing.commands.vouchers import refund_as_voucher
from src.billing.models import Order, Payment
from src.billing.settlement import check_payment
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.guest_links import package_path
from tests.booking.web.conftest import Shop, rows, subject
from tests.booking.web.pages import as_owner
from tests.booking.web.test_guest_page import own_page
from tests.booking.web.test_place_package import buy, wish
from tests.booking.web.test_refunding_packages import used
from tests.support.builders import a_series, a_service, a_session
from tests.support.credits import a_package
from tests.support.mail import RememberingMailer
from tests.support.portal import sign_in_portal
from tests.support.vouchers import CODE, a_voucher

pytestmark = pytest.mark.anyio
TERMS = LeavingTerms(tiers=(Tier(before=24, percent=100),))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("minor", "before", "flashed", "mailed"),
    [
        (
            5000,
            "€15.00 goes onto the voucher again that you paid with, at once.",
            "It is cancelled. €15.00 is on your voucher again.",
            "€15.00 is on the voucher again that you paid with.",
        ),
        (
            1000,
            "€15.00 goes back: onto your voucher first, at once, and the rest the way you paid it,",
            "€10.00 is on your voucher again, and €5.00 is on its way back to you.",
            "€15.00 comes back to you: on your voucher first, the rest the way you paid it.",
        ),
    ],
    ids=["all", "a part"],
)
async def test_no_bank_has_to_carry_what_a_voucher_paid(
    shop: Shop, mailer: RememberingMailer, minor: int, before: str, flashed: str, mailed: str
) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, leaving=TERMS.document())
    date = await a_session(factory, service)
    await a_voucher(factory, shop.business.id, minor=minor)
    await shop.guest.open(subject("session", date.id))
    shop.guest.page = await shop.send(coupon=CODE, step="update")
    sent = await shop.send(coupon=CODE)
    if minor < 1500:
        await shop.pay(sent.headers["location"])
        [order] = await rows(shop, Order)
        await check_payment(shop.services, shop.business.id, order.id)
    await shop.work()
    await as_owner(shop.guest.client, shop.services, shop.business)
    page = await shop.guest.open(f"/app/lotus/sessions/{date.id}/cancel")
    of_it = (
        "€15.00 paid by voucher." if minor > 1500 else "€10.00 paid by voucher, €5.00 paid online."
    )
    assert of_it in page.text
    own = await own_page(shop)
    page = await shop.guest.open(f"{own}/leave?date={date.id}")
    assert before in page.text
    assert "goes back the way you paid; it takes a few days" not in page.text
    mailer.sent.clear()
    left = await shop.guest.submit(to=f"/leave?date={date.id}")
    assert flashed in left.text
    shown = await shop.guest.open(own)
    assert "Back on the voucher" in shown.text, "before any job has run, too"
    assert ("On its way back to you" in shown.text) is (minor < 1500)
    assert "Nothing of it came back" not in shown.text
    await shop.work()
    assert mailed in " ".join(mailer.sent[0].body.split())
    assert "Back on the voucher" in (await shop.guest.open(own)).text


@pytest.mark.parametrize("paid", [False, True], ids=["not paid yet", "paid"])
async def test_of_what_was_taken_on_site_only_the_vouchers_part_goes_onto_it(
    shop: Shop, paid: bool
) -> None:
    """The business has the rest, if anybody; no card is there that it could go back to."""
    factory = shop.services.uow_factory
    service = await a_service(
        factory, shop.business.id, price_type="on_site", leaving=TERMS.document()
    )
    date = await a_session(factory, service)
    await a_voucher(factory, shop.business.id, minor=1000)
    await shop.guest.open(subject("session", date.id))
    shop.guest.page = await shop.send(coupon=CODE, step="update")
    await shop.send(coupon=CODE)
    if paid:
        [order] = await rows(shop, Order)
        async with factory(shop.business.id) as uow:
            await mark_paid_on_site(uow, shop.business.ctx, order.id)
    page = await shop.guest.open(f"{await own_page(shop)}/leave?date={date.id}")
    assert "€10.00 goes onto the voucher again that you paid with, at once." in page.text
    assert "the way you paid" not in page.text


@pytest.mark.parametrize(
    ("minor", "takes", "money", "of_guest"),
    [
        (
            1000,
            False,
            "€10.00 paid by voucher, €5.00 payable on site.",
            "€10.00 paid by voucher, €5.00 still to be paid on site",
        ),
        (
            1000,
            True,
            "€10.00 paid by voucher, €5.00 paid on site.",
            "€10.00 paid by voucher, €5.00 paid on site",
        ),
        (5000, False, "€15.00 paid by voucher.", "1 seat · €15.00 · paid by voucher"),
    ],
    ids=["a part", "the rest taken", "all"],
)
async def test_staff_read_before_they_cancel_what_a_voucher_paid_on_site_and_what_is_left_to_pay(
    shop: Shop, minor: int, takes: bool, money: str, of_guest: str
) -> None:
    """Nothing that a voucher paid was taken on site, and what is left to pay falls away."""
    factory = shop.services.uow_factory
    service = await a_service(
        factory, shop.business.id, price_type="on_site", leaving=TERMS.document()
    )
    date = await a_session(factory, service)
    await a_voucher(factory, shop.business.id, minor=minor)
    await shop.guest.open(subject("session", date.id))
    shop.guest.page = await shop.send(coupon=CODE, step="update")
    await shop.send(coupon=CODE)
    if takes:
        [order] = await rows(shop, Order)
        async with factory(shop.business.id) as uow:
            await mark_paid_on_site(uow, shop.business.ctx, order.id)
    await as_owner(shop.guest.client, shop.services, shop.business)
    page = words(await shop.guest.open(f"/app/lotus/sessions/{date.id}/cancel"))
    assert money in page
    assert of_guest in page
    falls_away = minor < 1500 and not takes
    assert ("What is still to be paid on site for these seats falls away." in page) is falls_away


async def test_a_seat_that_was_given_back_leaves_less_of_its_voucher_for_the_others(
    shop: Shop,
) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id)
    own_terms = {"leaving": TERMS.document()}
    term = await a_series(factory, service, price_minor=3000, price_type="on_site", **own_terms)
    await a_voucher(factory, shop.business.id, minor=1500)
    await shop.guest.open(subject("series", term.series.id))
    shop.guest.page = await shop.send(coupon=CODE, step="update")
    await shop.send(coupon=CODE)
    await as_owner(shop.guest.client, shop.services, shop.business)
    path = "/app/lotus/sessions/{}/cancel"
    first, second, _third = term.sessions
    page = words(await shop.guest.open(path.format(first.id)))
    assert "€10.00 paid by voucher. You choose below" in page, "the voucher has it back first"
    guest = f"{await own_page(shop)}/leave?date={first.id}"
    await shop.guest.open(guest)
    await shop.guest.submit(to=f"/leave?date={first.id}")
    await shop.work()
    page = words(await shop.guest.open(path.format(second.id)))
    assert "€5.00 paid by voucher, €5.00 payable on site." in page


async def test_what_a_voucher_paid_and_what_is_left_on_site_stand_beside_the_price(
    shop: Shop, mailer: RememberingMailer
) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, price_type="on_site")
    date = await a_session(factory, service)
    await a_voucher(factory, shop.business.id, minor=1000)
    await shop.guest.open(subject("session", date.id))
    shop.guest.page = await shop.send(coupon=CODE, step="update")
    await shop.send(coupon=CODE)
    shown = words(await shop.guest.open(await own_page(shop)))
    assert "Price €15.00 To pay on site €5.00 Paid by voucher €10.00" in shown
    await shop.work()
    told = "Price: €15.00 · Paid by voucher: €10.00 · To pay on site: €5.00"
    assert told in mailer.sent[0].body


async def paid(shop: Shop, payment_url: str) -> Order:
    await shop.pay(payment_url)
    [order] = await rows(shop, Order)
    await check_payment(shop.services, shop.business.id, order.id)
    found: Order = order
    return found


async def part_as_voucher(shop: Shop, order: Order, minor: int) -> None:
    """So much of what came by card goes back as a new voucher."""
    [payment] = [one for one in await rows(shop, Payment) if one.method == "card"]
    cmd = RefundByHand(order_id=order.id, payment_id=payment.id, amount_minor=minor, token="once")
    async with shop.services.uow_factory(shop.business.id) as uow:
        await refund_as_voucher(uow, shop.business.ctx, cmd)
    await shop.work()


def words(page: Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


async def test_a_refund_as_a_voucher_is_none_back_on_one(shop: Shop) -> None:
    """Nothing was paid by voucher, so there is none that it could be back on."""
    factory = shop.services.uow_factory
    date = await a_session(factory, await a_service(factory, shop.business.id))
    sent = await shop.book(subject("session", date.id))
    await part_as_voucher(shop, await paid(shop, sent.headers["location"]), 600)
    page = await shop.guest.open(await own_page(shop))
    assert "Given back as a voucher" in page.text
    assert "Back on the voucher" not in page.text


async def test_nor_is_it_on_a_bought_packages_page(shop: Shop) -> None:
    package = await a_package(shop.services.uow_factory, shop.business.id)
    order = await paid(shop, await buy(shop, wish(package.id)))
    await used(shop, 10)
    await part_as_voucher(shop, order, 500)
    page = await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    assert "Given back as a voucher €5.00" in words(page)
    assert "Back on the voucher" not in page.text


async def test_the_voucher_that_paid_has_no_more_back_than_it_paid(shop: Shop) -> None:
    """What went back as a new voucher is said beside it."""
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, leaving=TERMS.document())
    date = await a_session(factory, service)
    await a_voucher(factory, shop.business.id, minor=1000)
    await shop.guest.open(subject("session", date.id))
    shop.guest.page = await shop.send(coupon=CODE, step="update")
    sent = await shop.send(coupon=CODE)
    order = await paid(shop, sent.headers["location"])
    await part_as_voucher(shop, order, 200)
    own = await own_page(shop)
    await shop.guest.open(f"{own}/leave?date={date.id}")
    await shop.guest.submit(to=f"/leave?date={date.id}")
    await shop.work()
    shown = words(await shop.guest.open(own))
    assert "Back on the voucher €10.00" in shown
    assert "Given back as a voucher €2.00" in shown
    await sign_in_portal(shop.guest.client, shop.services, shop.business.id, order.customer_id)
    receipt = words(await shop.guest.open(f"/b/lotus/me/receipts/{order.id}"))
    for way, amount in (
        ("Given back as a voucher", "2.00"),
        ("Back on the voucher", "10.00"),
        ("Given back the way it was paid", "3.00"),
        ("Given back in all", "15.00"),
    ):
        assert f"{way} \u2212€{amount}" in receipt
