"""What a correction of an address does to everything else that its guest has."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.billing.commands.buy_package import BuyCommand, buy_package
from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.commands.credits import SYSTEM, write_entry
from src.billing.commands.voucher_sales import SellVoucher, sell_voucher_by_staff
from src.billing.commands.vouchers import send_voucher_again
from src.billing.domain.credits import EntryKind
from src.billing.domain.kinds import PaymentMode
from src.billing.jobs.fees import charge_due_fees
from src.billing.models import CreditLot, Order, Voucher
from src.booking.commands.book import Booked
from src.booking.commands.leave import leave_dates
from src.booking.commands.readdress import (
    Readdressed,
    correct_customer,
    merge_and_correct,
)
from src.booking.domain.fees import FeeRule
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.models import Booking, Service
from src.booking.queries.guest_bookings import get_guest_booking
from src.booking.queries.mistyped import count_to_readdress
from src.platform.services import Services
from src.tenants.commands.customer_care import CustomerDetails
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_leave import leave
from tests.booking.commands.test_staff_book import by_staff, for_anna
from tests.booking.commands.test_waitlist import Town, a_town
from tests.booking.web.test_readdress import link_in
from tests.support.builders import Business, a_business, a_service, a_session, as_guest
from tests.support.clock import FrozenClock
from tests.support.credits import a_package
from tests.support.gaps import a_course
from tests.support.lots import lot_of
from tests.support.mail import RememberingMailer
from tests.support.visitor import Visitor
from tests.support.vouchers import a_voucher
from tests.support.waiting import entries, joined, offers
from tests.support.work import work
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio

RIGHT = "ann@example.org"
BOOKING = re.compile(r'href="(/b/lotus/bookings/[^"]+)"')


async def correct(
    services: Services, business: Business, customer_id: UUID, name: str = "Ann"
) -> Readdressed:
    details = CustomerDetails(name=name, email=RIGHT)
    async with services.uow_factory(business.id) as uow:
        told = await correct_customer(uow, business.ctx, customer_id, details, readdress=True)
    await work(services, business.id)
    return told


async def test_who_joined_another_list_since_keeps_their_place_in_it(
    services: Services, mailer: RememberingMailer
) -> None:
    town = await a_town(services)
    await town.join("Ann")
    await town.free()
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    made = await town.take(offer.id)
    await town.work()
    other = await a_session(
        town.factory,
        await a_service(town.factory, town.lotus.id, price_type="free", slug="other"),
        capacity=1,
    )
    wish = a_wish("session", other.id, guest_email="zoe@example.com")
    await booked(town.factory, town.lotus, wish)
    await joined(town.factory, town.lotus, "session", other.id, "Ann")
    await town.work()
    mailer.sent.clear()
    assert await correct(services, town.lotus, made.order.customer_id) == Readdressed(1, 0)
    assert [mail.to for mail in mailer.sent] == [[f"Carl <{RIGHT}>"]]
    assert await entries(town.factory, town.lotus) == {"Ann": "waiting"}


async def test_a_link_to_pay_that_went_astray_is_sent_anew_and_the_first_one_ends(
    client: AsyncClient, services: Services, mailer: RememberingMailer
) -> None:
    lotus = await a_business(services.uow_factory)
    anna = await a_customer(services.uow_factory, lotus)
    session = await a_session(services.uow_factory, await a_service(services.uow_factory, lotus.id))
    await by_staff(services.uow_factory, lotus, for_anna("session", session.id, anna, pays="link"))
    await work(services, lotus.id)
    assert await correct(services, lotus, anna, "Anna") == Readdressed(0, 1)
    wrong, right = mailer.sent
    assert (wrong.to, right.to) == (["Anna <anna@example.com>"], [f"Anna <{RIGHT}>"])
    assert right.subject == wrong.subject
    guest = Visitor(client)
    await guest.open(link_in(right.body))
    for path in ("", "/leave", "/feed"):
        assert (await client.get(link_in(wrong.body) + path)).status_code == 410, path


async def test_whoever_is_paying_just_now_keeps_the_way_back(services: Services) -> None:
    """No mail has their link, and the payment page leads to it."""
    lotus = await a_business(services.uow_factory)
    session = await a_session(services.uow_factory, await a_service(services.uow_factory, lotus.id))
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    assert await correct(services, lotus, made.order.customer_id, "Carl") == Readdressed(0, 0)
    async with services.uow_factory(lotus.id) as uow:
        [order] = await uow.session.scalars(select(Order))
    assert (order.state, order.guest_email, order.link_version) == ("open", RIGHT, 0)


@pytest.mark.parametrize("price_type", ["free", "online"])
async def test_the_page_of_the_offer_leads_to_the_corrected_booking_no_more(
    client: AsyncClient, services: Services, mailer: RememberingMailer, price_type: str
) -> None:
    """Also of one that is corrected before it is paid: its link is the same afterwards."""
    town = await a_town(services)
    await town.join("Ann")
    await town.free()
    await town.work()
    await set_price(town, price_type)
    [offer] = await offers(town.factory, town.lotus)
    page = entry_link_in(mailer.sent[-1].body)
    made = await town.take(offer.id)
    assert made.needs_payment == (price_type == "online")
    await town.work()
    guest = Visitor(client)
    await guest.open(page)
    [before] = BOOKING.findall(guest.text)
    await guest.open(before)
    mailer.sent.clear()
    told = Readdressed(0, 1) if made.needs_payment else Readdressed(1, 0)
    assert await correct(services, town.lotus, made.order.customer_id) == told
    await guest.open(page)
    assert "Your newest mail about the booking has the link to it." in guest.text
    assert BOOKING.findall(guest.text) == []
    assert (await client.get(before)).status_code == 410
    [mail] = mailer.sent
    assert mail.to == [f"Carl <{RIGHT}>"]
    await guest.open(link_in(mail.body))


async def set_price(town: Town, price_type: str) -> None:
    values = {"price_type": price_type, "price_minor": 1500 if price_type == "online" else 0}
    async with town.factory(town.lotus.id) as uow:
        await uow.session.execute(update(Service).values(values))


def entry_link_in(body: str) -> str:
    found = re.search(r"http://testserver\.local(/b/lotus/waitlist/\S+)", body)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("left", ["the missing date", "the course"])
async def test_what_is_over_at_the_mistyped_address_leads_to_nothing_that_was_corrected(
    services: Services, clock: FrozenClock, left: str
) -> None:
    """Of a course and the date that completes it, each on its own page."""
    lotus = await a_business(services.uow_factory)
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await course.free()
    completing = await course.take(entry_id)
    await course.work()
    over, corrected = (completing, course.bought), (course.bought, completing)
    wrong, right = over if left == "the missing date" else corrected
    assert await leads_on(services, lotus, wrong)
    first = course.term.sessions[0]
    gone = [seat.id for seat in await course.seats(wrong) if seat.session_id != first.id]
    async with services.uow_factory(lotus.id) as uow:
        await leave_dates(uow, lotus.tenant, wrong.order_id, gone)
        booking = await uow.session.get_one(Booking, (lotus.id, wrong.booking_id))
    if left == "the course":
        clock.advance(first.ends_at - clock.now())
    told = await correct(services, lotus, booking.customer_id)
    assert told.confirmations == 1
    assert await leads_on(services, lotus, wrong) == []
    assert await leads_on(services, lotus, right) == []


async def leads_on(services: Services, lotus: Business, made: Booked) -> list[str]:
    """The other bookings that a booking's page leads to."""
    async with services.uow_factory(lotus.id) as uow:
        view = await get_guest_booking(uow, lotus.tenant, services.settings, made.order_id)
    hrefs = [view.completes_href, *(date.href for date in view.missing if date.state == "had")]
    return [href for href in hrefs if href]


