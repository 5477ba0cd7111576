"""Groups: made and changed, and who comes into them and leaves by hand."""

from uuid import UUID

import pytest
from sqlalchemy import func, select

from src.booking.commands.erase_customer import erase_customer
from src.booking.commands.group_members import (
    add_member,
    leave_group,
    remove_member,
    show_name,
)
from src.booking.commands.groups import (
    change_group,
    create_group,
    delete_group,
    set_givers,
    set_group_active,
)
from src.booking.domain.groups import GroupDraft
from src.booking.models import Group, GroupMember, GroupSource
from src.booking.queries.groups import find_joinable, list_givers, list_groups_of, list_members
from src.booking.queries.person import find_person, read_person
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, InvalidInput, NotFound, PlanLimitReached
from src.platform.ids import new_id
from src.tenants.commands.merge_customers import merge_customers
from tests.support.builders import Business, a_business, a_series, a_service
from tests.support.collections import a_customer, thing_of
from tests.support.credits import a_package
from tests.support.groups import a_group, a_group_member, members_of

pytestmark = pytest.mark.anyio

BIRDS = GroupDraft(title="Early birds")


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


async def test_one_is_made_once_and_keeps_the_addresses_it_had(
    uow_factory: UowFactory, lotus: Business
) -> None:
    first, second = new_id(), new_id()
    async with uow_factory(lotus.id) as uow:
        for _twice in range(2):
            await create_group(uow, lotus.ctx, first, BIRDS)
        await create_group(uow, lotus.ctx, second, BIRDS)
        slugs = [one.slug for one in await uow.session.scalars(select(Group))]
        assert sorted(slugs) == ["early-birds", "early-birds-2"]
        await change_group(uow, lotus.ctx, first, GroupDraft(title="Early birds", slug="birds"))
        with pytest.raises(InvalidInput) as refused:
            taken = GroupDraft(title="Other", slug="early-birds")
            await change_group(uow, lotus.ctx, second, taken)
        assert set(refused.value.fields) == {"slug"}


async def test_what_gives_it_is_chosen_as_a_whole_among_what_there_is(
    uow_factory: UowFactory, lotus: Business
) -> None:
    yoga = await a_service(uow_factory, lotus.id)
    term = await a_series(uow_factory, yoga)
    ten = await a_package(uow_factory, lotus.id)
    group_id = await a_group(uow_factory, lotus, yoga, ten)
    async with uow_factory(lotus.id) as uow:
        await set_givers(uow, lotus.ctx, group_id, [thing_of(term.series), thing_of(ten)])
        wanted = {thing_of(term.series), thing_of(ten)}
        assert set(await list_givers(uow, group_id)) == wanted
    rival = await a_business(uow_factory, "rival", owner="Eve")
    theirs = await a_service(uow_factory, rival.id)
    async with uow_factory(lotus.id) as uow:
        with pytest.raises(InvalidInput) as refused:
            await set_givers(uow, lotus.ctx, group_id, [thing_of(theirs)])
        assert set(refused.value.fields) == {"things"}


async def test_a_plan_without_collections_makes_none_and_still_lets_go(
    uow_factory: UowFactory,
) -> None:
    small = await a_business(uow_factory, plan="starter")
    carl = await a_customer(uow_factory, small.id, established=False)
    async with uow_factory(small.id) as uow:
        with pytest.raises(PlanLimitReached):
            await create_group(uow, small.ctx, new_id(), BIRDS)
        group = Group(
            tenant_id=small.id,
            id=new_id(),
            slug="birds",
            title="Birds",
            created_at=uow.clock.now(),
            updated_at=uow.clock.now(),
        )
        uow.session.add(group)
        await uow.session.flush()
        with pytest.raises(PlanLimitReached):
            await add_member(uow, small.ctx, group.id, carl)
        await set_group_active(uow, small.ctx, group.id, active=False)
        with pytest.raises(PlanLimitReached):
            await set_group_active(uow, small.ctx, group.id, active=True)
        assert await delete_group(uow, small.ctx, group.id) == "Birds"


async def test_staff_take_in_and_off_and_the_member_leaves_by_themselves(
    uow_factory: UowFactory, lotus: Business
) -> None:
    group_id = await a_group(uow_factory, lotus)
    carl = await a_customer(uow_factory, lotus.id, established=False)
    async with uow_factory(lotus.id) as uow:
        assert [one.id for one in await find_joinable(uow, group_id, "carl")] == [carl]
        assert await add_member(uow, lotus.ctx, group_id, carl)
        assert not await add_member(uow, lotus.ctx, group_id, carl), "they are in already"
        assert await find_joinable(uow, group_id, "carl") == []
        [row] = await list_members(uow, group_id)
        assert [one.added_by for one in row.sources] == [lotus.ctx.actor.name]
        await show_name(uow, group_id, carl, is_shown=True)
        await remove_member(uow, lotus.ctx, group_id, row.id)
        assert await list_members(uow, group_id) == []
        with pytest.raises(NotFound):
            await remove_member(uow, lotus.ctx, group_id, row.id)
        assert await add_member(uow, lotus.ctx, group_id, carl)
        [row] = await list_members(uow, group_id)
        assert not row.is_shown, "who comes back is asked anew"
        await leave_group(uow, group_id, carl)
        with pytest.raises(NotFound):
            await leave_group(uow, group_id, carl)
        with pytest.raises(NotFound):
            await show_name(uow, group_id, carl, is_shown=True)
        assert await list_groups_of(uow, carl) == []


