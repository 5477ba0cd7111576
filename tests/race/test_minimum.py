"""Somebody books in the very moment in which too few would call the session off."""

import asyncio
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import func, select

from src.booking.commands.book import book
from src.booking.commands.cancel import cancel_session
from src.booking.commands.leave import leave_dates
from src.booking.commands.minimum import let_it_take_place, set_minimum, weigh_session
from src.booking.commands.sessions import (
    UpdateSession,
    details_of_session,
    get_session,
    update_session,
)
from src.booking.jobs.waitlist import serve
from src.booking.models import Seat, Session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_waitlist import LEAVING
from tests.conftest import Committing
from tests.race.test_sessions import Act, at_once
from tests.support.builders import Business, a_business, a_service, a_session, as_guest
from tests.support.clock import FrozenClock
from tests.support.locks import until_somebody_waits
from tests.support.waiting import check_places, joined, offers

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]


async def a_lonely_session(committing: Committing, clock: FrozenClock) -> tuple[Business, Session]:
    """Nobody has booked it, it needs one person, and that is decided now."""
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id, price_type="free")
    session = await a_session(committing.uow_factory, service, in_days=3)
    async with committing.uow_factory(business.id) as uow:
        await set_minimum(uow, business.ctx, session.id, min_seats=1, decide_hours=48)
    clock.advance(timedelta(days=1))
    return business, session


async def state_and_seats(
    committing: Committing, business: Business, session: Session
) -> tuple[str, int]:
    async with committing.uow_factory(business.id) as uow:
        found = await uow.session.get_one(Session, (business.id, session.id))
        return found.state, await uow.session.scalar(select(func.count()).select_from(Seat)) or 0


@pytest.mark.parametrize("first", ["weigh", "book"])
async def test_the_booking_saves_the_session_or_comes_too_late(
    committing: Committing, clock: FrozenClock, first: str
) -> None:
    business, session = await a_lonely_session(committing, clock)

    def booking() -> Act:
        wish = a_wish("session", session.id)
        return lambda uow: book(uow, as_guest(business), wish)

    def weighing() -> Act:
        return lambda uow: weigh_session(uow, business.tenant, session.id, undo_seconds=10)

    acts = [weighing(), booking()]
    await at_once(committing, business.id, acts if first == "weigh" else acts[::-1])
    found = await state_and_seats(committing, business, session)
    assert found in {("scheduled", 1), ("cancelling", 0)}


async def test_who_booked_after_the_count_is_not_called_off(
    committing: Committing, clock: FrozenClock
) -> None:
    """The guard alone: it was decided on no seats, and there is one by now."""
    business, session = await a_lonely_session(committing, clock)
    await booked(committing.uow_factory, business, a_wish("session", session.id))
    with pytest.raises(Conflict):
        async with committing.uow_factory(business.id) as uow:
            await cancel_session(
                uow,
                business.ctx,
                session.id,
                reason="",
                undo_seconds=10,
                as_seen=[Session.seats_taken <= 0],
            )
    assert await state_and_seats(committing, business, session) == ("scheduled", 1)


async def test_who_takes_an_offer_while_it_is_weighed_saves_the_session(
    committing: Committing, clock: FrozenClock
) -> None:
    """The counter stays as it is: the offer's place becomes the seat. The clock counted nobody, and
    waits for the booking.
    """
    factory = committing.uow_factory
    business = await a_business(factory)
    days = {"offer_minutes": 7 * 24 * 60, "quiet_from": 0, "quiet_until": 0}
    service = await a_service(
        factory, business.id, price_type="free", leaving=LEAVING, waitlist=days
    )
    session = await a_session(factory, service, in_days=3, capacity=1)
    made = await booked(factory, business, a_wish("session", session.id))
    async with factory(business.id) as uow:
        await set_minimum(uow, business.ctx, session.id, min_seats=1, decide_hours=48)
    await joined(factory, business, "session", session.id, "Ann")
    [seat] = await seats_of(factory, business.id)
    async with factory(business.id) as uow:
        await leave_dates(uow, business.tenant, made.order_id, [seat.id])
    await serve(committing.services, business.id, session.id)
    [offer] = await offers(factory, business)
    clock.advance(timedelta(days=1))

    async def weigh() -> None:
        async with factory(business.id) as uow:
            await weigh_session(uow, business.tenant, session.id, undo_seconds=10)

    wish = a_wish("session", session.id, guest_email="ann@example.com", offer_id=offer.id)
    async with factory(business.id) as uow:
        await book(uow, as_guest(business), wish)
        weighing = asyncio.create_task(weigh())
        await until_somebody_waits(factory)
    with pytest.raises(Conflict):
        await weighing
    assert await check_places(factory, business) == [1]
    assert (await state_and_seats(committing, business, session))[0] == "scheduled"


@pytest.mark.parametrize("answer", ["go", "other_minimum"])
async def test_who_answers_while_it_is_weighed_is_heard(
    committing: Committing, clock: FrozenClock, answer: str
) -> None:
    """The answer has written, and commits only when the clock waits for it."""
    business, session = await a_lonely_session(committing, clock)

    async def weigh() -> None:
        async with committing.uow_factory(business.id) as uow:
            await weigh_session(uow, business.tenant, session.id, undo_seconds=10)

    async with committing.uow_factory(business.id) as uow:
        if answer == "go":
            await let_it_take_place(uow, business.ctx, session.id)
        else:
            await set_minimum(uow, business.ctx, session.id, min_seats=2, decide_hours=24)
        weighing = asyncio.create_task(weigh())
        await until_somebody_waits(committing.uow_factory)
    with pytest.raises(Conflict):
        await weighing
    assert await state_and_seats(committing, business, session) == ("scheduled", 0)


@pytest.mark.parametrize("first", ["minimum", "capacity"])
async def test_a_minimum_is_never_above_the_capacity(
    committing: Committing, clock: FrozenClock, first: str
) -> None:
    """Each has read the session as it was before the other wrote."""
    business, session = await a_lonely_session(committing, clock)

    async def raise_minimum(uow: UnitOfWork) -> None:
        await set_minimum(uow, business.ctx, session.id, min_seats=10, decide_hours=24)

    async def lower_capacity(uow: UnitOfWork) -> None:
        known = details_of_session(await get_session(uow, session.id))
        fields = msgspec.structs.asdict(known) | {"capacity": 4}
        await update_session(uow, business.ctx, UpdateSession(session_id=session.id, **fields))

    acts = [raise_minimum, lower_capacity]
    early, late = acts if first == "minimum" else acts[::-1]
    with pytest.raises(Conflict):
        async with committing.uow_factory(business.id) as uow:
            read = await get_session(uow, session.id)
            async with committing.uow_factory(business.id) as other:
                await early(other)
            await late(uow)
    async with committing.uow_factory(business.id) as uow:
        found = await uow.session.get_one(Session, (business.id, session.id))
    assert found.min_seats is not None
    assert found.min_seats <= found.capacity
    assert read.min_seats == 1


async def test_whom_nobody_answers_is_called_off(
    committing: Committing, clock: FrozenClock
) -> None:
    """The control."""
    business, session = await a_lonely_session(committing, clock)
    async with committing.uow_factory(business.id) as uow:
        await weigh_session(uow, business.tenant, session.id, undo_seconds=10)
    assert await state_and_seats(committing, business, session) == ("cancelling", 0)
