"""What the pages about calendar feeds show."""

from datetime import datetime
from uuid import UUID

import msgspec


class FeedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A feed there is; its address is never to be had again."""

    created_at: datetime
    last_read_at: datetime | None


class FeedPart(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of feed on its page: `row` where there is one, `made` its address just made. `token`
    becomes the id of the next one, so that a form sent twice makes one.
    """

    id: str
    token: UUID
    title: str
    text: str
    path: str
    row: FeedRow | None
    made: str | None

    @property
    def webcal(self) -> str:
        """The address under the scheme that calendar programs listen to."""
        return "webcal" + (self.made or "").removeprefix("https").removeprefix("http")


class FeedsView(msgspec.Struct, frozen=True, kw_only=True):
    """The feeds of whoever is asking; `back` leads to where they came from. At `ask_path` a guest
    asks for the one of all their dates.
    """

    parts: list[FeedPart]
    back: str
    zone: str
    ask_path: str = ""