async def test_nobody_joins_one_that_is_off(uow_factory: UowFactory, lotus: Business) -> None:
    group_id = await a_group(uow_factory, lotus)
    carl = await a_customer(uow_factory, lotus.id, established=False)
    async with uow_factory(lotus.id) as uow:
        await set_group_active(uow, lotus.ctx, group_id, active=False)
        with pytest.raises(Conflict):
            await add_member(uow, lotus.ctx, group_id, carl)


async def test_another_businesss_group_and_customer_do_not_exist(
    uow_factory: UowFactory, lotus: Business
) -> None:
    rival = await a_business(uow_factory, "rival", owner="Eve")
    theirs = await a_group(uow_factory, rival)
    own = await a_group(uow_factory, lotus)
    bob = await a_customer(uow_factory, rival.id, "bob@rival.example", established=False)
    carl = await a_customer(uow_factory, lotus.id, established=False)
    async with uow_factory(lotus.id) as uow:
        for group_id, customer_id in ((theirs, carl), (own, bob)):
            with pytest.raises(NotFound):
                await add_member(uow, lotus.ctx, group_id, customer_id)
        assert await find_joinable(uow, own, "bob") == []


async def test_of_two_customers_who_are_one_a_single_membership_is_left(
    uow_factory: UowFactory, lotus: Business
) -> None:
    both = await a_group(uow_factory, lotus)
    other = await a_group(uow_factory, lotus, title="Others")
    carl = await a_customer(uow_factory, lotus.id, established=False)
    double = await a_customer(uow_factory, lotus.id, "carl2@example.com", established=False)
    for group_id, customer_id in ((both, carl), (both, double), (other, double)):
        await a_group_member(uow_factory, lotus, group_id, customer_id)
    async with uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, double, carl)
    assert await members_of(uow_factory, lotus.id, both) == [carl]
    assert await members_of(uow_factory, lotus.id, other) == [carl]
    async with uow_factory(lotus.id) as uow:
        assert await uow.session.scalar(select(func.count()).select_from(GroupMember)) == 2
        [row] = await list_members(uow, both)
        assert len(row.sources) == 1, "staff took them in once"
        await remove_member(uow, lotus.ctx, both, row.id)
        left = select(func.count()).select_from(GroupSource).where(GroupSource.ended_at.is_(None))
        assert await uow.session.scalar(left.where(GroupSource.group_id == both)) == 0


@pytest.mark.parametrize("kept_is_in", [True, False])
async def test_whoever_was_in_under_either_stays_in(
    uow_factory: UowFactory, lotus: Business, kept_is_in: bool
) -> None:
    group_id = await a_group(uow_factory, lotus)
    carl = await a_customer(uow_factory, lotus.id, established=False)
    double = await a_customer(uow_factory, lotus.id, "carl2@example.com", established=False)
    rows: dict[UUID, UUID] = {}
    for customer_id in (carl, double):
        rows[customer_id] = await a_group_member(uow_factory, lotus, group_id, customer_id)
    async with uow_factory(lotus.id) as uow:
        await show_name(uow, group_id, double, is_shown=True)
        await remove_member(uow, lotus.ctx, group_id, rows[double if kept_is_in else carl])
    async with uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, double, carl)
    async with uow_factory(lotus.id) as uow:
        [row] = await list_members(uow, group_id)
        assert (row.customer_id, row.is_shown) == (carl, not kept_is_in)
        assert len(row.sources) == 1


async def test_who_is_erased_is_in_no_group_and_had_it_in_their_export(
    uow_factory: UowFactory, lotus: Business
) -> None:
    group_id = await a_group(uow_factory, lotus)
    carl = await a_customer(uow_factory, lotus.id, established=False)
    await a_group_member(uow_factory, lotus, group_id, carl)
    async with uow_factory(lotus.id) as uow:
        told = await read_person(uow, await find_person(uow, carl))
        assert [one["group_id"] for one in told["group_members"]] == [group_id]
        assert [one["order_id"] for one in told["group_sources"]] == [None]
    async with uow_factory(lotus.id) as uow:
        await erase_customer(uow, lotus.ctx, carl, "carl@example.com")
    async with uow_factory(lotus.id) as uow:
        for table in (GroupMember, GroupSource):
            assert await uow.session.scalar(select(func.count()).select_from(table)) == 0
