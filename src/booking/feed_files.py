"""What a calendar program gets from a feed: one file of all dates, again and again.

Dates that were cancelled stay in it for as long as they would be shown, as STATUS:CANCELLED, since
some programs keep what merely disappears. DTSTAMP is when the content last changed, so that the
same content is the same file.
Source: RFC 5545; RFC 7986 for NAME, REFRESH-INTERVAL and SOURCE.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from zoneinfo import ZoneInfo

import msgspec
from icalendar import Event, vText, vUri
from icalendar.prop import vDuration

from src.booking.calendar_files import Organiser, address_of, new_calendar, zone_rules

EDITION = 1
"""Raised when the same facts make another file, so that no program keeps the old one."""
REFRESHED_EVERY = timedelta(hours=1)


class FeedDate(msgspec.Struct, frozen=True, kw_only=True):
    """One date of a feed."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    title: str
    sequence: int
    is_cancelled: bool = False
    where: str = ""
    url: str = ""
    text: str = ""


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """All that a feed's file says, but for when it last changed."""

    name: str
    organiser: Organiser
    zone: str
    host: str
    dates: list[FeedDate]

    def digest(self) -> str:
        """The same for the same content, without writing it down as a file."""
        return sha256(msgspec.json.encode((EDITION, self))).hexdigest()


def feed_calendar(feed: Feed, changed_at: datetime) -> bytes:
    """The file. A date takes about a millisecond once, and next to nothing while it stays so."""
    zone = ZoneInfo(feed.zone)
    calendar = new_calendar("PUBLISH")
    for name in ("name", "x-wr-calname"):
        calendar.add(name, vText(feed.name))
    calendar.add("x-wr-timezone", feed.zone)
    refreshed = vDuration(REFRESHED_EVERY)
    refreshed.params["VALUE"] = "DURATION"
    calendar.add("refresh-interval", refreshed)
    calendar.add("x-published-ttl", vDuration(REFRESHED_EVERY))
    head, end, _rest = bytes(calendar.to_ical()).partition(b"END:VCALENDAR")
    stamp = f"{changed_at.astimezone(UTC):%Y%m%dT%H%M%SZ}".encode()
    lines = [
        b"BEGIN:VEVENT\r\nDTSTAMP:"
        + stamp
        + b"\r\n"
        + _event(dated, feed.organiser, zone, feed.host)
        for dated in feed.dates
    ]
    return b"".join([head, zone_rules(feed.dates, zone), *lines, end, b"\r\n"])


@lru_cache(maxsize=10_000)
def _event(dated: FeedDate, organiser: Organiser, zone: ZoneInfo, host: str) -> bytes:
    """The lines of a date that come after its DTSTAMP, which changes when any other date does."""
    event = Event()
    event.add("uid", dated.uid)
    event.add("dtstart", dated.starts_at.astimezone(zone))
    event.add("dtend", dated.ends_at.astimezone(zone))
    event.add("sequence", dated.sequence)
    event.add("status", "CANCELLED" if dated.is_cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if dated.is_cancelled else "OPAQUE")
    event.add("summary", dated.title)
    for name, value in (("location", dated.where), ("description", dated.text)):
        if value:
            event.add(name, value)
    if dated.url:
        event.add("url", vUri(dated.url))
    event.add("organizer", address_of(organiser, host))
    return bytes(event.to_ical()).removeprefix(b"BEGIN:VEVENT\r\n")
