"""The forms of a collection: what an owner types, as a draft, and back."""

from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from src.booking.domain.collections import CollectionDraft, Thing, read_thing
from src.booking.models import Collection
from src.booking.views.collections import ThingChoice

Choice = tuple[str, str, str]


class CollectionForm(msgspec.Struct, kw_only=True):
    """A collection as it is typed. `token` becomes the id of a new one; `things` are what a new one
    begins with.
    """

    token: UUID | None = None
    title: Annotated[str, Meta(max_length=200)] = ""
    slug: Annotated[str, Meta(max_length=100)] = ""
    cover_text: Annotated[str, Meta(max_length=6000)] = ""
    listed_in_portal: bool = False
    established_only: bool = False
    things: list[str] = msgspec.field(default_factory=list)


class ThingsForm(msgspec.Struct, kw_only=True):
    """What is put into one that there is."""

    things: list[str] = msgspec.field(default_factory=list)


def initial_of(collection: Collection) -> dict[str, Any]:
    names = ("title", "slug", "cover_text", "listed_in_portal", "established_only")
    return {name: getattr(collection, name) for name in names}


def draft_of(form: CollectionForm) -> CollectionDraft:
    return CollectionDraft(
        title=form.title,
        slug=form.slug.strip().lower(),
        cover_text=form.cover_text,
        listed_in_portal=form.listed_in_portal,
        established_only=form.established_only,
    )


def things_of(typed: Iterable[str]) -> list[Thing]:
    """What is no thing at all is passed over: no such box was shown."""
    return [thing for one in typed if (thing := read_thing(one)) is not None]


def choices_of(things: Iterable[ThingChoice]) -> list[Choice]:
    """Boxes to tick, each with what it is."""
    return [(one.key, one.name, " · ".join(filter(None, (one.group, one.note)))) for one in things]