async def order_of(services: Services, lotus: Business, order_id: UUID) -> Order:
    async with services.uow_factory(lotus.id) as uow:
        return await uow.session.get_one(Order, (lotus.id, order_id))


async def test_credits_that_wait_for_their_money_write_to_the_new_address(
    client: AsyncClient, services: Services, mailer: RememberingMailer
) -> None:
    lotus = await a_business(services.uow_factory)
    package = await a_package(services.uow_factory, lotus.id)
    wish = BuyCommand(
        package_id=package.id,
        guest_name="Carl",
        guest_email="crl@example.com",
        form_token="once",
        way=PaymentMode.ON_SITE,
    )
    async with services.uow_factory(lotus.id) as uow:
        made = await buy_package(uow, as_guest(lotus), wish)
    await work(services, lotus.id)
    assert await correct(services, lotus, made.customer_id, "Carl") == Readdressed(1, 0)
    async with services.uow_factory(lotus.id) as uow:
        await mark_paid_on_site(uow, lotus.ctx, made.id)
    await work(services, lotus.id)
    assert [mail.to for mail in mailer.sent] == [
        ["Carl <crl@example.com>"],
        [f"Carl <{RIGHT}>"],
        [f"Carl <{RIGHT}>"],
    ]
    wrong, *right = [package_link_in(mail.body) for mail in mailer.sent]
    assert (await client.get(wrong)).status_code == 410
    for link in right:
        assert (await client.get(link)).status_code == 200
    async with services.uow_factory(lotus.id) as uow:
        for lot in await uow.session.scalars(select(CreditLot)):
            await write_entry(uow, lot, EntryKind.REDEEM, -lot.balance, SYSTEM)
        assert await count_to_readdress(uow, made.customer_id) == 0


