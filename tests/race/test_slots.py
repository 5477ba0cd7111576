"""Many guests for one time: one has it, and whoever comes late is told.

The control asks first and writes then, without the database's own guard, and gives it twice.
"""

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from src.booking.commands import slots
from src.booking.commands.book import BookCommand
from src.platform.db.uow import UnitOfWork
from tests.conftest import Committing
from tests.race.test_seats import all_at_once, numbers
from tests.support.appointments import Practice, a_practice, next_day_at
from tests.support.builders import a_business

pytestmark = [pytest.mark.anyio, pytest.mark.race]
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
