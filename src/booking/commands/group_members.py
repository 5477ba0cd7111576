"""Who comes into groups and leaves them: by hand, by themselves, and by what they buy.

A member has sources, the reasons for which they are in: staff, and orders. Staff and the member
themselves end all of them at once; a purchase that is cancelled in full ends its own, and the
membership with the last one. Rows stay, so that what is told twice brings nobody back.

Locks: the order and those that its places were swapped into, then the customer, then
group by group it and their member row there.
Source: docs/algorithms/groups.md.
"""

from collections.abc import Collection, Mapping
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, exists, select, update

from src.billing.commands.orders import lock_order
from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.booking.commands.groups import NEEDED, get_group, hold_group, no_such_group
from src.booking.domain.groups import EndedBy
from src.booking.events import GroupsEarned, GroupsLost
from src.booking.models import Group, GroupMember, GroupSource
from src.booking.queries.group_givers import (
    list_earned,
    list_giving,
    list_swapped_from,
    list_swapped_into,
    lock_lots,
    still_stands,
)
from src.platform.db.batch import insert_unless_taken
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.commands.customers import keep_customer, keep_customers
from src.tenants.context import RequestContext
from src.tenants.gates import require_feature_now

_MEMBERS = cast(Table, GroupMember.__table__)


async def note_earned(uow: UnitOfWork, order_ids: Collection[UUID]) -> None:
    """Of these confirmed orders, those that make somebody a member wait for that to be done."""
    for order_id in await list_giving(uow, order_ids):
        uow.record(GroupsEarned(order_id=order_id))


async def note_lost(uow: UnitOfWork, order_ids: Collection[UUID]) -> None:
    """Of these orders, of which something was cancelled, and of those whose places were swapped for
    ones of these, the ones that made somebody a member.
    """
    concerned = {*order_ids, *await list_swapped_from(uow, order_ids)}
    found = await uow.session.scalars(
        select(GroupSource.order_id)
        .where(
            GroupSource.tenant_id == uow.tenant,
            GroupSource.order_id.in_(concerned),
            GroupSource.ended_at.is_(None),
        )
        .distinct()
    )
    for order_id in found:
        if order_id is not None:
            uow.record(GroupsLost(order_id=order_id))


async def join_by_order(uow: UnitOfWork, order_id: UUID) -> int:
    """Makes the buyer a member of what their order gives, each group once and for all: a repeat
    brings back nobody who has left since or was taken off. What had ended since nothing of the
    order stood begins anew where it does again. Returns how many groups they came into by it.
    """
    order = await _lock_purchase(uow, order_id)
    if order.state != OrderState.CONFIRMED or not await still_stands(uow, order_id):
        return 0
    earned = await list_earned(uow, order_id)
    lapsed = await _list_lapsed(uow, order_id)
    if not earned and not lapsed:
        return 0
    kept = await keep_customers(uow, {order.customer_id})
    joined = 0
    for group_id in sorted({*earned, *lapsed}):
        if group_id in lapsed:
            joined += await _take_up(uow, lapsed[group_id])
        elif order.customer_id in kept and not await _has_given(uow, group_id, order_id):
            customer_id = kept[order.customer_id]
            source = {"order_id": order_id, "what": earned[group_id], "added_by": ""}
            joined += await _join(uow, group_id, customer_id, source)
    return joined


