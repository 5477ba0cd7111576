"""What is bought makes people members of groups once, and ends that when all of it is cancelled."""

from uuid import UUID

import pytest
from sqlalchemy import func, select

from src.billing.commands.buy_package import BuyCommand, buy_package
from src.billing.commands.lapse_package import lapse_package
from src.billing.domain.kinds import PaymentMode
from src.billing.events import OrderConfirmed
from src.booking.commands.group_members import add_member, leave_group, remove_member
from src.booking.commands.groups import set_group_active
from src.booking.commands.leave import leave_dates
from src.booking.events import GroupsEarned
from src.booking.models import GroupMember, GroupSource, Service
from src.booking.queries.groups import list_members
from src.platform.services import Services
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_exchange import a_single, move
from tests.booking.commands.test_leave import leave
from tests.booking.commands.test_swap import a_school
from tests.support.builders import (
    Business,
    a_business,
    a_series,
    a_service,
    a_session,
    as_guest,
)
from tests.support.cancelling import seats_taken_back
from tests.support.collections import a_customer
from tests.support.credits import a_package
from tests.support.gaps import a_course
from tests.support.groups import a_group, members_of
from tests.support.work import waiting, work

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def sources_of(services: Services, business: Business, group_id: UUID) -> list[bool]:
    """Whether each has ended, the oldest first."""
    async with services.uow_factory(business.id) as uow:
        found = await uow.session.scalars(
            select(GroupSource.ended_at.is_not(None))
            .where(GroupSource.group_id == group_id)
            .order_by(GroupSource.id)
        )
        return list(found)


async def test_whoever_buys_a_series_becomes_a_member_once_however_often_it_is_told(
    services: Services, lotus: Business
) -> None:
    yoga = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, yoga, price_type="free", price_minor=0)
    group_id = await a_group(services.uow_factory, lotus, term.series)
    made = await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    assert await members_of(services.uow_factory, lotus.id, group_id) == [], "a job does it"
    await work(services, lotus.id)
    carl = made.order.customer_id
    assert await members_of(services.uow_factory, lotus.id, group_id) == [carl]
    async with services.uow_factory(lotus.id) as uow:
        [row] = await list_members(uow, group_id)
        assert [(one.order_id, one.what) for one in row.sources] == [
            (made.order_id, f"{yoga.name} · {term.series.title}")
        ]
        for _again in range(3):
            uow.record(GroupsEarned(order_id=made.order_id))
            uow.record(OrderConfirmed(order_id=made.order_id))
    await work(services, lotus.id)
    assert await sources_of(services, lotus, group_id) == [False]
    async with services.uow_factory(lotus.id) as uow:
        await remove_member(uow, lotus.ctx, group_id, row.id)
        uow.record(GroupsEarned(order_id=made.order_id))
    await work(services, lotus.id)
    assert await members_of(services.uow_factory, lotus.id, group_id) == [], "they were taken off"


async def test_orders_that_give_no_group_cause_no_work(services: Services, lotus: Business) -> None:
    yoga = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, yoga)
    await a_group(services.uow_factory, lotus)
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    assert await waiting(services, lotus.id) == ["booking.tell_confirmed"]
    await work(services, lotus.id, rounds=2)
    async with services.uow_factory(lotus.id) as uow:
        assert await uow.session.scalar(select(func.count()).select_from(GroupMember)) == 0


async def test_a_service_gives_it_with_each_of_its_bookings(
    services: Services, lotus: Business
) -> None:
    yoga = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, yoga)
    term = await a_series(services.uow_factory, yoga, price_type="free", price_minor=0)
    group_id = await a_group(services.uow_factory, lotus, yoga)
    off = await a_group(services.uow_factory, lotus, yoga, title="Off")
    async with services.uow_factory(lotus.id) as uow:
        await set_group_active(uow, lotus.ctx, off, active=False)
    single = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    course = a_wish("series", term.series.id, guest_email="dora@example.com")
    of_course = await booked(services.uow_factory, lotus, course)
    await work(services, lotus.id)
    found = await members_of(services.uow_factory, lotus.id, group_id)
    assert set(found) == {single.order.customer_id, of_course.order.customer_id}
    assert await members_of(services.uow_factory, lotus.id, off) == []


async def test_it_ends_with_the_last_of_what_was_bought_unless_something_else_gives_it(
    services: Services, lotus: Business
) -> None:
    yoga = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, yoga, price_type="free", price_minor=0)
    group_id = await a_group(services.uow_factory, lotus, term.series)
    made = await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    dora = a_wish("series", term.series.id, guest_email="dora@example.com")
    other = await booked(services.uow_factory, lotus, dora)
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        await add_member(uow, lotus.ctx, group_id, other.order.customer_id)
    every = await seats_of(services.uow_factory, lotus.id)
    own = [seat for seat in every if seat.order_id == made.order_id]
    theirs = [seat for seat in every if seat.order_id == other.order_id]
    await leave(services, lotus, made, own[:-1])
    await work(services, lotus.id)
    found = await members_of(services.uow_factory, lotus.id, group_id)
    assert made.order.customer_id in found, "a date is left of the course"
    await leave(services, lotus, made, own[-1:])
    await seats_taken_back(services.uow_factory, lotus, [seat.id for seat in theirs])
    await work(services, lotus.id)
    found = await members_of(services.uow_factory, lotus.id, group_id)
    assert found == [other.order.customer_id], "staff took them in as well"
    async with services.uow_factory(lotus.id) as uow:
        [row] = await list_members(uow, group_id)
        assert [one.order_id for one in row.sources] == [None]


