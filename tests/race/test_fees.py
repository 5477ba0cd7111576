"""A fee is asked once and taken once, however many doors and desks there are."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.commands import fees as commands
from src.billing.commands.fees import take_fee_on_site
from src.billing.models import Fee, Payment
from src.booking.commands import attendance
from src.booking.commands.attendance import mark_attendance
from src.booking.commands.erase_customer import erase_customer
from src.booking.domain.fees import FeeRule
from src.booking.domain.kinds import By, SeatState
from src.booking.domain.leaving import LeavingTerms
from src.booking.models import Booking, Seat, Session
from src.platform.db.uow import UnitOfWork
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.context import TenantSnapshot
from tests.booking.commands.test_book import a_wish, booked
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.locks import until_somebody_waits
from tests.support.work import work
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]
TERMS = LeavingTerms(no_show_fee=FeeRule(percent=50))


@pytest.fixture
async def lotus(committing: Committing) -> Business:
    return await a_business(committing.uow_factory)


@pytest.fixture
async def session(committing: Committing, lotus: Business, clock: FrozenClock) -> Session:
    """Carl had a place at EUR 15, and it has begun."""
    service = await a_service(
        committing.uow_factory, lotus.id, price_type="on_site", leaving=TERMS.document()
    )
    made = await a_session(committing.uow_factory, service)
    await booked(committing.uow_factory, lotus, a_wish("session", made.id))
    clock.at = made.starts_at + timedelta(minutes=5)
    return made


async def marks(committing: Committing, lotus: Business, session: Session) -> None:
    async with committing.uow_factory(lotus.id) as uow:
        seat_ids = (await uow.session.scalars(select(Seat.id))).all()
        await mark_attendance(uow, lotus.ctx, session.id, seat_ids, SeatState.NO_SHOW)


async def fee_ids(committing: Committing, lotus: Business) -> list[UUID]:
    async with committing.uow_factory(lotus.id) as uow:
        return list(await uow.session.scalars(select(Fee.id)))


async def takes(committing: Committing, lotus: Business, fee_id: UUID) -> None:
    async with committing.uow_factory(lotus.id) as uow:
        await take_fee_on_site(uow, lotus.ctx, fee_id)


async def paid(committing: Committing, lotus: Business) -> list[int]:
    async with committing.uow_factory(lotus.id) as uow:
        return list(await uow.session.scalars(select(Payment.amount_minor)))


async def test_two_doors_that_mark_the_same_guest_ask_once(
    committing: Committing, lotus: Business, session: Session
) -> None:
    await asyncio.gather(*(marks(committing, lotus, session) for _door in range(4)))
    assert len(await fee_ids(committing, lotus)) == 1


async def test_two_desks_that_take_it_write_one_payment_down(
    committing: Committing, lotus: Business, session: Session
) -> None:
    await marks(committing, lotus, session)
    [fee_id] = await fee_ids(committing, lotus)
    await asyncio.gather(*(takes(committing, lotus, fee_id) for _desk in range(4)))
    assert await paid(committing, lotus) == [750]


async def test_control_without_the_lock_it_is_written_down_twice(
    committing: Committing,
    lotus: Business,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await marks(committing, lotus, session)
    [fee_id] = await fee_ids(committing, lotus)
    both = asyncio.Barrier(2)

    async def read(uow: UnitOfWork, fee_id: UUID) -> Fee:
        fee = await uow.session.get_one(Fee, (uow.tenant, fee_id))
        await both.wait()
        return fee

    monkeypatch.setattr(commands, "lock_fee", read)
    await asyncio.gather(*(takes(committing, lotus, fee_id) for _desk in range(2)))
    assert await paid(committing, lotus) == [750, 750]


async def customer_of(committing: Committing, lotus: Business) -> UUID:
    async with committing.uow_factory(lotus.id) as uow:
        return (await uow.session.scalars(select(Booking.customer_id))).one()


async def test_marking_and_erasing_do_not_wait_for_each_other(
    committing: Committing,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Erasing locks the customer, then the seats; the fee that marking writes wants the customer,
    who therefore has to be held before the seats.
    """
    clock.at = session.ends_at + timedelta(minutes=5)
    await work(committing.services, lotus.id)
    customer_id, ask = await customer_of(committing, lotus), attendance.ask_for_no_shows
    has_seats, is_waiting = asyncio.Event(), asyncio.Event()

    async def later(
        uow: UnitOfWork, tenant: TenantSnapshot, seat_ids: Sequence[UUID], by: By
    ) -> int:
        has_seats.set()
        await is_waiting.wait()
        return await ask(uow, tenant, seat_ids, by)

    monkeypatch.setattr(attendance, "ask_for_no_shows", later)

    async def erases() -> None:
        await has_seats.wait()
        async with committing.uow_factory(lotus.id) as uow:
            await erase_customer(uow, lotus.ctx, customer_id, "carl@example.com")

    tasks = [
        asyncio.create_task(marks(committing, lotus, session)),
        asyncio.create_task(erases()),
    ]
    await has_seats.wait()
    await until_somebody_waits(committing.uow_factory)
    is_waiting.set()
    assert await asyncio.gather(*tasks, return_exceptions=True) == [None, None]


async def test_a_fee_that_is_asked_during_a_merge_is_of_who_is_left(
    committing: Committing, lotus: Business, session: Session
) -> None:
    gone_id = await customer_of(committing, lotus)
    kept_id = await a_customer(committing.uow_factory, lotus, email="carl@home.example")
    async with committing.uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, gone_id, kept_id)
        await uow.settle()
        marking = asyncio.create_task(marks(committing, lotus, session))
        await until_somebody_waits(committing.uow_factory)
    await marking
    async with committing.uow_factory(lotus.id) as uow:
        assert list(await uow.session.scalars(select(Fee.customer_id))) == [kept_id]
