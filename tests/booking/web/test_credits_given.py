"""Where credits were given for places, the guest's own pages say so and speak of no loss."""

import pytest
from httpx import AsyncClient

from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.models import Package
from src.booking.commands.cancel_returns import MoneyWanted
from src.booking.commands.leave_requests import ask_to_leave
from src.booking.domain.cancelling import MoneyChoice
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_cancel_credits import (
    a_course_with_a_credit,
    cancels_purchase,
    given,
    lotus,
    term,
)
from tests.booking.commands.test_cancel_money import UNDO, buys, cancels
from tests.booking.web.money_back import guests_page, words_of
from tests.booking.web.pages import as_owner, send
from tests.support.builders import Business, Term, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.policies import gives_package, leaving
from tests.support.portal import sign_in_portal
from tests.support.visitor import Visitor
from tests.support.work import work_through

pytestmark = pytest.mark.anyio
__all__ = ["given", "lotus", "term"]


async def test_the_booking_and_its_receipt_say_which_credits_were_given(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    term: Term,
    given: Package,
    clock: FrozenClock,
) -> None:
    made = await buys(services, lotus, term, "carl")
    guest = Visitor(client)
    await guests_page(services, lotus, made, guest)
    assert "Given back as credits" not in guest.text
    money = MoneyWanted(choice=MoneyChoice.CREDIT, package_id=given.id)
    for date in range(len(term.sessions)):
        await cancels(services, lotus, term, money, date=date)
    await work_through(services, clock, lotus.id, UNDO)
    await guests_page(services, lotus, made, guest)
    assert "Given back as credits 3 credits for “Beginner classes”" in words_of(guest)
    assert "Nothing of it came back" not in guest.text
    await sign_in_portal(client, services, lotus.id, made.order.customer_id)
    await guest.open("/b/lotus/me/receipts")
    assert "3 credits given for it" in guest.text
    await guest.open(f"/b/lotus/me/receipts/{made.order_id}")
    assert "Given back as credits: 3 credits for “Beginner classes”" in words_of(guest)


async def test_a_credit_that_was_taken_back_for_its_money_is_not_told_as_given(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    given: Package,
    clock: FrozenClock,
) -> None:
    made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    guest = Visitor(client)
    await guests_page(services, lotus, made, guest)
    assert "Given back as credits 1 credit for “Beginner classes”" in words_of(guest)
    full = MoneyChoice.FULL
    await cancels_purchase(services, lotus, booking_id, choice=full, revokes_credits=True)
    await work_through(services, clock, lotus.id, UNDO)
    await guests_page(services, lotus, made, guest)
    assert "Given back as credits" not in guest.text
    await sign_in_portal(client, services, lotus.id, made.order.customer_id)
    await guest.open("/b/lotus/me/receipts")
    assert "given for it" not in guest.text
    await guest.open(f"/b/lotus/me/receipts/{made.order_id}")
    assert "Given back as credits" not in guest.text


async def a_course_for_credits(services: Services, lotus: Business, given: Package) -> Term:
    """Three weekly dates, paid on site; a date that is left in time brings a credit."""
    service = await a_service(services.uow_factory, lotus.id)
    terms = leaving(course=gives_package(given))
    return await a_series(services.uow_factory, service, price_type="on_site", leaving=terms)


async def test_two_are_promised_a_credit_each(
    client: AsyncClient, services: Services, lotus: Business, given: Package
) -> None:
    """Each place brings one."""
    course = await a_course_for_credits(services, lotus, given)
    guest, both = Visitor(client), "you get 2 credits for “Beginner classes”, valid for 60 days"
    wish = a_wish("series", course.series.id, party=("Carl", "Anna"))
    made = await booked(services.uow_factory, lotus, wish)
    assert f"{both}, one for each paid place" in await guests_page(services, lotus, made, guest)


async def test_who_comes_free_is_promised_no_credit(
    client: AsyncClient, services: Services, lotus: Business, given: Package
) -> None:
    """Nothing was paid for their place, so it brings none."""
    child = {"key": "child", "name": "Child", "price_minor": 0}
    service = await a_service(
        services.uow_factory,
        lotus.id,
        price_type="on_site",
        price_tiers=[child],
        leaving=leaving(on_site=gives_package(given)),
    )
    date = await a_session(services.uow_factory, service)
    guest, one = Visitor(client), "you get 1 credit for “Beginner classes”"
    await guest.open(f"/b/lotus/{service.slug}/book?session={date.id}")
    await guest.submit({"counts.full": "1", "counts.child": "1", "step": "update"})
    assert one in guest.text
    wish = a_wish("session", date.id, party=("Carl", "Kim"), tiers=("full", "child"))
    made = await booked(services.uow_factory, lotus, wish)
    async with services.uow_factory(lotus.id) as uow:
        await mark_paid_on_site(uow, lotus.ctx, made.order_id)
    shown = await guests_page(services, lotus, made, guest)
    assert one in shown, shown


async def test_an_unpaid_course_promises_a_credit_only_once_it_is_paid_and_says_when_to_pay(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    given: Package,
    clock: FrozenClock,
) -> None:
    course = await a_course_for_credits(services, lotus, given)
    made = await booked(services.uow_factory, lotus, a_wish("series", course.series.id))
    guest = Visitor(client)
    said = await guests_page(services, lotus, made, guest)
    assert "free of charge; once it is paid, you get 1 credit for “Beginner classes”" in said
    assert "Bring €60.00 to the first date." in said
    clock.at = course.sessions[0].ends_at
    assert "Bring €60.00 to your next date." in await guests_page(services, lotus, made, guest)
    clock.at = course.sessions[2].ends_at
    said = await guests_page(services, lotus, made, guest)
    assert "€60.00 is still to be paid to the business." in said
    async with services.uow_factory(lotus.id) as uow:
        await mark_paid_on_site(uow, lotus.ctx, made.order_id)
    assert "free of charge" not in await guests_page(services, lotus, made, guest)


async def test_who_asks_to_leave_for_credits_is_decided_about_with_them_and_reads_of_them(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    given: Package,
    clock: FrozenClock,
) -> None:
    course = await a_course_for_credits(services, lotus, given)
    made = await buys(services, lotus, course, "carl")
    guest = Visitor(client)
    said = await guests_page(services, lotus, made, guest)
    assert "Show this code at the door" in said
    clock.at = course.sessions[0].ends_at
    async with services.uow_factory(lotus.id) as uow:
        request_id = await ask_to_leave(uow, made.order_id, "")
    await as_owner(client, services, lotus)
    await guest.open(f"/app/lotus/leave-requests/{request_id}")
    assert "Back by their terms now 2 credits" in words_of(guest)
    cancel = f"/app/lotus/bookings/{made.booking_id}/cancel"
    await guest.open(cancel)
    assert "€0.00 +" not in words_of(guest)
    await send(client, cancel, {"reason": "As you asked.", "money": "terms"})
    await work_through(services, clock, lotus.id, UNDO)
    said = await guests_page(services, lotus, made, guest)
    assert "This booking is over None of its dates is still to come." in said
    assert "2 credits for “Beginner classes”" in said
    for gone in ("You are booked", "Show this code at the door", "Add to calendar"):
        assert gone not in said, gone
