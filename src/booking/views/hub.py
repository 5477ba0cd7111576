"""What the hub and a service's page show, ready to be written out."""

from datetime import date, datetime
from typing import Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import Markup

from src.booking.domain.seats_told import SeatsTold
from src.booking.views.sharing import ShareCard

DateState = Literal["book", "credits", "series", "soon", "full", "closed"]


class DateRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One dated session in a list.

    `state`: book (`href` leads to the form), credits (so too, and nothing else pays for it; the
    price is what it is worth), series (sold as part of its series only, `href` leads
    there), soon (sold alone from `opens_at` on, `href` leads to the series), full (`href` leads to
    its waiting list, if it has one), or closed. `price_minor` is None where the date is not sold
    alone, and with `is_from` the lowest of several. `seats` says in words how many are left, empty
    where that is not told, and `is_scarce` whether they are few.
    """

    session_id: UUID
    name: str
    starts_at: datetime
    ends_at: datetime
    is_full: bool
    seats: str
    is_scarce: bool
    is_online: bool
    performer: str | None
    place: str | None
    series_title: str | None
    price_minor: int | None
    is_from: bool
    opens_at: datetime | None
    state: DateState
    href: str | None


class Day(msgspec.Struct, frozen=True):
    """A day on the business's clock; `starts_at` is its first session's start."""

    starts_at: datetime
    rows: list[DateRow]


class SeriesCard(msgspec.Struct, frozen=True, kw_only=True):
    """A series on sale; with `is_from` the price is the lowest of several. `seats` says what
    the fullest of the coming dates still has.
    """

    series_id: UUID
    title: str
    service_name: str
    href: str
    first_at: datetime
    last_at: datetime
    dates: int
    remaining: int
    price_minor: int
    is_from: bool
    seats: str
    is_scarce: bool
    is_sold_out: bool
    book_href: str | None


class ServiceCard(msgspec.Struct, frozen=True, kw_only=True):
    """A service with its one price label; `next_at` None: no date is published, or it is given
    `by_appointment`. `next_free_at` is the first that one can have a place in, and `is_sold_out`
    says that none has a seat left: a course that has begun has some that are not sold.
    """

    name: str
    href: str
    summary: str
    minutes: int
    is_online: bool
    price: str
    next_at: datetime | None
    next_free_at: datetime | None = None
    is_sold_out: bool = False
    by_appointment: bool = False


class Choice(msgspec.Struct, frozen=True):
    """An option of a filter."""

    value: str
    label: str
    is_chosen: bool


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What the dates can be narrowed to; a list without choices is not shown."""

    services: list[Choice]
    performers: list[Choice]
    weekdays: list[Choice]
    is_active: bool


class TagLink(msgspec.Struct, frozen=True, kw_only=True):
    label: str
    href: str
    is_chosen: bool


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """How the page can be narrowed to some services; without `has_words` by tags alone."""

    words: str
    tag: str
    has_words: bool
    tags: list[TagLink]
    is_active: bool


class MonthView(msgspec.Struct, frozen=True, kw_only=True):
    """The dates of one month; None for a link that leads nowhere.

    `later_at` is the next date after an empty month, with the link to its month.
    """

    on: date
    days: list[Day]
    previous_href: str | None
    next_href: str | None
    start_href: str | None
    more_href: str | None
    later_at: datetime | None
    later_href: str | None


class HubView(msgspec.Struct, frozen=True, kw_only=True):
    """The front page of one business. `notice` says why nothing can be booked, where that is so.
    `packages_href` is empty where no package is on sale, `vouchers_href` where no voucher is.
    """

    name: str
    about: str
    contact_email: str
    contact_phone: str
    zone: ZoneInfo
    currency: str
    path: str
    url: str
    notice: str | None
    services: list[ServiceCard]
    series: list[SeriesCard]
    month: MonthView | None
    filters: Filters | None
    search: Search | None
    packages_href: str = ""
    vouchers_href: str = ""
    card: ShareCard | None = None


class SpelledDate(msgspec.Struct, frozen=True, kw_only=True):
    """A date of a series as a buyer has to know it: passed, cancelled, full, or `included`;
    `not_now` while its cancellation can still be undone, which is nobody else's business.

    `title` is the session's own, empty where it has none. A full one that the series is sold
    without `may_be_waited_for` by its buyer. `minimum` says on how many people it hangs, empty
    where it takes place anyhow.
    """

    title: str
    starts_at: datetime
    ends_at: datetime
    place: str | None
    is_online: bool
    state: str
    may_be_waited_for: bool = False
    minimum: str = ""


class NamedPrice(NamedTuple):
    """A price of one person, and the last day on which it holds."""

    name: str
    price_minor: int
    until_on: date | None


class SeriesOffer(msgspec.Struct, frozen=True, kw_only=True):
    """One series, every date spelled out; `prices` are those beside the full one, and `gaps` counts
    full dates that are left out. `reason` says why it cannot be bought, `leaving` what comes back
    until when.
    """

    series_id: UUID
    title: str
    description: str
    dates: list[SpelledDate]
    included: int
    base: int
    price_minor: int
    full_price_minor: int
    prices: list[NamedPrice]
    seats: SeatsTold
    reason: str | None
    book_href: str | None
    waitlist_href: str | None
    is_late: bool
    gaps: int
    pays_on_site: bool
    leaving: list[str]


class SalesTab(msgspec.Struct, frozen=True, kw_only=True):
    """One side of the switch between series and single dates."""

    label: str
    href: str
    is_shown: bool


class OwnHold(msgspec.Struct, frozen=True, kw_only=True):
    """So many places that the visitor's own browser holds, and until when it can pay for them.

    `what` are the ids of the sessions they are in and of the series that were booked.
    """

    places: int
    what: frozenset[UUID]
    until_at: datetime
    href: str


class PackageOffer(NamedTuple):
    """A package whose credits are good for a service."""

    name: str
    href: str
    credits: int
    price_minor: int
    each_minor: int


class ServicePageView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one service. `structured` is its schema.org description as JSON, `prices`
    are those of a single date beside the full one, `leaving` its terms in sentences. `held` is what
    this browser holds of it; `price_alone` does not say that all is sold out. `packages` are some
    whose credits are good for it. `next_at` is its next date; `card` is what its link shows where
    it is sent, None of what is not for everybody.
    """

    name: str
    description: str
    summary: str
    minutes: int
    is_online: bool
    price: str
    price_alone: str
    zone: ZoneInfo
    currency: str
    hub_href: str
    path: str
    url: str
    contact_email: str
    contact_phone: str
    notice: str | None
    is_listed: bool
    tabs: list[SalesTab]
    series: list[SeriesOffer]
    month: MonthView | None
    prices: list[NamedPrice]
    leaving: list[str]
    structured: Markup
    next_at: datetime | None = None
    card: ShareCard | None = None
    held: list[OwnHold] = []
    packages: list[PackageOffer] = []
    packages_href: str = ""