async def test_what_was_cancelled_before_the_job_came_gives_nothing(
    services: Services, lotus: Business
) -> None:
    yoga = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, yoga)
    group_id = await a_group(services.uow_factory, lotus, yoga)
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    await leave(services, lotus, made, await seats_of(services.uow_factory, lotus.id))
    async with services.uow_factory(lotus.id) as uow:
        uow.record(GroupsEarned(order_id=made.order_id))
    await work(services, lotus.id)
    assert await members_of(services.uow_factory, lotus.id, group_id) == []


async def test_a_package_gives_it_until_it_lapses_unpaid(
    services: Services, lotus: Business
) -> None:
    ten = await a_package(services.uow_factory, lotus.id)
    group_id = await a_group(services.uow_factory, lotus, ten)
    wish = BuyCommand(
        package_id=ten.id,
        guest_name="Carl Guest",
        guest_email="carl@example.com",
        form_token="ten",
        way=PaymentMode.ON_SITE,
    )
    async with services.uow_factory(lotus.id) as uow:
        order = await buy_package(uow, as_guest(lotus), wish)
    await work(services, lotus.id)
    assert await members_of(services.uow_factory, lotus.id, group_id) == [order.customer_id]
    async with services.uow_factory(lotus.id) as uow:
        assert await lapse_package(uow, order.id)
    await work(services, lotus.id)
    assert await members_of(services.uow_factory, lotus.id, group_id) == []


async def test_who_was_merged_meanwhile_comes_in_as_who_is_left(
    services: Services, lotus: Business
) -> None:
    yoga = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, yoga)
    group_id = await a_group(services.uow_factory, lotus, yoga)
    kept = await a_customer(services.uow_factory, lotus.id, "other@example.com", established=False)
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    async with services.uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, made.order.customer_id, kept)
    await work(services, lotus.id)
    assert await members_of(services.uow_factory, lotus.id, group_id) == [kept]


async def test_who_moves_to_another_date_stays_until_that_is_cancelled(
    services: Services, lotus: Business
) -> None:
    made, _first, second = await a_single(services, lotus)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        service = (await uow.session.scalars(select(Service))).one()
    group_id = await a_group(services.uow_factory, lotus, service)
    [new_id] = await move(services, lotus, made, [seat.id], second)
    await work(services, lotus.id)
    carl = made.order.customer_id
    assert await members_of(services.uow_factory, lotus.id, group_id) == [carl]
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        await leave_dates(uow, tenant, made.order_id, [new_id])
    await work(services, lotus.id)
    assert await members_of(services.uow_factory, lotus.id, group_id) == []


async def test_who_swaps_into_another_course_stays_until_that_is_cancelled_too(
    services: Services,
) -> None:
    """What they come to now is an order of its own, which gives nothing itself."""
    school = await a_school(services)
    business, carl = school.business, school.made.order.customer_id
    group_id = await a_group(services.uow_factory, business, school.own.series)
    await work(services, business.id)
    assert await members_of(services.uow_factory, business.id, group_id) == [carl]
    first, *others = await school.seats()
    done = await school.swap([first], school.other.sessions[0])
    new = next(seat for seat in await school.seats() if seat.id in done.seat_ids)
    again = await school.swap([new], school.other.sessions[1], order_id=done.order_id)
    await leave(services, business, school.made, others)
    await work(services, business.id)
    assert await members_of(services.uow_factory, business.id, group_id) == [carl]
    async with services.uow_factory(business.id) as uow:
        tenant = await tenant_snapshot(uow, business.id, uow.clock.now())
        await leave_dates(uow, tenant, again.order_id, again.seat_ids)
    await work(services, business.id)
    assert await members_of(services.uow_factory, business.id, group_id) == []


@pytest.mark.parametrize("again", ["left", "chosen later"])
async def test_who_swaps_into_what_gives_a_group_has_bought_nothing(
    services: Services, again: str
) -> None:
    """Neither who has left it comes back, nor who had bought before it was given."""
    school = await a_school(services)
    business, carl = school.business, school.made.order.customer_id
    async with services.uow_factory(business.id) as uow:
        yoga, pilates = await uow.session.scalars(select(Service).order_by(Service.name.desc()))
    givers = (yoga, pilates) if again == "left" else (pilates,)
    group_id = await a_group(services.uow_factory, business, *givers)
    await work(services, business.id)
    if again == "left":
        async with services.uow_factory(business.id) as uow:
            await leave_group(uow, group_id, carl)
    first, *_others = await school.seats()
    done = await school.swap([first], school.other.sessions[0])
    async with services.uow_factory(business.id) as uow:
        uow.record(GroupsEarned(order_id=done.order_id))
    await work(services, business.id)
    assert await members_of(services.uow_factory, business.id, group_id) == []


@pytest.mark.slow
async def test_who_completes_a_course_comes_into_nothing_by_that(
    services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus)
    group_id = await a_group(services.uow_factory, lotus, course.term.series)
    entry_id = await course.wait()
    await course.free()
    made = await course.take(entry_id)
    async with services.uow_factory(lotus.id) as uow:
        uow.record(GroupsEarned(order_id=made.order_id))
    await course.work()
    assert await members_of(services.uow_factory, lotus.id, group_id) == []
