"""A time is given to one guest, is free again once nobody comes, and is never given twice."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from src.billing.commands.orders import lock_order
from src.booking.commands.availability import SetDay, set_day
from src.booking.commands.book import BookCommand, Booked
from src.booking.commands.book import book as book_now
from src.booking.commands.holds import SeatLines
from src.booking.commands.leave import leave_dates
from src.booking.commands.slots import SlotTaken
from src.booking.domain.free_times import Hours
from src.booking.domain.reasons import ReasonCode
from src.booking.errors import NotBookable
from src.booking.models import Seat, Session
from src.booking.place import place_booking
from src.booking.queries.free_times import Wanted, find_free_times
from src.platform.db.uow import UowFactory
from src.platform.errors import DomainError, InvalidInput, NotFound
from src.platform.localtime import to_local
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, month_count
from tests.support.appointments import Practice, a_practice, next_day_at
from tests.support.builders import Business, a_business, a_service, a_session, as_guest
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


@pytest.fixture
def ten(clock: FrozenClock) -> datetime:
    """Tomorrow, Tuesday, ten o'clock in UTC: eleven in Amsterdam."""
    return next_day_at(clock.now(), 10)


async def sessions_of(uow_factory: UowFactory, practice: Practice) -> list[Session]:
    async with uow_factory(practice.business.id) as uow:
        found = await uow.session.scalars(
            select(Session).where(Session.service_id == practice.service.id).order_by(Session.id)
        )
        return list(found)


async def busy(uow_factory: UowFactory, practice: Practice) -> list[tuple[datetime, datetime]]:
    async with uow_factory(practice.business.id) as uow:
        found = await uow.session.execute(
            text("SELECT lower(during), upper(during) FROM performer_busy ORDER BY during")
        )
        return [(row[0], row[1]) for row in found]


async def free_on(uow_factory: UowFactory, practice: Practice, at: datetime) -> list[str]:
    """The clock times there are on that day."""
    tenant = practice.business.tenant
    on = to_local(at, tenant.zone).date()
    async with uow_factory(tenant.id) as uow:
        found = await find_free_times(
            uow, tenant, practice.service, Wanted(60, on, on), uow.clock.now()
        )
    return [f"{to_local(start, tenant.zone):%H:%M}" for start in found]


async def released(uow_factory: UowFactory, practice: Practice, made: Booked) -> None:
    async with uow_factory(practice.business.id) as uow:
        order = await lock_order(uow, made.order_id)
        await SeatLines().release(uow, order, "hold ended", uow.clock.now())


