"""Reads a calendar file into the dates a person looks for in it."""

from datetime import date, datetime
from typing import Any

import icalendar
import msgspec

from src.platform.i18n import _


class CalendarDate(msgspec.Struct, frozen=True):
    """One event. A whole day has dates without times; `ends` is then the day after the last."""

    summary: str
    starts: datetime | date | None
    ends: datetime | date | None
    zone: str
    location: str
    status: str
    repeats: str
    uid: str
    sequence: int


class CalendarFile(msgspec.Struct, frozen=True):
    """A parsed file; `problem` says why there is nothing in it when it cannot be read."""

    method: str
    dates: tuple[CalendarDate, ...]
    problem: str


def read_calendar(content: bytes) -> CalendarFile:
    """Every event, the earliest first. A file that is not a calendar becomes its problem."""
    try:
        calendars = icalendar.Calendar.from_ical(content, multiple=True)
        dates = [_read_event(e) for calendar in calendars for e in calendar.walk("VEVENT")]
        method = next((str(calendar.get("METHOD", "")) for calendar in calendars), "")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        return CalendarFile(method="", dates=(), problem=str(error) or type(error).__name__)
    problem = "" if dates else _("It holds no event.")
    return CalendarFile(method, tuple(sorted(dates, key=_order)), problem)


def _read_event(event: Any) -> CalendarDate:
    starts = event.decoded("DTSTART", None)
    ends = event.decoded("DTEND", None)
    if ends is None and starts is not None and "DURATION" in event:
        ends = starts + event.decoded("DURATION")
    rule = event.get("RRULE")
    return CalendarDate(
        summary=str(event.get("SUMMARY", "")),
        starts=starts,
        ends=ends,
        zone=_zone(starts),
        location=str(event.get("LOCATION", "")),
        status=str(event.get("STATUS", "")),
        repeats=rule.to_ical().decode() if rule is not None else "",
        uid=str(event.get("UID", "")),
        sequence=int(event.get("SEQUENCE", 0)),
    )


def _zone(at: datetime | date | None) -> str:
    """The zone's own name where it has one, because offsets say nothing about next winter."""
    if not isinstance(at, datetime) or at.tzinfo is None:
        return ""
    return str(getattr(at.tzinfo, "key", None) or at.tzname() or "")


def _order(entry: CalendarDate) -> str:
    return entry.starts.isoformat() if entry.starts else ""
