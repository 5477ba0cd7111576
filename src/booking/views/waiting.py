"""What is shown of waiting lists: to who waits, to who runs the business, and in mails."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.booking.views.guest import Wish
from src.booking.views.hub import OwnHold
from src.booking.views.mails import RunView


class JoinView(msgspec.Struct, frozen=True, kw_only=True):
    """The form for waiting, by parties of `sizes`; an offer lasts `offer_minutes`, of which the
    hours `quiet` are none, empty where all count. `refusal` says why nobody can; `book_href` leads
    to the `places` that are free, for smaller ones, None where guests read no number. `sent_to` is
    set once somebody has asked. `held` is what this browser holds of the same.
    """

    wish: Wish
    form: Any
    sizes: list[int]
    places: int | None
    offer_minutes: int
    quiet: str
    refusal: str
    book_href: str
    sent_to: str
    zone: ZoneInfo
    contact_email: str
    contact_phone: str
    held: list[OwnHold]


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """One entry on its own page.

    `stage`: waiting, offered, rush (an offer that holds nothing), held (its order waits for
    payment), unclear (the time to pay is over, and what came of it not known yet), booking (its
    order is confirmed), given_up, unpaid or ended (its order came to nothing), left, expired,
    removed or closed. Of those that ended by themselves they `may_wait` again, or book at once by
    `book_href`. `until_at` is when what is offered or held ends. `position` is of `count`, 0 once
    it is over. The `price` is that of the whole party, empty where there is none to say.
    `booking_href` is "" for a booking
    whose address was corrected. With `completes` nothing but the place itself is left to be chosen:
    it is taken on this very page.
    """

    stage: str
    what: str
    guest_name: str
    size: int
    dates: list["EntryDate"]
    position: int
    count: int
    until_at: datetime | None
    price: str
    path: str
    accept_href: str
    may_wait: bool
    book_href: str
    booking_href: str
    service_href: str
    completes: "CompletesView | None"
    zone: ZoneInfo
    contact_email: str
    contact_phone: str


class CompletesView(msgspec.Struct, frozen=True, kw_only=True):
    """The purchase that the place completes: its number and page, how the place is paid (free,
    on_site or online), and what comes back until when. `dates_key` stands for the date as it is
    shown, `total_minor` is its price. Unless `is_needed` nobody lacks it any more. `href` and
    number are empty for who may not see the purchase: its address was corrected since.
    """

    reference: str
    href: str
    is_needed: bool
    pays: str
    dates_key: str
    total_minor: int
    leaving: list[str]


class EntryDate(msgspec.Struct, frozen=True, kw_only=True):
    """A date that is waited for."""

    title: str
    starts_at: datetime
    ends_at: datetime
    place: str | None
    is_online: bool


class WaitingMail(msgspec.Struct, frozen=True, kw_only=True):
    """What every mail to who waits says: to whom, from whom, and of which dates."""

    locale: str
    from_name: str
    contact: str
    guest_name: str
    what: str
    runs: list[RunView]
    zone_name: str


class WaitlistJoinedView(WaitingMail, frozen=True, kw_only=True):
    """You are on the list, for `size` people; `asked` says what stands where another number was
    asked for since, empty where none was.
    """

    size: int
    asked: str
    position: int
    entry_url: str


class WaitlistClosedView(WaitingMail, frozen=True, kw_only=True):
    """What you waited for does not take place."""

    service_url: str


class WaitlistRemovedView(WaitingMail, frozen=True, kw_only=True):
    """The business has taken you off its list. `offer` says what that means for what you were
    offered, empty where that was nothing.
    """

    offer: str
    service_url: str


class WaitlistMovedView(WaitingMail, frozen=True, kw_only=True):
    """What you wait for has another time. `offer` says what that means for what you were offered,
    empty where that was nothing.
    """

    size: int
    reason: str
    offer: str
    entry_url: str


class PlacesOfferedView(WaitingMail, frozen=True, kw_only=True):
    """There are places for you, `until` then; without `holds` for whoever books first. The `price`
    is that of the whole party, empty where there is none to say. `reason` is why dates have another
    time than was said before, and `moved` says all of that in sentences.
    """

    size: int
    reason: str
    moved: str
    until: str
    price: str
    holds: bool
    entry_url: str


class EntryRow(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody on a list, or who was: `why` are the reasons against an offer with how to mend them,
    at `mend_href` where a page does it; `log` what happened and when, the latest first. `completes`
    is the series of which their purchase lacks this date, and `price` what they pay for it; else
    both are empty.
    """

    entry_id: UUID
    position: int
    name: str
    address: str
    size: int
    joined_at: datetime
    state: str
    until_at: datetime | None
    why: list[tuple[str, str]]
    log: list[tuple[datetime, str]]
    may_offer: bool
    mend_href: str = ""
    completes: str = ""
    price: str = ""


class WaitlistView(msgspec.Struct, frozen=True, kw_only=True):
    """The list of a session or a series. `here` is the subject's own page; `closed` says why nobody
    can wait any more, empty while somebody can.
    """

    what: str
    when: tuple[datetime, datetime] | None
    standing: list[EntryRow]
    ended: list[EntryRow]
    is_on: bool
    closed: str
    here: str
    base: str
    settings_href: str
    zone: ZoneInfo
    words: dict[str, tuple[str, str | None]]


class WaitlistOut(msgspec.Struct, frozen=True, kw_only=True):
    """Who is on the list, over the API: `waiting` parties without an offer and `offered` ones with
    one just now, which want so many `places` in all.
    """

    waiting: int
    offered: int
    places: int