@pytest.mark.parametrize("way", ["corrected", "merged"])
async def test_a_voucher_and_credits_that_nobody_bought_keep_no_link_alive(
    client: AsyncClient, services: Services, mailer: RememberingMailer, way: str
) -> None:
    """What staff give away, or give in place of a refund, is of no order."""
    lotus = await a_business(services.uow_factory)
    bea = await a_voucher(services.uow_factory, lotus.id, source="refund")
    await lot_of(services.uow_factory, lotus.id, bea.customer_id)
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service, in_days=7)
    wish = a_wish("session", session.id, guest_name="Ann", guest_email="an@example.com")
    made = await booked(services.uow_factory, lotus, wish)
    await work(services, lotus.id)
    if way == "corrected":
        told = await correct(services, lotus, made.order.customer_id)
    else:
        kept = await a_customer(services.uow_factory, lotus, name="Ann", email=RIGHT)
        async with services.uow_factory(lotus.id) as uow:
            told = await merge_and_correct(
                uow, lotus.ctx, made.order.customer_id, kept, readdress=True
            )
        await work(services, lotus.id)
    assert told == Readdressed(1, 0)
    wrong, right = mailer.sent
    assert right.to == [f"Ann <{RIGHT}>"]
    assert (await client.get(link_in(wrong.body))).status_code == 410
    assert (await client.get(link_in(right.body))).status_code == 200


def package_link_in(body: str) -> str:
    [found] = re.findall(r"/b/lotus/packages/bought/\S+", body)
    return str(found)


async def test_a_bought_voucher_is_sent_again_to_the_new_address(
    services: Services, mailer: RememberingMailer
) -> None:
    lotus = await a_business(services.uow_factory)
    wish = SellVoucher(
        amount_minor=5000,
        buyer_name="Bea",
        buyer_email="be@example.com",
        form_token="once",
        is_paid=True,
    )
    async with services.uow_factory(lotus.id) as uow:
        made = await sell_voucher_by_staff(uow, lotus.ctx, wish)
    await work(services, lotus.id)
    mailer.sent.clear()
    assert await correct(services, lotus, made.customer_id, "Bea") == Readdressed(0, 0)
    assert mailer.sent == []
    assert (await order_of(services, lotus, made.id)).guest_email == RIGHT
    async with services.uow_factory(lotus.id) as uow:
        [voucher] = await uow.session.scalars(select(Voucher))
        await send_voucher_again(uow, lotus.ctx, voucher.id)
    await work(services, lotus.id)
    assert [mail.to for mail in mailer.sent] == [[f"Bea <{RIGHT}>"]]


async def test_who_is_asked_for_a_fee_is_told_at_the_new_address(
    client: AsyncClient, services: Services, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    lotus = await a_business(services.uow_factory)
    terms = LeavingTerms(
        tiers=(Tier(before=24, percent=100),), late_fee=FeeRule(amount_minor=500, currency="EUR")
    )
    service = await a_service(
        services.uow_factory, lotus.id, price_type="on_site", leaving=terms.document()
    )
    session = await a_session(services.uow_factory, service, in_days=7)
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    clock.at = session.starts_at - timedelta(hours=12)
    await leave(services, lotus, made, await seats_of(services.uow_factory, lotus.id))
    clock.advance(timedelta(hours=24))
    await charge_due_fees(services)
    await work(services, lotus.id)
    wrong = fee_link_in(mailer.sent[-1].body)
    mailer.sent.clear()
    assert await correct(services, lotus, made.order.customer_id, "Carl") == Readdressed(0, 0)
    for _ in range(2):
        await charge_due_fees(services)
        await work(services, lotus.id)
    [mail] = mailer.sent
    assert mail.to == [f"Carl <{RIGHT}>"]
    assert (await client.get(wrong)).status_code == 410
    assert (await client.get(fee_link_in(mail.body))).status_code == 200


def fee_link_in(body: str) -> str:
    [found] = re.findall(r"/b/lotus/fees/\S+", body)
    return str(found)
