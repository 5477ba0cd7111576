"""An appointment goes to another time: whole, with what was paid, and the old time is free."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from src.booking.commands.book import Booked
from src.booking.commands.exchange import NotMovable
from src.booking.commands.leave import leave_dates
from src.booking.commands.reschedule import Reschedule, reschedule
from src.booking.commands.slots import SlotTaken
from src.booking.domain.appointment_terms import SlotWish
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.models import Seat, Session
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, NotFound
from tests.booking.commands.test_appointments import busy, sessions_of
from tests.booking.commands.test_book import booked
from tests.support.appointments import Practice, a_practice, next_day_at
from tests.support.builders import Business, a_business
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio

MOVABLE = LeavingTerms(moves_before=24, tiers=(Tier(before=48, percent=100),)).document()


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


@pytest.fixture
def friday(clock: FrozenClock) -> datetime:
    """Ten o'clock in UTC on the Friday of this week."""
    return next_day_at(clock.now(), 10, days=4)


@pytest.fixture
async def practice(uow_factory: UowFactory, lotus: Business) -> Practice:
    return await a_practice(uow_factory, lotus, leaving=MOVABLE, max_party=3)


async def moved(
    uow_factory: UowFactory,
    practice: Practice,
    made: Booked,
    session_id: UUID,
    starts_at: datetime,
    **more: Any,
) -> list[UUID]:
    slot = more.pop("slot", None) or SlotWish(starts_at=starts_at, minutes=60)
    cmd = Reschedule(order_id=made.order_id, session_id=session_id, slot=slot, **more)
    async with uow_factory(practice.business.id) as uow:
        return await reschedule(uow, practice.business.tenant, cmd)


async def seats(uow_factory: UowFactory, practice: Practice) -> list[tuple[str, int, datetime]]:
    async with uow_factory(practice.business.id) as uow:
        found = await uow.session.execute(
            select(Seat.state, Seat.share_minor, Session.starts_at)
            .join(Session, Session.id == Seat.session_id)
            .order_by(Session.starts_at, Seat.id)
        )
        return [(row[0], row[1], row[2]) for row in found]


async def test_it_goes_there_with_all_that_was_paid(
    uow_factory: UowFactory, practice: Practice, lotus: Business, friday: datetime
) -> None:
    wish = practice.wish(friday, party=("Ada", "Ben"))
    made = await booked(uow_factory, lotus, wish)
    (old,) = await sessions_of(uow_factory, practice)
    later = friday + timedelta(hours=3)
    new = await moved(uow_factory, practice, made, old.id, later)
    assert len(new) == 2
    assert await seats(uow_factory, practice) == [
        ("swapped", 0, friday),
        ("swapped", 0, friday),
        ("confirmed", 6000, later),
        ("confirmed", 6000, later),
    ]
    old, now = await sessions_of(uow_factory, practice)
    assert (old.state, now.state, now.seats_taken, now.capacity) == ("vacated", "scheduled", 2, 2)
    assert await busy(uow_factory, practice) == [(later, later + timedelta(hours=1))]
    assert await moved(uow_factory, practice, made, old.id, later) == new, "pressed again"
    assert len(await sessions_of(uow_factory, practice)) == 2


async def test_half_an_hour_later_meets_nothing_but_itself(
    uow_factory: UowFactory, practice: Practice, lotus: Business, friday: datetime
) -> None:
    made = await booked(uow_factory, lotus, practice.wish(friday))
    (old,) = await sessions_of(uow_factory, practice)
    later = friday + timedelta(minutes=30)
    await moved(uow_factory, practice, made, old.id, later)
    assert await busy(uow_factory, practice) == [(later, later + timedelta(hours=1))]