async def leave_by_order(uow: UnitOfWork, order_id: UUID) -> int:
    """Ends what the order gave, once nothing of it stands any more; who has another source stays.
    Returns how many memberships ended.
    """
    await _lock_purchase(uow, order_id)
    if await still_stands(uow, order_id):
        return 0
    of_order = select(GroupSource.member_id).where(
        GroupSource.tenant_id == uow.tenant,
        GroupSource.order_id == order_id,
        GroupSource.ended_at.is_(None),
    )
    members = await uow.session.scalars(
        select(GroupMember)
        .where(GroupMember.tenant_id == uow.tenant, GroupMember.id.in_(of_order))
        .order_by(GroupMember.group_id, GroupMember.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    now, ended = uow.clock.now(), 0
    found = members.all()
    await uow.session.execute(
        update(GroupSource)
        .where(
            GroupSource.tenant_id == uow.tenant,
            GroupSource.order_id == order_id,
            GroupSource.ended_at.is_(None),
        )
        .values(ended_at=now, ended_by=str(EndedBy.PURCHASE))
        .execution_options(synchronize_session=False)
    )
    for member in found:
        if member.ended_at is None and not await _has_source(uow, member.id):
            member.ended_at, member.ended_by = now, str(EndedBy.PURCHASE)
            ended += 1
    await uow.session.flush()
    return ended


async def _lock_purchase(uow: UnitOfWork, order_id: UUID) -> Order:
    """With all by which it may stand: nothing of that is cancelled before COMMIT."""
    order = await lock_order(uow, order_id)
    for other_id in await list_swapped_into(uow, order_id):
        await lock_order(uow, other_id)
    await lock_lots(uow, order_id)
    return order


async def add_member(
    uow: UnitOfWork, ctx: RequestContext, group_id: UUID, customer_id: UUID
) -> bool:
    """Whether the customer was not in before. Who is in by a purchase stays in without it then.

    Raises: NotFound, PlanLimitReached; Conflict for a group that is switched off.
    """
    await require_feature_now(uow, ctx, NEEDED)
    kept_id = await keep_customer(uow, customer_id)
    group = await hold_group(uow, group_id)
    if not group.active:
        raise Conflict(_("The group is switched off, so nobody can join it."), code="group_off")
    member = await _lock_or_add(uow, group_id, kept_id)
    if await _has_source(uow, member.id, by_staff=True):
        return False
    was_in = await _has_source(uow, member.id)
    source = {"order_id": None, "what": "", "added_by": ctx.actor.name or _("Staff")}
    await _add_source(uow, member, source)
    await audit(uow, ctx, "customer.joined_group", "customer", kept_id, name=group.title)
    return not was_in


async def remove_member(
    uow: UnitOfWork, ctx: RequestContext, group_id: UUID, member_id: UUID
) -> UUID:
    """Ends the membership, by whatever they came in; returns the customer. Raises: NotFound."""
    group = await get_group(uow, group_id)
    member = await _lock(uow, GroupMember.group_id == group_id, GroupMember.id == member_id)
    await _end(uow, member, EndedBy.STAFF)
    await audit(uow, ctx, "customer.left_group", "customer", member.customer_id, name=group.title)
    return member.customer_id


async def leave_group(uow: UnitOfWork, group_id: UUID, customer_id: UUID) -> None:
    """The member themselves. Raises: NotFound for who is none."""
    await _end(uow, await _own(uow, group_id, customer_id), EndedBy.GUEST)


async def show_name(uow: UnitOfWork, group_id: UUID, customer_id: UUID, *, is_shown: bool) -> None:
    """Whether the other members may read theirs, where the group has a list. Raises: NotFound."""
    member = await _own(uow, group_id, customer_id)
    member.is_shown = is_shown
    await uow.session.flush()


async def _own(uow: UnitOfWork, group_id: UUID, customer_id: UUID) -> GroupMember:
    kept_id = await keep_customer(uow, customer_id)
    return await _lock(uow, GroupMember.group_id == group_id, GroupMember.customer_id == kept_id)


async def _lock(uow: UnitOfWork, *which: ColumnElement[bool]) -> GroupMember:
    """Who is a member. Raises: NotFound."""
    member = await uow.session.scalar(
        select(GroupMember)
        .where(GroupMember.tenant_id == uow.tenant, *which)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if member is None or member.ended_at is not None:
        raise NotFound(_("There is no such member of the group."))
    return member


async def _end(uow: UnitOfWork, member: GroupMember, by: EndedBy) -> None:
    now = uow.clock.now()
    await uow.session.execute(
        update(GroupSource)
        .where(
            GroupSource.tenant_id == uow.tenant,
            GroupSource.member_id == member.id,
            GroupSource.ended_at.is_(None),
        )
        .values(ended_at=now, ended_by=str(by))
        .execution_options(synchronize_session=False)
    )
    member.ended_at, member.ended_by, member.is_shown = now, str(by), False
    await uow.session.flush()


async def _join(
    uow: UnitOfWork, group_id: UUID, customer_id: UUID, source: Mapping[str, object]
) -> bool:
    member = await _lock_or_add(uow, group_id, customer_id)
    was_in = await _has_source(uow, member.id)
    await _add_source(uow, member, source)
    return not was_in


async def _list_lapsed(uow: UnitOfWork, order_id: UUID) -> dict[UUID, UUID]:
    """The sources, by switched-on group, that ended because nothing of the order stood any more."""
    found = await uow.session.execute(
        select(GroupSource.group_id, GroupSource.id)
        .join(
            Group, (Group.tenant_id == GroupSource.tenant_id) & (Group.id == GroupSource.group_id)
        )
        .where(
            GroupSource.tenant_id == uow.tenant,
            GroupSource.order_id == order_id,
            GroupSource.ended_by == str(EndedBy.PURCHASE),
            Group.active,
        )
    )
    return dict(found.tuples().all())


async def _take_up(uow: UnitOfWork, source_id: UUID) -> bool:
    """The source begins anew; not for who has left meanwhile, or was taken off."""
    source = await uow.session.get_one(GroupSource, (uow.tenant, source_id), populate_existing=True)
    member = await uow.session.scalar(
        select(GroupMember)
        .where(GroupMember.tenant_id == uow.tenant, GroupMember.id == source.member_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if member is None or member.ended_by in (EndedBy.STAFF, EndedBy.GUEST):
        return False
    was_out = member.ended_at is not None
    _come_in(uow, member)
    source.ended_at, source.ended_by = None, ""
    await uow.session.flush()
    return was_out


def _come_in(uow: UnitOfWork, member: GroupMember) -> None:
    """Who comes back says anew whether their name is shown, and reads later posts by mail only."""
    if member.ended_at is not None:
        member.joined_at, member.is_shown = uow.clock.now(), False
        member.ended_at, member.ended_by = None, ""


async def _add_source(uow: UnitOfWork, member: GroupMember, source: Mapping[str, object]) -> None:
    _come_in(uow, member)
    uow.session.add(
        GroupSource(
            tenant_id=uow.tenant,
            id=new_id(),
            group_id=member.group_id,
            member_id=member.id,
            added_at=uow.clock.now(),
            **source,
        )
    )
    await uow.session.flush()


async def _lock_or_add(uow: UnitOfWork, group_id: UUID, customer_id: UUID) -> GroupMember:
    """The customer's one row in the group, whether they are in it or were. Raises: NotFound."""
    await hold_group(uow, group_id)
    row = {
        "tenant_id": uow.tenant,
        "id": new_id(),
        "group_id": group_id,
        "customer_id": customer_id,
        "is_shown": False,
        "joined_at": uow.clock.now(),
        "ended_at": None,
        "ended_by": "",
    }
    await insert_unless_taken(uow.session, _MEMBERS, [row], "uq_group_members_customer")
    member = await uow.session.scalar(
        select(GroupMember)
        .where(
            GroupMember.tenant_id == uow.tenant,
            GroupMember.group_id == group_id,
            GroupMember.customer_id == customer_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if member is None:
        raise no_such_group()
    return member


async def _has_source(uow: UnitOfWork, member_id: UUID, *, by_staff: bool = False) -> bool:
    """One that has not ended."""
    found = exists().where(
        GroupSource.tenant_id == uow.tenant,
        GroupSource.member_id == member_id,
        GroupSource.ended_at.is_(None),
        GroupSource.order_id.is_(None) if by_staff else GroupSource.id.is_not(None),
    )
    return bool(await uow.session.scalar(select(found)))


async def _has_given(uow: UnitOfWork, group_id: UUID, order_id: UUID) -> bool:
    found = exists().where(
        GroupSource.tenant_id == uow.tenant,
        GroupSource.group_id == group_id,
        GroupSource.order_id == order_id,
    )
    return bool(await uow.session.scalar(select(found)))
