"""Who completes a course when the purchase, its party or its address is another one by then."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from src.booking.commands.book import BookCommand
from src.booking.commands.cancel import cancel_purchase, cancel_session, undo_cancellation
from src.booking.commands.completing import command_of_offer
from src.booking.commands.exchange import MoveSeats, move_seats
from src.booking.commands.leave import leave_dates
from src.booking.commands.leave_requests import ask_to_leave
from src.booking.commands.readdress import correct_customer
from src.booking.commands.waitlist import remove_entry
from src.booking.commands.waitlist_serve import offer_by_hand
from src.booking.jobs.waitlist import serve
from src.booking.models import Booking, Cancellation, LeaveRequest, Session
from src.booking.queries.buyers import get_booking_detail
from src.booking.queries.guest_bookings import get_guest_booking
from src.booking.queries.missing_dates import list_missing
from src.booking.queries.waitlists import get_waitlist
from src.platform.errors import Conflict, NotFound
from src.platform.services import Services
from src.tenants.commands.customer_care import CustomerDetails
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.models import Customer
from tests.booking.commands.test_book import a_wish, booked
from tests.support.builders import Business, a_business
from tests.support.clock import FrozenClock
from tests.support.gaps import Course, a_course
from tests.support.mail import RememberingMailer
from tests.support.waiting import offers
from tests.support.work import work_through

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def cancel_the_course(course: Course) -> UUID:
    async with course.services.uow_factory(course.lotus.id) as uow:
        booking_id = course.bought.booking_id
        return await cancel_purchase(uow, course.lotus.ctx, booking_id, reason="", undo_seconds=60)


async def leave_the_rest(course: Course) -> None:
    last = course.term.sessions[2].id
    seats = [one.id for one in await course.seats(course.bought) if one.session_id == last]
    async with course.services.uow_factory(course.lotus.id) as uow:
        await leave_dates(uow, course.lotus.tenant, course.bought.order_id, seats)


async def let_the_first_date_pass(course: Course, clock: FrozenClock) -> None:
    clock.advance(course.term.sessions[0].starts_at - clock.now() + timedelta(hours=3))


@pytest.mark.parametrize("ends", [cancel_the_course, leave_the_rest])
async def test_a_course_that_ended_after_its_first_date_gets_no_more_of_it(
    services: Services, lotus: Business, clock: FrozenClock, ends: Any
) -> None:
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await let_the_first_date_pass(course, clock)
    await ends(course)
    await work_through(services, clock, lotus.id, timedelta(minutes=4))
    assert (await course.entry(entry_id)).state == "left"
    await course.free()
    assert await course.states() == []
    with pytest.raises(NotFound):
        await course.take(entry_id)


async def call_the_last_off(course: Course) -> None:
    last = course.term.sessions[2].id
    async with course.services.uow_factory(course.lotus.id) as uow:
        await cancel_session(uow, course.lotus.ctx, last, reason="", undo_seconds=0)


@pytest.mark.parametrize("is_last_called_off", [False, True])
async def test_a_course_that_goes_on_after_its_first_date_still_gets_it(
    services: Services, lotus: Business, clock: FrozenClock, is_last_called_off: bool
) -> None:
    """A date that does not take place says nothing of who still comes."""
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await let_the_first_date_pass(course, clock)
    if is_last_called_off:
        await call_the_last_off(course)
        await work_through(services, clock, lotus.id, timedelta(minutes=1))
    await course.free()
    await course.take(entry_id)
    assert await course.check() == [1, 1, 0 if is_last_called_off else 1]


async def ben_is_there(course: Course) -> list[UUID]:
    """Staff move one of a party of two into the missing date; the seats that this makes."""
    [_anns, bens] = [
        one
        for one in await course.seats(course.bought)
        if one.session_id == course.term.sessions[0].id
    ]
    move = MoveSeats(
        order_id=course.bought.order_id,
        seat_ids=[bens.id],
        session_id=course.missing,
        by="staff",
    )
    async with course.services.uow_factory(course.lotus.id) as uow:
        moved = await move_seats(uow, course.lotus.tenant, move)
    await course.work()
    return list(moved)


async def leave(course: Course, seat_ids: list[UUID]) -> None:
    async with course.services.uow_factory(course.lotus.id) as uow:
        await leave_dates(uow, course.lotus.tenant, course.bought.order_id, seat_ids)


async def test_an_offer_for_one_books_nobody_who_lacks_the_date_since(
    services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus, party=("Ann", "Ben"))
    entry_id = await course.wait()
    there = await ben_is_there(course)
    await course.free()
    assert await course.states() == [("live", 1)]
    await leave(course, there)
    with pytest.raises(Conflict) as refused:
        await course.take(entry_id)
    assert refused.value.code == "party_has_grown"
    await course.work()
    assert await course.states() == [("withdrawn", 1), ("live", 2)]
    made = await course.take(entry_id)
    assert (len(await course.seats(made)), made.total_minor) == (2, 4000)
    assert await course.check() == [1, 2, 2]


async def test_an_offer_for_two_is_for_one_once_the_other_has_left(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    course = await a_course(services, lotus, party=("Ann", "Ben"))
    entry_id = await course.wait()
    await course.free()
    assert await course.states() == [("live", 2)]
    before = len(mailer.sent)
    seats = await course.seats(course.bought)
    bens = [one.id for one in seats if one.participant_id == seats[1].participant_id]
    await leave(course, bens)
    await course.work()
    assert await course.states() == [("live", 1)]
    assert (await course.entry(entry_id)).party_size == 1
    assert await course.check() == [1, 1, 1]
    # Of the leaving alone.
    assert len(mailer.sent) == before + 1


@pytest.mark.parametrize("ended", ["what completes it", "the course"])
async def test_with_a_corrected_address_no_page_leads_on_to_the_other_booking(
    services: Services, lotus: Business, clock: FrozenClock, ended: str
) -> None:
    """Only what is still to come is readdressed: the other's links may be a stranger's."""
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await course.free()
    made = await course.take(entry_id)
    await course.work()
    both = {course.bought.order_id: made.order_id, made.order_id: course.bought.order_id}
    links = [await leads_to(course, one) for one in both]
    assert all(links)
    left = made if ended == "what completes it" else course.bought
    async with services.uow_factory(lotus.id) as uow:
        seats = [one.id for one in await course.seats(left)]
        await leave_dates(uow, lotus.tenant, left.order_id, seats)
    async with services.uow_factory(lotus.id) as uow:
        booking = await uow.session.get_one(Booking, (lotus.id, course.bought.booking_id))
        right = CustomerDetails(name="Ann", email="ann@example.org", phone="")
        await correct_customer(uow, lotus.ctx, booking.customer_id, right, readdress=True)
    assert await leads_to(course, left.order_id) == []


async def leads_to(course: Course, order_id: UUID) -> list[str]:
    """The other bookings that the page of the order links to."""
    services = course.services
    async with services.uow_factory(course.lotus.id) as uow:
        view = await get_guest_booking(uow, course.lotus.tenant, services.settings, order_id)
        booking = await uow.session.scalar(select(Booking).where(Booking.order_id == order_id))
        assert booking is not None
        listed = await list_missing(uow, course.lotus.tenant, services.settings, [booking])
    had = [one.href for one in listed.get(booking.id, []) if one.state == "had"]
    return [*had, *filter(None, [view.completes_href])]


async def test_what_completes_a_course_is_not_cancelled_beside_it(
    services: Services, lotus: Business
) -> None:
    """Its seats would stand in two cancellations, each with money of its own."""
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await course.free()
    made = await course.take(entry_id)
    await course.work()
    await cancel_the_course(course)
    with pytest.raises(Conflict) as refused:
        async with services.uow_factory(lotus.id) as uow:
            await cancel_purchase(uow, lotus.ctx, made.booking_id, reason="", undo_seconds=60)
    assert refused.value.code == "already_cancelling"
    async with services.uow_factory(lotus.id) as uow:
        [cancellation] = await uow.session.scalars(select(Cancellation))
        detail = await get_booking_detail(uow, made.booking_id, uow.clock.now())
    assert detail.cancellation_id == cancellation.id


async def test_staff_offer_by_hand_to_those_who_are_left_of_a_party(
    services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus, party=("Ann", "Ben"))
    entry_id = await course.wait()
    async with services.uow_factory(lotus.id) as uow:
        await remove_entry(uow, lotus.ctx, entry_id)
    seats = await course.seats(course.bought)
    bens = [one.id for one in seats if one.participant_id == seats[1].participant_id]
    await leave(course, bens)
    async with services.uow_factory(lotus.id) as uow:
        [row] = (await get_waitlist(uow, lotus.tenant, "session", course.missing)).ended
        assert (row.may_offer, row.size, row.price) == (True, 1, "€20.00")
        await offer_by_hand(uow, lotus.ctx, lotus.tenant, entry_id)
    assert await course.states() == [("live", 1)]
    await course.take(entry_id)
    assert await course.check() == [1, 2, 1]


async def test_while_its_purchase_is_being_cancelled_no_offer_passes(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await course.free()
    [offer] = await offers(services.uow_factory, lotus)
    clock.advance(offer.expires_at - clock.now() - timedelta(seconds=1))
    going = await cancel_the_course(course)
    clock.advance(timedelta(seconds=30))
    await serve(services, lotus.id, course.term.series.id)
    assert await course.states() == [("live", 1)]
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, going)
    await course.work()
    await course.take(entry_id)


async def test_a_purchase_that_is_kept_after_all_is_offered_what_is_free_at_once(
    services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus)
    await course.wait()
    going = await cancel_the_course(course)
    await course.free()
    assert await course.states() == []
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, going)
    await course.work()
    assert await course.states() == [("live", 1)]


async def test_after_a_merge_the_same_press_is_still_the_same_booking(
    services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await course.free()
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Session).values(capacity=2))
    before = await command_of(course, entry_id)
    anna = {"guest_name": "Anna", "guest_email": "anna@example.com", "party": ("Anna",)}
    await booked(services.uow_factory, lotus, a_wish("session", course.term.sessions[0].id, **anna))
    async with services.uow_factory(lotus.id) as uow:
        kept = await uow.session.scalar(
            select(Customer.id).where(Customer.email == "anna@example.com")
        )
        assert before.customer_id is not None
        assert kept is not None
        await merge_customers(uow, lotus.ctx, before.customer_id, kept)
    after = await command_of(course, entry_id)
    assert after.customer_id == kept
    assert after.fingerprint() == before.fingerprint()


async def command_of(course: Course, entry_id: UUID) -> BookCommand:
    async with course.services.uow_factory(course.lotus.id) as uow:
        return await command_of_offer(uow, entry_id)


async def test_with_the_purchase_its_guest_may_leave_what_completes_it(
    services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await course.free()
    made = await course.take(entry_id)
    await course.work()
    async with services.uow_factory(lotus.id) as uow:
        for order_id in (course.bought.order_id, made.order_id):
            await ask_to_leave(uow, order_id, "I move away")
    going = await cancel_the_course(course)
    assert await asked(course) == ["accepted", "accepted"]
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, going)
    assert await asked(course) == ["open", "open"]


async def asked(course: Course) -> list[str]:
    async with course.services.uow_factory(course.lotus.id) as uow:
        return list(await uow.session.scalars(select(LeaveRequest.state)))
