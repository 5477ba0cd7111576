"""Links to what a business offers, to be sent, printed and put into other sites."""

from collections.abc import Sequence

import msgspec


class OfferingLink(msgspec.Struct, frozen=True, kw_only=True):
    """The way to one offering. `group` is what kind of thing it is; `path` leads guests to it,
    `frame` is what other sites show of it, `home` where it is looked after, below the dashboard.

    `stops` say why nobody can have it there just now, `notes` what else is to be known. `is_kept`:
    it is for known customers only, whom a frame does not know.
    """

    name: str
    group: str
    path: str
    frame: str
    home: str
    stops: Sequence[str] = ()
    notes: Sequence[str] = ()
    is_kept: bool = False


class LinkChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be had just now. `key` is what forms call it."""

    key: str
    name: str
    group: str
    path: str
