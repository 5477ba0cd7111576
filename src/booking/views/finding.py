"""How guests come upon what a business offers, as its owner reads it."""

import msgspec

from src.booking.views.customers import WhyLine


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """`seen` is a `Seen`: bookable, sold_out, not_bookable, with_series, by_link or
    unseen; `why` has what stands against it, empty where nothing does.
    """

    seen: str
    why: list[WhyLine]
