"""Many guests for one time: one has it, and whoever comes late is told.

The control asks first and writes then, without the database's own guard, and gives it twice.
"""

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from src.booking.commands import slots
from src.booking.commands.book import BookCommand, book
from src.booking.commands.reschedule import Reschedule, reschedule
from src.booking.commands.slots import SlotTaken
from src.booking.domain.appointment_terms import SlotWish
from src.booking.domain.leaving import LeavingTerms
from src.booking.models import Seat, Session
from src.platform.db.uow import UnitOfWork
from tests.conftest import Committing
from tests.race.test_seats import all_at_once, numbers
from tests.support.appointments import Practice, a_practice, next_day_at
from tests.support.builders import a_business, as_guest

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]
GUESTS = 40
LIVE = "SELECT count(*) FROM sessions WHERE is_slot AND state = 'scheduled'"


def guests(practice: Practice, starts: list[datetime]) -> list[BookCommand]:
    return [
        practice.wish(starts[number % len(starts)], guest_email=f"g{number}@example.com")
        for number in range(GUESTS)
    ]


async def test_one_of_forty_guests_has_the_time(committing: Committing) -> None:
    business = await a_business(committing.uow_factory)
    practice = await a_practice(committing.uow_factory, business)
    ten = next_day_at(committing.services.clock.now(), 10)
    outcomes = await all_at_once(committing, business, guests(practice, [ten]))
    assert outcomes == Counter({"booked": 1, "slot_taken": GUESTS - 1})
    assert await numbers(committing, business, LIVE) == [1]


async def test_times_that_overlap_go_to_whoever_was_first(committing: Committing) -> None:
    """Ten, half past ten and eleven: the first and the last both fit, or the middle one alone."""
    business = await a_business(committing.uow_factory)
    practice = await a_practice(committing.uow_factory, business)
    ten = next_day_at(committing.services.clock.now(), 10)
    starts = [ten + step * timedelta(minutes=30) for step in range(3)]
    outcomes = await all_at_once(committing, business, guests(practice, starts))
    assert outcomes["booked"] in (1, 2)
    assert outcomes["booked"] + outcomes["slot_taken"] == GUESTS
    taken = "SELECT count(*) FROM performer_busy"
    assert await numbers(committing, business, taken) == [outcomes["booked"]]


async def test_anyone_gives_as_many_as_there_are_people(committing: Committing) -> None:
    business = await a_business(committing.uow_factory)
    practice = await a_practice(committing.uow_factory, business, "Nora", "Omar", "Pia")
    ten = next_day_at(committing.services.clock.now(), 10)
    outcomes = await all_at_once(committing, business, guests(practice, [ten]))
    assert outcomes == Counter({"booked": 3, "slot_taken": GUESTS - 3})
    per_person = "SELECT count(*) FROM performer_busy GROUP BY performer_id"
    assert await numbers(committing, business, per_person) == [1, 1, 1]


async def test_control_without_the_databases_guard_a_time_is_given_twice(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    business = await a_business(committing.uow_factory)
    practice = await a_practice(committing.uow_factory, business)
    ten = next_day_at(committing.services.clock.now(), 10)
    everybody = asyncio.Barrier(2)

    async def believe(_uow: UnitOfWork, *_session: object) -> bool:
        await everybody.wait()
        return True

    monkeypatch.setattr(slots, "_take", believe)
    await all_at_once(committing, business, guests(practice, [ten])[:2])
    assert await numbers(committing, business, LIVE) == [2]
    async with committing.uow_factory(business.id) as uow:
        assert await uow.session.scalar(text("SELECT count(*) FROM performer_busy")) == 0


async def test_two_who_want_each_others_time_wait_and_do_not_deadlock(
    committing: Committing,
) -> None:
    """Whoever is first finds the other still there; in no order are both moved, or either lost."""
    business = await a_business(committing.uow_factory)
    terms = LeavingTerms(moves_before=1).document()
    practice = await a_practice(committing.uow_factory, business, leaving=terms)
    ten = next_day_at(committing.services.clock.now(), 10)
    times = [ten, ten + timedelta(hours=1)]
    for number, at in enumerate(times):
        async with committing.uow_factory(business.id) as uow:
            wish = practice.wish(at, guest_email=f"g{number}@example.com")
            await book(uow, as_guest(business), wish)
    for _round in range(5):
        outcomes = await asyncio.gather(
            *(swaps(committing, practice, at, times[1 - place]) for place, at in enumerate(times))
        )
        assert outcomes == ["taken", "taken"]
        starts = "SELECT starts_at FROM sessions WHERE state = 'scheduled' ORDER BY 1"
        async with committing.uow_factory(business.id) as uow:
            assert list(await uow.session.scalars(text(starts))) == times


async def swaps(committing: Committing, practice: Practice, at: datetime, to_at: datetime) -> str:
    business = practice.business
    try:
        async with committing.uow_factory(business.id) as uow:
            found = await uow.session.execute(
                select(Seat.order_id, Session.id)
                .join(Session, Session.id == Seat.session_id)
                .where(Session.starts_at == at, Session.state == "scheduled")
            )
            order_id, session_id = found.one()
            slot = SlotWish(starts_at=to_at, minutes=60)
            cmd = Reschedule(order_id=order_id, session_id=session_id, slot=slot)
            await reschedule(uow, business.tenant, cmd)
    except SlotTaken:
        return "taken"
    return "moved"
