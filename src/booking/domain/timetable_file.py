"""A timetable file of either kind."""

from datetime import datetime
from zoneinfo import ZoneInfo

from src.booking.domain.timetable import Timetable
from src.booking.domain.timetable_csv import parse_csv
from src.booking.domain.timetable_ics import parse_ics


def parse_timetable(content: bytes, *, zone: ZoneInfo, now: datetime) -> Timetable:
    """What the file proposes; its content, not its name, tells which kind it is.

    Raises: InvalidInput, UnreadableTextError.
    """
    beginning = content[:2000].replace(b"\x00", b"").upper()
    parse = parse_ics if b"BEGIN:VCALENDAR" in beginning else parse_csv
    return parse(content, zone=zone, now=now)
