"""Groups as staff see them, and as their members do."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.tenants.portal_sections import PortalHead


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """One of the business's list, with how many are in it, were written to it, and give it."""

    id: UUID
    title: str
    slug: str
    about: str
    shows_members: bool
    active: bool
    members: int
    posts: int
    givers: int


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """By what somebody is in: `order_id` with `what` was bought, or by whom of staff."""

    order_id: UUID | None
    what: str
    added_by: str
    added_at: datetime


class MemberRow(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in a group, for staff."""

    id: UUID
    customer_id: UUID
    name: str
    email: str
    is_shown: bool
    joined_at: datetime
    sources: Sequence[SourceRow]


class FoundCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom staff may take in; one who `is_member` is in by a purchase so far."""

    id: UUID
    name: str
    email: str
    is_member: bool


class PostRow(msgspec.Struct, frozen=True, kw_only=True):
    """What was written to a group, for staff; `mailed` to how many members."""

    id: UUID
    title: str
    body: str
    written_by: str
    published_at: datetime
    edited_at: datetime | None
    is_mailed: bool
    mailed: int


class GroupOfCustomer(msgspec.Struct, frozen=True, kw_only=True):
    """A group that a customer is in, on their page for staff."""

    id: UUID
    title: str
    active: bool
    is_shown: bool
    joined_at: datetime
    sources: Sequence[SourceRow]


class ReadPost(msgspec.Struct, frozen=True, kw_only=True):
    """A post as a member reads it, by paragraphs."""

    id: UUID
    title: str
    paragraphs: Sequence[str]
    written_by: str
    published_at: datetime
    edited_at: datetime | None


class OwnGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group that a guest is in: title, the beginning of its text, address."""

    title: str
    about: str
    href: str


class OwnGroupsView(msgspec.Struct, frozen=True, kw_only=True):
    """The page that lists them."""

    head: PortalHead
    rows: list[OwnGroup]


class GroupPageView(msgspec.Struct, frozen=True, kw_only=True):
    """A group's page for one of its members. `names` are those of the members who show theirs, None
    where the group has no such list; `is_shown` whether who looks is among them.
    """

    head: PortalHead
    title: str
    about: str
    posts: list[ReadPost]
    names: list[str] | None
    is_shown: bool
    path: str
    zone: ZoneInfo
    is_first_page: bool
    previous_href: str | None
    next_href: str | None


class LeaveGroupView(msgspec.Struct, frozen=True, kw_only=True):
    """Before a member leaves."""

    head: PortalHead
    title: str
    path: str
