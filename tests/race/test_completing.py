"""The place that completes a course, between its guest's tabs, a walk-in and the purchase's end."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.models import Order
from src.booking.commands import book as booking
from src.booking.commands.book import book
from src.booking.commands.cancel import cancel_purchase
from src.booking.commands.completing import command_of_offer
from src.booking.commands.leave import leave_dates
from src.booking.commands.waitlist_serve import serve_pool
from src.booking.models import Seat
from src.booking.queries.completing import get_completing
from src.platform.db.uow import UnitOfWork
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish
from tests.conftest import Committing
from tests.race.test_sessions import Act, at_once
from tests.support.builders import a_business, as_guest
from tests.support.clock import FrozenClock
from tests.support.gaps import Course, a_course
from tests.support.locks import until_somebody_waits
from tests.support.work import work_through

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]


async def who_waits(committing: Committing) -> tuple[Course, UUID]:
    course = await a_course(committing.services, await a_business(committing.uow_factory))
    return course, await course.wait()


def taking(course: Course, entry_id: UUID) -> Act:
    async def act(uow: UnitOfWork) -> None:
        await book(uow, as_guest(course.lotus), await command_of_offer(uow, entry_id))

    return act


async def race(committing: Committing, course: Course, acts: list[Act], turn: int) -> Counter[str]:
    return await at_once(committing, course.lotus.id, acts[:: -1 if turn % 2 else 1])


@pytest.mark.parametrize("turn", range(4))
async def test_the_missing_date_is_offered_or_sold_to_a_walk_in(
    committing: Committing, turn: int
) -> None:
    course, _entry_id = await who_waits(committing)
    [seat] = await course.seats(course.other)
    async with committing.uow_factory(course.lotus.id) as uow:
        await leave_dates(uow, course.lotus.tenant, course.other.order_id, [seat.id])
    wish = a_wish("session", course.missing, guest_email="walk-in@example.com")

    async def serving(uow: UnitOfWork) -> None:
        tenant = await tenant_snapshot(uow, course.lotus.id, uow.clock.now())
        await serve_pool(uow, tenant, course.term.series.id)

    async def walking_in(uow: UnitOfWork) -> None:
        await book(uow, as_guest(course.lotus), wish)

    outcome = await race(committing, course, [serving, walking_in], turn)
    assert set(outcome) <= {"done", "full", "sold_out"}, outcome
    # One place, which is on offer or somebody's.
    assert await course.check() == [1, 1, 1]


async def test_in_six_tabs_it_is_taken_once(committing: Committing) -> None:
    course, entry_id = await who_waits(committing)
    await course.free()
    outcome = await at_once(committing, course.lotus.id, [taking(course, entry_id)] * 6)
    assert outcome["done"] == 1, outcome
    assert await course.check() == [1, 1, 1]


@pytest.mark.parametrize("turn", range(2))
async def test_a_purchase_that_is_cancelled_meanwhile_takes_it_along(
    committing: Committing, clock: FrozenClock, turn: int
) -> None:
    course, entry_id = await who_waits(committing)
    await course.free()
    acts = [cancelling(course), taking(course, entry_id)]
    outcome = await race(committing, course, acts, turn)
    assert set(outcome) <= {"done", "not_just_now"}, outcome
    await work_through(course.services, clock, course.lotus.id, timedelta(minutes=4))
    assert await course.check() == [0, 0, 0]


@pytest.mark.parametrize("turn", range(2))
async def test_what_is_taken_of_a_paid_course_is_counted_by_its_cancelling_or_refused(
    committing: Committing, turn: int
) -> None:
    """No money is awaited for it, so that nothing else makes one wait for the other."""
    course, entry_id = await a_paid_course(committing)
    acts = [cancelling(course), taking(course, entry_id)]
    outcome = await race(committing, course, acts, turn)
    assert set(outcome) <= {"done", "not_just_now"}, outcome
    assert await unmarked(committing, course) == []


async def test_what_is_being_taken_of_a_paid_course_is_waited_for(committing: Committing) -> None:
    course, entry_id = await a_paid_course(committing)
    async with committing.uow_factory(course.lotus.id) as uow:
        await taking(course, entry_id)(uow)
        await uow.settle()
        other = asyncio.create_task(at_once(committing, course.lotus.id, [cancelling(course)]))
        await until_somebody_waits(committing.uow_factory)
    assert await other == {"done": 1}
    assert await unmarked(committing, course) == []


async def test_control_without_the_lock_of_its_order_what_is_taken_is_left_behind(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(booking, "lock_completing", get_completing)
    course, entry_id = await a_paid_course(committing)
    async with committing.uow_factory(course.lotus.id) as uow:
        await taking(course, entry_id)(uow)
        await uow.settle()
        outcome = await at_once(committing, course.lotus.id, [cancelling(course)])
    assert outcome == {"done": 1}
    assert await unmarked(committing, course) == [course.missing]


async def a_paid_course(committing: Committing) -> tuple[Course, UUID]:
    """Whose missing date is on offer."""
    course, entry_id = await who_waits(committing)
    await course.free()
    async with committing.uow_factory(course.lotus.id) as uow:
        order = await uow.session.get_one(Order, (course.lotus.id, course.bought.order_id))
        order.payment_mode = "online"
    return course, entry_id


def cancelling(course: Course) -> Act:
    async def act(uow: UnitOfWork) -> None:
        booking_id = course.bought.booking_id
        await cancel_purchase(uow, course.lotus.ctx, booking_id, reason="", undo_seconds=60)

    return act


async def unmarked(committing: Committing, course: Course) -> list[UUID]:
    """The dates of confirmed seats that nobody is cancelling."""
    async with committing.uow_factory(course.lotus.id) as uow:
        found = await uow.session.scalars(select(Seat).where(Seat.state == "confirmed"))
        return [one.session_id for one in found if one.cancellation_id is None]


@pytest.mark.parametrize("turn", range(2))
async def test_who_leaves_the_course_meanwhile_has_the_date_or_has_not_taken_it(
    committing: Committing, turn: int
) -> None:
    course, entry_id = await who_waits(committing)
    await course.free()

    seat_ids = [seat.id for seat in await course.seats(course.bought)]

    async def leaving(uow: UnitOfWork) -> None:
        await leave_dates(uow, course.lotus.tenant, course.bought.order_id, seat_ids)

    outcome = await race(committing, course, [leaving, taking(course, entry_id)], turn)
    assert set(outcome) <= {"done", "not_missing"}, outcome
    await course.work()
    assert await course.check() == [0, int(outcome["done"] == 2), 0]
