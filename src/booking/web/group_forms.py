"""The forms of groups: what staff type, as drafts, and back."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from src.booking.domain.groups import GroupDraft, PostDraft
from src.booking.models import Group


class GroupForm(msgspec.Struct, kw_only=True):
    """A group as it is typed. `token` becomes the id of a new one."""

    token: UUID | None = None
    title: Annotated[str, Meta(max_length=200)] = ""
    slug: Annotated[str, Meta(max_length=100)] = ""
    about: Annotated[str, Meta(max_length=6000)] = ""
    shows_members: bool = False


class GiversForm(msgspec.Struct, kw_only=True):
    """All that makes people members."""

    things: list[str] = msgspec.field(default_factory=list)


class FindForm(msgspec.Struct, kw_only=True):
    """Whom staff look for, to take them in."""

    find: Annotated[str, Meta(max_length=200)] = ""


class JoinForm(msgspec.Struct, kw_only=True):
    """Whom they take in."""

    customer_id: UUID


class PostForm(msgspec.Struct, kw_only=True):
    """What staff write. `token` becomes the id of a new post; `mail`: it goes by mail as well."""

    token: UUID | None = None
    title: Annotated[str, Meta(max_length=1_000)] = ""
    body: Annotated[str, Meta(max_length=20_000)] = ""
    mail: bool = False

    def draft(self) -> PostDraft:
        return PostDraft(title=self.title, body=self.body)


def draft_of(form: GroupForm) -> GroupDraft:
    return GroupDraft(
        title=form.title,
        slug=form.slug.strip().lower(),
        about=form.about,
        shows_members=form.shows_members,
    )


def initial_of(group: Group) -> dict[str, Any]:
    return {name: getattr(group, name) for name in ("title", "slug", "about", "shows_members")}
