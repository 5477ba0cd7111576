"""A purchase that has ended, been left or been corrected buys nothing more of what it lacks."""

from datetime import timedelta
from typing import Any

import pytest

from src.booking.commands.cancel import cancel_purchase
from src.booking.commands.leave import leave_dates
from src.platform.errors import NotFound
from src.platform.services import Services
from tests.support.builders import Business, a_business
from tests.support.clock import FrozenClock
from tests.support.gaps import Course, a_course
from tests.support.work import work_through

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def cancel_the_course(course: Course) -> None:
    async with course.services.uow_factory(course.lotus.id) as uow:
        booking_id = course.bought.booking_id
        await cancel_purchase(uow, course.lotus.ctx, booking_id, reason="", undo_seconds=60)


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


async def test_a_course_that_goes_on_after_its_first_date_still_gets_it(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await let_the_first_date_pass(course, clock)
    await course.free()
    await course.take(entry_id)
    assert await course.check() == [1, 1, 1]
