"""What the calendar of the dashboard shows."""

from datetime import date
from uuid import UUID

import msgspec

from src.booking.views.sessions import SessionListRow


class CalendarFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions; None is all of them."""

    service_id: UUID | None = None
    performer_id: UUID | None = None
    location_id: UUID | None = None


class CalendarEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A session for the library; times are those of the business's clock, without a zone. `count`
    is taken/seats, or whose appointment it is; empty where nobody is awaited any more. `short` is
    what tells it apart from others of its service at the same time.
    """

    id: UUID
    title: str
    short: str
    start: str
    end: str
    url: str
    state: str
    note: str
    count: str
    editable: bool


class CalendarWindow(msgspec.Struct, frozen=True, kw_only=True):
    """The entries of a window; `has_more` where there are too many to show."""

    entries: list[CalendarEntry]
    has_more: bool


class CalendarDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day of the week that is listed without scripts."""

    on: date
    rows: list[SessionListRow]
