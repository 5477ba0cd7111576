"""A small timetable as another program would export it, always in the weeks to come."""

from datetime import date, timedelta

EXPORTED = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Village Hall//Rooms//EN
CALSCALE:GREGORIAN
BEGIN:VEVENT
UID:candle@hall.example
DTSTAMP:20260101T120000Z
DTSTART;TZID=Europe/Amsterdam:{first:%Y%m%d}T200000
DTEND;TZID=Europe/Amsterdam:{first:%Y%m%d}T210000
RRULE:FREQ=WEEKLY;COUNT=2
SUMMARY:Candlelight
END:VEVENT
BEGIN:VEVENT
UID:once@hall.example
DTSTAMP:20260101T120000Z
DTSTART;TZID=Europe/Amsterdam:{once:%Y%m%d}T090000
DURATION:PT1H30M
SUMMARY:Open morning
END:VEVENT
BEGIN:VEVENT
UID:broken@hall.example
DTSTAMP:20260101T120000Z
DTSTART;TZID=Europe/Amsterdam:{once:%Y%m%d}T150000
DTEND;TZID=Europe/Amsterdam:{once:%Y%m%d}T140000
SUMMARY:Ends before it starts
END:VEVENT
END:VCALENDAR
"""


def a_timetable(first: date) -> bytes:
    """A weekly date twice, a single one the day after, and one that cannot be."""
    text = EXPORTED.format(first=first, once=first + timedelta(days=1))
    return text.replace("\n", "\r\n").encode()
