"""When somebody can be booked, as the business reads it."""

from datetime import date, datetime
from uuid import UUID

import msgspec


class BookedTime(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment or a session ahead; `guests` are the names of who has booked it."""

    session_id: UUID
    starts_at: datetime
    service_name: str
    performer: str
    guests: str
    is_appointment: bool


class OtherDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day with other hours than in the week, "09:00-12:00" each; none: a day off."""

    on_date: date
    hours: list[str]
    note: str


class ClosedDayRow(msgspec.Struct, frozen=True, kw_only=True):
    on_date: date
    name: str
