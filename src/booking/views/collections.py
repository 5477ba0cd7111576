"""Collections as their owner sees them, and as guests do."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec

from src.booking.domain.collections import Thing
from src.tenants.portal_sections import PortalHead


class ThingChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What can be put into a collection; `note` says what is to be known of it, e.g. that it is
    off.
    """

    thing: Thing
    name: str
    group: str
    note: str = ""

    @property
    def key(self) -> str:
        return self.thing.key


class CollectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One of the business's list; `count`: how many things are in it."""

    id: UUID
    title: str
    slug: str
    cover_text: str
    listed_in_portal: bool
    established_only: bool
    active: bool
    count: int
    is_first: bool = False
    is_last: bool = False


class ItemRow(msgspec.Struct, frozen=True, kw_only=True):
    """A thing at its place, for the owner. `is_kept`: it is for known customers only. `why`: what
    keeps guests from seeing it there, empty where nothing does.
    """

    id: UUID
    thing: Thing
    name: str
    group: str
    href: str
    is_kept: bool
    why: str = ""
    is_first: bool = False
    is_last: bool = False


class OfferCard(msgspec.Struct, frozen=True, kw_only=True):
    """A thing as guests see it in a collection. `reason` is why it cannot be booked just now, None
    where it can; `href` is its own page, empty where there is none to look at.
    """

    kind: Literal["appointment", "service", "series", "package"]
    id: UUID
    name: str
    summary: str
    price: str
    facts: Sequence[str]
    href: str
    reason: str | None


class CollectionPageView(msgspec.Struct, frozen=True, kw_only=True):
    """The page of a collection. `is_kept`: it is for existing customers, and who looks is one."""

    title: str
    cover_text: str
    cards: list[OfferCard]
    notice: str | None
    path: str
    url: str
    image: str
    hub_href: str
    is_kept: bool
    contact_email: str
    contact_phone: str


class OfferFrameView(msgspec.Struct, frozen=True, kw_only=True):
    """A frame with things on sale in it."""

    title: str
    cards: list[OfferCard]


class KeptEmbedView(msgspec.Struct, frozen=True, kw_only=True):
    """All that a frame shows of a collection that is for existing customers: the way to it."""

    href: str


class OwnOfferings(msgspec.Struct, frozen=True, kw_only=True):
    """Collections on a guest's own pages: title, the beginning of the cover text, address."""

    rows: list[tuple[str, str, str]]


class OfferingsView(msgspec.Struct, frozen=True, kw_only=True):
    """The page that lists them, where there are several."""

    head: PortalHead
    rows: list[tuple[str, str, str]]
