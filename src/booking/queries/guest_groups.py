"""Groups for who is in them: the list in their menu, and the page of one."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, exists, func, or_, select, tuple_

from src.booking.guest_links import group_path
from src.booking.models import Group, GroupMember, GroupPost, GroupSlug
from src.booking.queries.hub import shortened
from src.booking.views.groups import OwnGroup, ReadPost
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.wording import fill, paragraphs_of
from src.tenants.models import Customer
from src.tenants.portal_sections import MenuEntry, Portal

MENU, POSITION = "groups", 25
POSTS_A_PAGE = 10
MOST_NAMES = 500


class FoundGroup(msgspec.Struct, frozen=True, kw_only=True):
    """What an address leads a member to; with `moved` it is one that the group had before."""

    id: UUID
    slug: str
    title: str
    about: str
    shows_members: bool
    is_shown: bool
    moved: bool


def is_member(customer_id: UUID) -> ColumnElement[bool]:
    """Of the Group of the statement around it."""
    return exists().where(
        GroupMember.tenant_id == Group.tenant_id,
        GroupMember.group_id == Group.id,
        GroupMember.customer_id == customer_id,
        GroupMember.ended_at.is_(None),
    )


async def is_in_groups(uow: UnitOfWork, customer_id: UUID) -> bool:
    """Whether the customer is in any that has its page."""
    found = exists().where(Group.tenant_id == uow.tenant, Group.active, is_member(customer_id))
    return bool(await uow.session.scalar(select(found)))


async def list_own_groups(uow: UnitOfWork, portal: Portal) -> list[OwnGroup]:
    """Those that have their page, by title."""
    if not portal.tenant.entitlements.has(Feature.COLLECTIONS):
        return []
    found = await uow.session.execute(
        select(Group.title, Group.about, Group.slug)
        .where(Group.tenant_id == uow.tenant, Group.active, is_member(portal.guest.customer_id))
        .order_by(func.lower(Group.title), Group.id)
    )
    slug, values = portal.tenant.slug, words_for(portal)
    return [
        OwnGroup(
            title=row.title,
            about=shortened(fill(row.about, values)),
            href=group_path(slug, row.slug),
        )
        for row in found
    ]


def words_for(portal: Portal) -> dict[str, str]:
    """What the placeholders become in texts of groups, for who reads them."""
    return {"customer_name": portal.guest.name, "business": portal.tenant.name}


async def list_groups_menu(uow: UnitOfWork, portal: Portal) -> list[MenuEntry]:
    """A single one stands there by its title, several under one word."""
    rows = await list_own_groups(uow, portal)
    if not rows:
        return []
    label, href = _("Groups"), f"{portal.path}/groups"
    if len(rows) == 1:
        label, href = rows[0].title, rows[0].href
    return [MenuEntry(name=MENU, position=POSITION, label=label, href=href)]


async def find_own_group(
    uow: UnitOfWork, tenant: TenantSnapshot, customer_id: UUID, slug: str
) -> FoundGroup:
    """Raises: NotFound, the same for one that there is not and for who is not in it."""
    found = None
    if tenant.entitlements.has(Feature.COLLECTIONS):
        former = select(GroupSlug.group_id).where(
            GroupSlug.tenant_id == uow.tenant, GroupSlug.slug == slug
        )
        rows = await uow.session.execute(
            select(Group, GroupMember.is_shown)
            .join(
                GroupMember,
                (GroupMember.tenant_id == Group.tenant_id) & (GroupMember.group_id == Group.id),
            )
            .where(
                Group.tenant_id == uow.tenant,
                Group.active,
                or_(Group.slug == slug, Group.id.in_(former)),
                GroupMember.customer_id == customer_id,
                GroupMember.ended_at.is_(None),
            )
        )
        found = rows.tuples().first()
    if found is None:
        raise NotFound(_("There is no such group, or you are not a member of it."))
    group, is_shown = found
    return FoundGroup(
        id=group.id,
        slug=group.slug,
        title=group.title,
        about=group.about,
        shows_members=group.shows_members,
        is_shown=is_shown,
        moved=group.slug != slug,
    )


async def list_read_posts(
    uow: UnitOfWork, group_id: UUID, values: Mapping[str, str], *, number: int
) -> list[ReadPost]:
    """The newest first, in the words that this reader gets, a page at a time and one more."""
    found = await uow.session.scalars(
        select(GroupPost)
        .where(GroupPost.tenant_id == uow.tenant, GroupPost.group_id == group_id)
        .order_by(GroupPost.published_at.desc(), GroupPost.id.desc())
        .limit(POSTS_A_PAGE + 1)
        .offset((number - 1) * POSTS_A_PAGE)
    )
    return [
        ReadPost(
            id=one.id,
            title=fill(one.title, values),
            paragraphs=[part.text for part in paragraphs_of(one.body, values, blocks=())],
            written_by=one.written_by,
            published_at=one.published_at,
            edited_at=one.edited_at,
        )
        for one in found
    ]


async def get_page_of_post(uow: UnitOfWork, group_id: UUID, post_id: UUID) -> int:
    """On which page of the group it stands by now. Raises: NotFound, also once it is deleted."""
    post = await uow.session.get(GroupPost, (uow.tenant, post_id))
    if post is None or post.group_id != group_id:
        raise NotFound(_("This post is not there any more."))
    newer = await uow.session.scalar(
        select(func.count())
        .select_from(GroupPost)
        .where(
            GroupPost.tenant_id == uow.tenant,
            GroupPost.group_id == group_id,
            tuple_(GroupPost.published_at, GroupPost.id) > (post.published_at, post.id),
        )
    )
    return 1 + (newer or 0) // POSTS_A_PAGE


async def list_names(uow: UnitOfWork, group_id: UUID) -> list[str]:
    """Of the members who want theirs to be read."""
    found = await uow.session.scalars(
        select(Customer.name)
        .join(
            GroupMember,
            (GroupMember.tenant_id == Customer.tenant_id)
            & (GroupMember.customer_id == Customer.id),
        )
        .where(
            GroupMember.tenant_id == uow.tenant,
            GroupMember.group_id == group_id,
            GroupMember.ended_at.is_(None),
            GroupMember.is_shown,
            Customer.name != "",
        )
        .order_by(func.lower(Customer.name), Customer.id)
        .limit(MOST_NAMES)
    )
    return list(found)