async def test_a_time_becomes_a_session_of_its_own(
    uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    practice = await a_practice(uow_factory, lotus)
    made = await booked(uow_factory, lotus, practice.wish(ten))
    (session,) = await sessions_of(uow_factory, practice)
    assert (session.starts_at, session.ends_at) == (ten, ten + timedelta(hours=1))
    assert (session.is_slot, session.capacity, session.seats_taken) == (True, 1, 1)
    assert session.performer_id == practice.performer_ids[0]
    assert made.total_minor == 6000
    assert not made.needs_payment
    assert await busy(uow_factory, practice) == [(ten, ten + timedelta(hours=1))]
    assert await month_count(uow_factory, lotus.id) == 1


async def test_what_is_booked_is_offered_to_nobody_else(
    uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    practice = await a_practice(uow_factory, lotus, appointment={"after_minutes": 15})
    before = await free_on(uow_factory, practice, ten)
    assert before[0] == "09:00"
    assert "11:00" in before
    await booked(uow_factory, lotus, practice.wish(ten))
    # It ends at twelve, and is followed by a quarter of an hour; so is what comes before it.
    gone = {"10:00", "10:30", "11:00", "11:30", "12:00"}
    assert await free_on(uow_factory, practice, ten) == [at for at in before if at not in gone]


async def test_the_second_guest_for_a_time_is_told(
    uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    practice = await a_practice(uow_factory, lotus)
    await booked(uow_factory, lotus, practice.wish(ten))
    with pytest.raises(SlotTaken, match="just been taken"):
        await booked(uow_factory, lotus, practice.wish(ten + timedelta(minutes=30)))
    assert len(await sessions_of(uow_factory, practice)) == 1


async def test_anyone_is_whoever_has_least_to_do_that_day(
    uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    practice = await a_practice(uow_factory, lotus, "Nora", "Omar")
    first = await booked(uow_factory, lotus, practice.wish(ten))
    other = await booked(uow_factory, lotus, practice.wish(ten + timedelta(hours=2)))
    both = await booked(uow_factory, lotus, practice.wish(ten + timedelta(hours=2)))
    assert len({first.order_id, other.order_id, both.order_id}) == 3
    given = [session.performer_id for session in await sessions_of(uow_factory, practice)]
    assert given[0] != given[1]
    assert given[2] == given[0]


async def test_a_group_session_takes_its_performers_time(
    uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    from src.booking.commands.busy import Slot, take_performer

    practice = await a_practice(uow_factory, lotus)
    yoga = await a_service(uow_factory, lotus.id)
    run = await a_session(uow_factory, yoga, starts_at=ten, performer_id=practice.performer_ids[0])
    async with uow_factory(lotus.id) as uow:
        slot = Slot(run.id, run.starts_at, run.ends_at)
        await take_performer(uow, practice.performer_ids[0], [slot])
    assert "11:00" not in await free_on(uow_factory, practice, ten)
    with pytest.raises(SlotTaken):
        await booked(uow_factory, lotus, practice.wish(ten))


async def test_a_hold_that_dies_frees_the_time(
    uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    practice = await a_practice(uow_factory, lotus, price_type="online")
    made = await booked(uow_factory, lotus, practice.wish(ten))
    assert made.needs_payment
    await released(uow_factory, practice, made)
    (session,) = await sessions_of(uow_factory, practice)
    assert (session.state, session.seats_taken) == ("vacated", 0)
    assert await busy(uow_factory, practice) == []
    await booked(uow_factory, lotus, practice.wish(ten))


async def test_late_money_takes_the_time_again_while_it_is_free(
    uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    practice = await a_practice(uow_factory, lotus, price_type="online")
    made = await booked(uow_factory, lotus, practice.wish(ten))
    await released(uow_factory, practice, made)
    async with uow_factory(lotus.id) as uow:
        order = await lock_order(uow, made.order_id)
        assert await SeatLines().reacquire(uow, order, uow.clock.now())
    (session,) = await sessions_of(uow_factory, practice)
    assert (session.state, session.seats_taken) == ("scheduled", 1)
    assert len(await busy(uow_factory, practice)) == 1


async def test_late_money_gets_nothing_once_somebody_has_the_time(
    uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    practice = await a_practice(uow_factory, lotus, price_type="online")
    made = await booked(uow_factory, lotus, practice.wish(ten))
    await released(uow_factory, practice, made)
    await booked(uow_factory, lotus, practice.wish(ten))
    async with uow_factory(lotus.id) as uow:
        order = await lock_order(uow, made.order_id)
        nested = await uow.session.begin_nested()
        assert not await SeatLines().reacquire(uow, order, uow.clock.now())
        await nested.rollback()
    states = [session.state for session in await sessions_of(uow_factory, practice)]
    assert states == ["vacated", "scheduled"]


async def test_who_leaves_frees_the_time(
    uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    practice = await a_practice(uow_factory, lotus)
    made = await booked(uow_factory, lotus, practice.wish(ten))
    async with uow_factory(lotus.id) as uow:
        seats = (await uow.session.scalars(select(Seat.id))).all()
        await leave_dates(uow, lotus.tenant, made.order_id, list(seats))
    (session,) = await sessions_of(uow_factory, practice)
    assert session.state == "vacated"
    assert "11:00" in await free_on(uow_factory, practice, ten)


async def test_lengths_have_prices_of_their_own(
    uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    terms = {"lengths": [{"minutes": 90, "price_minor": 8500}]}
    practice = await a_practice(uow_factory, lotus, appointment=terms)
    made = await booked(uow_factory, lotus, practice.wish(ten, 90))
    assert made.total_minor == 8500
    with pytest.raises(InvalidInput) as refused:
        await booked(uow_factory, lotus, practice.wish(ten, 45))
    assert "minutes" in refused.value.fields


@pytest.mark.parametrize("off", [timedelta(minutes=7), timedelta(hours=9), timedelta(days=90)])
async def test_no_time_that_was_not_offered(
    uow_factory: UowFactory, lotus: Business, ten: datetime, off: timedelta
) -> None:
    practice = await a_practice(uow_factory, lotus)
    with pytest.raises(SlotTaken):
        await booked(uow_factory, lotus, practice.wish(ten + off))


async def test_staff_may_book_outside_of_the_hours_but_not_twice(
    uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    practice = await a_practice(uow_factory, lotus)
    late = ten + timedelta(hours=9)
    for _twice in range(2):
        async with uow_factory(lotus.id) as uow:
            if _twice:
                with pytest.raises(SlotTaken):
                    await book_now(uow, lotus.ctx, practice.wish(late, pays="on_site"))
            else:
                await book_now(uow, lotus.ctx, practice.wish(late, pays="on_site"))
    (session,) = await sessions_of(uow_factory, practice)
    assert session.starts_at == late


async def test_a_day_off_offers_nothing_and_keeps_what_is_booked(
    uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    practice = await a_practice(uow_factory, lotus)
    await booked(uow_factory, lotus, practice.wish(ten))
    day = SetDay(performer_id=practice.performer_ids[0], on_date=ten.date())
    async with uow_factory(lotus.id) as uow:
        await set_day(uow, lotus.ctx, day)
    assert await free_on(uow_factory, practice, ten) == []
    (session,) = await sessions_of(uow_factory, practice)
    assert session.state == "scheduled"


async def test_other_hours_hold_for_their_day_alone(
    uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    practice = await a_practice(uow_factory, lotus)
    evening = (Hours(19 * 60, 21 * 60),)
    day = SetDay(performer_id=practice.performer_ids[0], on_date=ten.date(), hours=evening)
    async with uow_factory(lotus.id) as uow:
        await set_day(uow, lotus.ctx, day)
    assert await free_on(uow_factory, practice, ten) == ["19:00", "19:30", "20:00"]
    assert (await free_on(uow_factory, practice, ten + timedelta(days=1)))[0] == "09:00"


async def test_a_group_service_gives_no_appointments(
    uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    practice = await a_practice(uow_factory, lotus)
    yoga = await a_service(uow_factory, lotus.id)
    with pytest.raises(NotFound):
        await booked(uow_factory, lotus, Practice(lotus, yoga, practice.performer_ids).wish(ten))


async def test_the_same_form_sent_twice_books_once(
    services: Services, uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    practice = await a_practice(uow_factory, lotus, price_type="on_site")
    wish = practice.wish(ten)
    first = await place_booking(services, as_guest(lotus), wish)
    again = await place_booking(services, as_guest(lotus), wish)
    assert first.order_id == again.order_id
    assert again.again


async def test_a_changed_form_takes_another_time_in_place_of_its_hold(
    services: Services, uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    """Half an hour later overlaps what the form itself holds."""
    practice = await a_practice(uow_factory, lotus, price_type="online")
    wish = practice.wish(ten)
    async with uow_factory(lotus.id) as uow:
        first = await book_now(uow, as_guest(lotus), wish)
    assert first.needs_payment
    later = practice.wish(ten + timedelta(minutes=30), form_token=wish.form_token)
    assert later.slot is not None
    await _instead(services, lotus, later)
    first_time, second_time = await sessions_of(uow_factory, practice)
    assert (first_time.state, second_time.starts_at) == ("vacated", later.slot.starts_at)


async def _instead(services: Services, lotus: Business, cmd: BookCommand) -> UUID | None:
    """The processor is not there in this test: the hold that was made instead stands."""
    try:
        placed = await place_booking(services, as_guest(lotus), cmd)
    except DomainError as refused:
        assert refused.code != "slot_taken"
        return None
    return placed.order_id


async def test_a_place_that_is_free_in_an_appointment_is_nobody_elses(
    uow_factory: UowFactory, lotus: Business, ten: datetime
) -> None:
    practice = await a_practice(uow_factory, lotus)
    await booked(uow_factory, lotus, practice.wish(ten, party=("Ada", "Ben")))
    [session] = await sessions_of(uow_factory, practice)
    async with uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Session).values(capacity=5))
    with pytest.raises(NotBookable) as refused:
        wish = a_wish("session", session.id, guest_email="other@example.com")
        await booked(uow_factory, lotus, wish)
    assert [one.code for one in refused.value.reasons] == [ReasonCode.ANOTHERS_APPOINTMENT]
