"""Collections as the JSON API tells of them."""

from typing import Literal
from uuid import UUID

import msgspec


class CollectionItemOut(msgspec.Struct, frozen=True, kw_only=True):
    """A thing at its place. `price_label` is empty where nothing of it is on sale; `url` is its own
    page, null where there is none to look at; `reason` says to guests why it cannot be booked just
    now, null where it can.
    """

    kind: Literal["appointment", "service", "series", "package"]
    id: UUID
    name: str
    price_label: str
    url: str | None
    reason: str | None


class CollectionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A collection that is for everybody, with what is in it in the owner's order."""

    id: UUID
    slug: str
    title: str
    cover_text: str
    listed_in_portal: bool
    url: str
    items: list[CollectionItemOut]


class CollectionList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[CollectionOut]
