"""What the pages about sessions show."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from src.booking.views.cancellations import Toll, Waiters


class SessionListRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session in a list of its business.

    `taken` are people's places, `on_offer` those that people who wait have been offered. `guest` is
    whose appointment it is, where it is one.
    """

    id: UUID
    service_id: UUID
    service_name: str
    title: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    on_offer: int
    state: str
    mode: str
    performer: str | None
    place: str | None
    series_id: UUID | None
    series_title: str | None
    is_appointment: bool
    guest: str


class MonthOfSessions(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions of a page that begin in one month; `starts_at` is the first one's start."""

    starts_at: datetime
    rows: list[SessionListRow]


class SessionPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list of sessions, by month in the list's order."""

    months: list[MonthOfSessions]
    upcoming: int
    past: int
    number: int
    has_more: bool


class Minimum(msgspec.Struct, frozen=True, kw_only=True):
    """How many people a session needs, None for any number, and until when it is decided.

    `is_answered`: somebody let it take place, however few come. `is_open`: nobody has, and its time
    to be decided is still to come. `is_missed`: it has too few so far, and somebody is to say
    whether it takes place. Of its people only those who are `standing` make the number; `unpaid`
    places are held until they are paid.
    """

    min_seats: int | None
    decide_hours: int | None
    decide_at: datetime | None
    is_answered: bool
    is_open: bool
    is_missed: bool
    standing: int
    unpaid: int


class SessionDetail(SessionListRow, frozen=True, kw_only=True):
    """A session with all that its own page says."""

    meeting_url: str
    address: str
    performer_id: UUID | None
    location_id: UUID | None
    waiting_cancellation: UUID | None
    minimum: Minimum


class RepeatRow(msgspec.Struct, frozen=True, kw_only=True):
    """A date of a repeat before it is published; `note` says what is special about it."""

    day: date
    starts_at: datetime
    ends_at: datetime
    title: str
    note: str
    tone: str | None
    exists: bool
    may_tick: bool
    ticked: bool


class SeriesPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Which of its series' dates a session is, and would be; the first is 1.

    `joinable_until` is set where the series closes at another moment than before.
    """

    title: str
    dates: int
    place: int
    place_then: int
    joinable_until: datetime | None


class MoveEffect(msgspec.Struct, frozen=True, kw_only=True):
    """What moving a session would do; `starts_at` and `ends_at` are those it has now.

    `places` are where it is now and where it would be, None where that stays; `capacity` is how
    many seats it has and would have. `waiting` counts who waits for it or its series.
    """

    name: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    places: tuple[str, str] | None
    capacity: tuple[int, int]
    performer: str | None
    bookable_until: datetime
    series: SeriesPlace | None
    toll: Toll
    waiting: Waiters
