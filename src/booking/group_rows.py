"""Memberships go with their customer; of two customers who are one, one membership is left."""

from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute

from src.booking.models import Group, GroupMember, GroupPost, GroupPostMail, GroupSource
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import ngettext
from src.tenants.customer_rows import CustomerRows, register_customer_rows
from src.tenants.person_rows import Person, PersonRows, register_person_rows

_MAILS = cast(Table, GroupPostMail.__table__)
_MEMBERS = cast(Table, GroupMember.__table__)
_SOURCES = cast(Table, GroupSource.__table__)


class Memberships(CustomerRows):
    """What both were in becomes one membership with the sources of both. Who was written to about a
    post under either is not written to again.
    """

    async def move(self, uow: UnitOfWork, gone_id: UUID, kept_id: UUID) -> list[UUID]:
        found = await uow.session.scalars(
            select(GroupMember)
            .where(
                GroupMember.tenant_id == uow.tenant,
                GroupMember.customer_id.in_([gone_id, kept_id]),
            )
            .order_by(GroupMember.group_id, GroupMember.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        rows = found.all()
        kept = {one.group_id: one for one in rows if one.customer_id == kept_id}
        moved = [one for one in rows if one.customer_id == gone_id]
        for one in moved:
            if one.group_id in kept:
                await _fold(uow, one, kept[one.group_id])
            else:
                one.customer_id = kept_id
        await uow.session.flush()
        return sorted(one.id for one in moved)


async def _fold(uow: UnitOfWork, gone: GroupMember, kept: GroupMember) -> None:
    """Whoever was in under either stays in, since the longer time. Whether the name is shown is
    what the one who is left said, if they are in.
    """
    by_hand = (
        GroupSource.tenant_id == uow.tenant,
        GroupSource.order_id.is_(None),
        GroupSource.ended_at.is_(None),
    )
    has_own = select(GroupSource.id).where(*by_hand, GroupSource.member_id == kept.id)
    if await uow.session.scalar(has_own) is not None:
        await uow.session.execute(
            delete(GroupSource).where(*by_hand, GroupSource.member_id == gone.id)
        )
    await uow.session.execute(
        update(GroupSource)
        .where(GroupSource.tenant_id == uow.tenant, GroupSource.member_id == gone.id)
        .values(member_id=kept.id)
    )
    told = select(GroupPostMail.post_id).where(
        GroupPostMail.tenant_id == uow.tenant, GroupPostMail.member_id == kept.id
    )
    await uow.session.execute(
        update(GroupPostMail)
        .where(
            GroupPostMail.tenant_id == uow.tenant,
            GroupPostMail.member_id == gone.id,
            GroupPostMail.post_id.not_in(told),
        )
        .values(member_id=kept.id)
        .execution_options(synchronize_session=False)
    )
    if gone.ended_at is None:
        if kept.ended_at is None:
            kept.joined_at = min(kept.joined_at, gone.joined_at)
        else:
            kept.joined_at, kept.is_shown = gone.joined_at, gone.is_shown
            kept.ended_at, kept.ended_by = None, ""
    await uow.session.flush()
    await uow.session.execute(
        delete(GroupMember).where(GroupMember.tenant_id == uow.tenant, GroupMember.id == gone.id)
    )


def register_groups_of_customers() -> None:
    register_person_rows(
        PersonRows(
            table=_SOURCES,
            whose=lambda person: GroupSource.member_id.in_(_members_of(person)),
            shown=("group_id", "order_id", "what", "added_at", "ended_at", "ended_by"),
            named={"group": _title_of_group(_SOURCES)},
            erased=None,
        )
    )
    register_person_rows(
        PersonRows(
            table=_MAILS,
            whose=lambda person: GroupPostMail.member_id.in_(_members_of(person)),
            shown=("post_id", "written_at"),
            named={"group": _of_post(Group.title), "title": _of_post(GroupPost.title)},
            erased=None,
        )
    )
    register_customer_rows(
        Memberships(
            table=_MEMBERS,
            words=lambda count: ngettext(
                "%(num)s membership of a group", "%(num)s memberships of groups", count
            ),
            shown=("group_id", "is_shown", "joined_at", "ended_at", "ended_by"),
            named={"group": _title_of_group(_MEMBERS)},
            erased=None,
        )
    )


def _title_of_group(rows: Table) -> ColumnElement[str]:
    return (
        select(Group.title)
        .where(Group.tenant_id == rows.c.tenant_id, Group.id == rows.c.group_id)
        .correlate(rows)
        .scalar_subquery()
    )


def _of_post(column: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """Of what somebody was written to about, or of its group."""
    return (
        select(column)
        .select_from(GroupPost)
        .join(Group, (Group.tenant_id == GroupPost.tenant_id) & (Group.id == GroupPost.group_id))
        .where(GroupPost.tenant_id == _MAILS.c.tenant_id, GroupPost.id == _MAILS.c.post_id)
        .correlate(_MAILS)
        .scalar_subquery()
    )


def _members_of(person: Person) -> Select[tuple[UUID]]:
    return select(GroupMember.id).where(
        GroupMember.tenant_id == person.tenant_id, GroupMember.customer_id.in_(person.customer_ids)
    )
