"""An erasure against whoever books or writes for the same person at that moment.

Either they are through before, and what they booked stands against it, or they come after, and find
nobody: no booking and no note is ever left under somebody who was erased.
"""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from src.billing.commands.credit_acts import roll_over
from src.booking.commands import erase_customer as erasing
from src.booking.commands.book import book
from src.booking.commands.erase_customer import erase_customer
from src.booking.models import Seat
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, Unavailable
from src.tenants.commands.customer_care import add_note
from tests.booking.commands.test_book import a_wish, booked
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_service, a_session, as_guest
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot
from tests.support.locks import until_somebody_waits
from tests.support.lots import the_lot
from tests.support.work import work
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

CARL = "carl@example.com"
UNDER_NOBODY = (
    "SELECT count(*) FROM customers c JOIN bookings b ON b.customer_id = c.id"
    " JOIN seats s ON s.booking_id = b.id WHERE c.erased_at IS NOT NULL AND s.state = 'confirmed'"
)


@pytest.fixture
async def lotus(committing: Committing) -> Business:
    return await a_business(committing.uow_factory)


async def test_a_booking_that_is_under_way_is_waited_for_and_stands_against_it(
    committing: Committing, lotus: Business
) -> None:
    carl, session_id = await a_free_place(committing, lotus)
    async with committing.uow_factory(lotus.id) as uow:
        await book(uow, as_guest(lotus), a_wish("session", session_id))
        await uow.settle()
        being_erased = asyncio.create_task(erase(committing, lotus, carl))
        await until_somebody_waits(committing.uow_factory)
    with pytest.raises(Conflict, match="lies ahead"):
        await being_erased
    assert await left_under_nobody(committing, lotus) == 0


async def test_control_without_its_lock_the_booking_is_left_under_nobody(
    committing: Committing, lotus: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_locked(_uow: UnitOfWork, _customer_id: UUID) -> None:
        return

    monkeypatch.setattr(erasing, "_lock", not_locked)
    carl, session_id = await a_free_place(committing, lotus)
    async with committing.uow_factory(lotus.id) as uow:
        await book(uow, as_guest(lotus), a_wish("session", session_id))
        await uow.settle()
        await erase(committing, lotus, carl)
    assert await left_under_nobody(committing, lotus) == 1


async def a_free_place(committing: Committing, lotus: Business) -> tuple[UUID, UUID]:
    """A known customer, and a session that they may book."""
    service = await a_service(committing.uow_factory, lotus.id, price_type="free")
    session = await a_session(committing.uow_factory, service)
    return await a_customer(committing.uow_factory, lotus, email=CARL), session.id


async def erase(committing: Committing, lotus: Business, customer_id: UUID) -> None:
    async with committing.uow_factory(lotus.id) as uow:
        await erase_customer(uow, lotus.ctx, customer_id, CARL)


async def left_under_nobody(committing: Committing, lotus: Business) -> int:
    async with committing.uow_factory(lotus.id) as uow:
        return int(await uow.session.scalar(text(UNDER_NOBODY)) or 0)


async def test_who_comes_during_it_is_somebody_new_and_no_note_is_left(
    committing: Committing, lotus: Business
) -> None:
    carl, session_id = await a_free_place(committing, lotus)

    async def one_books() -> UUID:
        async with committing.uow_factory(lotus.id) as uow:
            made = await book(uow, as_guest(lotus), a_wish("session", session_id))
        return made.order.customer_id

    async def one_writes() -> None:
        async with committing.uow_factory(lotus.id) as uow:
            await add_note(uow, lotus.ctx, carl, "Late")

    async with committing.uow_factory(lotus.id) as uow:
        await erase_customer(uow, lotus.ctx, carl, CARL)
        await uow.settle()
        booking, writing = asyncio.create_task(one_books()), asyncio.create_task(one_writes())
        await until_somebody_waits(committing.uow_factory, many=2)
    assert await booking != carl
    with pytest.raises((Unavailable, Conflict)):
        await writing
    async with committing.uow_factory(lotus.id) as uow:
        assert await uow.session.scalar(text("SELECT count(*) FROM customer_notes")) == 0


async def test_rolling_credits_over_holds_their_customer_before_them(
    committing: Committing, lotus: Business, clock: FrozenClock
) -> None:
    """Or each would wait for what the other holds: the new credits name the customer."""
    ends = clock.now() + timedelta(days=1)
    carl, lot_id = await a_lot(committing.uow_factory, lotus.id, CARL, expires_at=ends)
    await work(committing.services, lotus.id)
    clock.advance(timedelta(days=2))
    async with committing.uow_factory(lotus.id) as uow:
        new_lot_id = await roll_over(uow, lotus.ctx, lot_id, None, "She was ill.")
        being_erased = asyncio.create_task(erase(committing, lotus, carl))
        await until_somebody_waits(committing.uow_factory)
    await being_erased
    rolled = await the_lot(committing.uow_factory, lotus.id, new_lot_id)
    assert (rolled.balance, rolled.forfeited, rolled.expires_at) == (0, 10, clock.now())


async def test_the_seats_of_a_party_are_taken_in_the_order_in_which_they_are_ticked(
    committing: Committing, lotus: Business, clock: FrozenClock
) -> None:
    """Though the first one lies last in the table."""
    carl, session_id = await a_free_place(committing, lotus)
    party = a_wish("session", session_id, party=("Carl", "Kim"))
    await booked(committing.uow_factory, lotus, party)
    await work(committing.services, lotus.id)
    clock.advance(timedelta(days=30))
    async with committing.uow_factory(lotus.id) as uow:
        second, first = await uow.session.scalars(select(Seat.id).order_by(Seat.id))
        await uow.session.execute(update(Seat).where(Seat.id == first).values(id=UUID(int=1)))
    async with committing.uow_factory(lotus.id) as uow:
        await lock_seat(uow, UUID(int=1))
        being_erased = asyncio.create_task(erase(committing, lotus, carl))
        await until_somebody_waits(committing.uow_factory)
        await lock_seat(uow, second)
    await being_erased


async def lock_seat(uow: UnitOfWork, seat_id: UUID) -> None:
    await uow.session.execute(select(Seat.id).where(Seat.id == seat_id).with_for_update())
