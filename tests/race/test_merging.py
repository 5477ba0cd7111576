"""A merge against a booking that lands for the customer who is about to be gone.

Whichever comes first, the booking ends under the customer who is left. The control takes the lock
away from the booking and shows what would be left behind.
"""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from src.booking.commands.book import book
from src.booking.commands.readdress import merge_and_correct
from src.platform.errors import Conflict
from src.tenants.commands import customers
from src.tenants.commands.merge_customers import merge_customers
from tests.booking.commands.test_book import a_wish
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_service, a_session, as_guest
from tests.support.locks import until_somebody_waits
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

LEFT_BEHIND = (
    "SELECT count(*) FROM customers JOIN {table} AS t ON t.customer_id = customers.id"
    " WHERE customers.merged_into IS NOT NULL"
)
WITHOUT_LOCK = text(
    "SELECT coalesce(merged_into, id) AS id FROM customers"
    " WHERE tenant_id = :tenant_id AND email = :email"
)


async def left_behind(committing: Committing, business: Business) -> int:
    async with committing.uow_factory(business.id) as uow:
        counts = [
            await uow.session.scalar(text(LEFT_BEHIND.format(table=table)))
            for table in ("orders", "bookings", "participants")
        ]
    return sum(counts)


@pytest.fixture
async def lotus(committing: Committing) -> Business:
    return await a_business(committing.uow_factory)


async def test_many_bookings_and_a_merge_leave_nothing_behind(
    committing: Committing, lotus: Business
) -> None:
    service = await a_service(committing.uow_factory, lotus.id)
    session = await a_session(committing.uow_factory, service, capacity=100)
    gone = await a_customer(committing.uow_factory, lotus, email="carl@example.com")
    kept = await a_customer(committing.uow_factory, lotus, email="karl@example.com")

    async def one_books() -> None:
        async with committing.uow_factory(lotus.id) as uow:
            await book(uow, as_guest(lotus), a_wish("session", session.id))

    async def merge() -> None:
        async with committing.uow_factory(lotus.id) as uow:
            await merge_customers(uow, lotus.ctx, gone, kept)

    await asyncio.gather(
        *(one_books() for _ in range(10)), merge(), *(one_books() for _ in "12345")
    )
    assert await left_behind(committing, lotus) == 0
    async with committing.uow_factory(lotus.id) as uow:
        found = await uow.session.execute(
            text("SELECT customer_id, count(*) FROM orders GROUP BY customer_id")
        )
        assert [tuple(row) for row in found] == [(kept, 15)]
        assert await uow.session.scalar(text("SELECT count(*) FROM customers")) == 2


async def test_a_booking_that_is_under_way_is_waited_for_and_moved(
    committing: Committing, lotus: Business
) -> None:
    service = await a_service(committing.uow_factory, lotus.id)
    session = await a_session(committing.uow_factory, service)
    gone = await a_customer(committing.uow_factory, lotus, email="carl@example.com")
    kept = await a_customer(committing.uow_factory, lotus, email="karl@example.com")

    async def merge() -> None:
        async with committing.uow_factory(lotus.id) as uow:
            await merge_customers(uow, lotus.ctx, gone, kept)

    async with committing.uow_factory(lotus.id) as uow:
        made = await book(uow, as_guest(lotus), a_wish("session", session.id))
        assert made.order.customer_id == gone
        merging = asyncio.create_task(merge())
        await until_somebody_waits(committing.uow_factory)
    await merging
    assert await left_behind(committing, lotus) == 0


async def test_a_booking_that_comes_during_the_merge_goes_to_who_is_left(
    committing: Committing, lotus: Business
) -> None:
    assert await booked_during_the_merge(committing, lotus) == 0


async def test_a_booking_that_waits_for_a_mistyped_address_to_go_is_of_somebody_new(
    committing: Committing, lotus: Business
) -> None:
    session = await a_session(
        committing.uow_factory, await a_service(committing.uow_factory, lotus.id)
    )
    gone = await a_customer(committing.uow_factory, lotus, email="carl@example.com")
    kept = await a_customer(committing.uow_factory, lotus, email="karl@example.com")

    async def stranger_books() -> UUID:
        async with committing.uow_factory(lotus.id) as uow:
            made = await book(uow, as_guest(lotus), a_wish("session", session.id))
        return made.order.customer_id

    async with committing.uow_factory(lotus.id) as uow:
        await merge_and_correct(uow, lotus.ctx, gone, kept, readdress=True)
        await uow.settle()
        booking = asyncio.create_task(stranger_books())
        await until_somebody_waits(committing.uow_factory)
    assert await booking not in (gone, kept)


async def test_control_without_its_lock_the_booking_is_left_behind(
    committing: Committing, lotus: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customers, "_FIND_OR_ADD", WITHOUT_LOCK)
    assert await booked_during_the_merge(committing, lotus) > 0


async def booked_during_the_merge(committing: Committing, lotus: Business) -> int:
    """The merge has everything moved and is about to commit when the guest's booking comes."""
    service = await a_service(committing.uow_factory, lotus.id)
    session = await a_session(committing.uow_factory, service)
    gone = await a_customer(committing.uow_factory, lotus, email="carl@example.com")
    kept = await a_customer(committing.uow_factory, lotus, email="karl@example.com")

    async def one_books() -> None:
        async with committing.uow_factory(lotus.id) as uow:
            await book(uow, as_guest(lotus), a_wish("session", session.id))

    async with committing.uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, gone, kept)
        await uow.settle()
        booking = asyncio.create_task(one_books())
        await until_somebody_waits(committing.uow_factory)
    await booking
    return await left_behind(committing, lotus)


async def test_of_two_merges_of_one_customer_one_is_refused(
    committing: Committing, lotus: Business
) -> None:
    gone = await a_customer(committing.uow_factory, lotus, email="a@example.com")
    others = [
        await a_customer(committing.uow_factory, lotus, email=f"b{n}@example.com") for n in range(2)
    ]

    async def merge(pair: tuple[object, object]) -> str:
        try:
            async with committing.uow_factory(lotus.id) as uow:
                await merge_customers(uow, lotus.ctx, *pair)  # type: ignore[arg-type]  # two ids
        except Conflict as refused:
            return refused.code
        return "merged"

    pairs = [(gone, others[0]), (gone, others[1]), (others[0], gone)]
    outcomes = await asyncio.gather(*(merge(pair) for pair in pairs))
    assert sorted(outcomes).count("merged") in (1, 2)
    async with committing.uow_factory(lotus.id) as uow:
        chained = await uow.session.scalar(
            text(
                "SELECT count(*) FROM customers a JOIN customers b ON b.id = a.merged_into"
                " WHERE b.merged_into IS NOT NULL"
            )
        )
    assert chained == 0, "a signpost leads to who is left and to no other signpost"
