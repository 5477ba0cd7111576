"""What a guest's own pages show of their bookings."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from src.booking.views.feeds import FeedPart
from src.platform.money import Money
from src.tenants.portal_sections import PortalHead, ShownSection


class HeldBooking(msgspec.Struct, frozen=True, kw_only=True):
    """Places that are held until they are paid."""

    href: str
    what: str
    to_pay_minor: int
    currency: str
    places: int
    until_at: datetime


class AheadBooking(msgspec.Struct, frozen=True, kw_only=True):
    """A booking with dates to come: the next of them, how many `more` there are, and how many are
    `off`, since they were cancelled or exchanged.

    `where` is a place or "Online"; `who` comes to it, empty where that is just the guest or nobody
    has a name; `owed_minor` is still to be paid on site.
    """

    href: str
    what: str
    title: str
    starts_at: datetime
    ends_at: datetime
    where: str
    performer: str
    places: int
    who: list[str]
    more: int
    owed_minor: int
    currency: str
    off: int = 0


class OffBooking(msgspec.Struct, frozen=True, kw_only=True):
    """A booking of which nothing is left: the first of its dates that would be still to come, and
    how many `more` there are. `is_exchanged`: all of them for others. What is owed stays owed when
    a date was left too late.
    """

    href: str
    what: str
    starts_at: datetime
    more: int
    is_exchanged: bool
    owed_minor: int
    currency: str


class PastBooking(msgspec.Struct, frozen=True, kw_only=True):
    """A booking without any date to come, or the `dates` that are over of one that `goes_on`.
    `state`: attended, no_show, cancelled, exchanged, or empty, as it is for one that goes on: no
    word of one date holds for all of it. What is to be paid stands at the dates to come.
    """

    href: str
    what: str
    last_at: datetime
    dates: int
    goes_on: bool
    state: str
    owed_minor: int
    currency: str


class HeldPart(msgspec.Struct, frozen=True, kw_only=True):
    rows: list[HeldBooking]
    zone: ZoneInfo


class AheadPart(msgspec.Struct, frozen=True, kw_only=True):
    """`is_cut`: there are even more than are shown."""

    rows: list[AheadBooking]
    is_cut: bool
    zone: ZoneInfo
    hub_href: str


class OffPart(msgspec.Struct, frozen=True, kw_only=True):
    """`is_cut`: there are even more than are shown."""

    rows: list[OffBooking]
    is_cut: bool
    zone: ZoneInfo


class PastPart(msgspec.Struct, frozen=True, kw_only=True):
    """The newest; `more_href` leads to all of them, empty where these are all."""

    rows: list[PastBooking]
    zone: ZoneInfo
    more_href: str


class PortalHomeView(msgspec.Struct, frozen=True, kw_only=True):
    head: PortalHead
    sections: list[ShownSection]


class PastBookingsView(msgspec.Struct, frozen=True, kw_only=True):
    """One page of what is over, newest first."""

    head: PortalHead
    rows: list[PastBooking]
    zone: ZoneInfo
    previous_href: str | None
    next_href: str | None


class PortalProfileView(msgspec.Struct, frozen=True, kw_only=True):
    """What guests may change themselves, in three forms, and their calendar. `files` counts those
    that they sent with worksheets, which are at `files_href`.
    """

    head: PortalHead
    form: Any
    address_form: Any
    mails_form: Any
    in_groups: bool
    languages: list[tuple[str, str]]
    feed: FeedPart
    files: int
    files_href: str
    zone: ZoneInfo


class OwnAddressView(msgspec.Struct, frozen=True, kw_only=True):
    """The link to a new address: it is taken once the button is pressed."""

    email: str
    business: str
    action: str


class EraseOneselfView(msgspec.Struct, frozen=True, kw_only=True):
    """What erasing does, what stands against it, and what has to be typed for it. What is `owed`
    on site is said before, that `credits` which are left are lost, that the `unpaid` lapse, what
    they were to pay `in_parts`, and what is left on `vouchers`, which stay good.
    """

    head: PortalHead
    form: Any
    stays: list[str]
    owed: list[Money]
    vouchers: list[Money]
    in_parts: list[Money]
    credits: int
    unpaid: int
    bars: list[str]
    word: str
    business: str