@pytest.mark.parametrize("by", ["guest", "staff"])
async def test_its_own_time_is_no_other_time_unless_with_somebody_else(
    uow_factory: UowFactory, lotus: Business, friday: datetime, by: str
) -> None:
    practice = await a_practice(uow_factory, lotus, "Nora", "Ben", leaving=MOVABLE)
    made = await booked(uow_factory, lotus, practice.wish(friday))
    (own,) = await sessions_of(uow_factory, practice)
    before = await seats(uow_factory, practice)
    for performer_id in (None, own.performer_id):
        slot = SlotWish(starts_at=friday, minutes=60, performer_id=performer_id)
        with pytest.raises(Conflict, match=r"time that you have now|at this time already"):
            await moved(uow_factory, practice, made, own.id, friday, slot=slot, by=by)
    assert await seats(uow_factory, practice) == before
    (still,) = await sessions_of(uow_factory, practice)
    assert (still.id, still.state) == (own.id, "scheduled")
    (other,) = set(practice.performer_ids) - {own.performer_id}
    slot = SlotWish(starts_at=friday, minutes=60, performer_id=other)
    await moved(uow_factory, practice, made, own.id, friday, slot=slot, by=by)
    live = [one for one in await sessions_of(uow_factory, practice) if one.state == "scheduled"]
    assert [(one.starts_at, one.performer_id) for one in live] == [(friday, other)]


async def test_a_time_that_is_taken_leaves_all_as_it_was(
    uow_factory: UowFactory, practice: Practice, lotus: Business, friday: datetime
) -> None:
    made = await booked(uow_factory, lotus, practice.wish(friday))
    other_at = friday + timedelta(hours=2)
    await booked(uow_factory, lotus, practice.wish(other_at, guest_email="o@example.com"))
    old, _other = await sessions_of(uow_factory, practice)
    before = await seats(uow_factory, practice)
    with pytest.raises(SlotTaken):
        await moved(uow_factory, practice, made, old.id, other_at)
    assert await seats(uow_factory, practice) == before
    assert len(await busy(uow_factory, practice)) == 2


async def test_the_terms_hold_for_guests_and_not_for_staff(
    uow_factory: UowFactory, practice: Practice, lotus: Business, clock: FrozenClock
) -> None:
    tomorrow = next_day_at(clock.now(), 9, days=1)
    made = await booked(uow_factory, lotus, practice.wish(tomorrow + timedelta(hours=1)))
    clock.advance(timedelta(hours=2))
    (old,) = await sessions_of(uow_factory, practice)
    friday = next_day_at(clock.now(), 10, days=4)
    with pytest.raises(NotMovable, match="too late"):
        await moved(uow_factory, practice, made, old.id, friday)
    assert await moved(uow_factory, practice, made, old.id, friday, by="staff")


async def test_moving_late_wins_no_better_terms(
    uow_factory: UowFactory, practice: Practice, lotus: Business, clock: FrozenClock
) -> None:
    """Within two days nothing comes back, and so it stays for the new time, however far it is."""
    made_at = next_day_at(clock.now(), 10, days=2)
    made = await booked(uow_factory, lotus, practice.wish(made_at))
    clock.advance(timedelta(hours=4))
    (old,) = await sessions_of(uow_factory, practice)
    new = await moved(uow_factory, practice, made, old.id, next_day_at(clock.now(), 10, days=14))
    async with uow_factory(lotus.id) as uow:
        assert (await leave_dates(uow, lotus.tenant, made.order_id, new)).back_minor == 0
        left = await uow.session.get_one(Seat, (lotus.id, new[0]))
        await uow.session.refresh(left)
        assert left.state == "late_cancelled"


async def test_only_ones_own_appointment_and_only_whole(
    uow_factory: UowFactory, practice: Practice, lotus: Business, friday: datetime
) -> None:
    made = await booked(uow_factory, lotus, practice.wish(friday))
    other_at = friday + timedelta(hours=2)
    await booked(uow_factory, lotus, practice.wish(other_at, guest_email="o@example.com"))
    own, other = await sessions_of(uow_factory, practice)
    with pytest.raises(NotFound):
        await moved(uow_factory, practice, made, other.id, friday + timedelta(hours=4))
    async with uow_factory(lotus.id) as uow:
        await uow.session.execute(
            update(Session).where(Session.id == own.id).values(capacity=2, seats_taken=2)
        )
    with pytest.raises(Conflict, match="Somebody else"):
        await moved(uow_factory, practice, made, own.id, friday + timedelta(hours=4))
