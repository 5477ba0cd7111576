"""The forms of groups: what staff type, as drafts, and back."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from src.booking.commands.group_posts import mark_of_post
from src.booking.commands.groups import mark_of_group
from src.booking.domain.groups import GroupDraft, PostDraft
from src.booking.models import Group, GroupPost
from src.booking.web.meanwhile import Fact, saved_now, yes_or_no
from src.platform.i18n import _
from src.platform.web.forms import Bound

Seen = Annotated[str, Meta(max_length=40)]


class GroupForm(msgspec.Struct, kw_only=True):
    """A group as it is typed. `token` becomes the id of a new one, and `seen` is the mark of what
    the editor was shown.
    """

    token: UUID | None = None
    seen: Seen = ""
    title: Annotated[str, Meta(max_length=200)] = ""
    slug: Annotated[str, Meta(max_length=100)] = ""
    about: Annotated[str, Meta(max_length=6000)] = ""
    shows_members: bool = False


class GiversForm(msgspec.Struct, kw_only=True):
    """All that makes people members; `seen` is the mark of what was shown as chosen."""

    seen: Seen = ""
    things: list[str] = msgspec.field(default_factory=list)


class FindForm(msgspec.Struct, kw_only=True):
    """Whom staff look for, to take them in."""

    find: Annotated[str, Meta(max_length=200)] = ""


class JoinForm(msgspec.Struct, kw_only=True):
    """Whom they take in."""

    customer_id: UUID


class PostForm(msgspec.Struct, kw_only=True):
    """What staff write. `token` becomes the id of a new post, `seen` is the mark of what the editor
    was shown; `mail`: it goes by mail as well.
    """

    token: UUID | None = None
    seen: Seen = ""
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
    known = {name: getattr(group, name) for name in ("title", "slug", "about", "shows_members")}
    return {**known, "seen": mark_of_group(group)}


def initial_of_post(post: GroupPost) -> dict[str, Any]:
    return {"title": post.title, "body": post.body, "seen": mark_of_post(post)}


def saved_group(bound: Bound[GroupForm], group: Group) -> list[Fact]:
    """What somebody else has saved of it, where that is not what was typed."""
    labels = {
        "title": _("Title"),
        "about": _("Text"),
        "slug": _("Address"),
        "shows_members": _("Members may see each other's names"),
    }
    return saved_now(bound, GroupForm, initial_of(group), labels, {"shows_members": yes_or_no})


def saved_post(bound: Bound[PostForm], post: GroupPost) -> list[Fact]:
    """The same of a post."""
    labels = {"title": _("Title"), "body": _("Text")}
    return saved_now(bound, PostForm, initial_of_post(post), labels, {})
