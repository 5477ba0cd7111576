"""Memberships told of many times at once, cancelled meanwhile, or of two who become one."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from sqlalchemy import func, select

from src.booking.commands.group_members import (
    add_member,
    join_by_order,
    leave_by_order,
    remove_member,
)
from src.booking.commands.group_posts import claim_readers, hold_readers, lock_post
from src.booking.commands.groups import delete_group
from src.booking.commands.leave import leave_dates
from src.booking.models import GroupMember, GroupPostMail, GroupSource
from src.platform.db.uow import UnitOfWork
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_series, a_service
from tests.support.collections import a_customer
from tests.support.groups import a_group, a_group_member, a_post, members_of
from tests.support.locks import until_somebody_waits

pytestmark = [pytest.mark.anyio, pytest.mark.race]

AT_ONCE = 6
Act = Callable[[UnitOfWork], Awaitable[object]]


async def at_once(committing: Committing, business: Business, *acts: Act) -> list[object]:
    """Each in a transaction of its own that has begun before any acts."""
    start = asyncio.Barrier(len(acts))

    async def do(act: Act) -> object:
        async with committing.uow_factory(business.id) as uow:
            await uow.session.connection()
            await start.wait()
            return await act(uow)

    return list(await asyncio.gather(*(do(act) for act in acts)))


def joining(order_id: UUID) -> Act:
    async def join(uow: UnitOfWork) -> int:
        return await join_by_order(uow, order_id)

    return join


async def a_course_bought(committing: Committing) -> tuple[Business, UUID, UUID, UUID]:
    """With the group that it gives, the order and its customer."""
    factory = committing.uow_factory
    lotus = await a_business(factory)
    yoga = await a_service(factory, lotus.id)
    term = await a_series(factory, yoga, price_type="free", price_minor=0)
    group_id = await a_group(factory, lotus, term.series)
    made = await booked(factory, lotus, a_wish("series", term.series.id))
    return lotus, group_id, made.order_id, made.order.customer_id


async def how_many(committing: Committing, business: Business) -> tuple[int, int]:
    """Memberships and their sources."""
    async with committing.uow_factory(business.id) as uow:
        members = await uow.session.scalar(select(func.count()).select_from(GroupMember))
        sources = await uow.session.scalar(select(func.count()).select_from(GroupSource))
    return members or 0, sources or 0


async def test_the_same_order_told_many_times_at_once_adds_one_membership(
    committing: Committing,
) -> None:
    lotus, group_id, order_id, carl = await a_course_bought(committing)
    told = await at_once(committing, lotus, *[joining(order_id)] * AT_ONCE)
    assert sorted(str(one) for one in told) == ["0"] * (AT_ONCE - 1) + ["1"]
    assert await how_many(committing, lotus) == (1, 1)
    assert await members_of(committing.uow_factory, lotus.id, group_id) == [carl]


async def test_a_purchase_and_staff_at_once_make_one_member_of_two_sources(
    committing: Committing,
) -> None:
    lotus, group_id, order_id, carl = await a_course_bought(committing)

    async def by_hand(uow: UnitOfWork) -> None:
        await add_member(uow, lotus.ctx, group_id, carl)

    by_order = joining(order_id)
    await at_once(committing, lotus, by_hand, by_order, by_hand, by_order)
    assert await how_many(committing, lotus) == (1, 2)


async def test_repeats_beside_taking_off_bring_nobody_back(committing: Committing) -> None:
    lotus, group_id, order_id, _carl = await a_course_bought(committing)
    async with committing.uow_factory(lotus.id) as uow:
        await join_by_order(uow, order_id)
        member_id = (await uow.session.scalars(select(GroupMember.id))).one()
    by_order = joining(order_id)

    async def off(uow: UnitOfWork) -> None:
        await remove_member(uow, lotus.ctx, group_id, member_id)

    await at_once(committing, lotus, by_order, off, by_order, by_order)
    assert await members_of(committing.uow_factory, lotus.id, group_id) == []


async def test_whatever_comes_first_a_cancelled_purchase_leaves_no_member(
    committing: Committing,
) -> None:
    """The job that takes in and the cancelling follow each other, and the end is judged after."""
    lotus, group_id, order_id, _carl = await a_course_bought(committing)
    seats = await seats_of(committing.uow_factory, lotus.id)

    async def cancel(uow: UnitOfWork) -> None:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        await leave_dates(uow, tenant, order_id, [one.id for one in seats])

    await at_once(committing, lotus, cancel, joining(order_id))
    async with committing.uow_factory(lotus.id) as uow:
        await leave_by_order(uow, order_id)
    assert await members_of(committing.uow_factory, lotus.id, group_id) == []


async def test_merging_while_a_purchase_takes_in_leaves_one_membership(
    committing: Committing,
) -> None:
    lotus, group_id, order_id, carl = await a_course_bought(committing)
    factory = committing.uow_factory
    kept = await a_customer(factory, lotus.id, "kept@example.com", established=False)
    await a_group_member(factory, lotus, group_id, kept)

    async def merge(uow: UnitOfWork) -> None:
        await merge_customers(uow, lotus.ctx, carl, kept)

    await at_once(committing, lotus, joining(order_id), merge)
    assert await members_of(factory, lotus.id, group_id) == [kept]
    assert await how_many(committing, lotus) == (1, 2)


async def test_runs_of_one_mailing_at_once_claim_each_member_once(committing: Committing) -> None:
    factory = committing.uow_factory
    lotus = await a_business(factory)
    group_id = await a_group(factory, lotus)
    for number in range(4):
        one = await a_customer(factory, lotus.id, f"g{number}@example.com", established=False)
        await a_group_member(factory, lotus, group_id, one)
    post_id = await a_post(factory, lotus, group_id)

    async def claim(uow: UnitOfWork) -> int:
        post = await lock_post(uow, post_id)
        assert post is not None
        return len(await claim_readers(uow, post, await hold_readers(uow, post, 50)))

    claimed = await at_once(committing, lotus, *[claim] * AT_ONCE)
    assert sorted(str(one) for one in claimed) == ["0"] * (AT_ONCE - 1) + ["4"]
    async with factory(lotus.id) as uow:
        assert await uow.session.scalar(select(func.count()).select_from(GroupPostMail)) == 4


async def test_taking_somebody_in_again_and_deleting_the_group_take_turns(
    committing: Committing,
) -> None:
    """Whoever takes in has the member first and then needs the group, who deletes the other way."""
    factory = committing.uow_factory
    lotus = await a_business(factory)
    group_id = await a_group(factory, lotus)
    carl = await a_customer(factory, lotus.id, established=False)
    member_id = await a_group_member(factory, lotus, group_id, carl)
    async with factory(lotus.id) as uow:
        await remove_member(uow, lotus.ctx, group_id, member_id)

    async def take_in() -> None:
        async with factory(lotus.id) as uow:
            assert await add_member(uow, lotus.ctx, group_id, carl)

    async def away() -> None:
        async with factory(lotus.id) as uow:
            await delete_group(uow, lotus.ctx, group_id)

    async with asyncio.TaskGroup() as acts, factory(lotus.id) as uow:
        await uow.session.execute(select(GroupMember.id).with_for_update())
        acts.create_task(take_in())
        await until_somebody_waits(factory)
        acts.create_task(away())
        await until_somebody_waits(factory, many=2)
    assert await how_many(committing, lotus) == (0, 0)
