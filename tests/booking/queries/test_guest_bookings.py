"""A booking as its guest knows it: dates that were left, and who is who of a party."""

from datetime import timedelta

import msgspec
import pytest

from src.booking.commands.book import Booked
from src.booking.commands.exchange import MoveSeats, move_by_staff
from src.booking.commands.leave import leave_dates
from src.booking.commands.sessions import UpdateSession, details_of_session, update_session
from src.booking.events import BookingReaddressed
from src.booking.models import Seat, Session
from src.booking.queries.guest_bookings import get_guest_booking
from src.booking.queries.guest_leaving import get_leaving_page
from src.booking.views.guest import GuestBookingView
from src.platform.services import Services
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_leave import TERMS
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.work import work_through

pytestmark = pytest.mark.anyio
A_MOMENT = timedelta(minutes=20)
"""Long enough for a change of a session to be told."""
DAYS = timedelta(days=3)


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def leaves(services: Services, lotus: Business, made: Booked, seat: Seat) -> None:
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        await leave_dates(uow, tenant, made.order_id, [seat.id])


async def is_moved(services: Services, lotus: Business, session: Session) -> None:
    async with services.uow_factory(lotus.id) as uow:
        now = await uow.session.get_one(Session, (lotus.id, session.id))
        fields = msgspec.structs.asdict(details_of_session(now))
        fields |= {"starts_at": now.starts_at + DAYS, "ends_at": now.ends_at + DAYS}
        cmd = UpdateSession(session_id=now.id, move_guests=True, **fields)
        await update_session(uow, lotus.ctx, cmd)


async def shown(services: Services, lotus: Business, made: Booked) -> GuestBookingView:
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        return await get_guest_booking(uow, tenant, services.settings, made.order_id)


@pytest.mark.parametrize("first", [0, 1])
async def test_a_date_that_all_have_left_is_as_it_was_told_to_the_last_of_them(
    services: Services, lotus: Business, clock: FrozenClock, first: int
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site", leaving=TERMS)
    session = await a_session(services.uow_factory, service)
    made = await booked(
        services.uow_factory, lotus, a_wish("session", session.id, party=("Ann", "Bob"))
    )
    await work_through(services, clock, lotus.id, A_MOMENT)
    seats = await seats_of(services.uow_factory, lotus.id)
    await leaves(services, lotus, made, seats[first])
    await is_moved(services, lotus, session)
    await work_through(services, clock, lotus.id, A_MOMENT)
    await leaves(services, lotus, made, seats[1 - first])
    [date] = (await shown(services, lotus, made)).dates
    assert date.starts_at == session.starts_at + DAYS
    await is_moved(services, lotus, session)
    [date] = (await shown(services, lotus, made)).dates
    assert date.starts_at == session.starts_at + DAYS, "nobody was told of this"


async def test_an_online_date_that_was_left_stays_online(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site", leaving=TERMS)
    session = await a_session(
        services.uow_factory, service, mode="online", meeting_url="https://meet.example/x"
    )
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    await work_through(services, clock, lotus.id, A_MOMENT)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    await leaves(services, lotus, made, seat)
    await is_moved(services, lotus, session)
    [date] = (await shown(services, lotus, made)).dates
    assert (date.starts_at, date.place) == (session.starts_at, "Online")


async def test_who_of_a_party_comes_no_more_is_told_from_who_does(
    services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site", leaving=TERMS)
    session = await a_session(services.uow_factory, service)
    wish = a_wish("session", session.id, party=("Ann", "Bob", ""))
    made = await booked(services.uow_factory, lotus, wish)
    seats = await seats_of(services.uow_factory, lotus.id)
    for seat, comes, gone in (
        (seats[2], ["Ann", "Bob"], ["Person 3"]),
        (seats[1], ["Ann"], ["Bob", "Person 3"]),
    ):
        await leaves(services, lotus, made, seat)
        party = (await shown(services, lotus, made)).party
        assert (party.size, party.comes, party.gone) == (len(comes), comes, gone)
    await leaves(services, lotus, made, seats[0])
    assert (await shown(services, lotus, made)).party.size == 3, "who it was for, once it is over"


async def test_whoever_of_a_party_is_moved_everybody_keeps_their_number(
    services: Services, lotus: Business
) -> None:
    child = {"key": "child", "name": "Child", "price_minor": 500}
    service = await a_service(
        services.uow_factory, lotus.id, price_type="on_site", price_tiers=[child]
    )
    late = await a_session(services.uow_factory, service, in_days=14)
    early = await a_session(services.uow_factory, service, in_days=7)
    wish = a_wish("session", late.id, party=("Ann", "", ""), tiers=("full", "full", "child"))
    made = await booked(services.uow_factory, lotus, wish)
    party = ["Ann", "Person 2", "Person 3 (Child)"]
    assert (await shown(services, lotus, made)).party.comes == party
    seats = await seats_of(services.uow_factory, lotus.id)
    cmd = MoveSeats(
        order_id=made.order_id, seat_ids=[seats[2].id], session_id=early.id, by="staff", why=""
    )
    async with services.uow_factory(lotus.id) as uow:
        await move_by_staff(uow, lotus.ctx, cmd)
    assert (await shown(services, lotus, made)).party.comes == party
    who = []
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        for session in (late, early):
            page = await get_leaving_page(uow, tenant, services.settings, made.order_id, session.id)
            who.append([seat.who for seat in page.seats])
    assert who == [["Ann", "Person 2"], ["Person 3 (Child)"]]


async def test_a_date_somebody_was_moved_from_is_not_cancelled_with_it_later(
    services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    left = await a_session(services.uow_factory, service, in_days=7)
    new = await a_session(services.uow_factory, service, in_days=14)
    made = await booked(services.uow_factory, lotus, a_wish("session", left.id, party=("Ann", "")))
    ann, kim = await seats_of(services.uow_factory, lotus.id)
    for seat, seen in ((ann, ["cancelled", "confirmed"]), (kim, ["swapped", "confirmed"])):
        cmd = MoveSeats(
            order_id=made.order_id, seat_ids=[seat.id], session_id=new.id, by="staff", why=""
        )
        async with services.uow_factory(lotus.id) as uow:
            await move_by_staff(uow, lotus.ctx, cmd)
            session = await uow.session.get_one(Session, (lotus.id, left.id))
            session.state = "cancelled"
        assert [date.state for date in (await shown(services, lotus, made)).dates] == seen
        async with services.uow_factory(lotus.id) as uow:
            (await uow.session.get_one(Session, (lotus.id, left.id))).state = "scheduled"


async def test_a_confirmation_sent_again_tells_nothing_of_a_date_that_was_left(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site", leaving=TERMS)
    term = await a_series(services.uow_factory, service, price_type="on_site", leaving=TERMS)
    made = await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await work_through(services, clock, lotus.id, A_MOMENT)
    await leaves(services, lotus, made, (await seats_of(services.uow_factory, lotus.id))[0])
    await is_moved(services, lotus, term.sessions[0])
    async with services.uow_factory(lotus.id) as uow:
        uow.record(BookingReaddressed(order_id=made.order_id))
    await work_through(services, clock, lotus.id, A_MOMENT)
    dates = (await shown(services, lotus, made)).dates
    assert [date.starts_at for date in dates] == [run.starts_at for run in term.sessions]
