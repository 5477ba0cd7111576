"""A timetable file of either kind."""

from datetime import datetime
from zoneinfo import ZoneInfo

from src.booking.domain.timetable import Timetable
from src.booking.domain.timetable_columns import ColumnChoice
from src.booking.domain.timetable_csv import parse_csv
from src.booking.domain.timetable_ics import parse_ics


def is_calendar(content: bytes) -> bool:
    """Its content, not its name, tells a calendar from a table."""
    return b"BEGIN:VCALENDAR" in content[:2000].replace(b"\x00", b"").upper()


def parse_timetable(
    content: bytes, *, zone: ZoneInfo, now: datetime, chosen: ColumnChoice | None = None
) -> Timetable:
    """What the file proposes; `chosen` are a table's columns where its owner pointed them out.

    Raises: InvalidInput, ColumnsUnknown, UnreadableTextError.
    """
    if is_calendar(content):
        return parse_ics(content, zone=zone, now=now)
    return parse_csv(content, zone=zone, now=now, chosen=chosen)
