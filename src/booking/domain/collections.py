"""Collections: what makes one valid, and for whom what is in them is on sale.

Source: docs/algorithms/collections.md.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from src.booking.domain.service_rules import LONGEST_SLUG, numbered, slug_for
from src.platform.i18n import _

LONGEST_TITLE = 120
LONGEST_COVER_TEXT = 5_000
MOST_ITEMS = 60
FALLBACK_SLUG = "collection"
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


class ThingKind(StrEnum):
    """What a collection can have in it: each has a page of its own, where it is booked or bought.
    Appointments and group services are both services.
    """

    SERVICE = "service"
    SERIES = "series"
    PACKAGE = "package"


@dataclass(frozen=True, slots=True, order=True)
class Thing:
    """One of what can be offered."""

    kind: ThingKind
    id: UUID

    @property
    def key(self) -> str:
        """As forms name it: "series:<id>"."""
        return f"{self.kind}:{self.id}"


def read_thing(typed: str) -> Thing | None:
    """The thing behind such a key; None for what is none."""
    kind, _colon, thing_id = typed.partition(":")
    try:
        return Thing(ThingKind(kind), UUID(thing_id))
    except ValueError:
        return None


class Access(StrEnum):
    """For whom something is on sale."""

    OPEN = "open"
    ESTABLISHED = "established"


def access_of(established_only: Iterable[bool], *, belongs_to: Access = Access.OPEN) -> Access:
    """For whom a thing is, by the flag of each switched-on collection that has it.

    In none, or in one that is for everybody, it is open; in nothing but such as are for established
    customers only, it is for these. What it `belongs_to`, as a series does to its service, opens
    nothing that is not open itself, and closes what is.
    """
    flags = list(established_only)
    is_kept = bool(flags) and all(flags)
    return Access.ESTABLISHED if is_kept or belongs_to is Access.ESTABLISHED else Access.OPEN


def admits(access: Access, *, is_established: bool, by_staff: bool = False) -> bool:
    """Whether somebody may see and have it; staff who act for a customer are not bound."""
    return access is Access.OPEN or is_established or by_staff


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionDraft:
    """A collection as somebody wants it. `slug` is never empty here."""

    title: str
    slug: str
    cover_text: str = ""
    listed_in_portal: bool = False
    established_only: bool = False


def collection_errors(draft: CollectionDraft) -> dict[str, str]:
    """Sentences by the draft's fields; empty when it may be saved as it is."""
    fields: dict[str, str] = {}
    if not draft.title.strip():
        fields["title"] = _("Give the collection a title.")
    elif len(draft.title) > LONGEST_TITLE:
        fields["title"] = _("Shorten the title to %(limit)s characters.", limit=LONGEST_TITLE)
    if len(draft.cover_text) > LONGEST_COVER_TEXT:
        limit = LONGEST_COVER_TEXT
        fields["cover_text"] = _("Shorten the text to %(limit)s characters.", limit=limit)
    if said := address_error(draft.slug):
        fields["slug"] = said
    return fields


def address_error(slug: str) -> str | None:
    """Why this cannot stand in an address; None where it can."""
    if len(slug) > LONGEST_SLUG:
        return _("Shorten the address to %(limit)s characters.", limit=LONGEST_SLUG)
    if not _SLUG.fullmatch(slug):
        return _("Use small letters, digits and single hyphens between them.")
    return None


def slug_of_title(title: str) -> str:
    """The title as it would stand in an address; it may still be taken."""
    slug = slug_for(title)
    return FALLBACK_SLUG if slug == "service" and "service" not in title.casefold() else slug


def next_slug(slug: str, number: int) -> str:
    """The next one to try where it is taken."""
    return numbered(slug, number)


def moved(order: list[UUID], item_id: UUID, *, up: bool) -> list[UUID]:
    """The same with one of them a place further up or down; at the end of the way nothing moves."""
    here = order.index(item_id)
    there = here - 1 if up else here + 1
    if not 0 <= there < len(order):
        return list(order)
    swapped = list(order)
    swapped[here], swapped[there] = swapped[there], swapped[here]
    return swapped
