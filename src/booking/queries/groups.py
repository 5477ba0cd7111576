"""Groups for staff: the list, who is in one and by what, what was written, and what gives it."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, or_, select

from src.booking.domain.collections import Thing, ThingKind
from src.booking.models import (
    Group,
    GroupGiver,
    GroupMember,
    GroupPost,
    GroupPostMail,
    GroupSource,
)
from src.booking.views.groups import (
    FoundCustomer,
    GroupOfCustomer,
    GroupRow,
    MemberRow,
    PostRow,
    SourceRow,
)
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.models import Customer

MEMBERS_A_PAGE = 50
POSTS_A_PAGE = 20
MOST_FOUND = 10


async def list_groups(uow: UnitOfWork) -> list[GroupRow]:
    """All of them, by title."""
    found = await uow.session.execute(
        select(
            Group,
            _count(GroupMember, GroupMember.ended_at.is_(None)).label("members"),
            _count(GroupPost).label("posts"),
            _count(GroupGiver).label("givers"),
        )
        .where(Group.tenant_id == uow.tenant)
        .order_by(func.lower(Group.title), Group.id)
    )
    return [
        GroupRow(
            id=group.id,
            title=group.title,
            slug=group.slug,
            about=group.about,
            shows_members=group.shows_members,
            active=group.active,
            members=members,
            posts=posts,
            givers=givers,
        )
        for group, members, posts, givers in found.tuples()
    ]


def _count(of: Any, *which: Any) -> Any:
    return (
        select(func.count())
        .select_from(of)
        .where(of.tenant_id == Group.tenant_id, of.group_id == Group.id, *which)
        .correlate(Group)
        .scalar_subquery()
    )


async def get_group_row(uow: UnitOfWork, group_id: UUID) -> GroupRow:
    """Raises: NotFound."""
    for one in await list_groups(uow):
        if one.id == group_id:
            return one
    raise NotFound(_("There is no such group."))


async def list_givers(uow: UnitOfWork, group_id: UUID) -> list[Thing]:
    found = await uow.session.scalars(
        select(GroupGiver)
        .where(GroupGiver.tenant_id == uow.tenant, GroupGiver.group_id == group_id)
        .order_by(GroupGiver.id)
    )
    return [_thing_of(one) for one in found]


def _thing_of(giver: GroupGiver) -> Thing:
    if giver.service_id is not None:
        return Thing(ThingKind.SERVICE, giver.service_id)
    if giver.series_id is not None:
        return Thing(ThingKind.SERIES, giver.series_id)
    assert giver.package_id is not None
    return Thing(ThingKind.PACKAGE, giver.package_id)


async def list_members(uow: UnitOfWork, group_id: UUID, *, number: int = 1) -> list[MemberRow]:
    """Who is in it, by name, a page at a time and one more, which tells that there is another."""
    found = await uow.session.execute(
        select(GroupMember, Customer.name, Customer.email)
        .join(
            Customer,
            (Customer.tenant_id == GroupMember.tenant_id)
            & (Customer.id == GroupMember.customer_id),
        )
        .where(
            GroupMember.tenant_id == uow.tenant,
            GroupMember.group_id == group_id,
            GroupMember.ended_at.is_(None),
        )
        .order_by(func.lower(Customer.name), GroupMember.id)
        .limit(MEMBERS_A_PAGE + 1)
        .offset((number - 1) * MEMBERS_A_PAGE)
    )
    rows = found.tuples().all()
    sources = await _sources(uow, [member.id for member, _name, _email in rows])
    return [
        MemberRow(
            id=member.id,
            customer_id=member.customer_id,
            name=name,
            email=email or "",
            is_shown=member.is_shown,
            joined_at=member.joined_at,
            sources=sources[member.id],
        )
        for member, name, email in rows
    ]


async def _sources(
    uow: UnitOfWork, member_ids: Collection[UUID]
) -> defaultdict[UUID, list[SourceRow]]:
    """Those that have not ended, the oldest first."""
    found = await uow.session.scalars(
        select(GroupSource)
        .where(
            GroupSource.tenant_id == uow.tenant,
            GroupSource.member_id.in_(member_ids),
            GroupSource.ended_at.is_(None),
        )
        .order_by(GroupSource.added_at, GroupSource.id)
    )
    sources: defaultdict[UUID, list[SourceRow]] = defaultdict(list)
    for one in found:
        row = SourceRow(
            order_id=one.order_id, what=one.what, added_by=one.added_by, added_at=one.added_at
        )
        sources[one.member_id].append(row)
    return sources


async def find_joinable(uow: UnitOfWork, group_id: UUID, words: str) -> list[FoundCustomer]:
    """Customers by a part of their name or address who are not in the group by staff's hand, at
    most `MOST_FOUND` and one more, which tells that there are others.
    """
    wanted = f"%{_escaped(words.strip())}%"
    in_by_hand = (
        select(GroupMember.customer_id)
        .join(
            GroupSource,
            (GroupSource.tenant_id == GroupMember.tenant_id)
            & (GroupSource.member_id == GroupMember.id),
        )
        .where(
            GroupMember.tenant_id == uow.tenant,
            GroupMember.group_id == group_id,
            GroupSource.order_id.is_(None),
            GroupSource.ended_at.is_(None),
        )
    )
    is_in = exists().where(
        GroupMember.tenant_id == Customer.tenant_id,
        GroupMember.customer_id == Customer.id,
        GroupMember.group_id == group_id,
        GroupMember.ended_at.is_(None),
    )
    found = await uow.session.execute(
        select(Customer.id, Customer.name, Customer.email, is_in.label("is_member"))
        .where(
            Customer.tenant_id == uow.tenant,
            Customer.merged_into.is_(None),
            Customer.erased_at.is_(None),
            or_(Customer.name.ilike(wanted), Customer.email.ilike(wanted)),
            Customer.id.not_in(in_by_hand),
        )
        .order_by(func.lower(Customer.name), Customer.id)
        .limit(MOST_FOUND + 1)
    )
    return [
        FoundCustomer(
            id=row.id, name=row.name, email=row.email or "", is_member=bool(row.is_member)
        )
        for row in found
    ]


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def list_posts(uow: UnitOfWork, group_id: UUID, *, number: int = 1) -> list[PostRow]:
    """The newest first, a page at a time and one more."""
    mailed = (
        select(func.count())
        .select_from(GroupPostMail)
        .where(
            GroupPostMail.tenant_id == GroupPost.tenant_id, GroupPostMail.post_id == GroupPost.id
        )
        .correlate(GroupPost)
        .scalar_subquery()
    )
    found = await uow.session.execute(
        select(GroupPost, mailed)
        .where(GroupPost.tenant_id == uow.tenant, GroupPost.group_id == group_id)
        .order_by(GroupPost.published_at.desc(), GroupPost.id.desc())
        .limit(POSTS_A_PAGE + 1)
        .offset((number - 1) * POSTS_A_PAGE)
    )
    return [post_row(post, count) for post, count in found.tuples()]


def post_row(post: GroupPost, mailed: int = 0) -> PostRow:
    return PostRow(
        id=post.id,
        title=post.title,
        body=post.body,
        written_by=post.written_by,
        published_at=post.published_at,
        edited_at=post.edited_at,
        is_mailed=post.is_mailed,
        mailed=mailed,
    )


async def list_groups_of(uow: UnitOfWork, customer_id: UUID) -> list[GroupOfCustomer]:
    """What a customer is in, for their page."""
    found = await uow.session.execute(
        select(GroupMember, Group)
        .join(
            Group,
            (Group.tenant_id == GroupMember.tenant_id) & (Group.id == GroupMember.group_id),
        )
        .where(
            GroupMember.tenant_id == uow.tenant,
            GroupMember.customer_id == customer_id,
            GroupMember.ended_at.is_(None),
        )
        .order_by(func.lower(Group.title), Group.id)
    )
    rows = found.tuples().all()
    sources = await _sources(uow, [member.id for member, _group in rows])
    return [
        GroupOfCustomer(
            id=group.id,
            title=group.title,
            active=group.active,
            is_shown=member.is_shown,
            joined_at=member.joined_at,
            sources=sources[member.id],
        )
        for member, group in rows
    ]
