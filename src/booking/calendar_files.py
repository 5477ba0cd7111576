"""Calendar files for guests: one file with every date of a booking, and its cancelling twin.

Each seat is an event of its own under one stable UID, whose SEQUENCE rises with every change, so
that calendar programs update and remove what they have instead of adding doubles. No entry holds
anybody's data but the reader's own.
Source: RFC 5545; RFC 5546 for METHOD.
"""

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from icalendar import Calendar, Event, Timezone, vCalAddress, vText, vUri

PRODUCT = "-//Seatline//Bookings//EN"


class Dated(Protocol):
    """Something with a beginning and an end."""

    @property
    def starts_at(self) -> datetime: ...

    @property
    def ends_at(self) -> datetime: ...


class CalendarSeat(msgspec.Struct, frozen=True, kw_only=True):
    """One date in a guest's calendar. `sequence` is the sum of the seat's and session's changes."""

    seat_id: UUID
    starts_at: datetime
    ends_at: datetime
    title: str
    sequence: int = 0
    where: str = ""
    url: str = ""
    text: str = ""


class Organiser(msgspec.Struct, frozen=True, kw_only=True):
    """The business, as calendars show it; an address is optional."""

    name: str
    email: str = ""


def booking_calendar(
    seats: Sequence[CalendarSeat], *, organiser: Organiser, zone: ZoneInfo, host: str, now: datetime
) -> bytes:
    """One file that adds or updates every seat's date; METHOD:PUBLISH."""
    calendar = new_calendar("PUBLISH")
    for seat in seats:
        calendar.add_component(_event(seat, "CONFIRMED", organiser, zone, host, now))
    return _with_zone(calendar, seats, zone)


def cancellation_calendar(
    seats: Sequence[CalendarSeat], *, organiser: Organiser, zone: ZoneInfo, host: str, now: datetime
) -> bytes:
    """One file that takes every seat's date out again; METHOD:CANCEL, the same UIDs."""
    calendar = new_calendar("CANCEL")
    for seat in seats:
        calendar.add_component(_event(seat, "CANCELLED", organiser, zone, host, now))
    return _with_zone(calendar, seats, zone)


def seat_uid(seat_id: UUID, host: str) -> str:
    return f"seat-{seat_id}@{host}"


def new_calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    return calendar


def _with_zone(calendar: Calendar, seats: Sequence[CalendarSeat], zone: ZoneInfo) -> bytes:
    """The file, the zone's rules before the first event."""
    head, begin, events = bytes(calendar.to_ical()).partition(b"BEGIN:VEVENT")
    return head + zone_rules(seats, zone) + begin + events


def zone_rules(dates: Sequence[Dated], zone: ZoneInfo) -> bytes:
    """What the zone's clocks do in the years of the dates, as lines of a file; none for UTC."""
    if not dates or zone.key == "UTC":
        return b""
    first = min(dated.starts_at for dated in dates).astimezone(zone).year
    last = max(dated.ends_at for dated in dates).astimezone(zone).year
    return _timezone(zone, first, last)


@lru_cache(maxsize=500)
def _timezone(zone: ZoneInfo, first_year: int, last_year: int) -> bytes:
    """The zone's rules for whole years, as lines of a file. Working them out costs more than all
    else in it, and writing them down as much as an event.
    """
    rules = Timezone.from_tzinfo(
        zone, first_date=date(first_year, 1, 1), last_date=date(last_year + 1, 1, 1)
    )
    return bytes(rules.to_ical())


def _event(
    seat: CalendarSeat,
    status: str,
    organiser: Organiser,
    zone: ZoneInfo,
    host: str,
    now: datetime,
) -> Event:
    event = Event()
    event.add("uid", seat_uid(seat.seat_id, host))
    event.add("dtstamp", now)
    event.add("dtstart", seat.starts_at.astimezone(zone))
    event.add("dtend", seat.ends_at.astimezone(zone))
    event.add("sequence", seat.sequence)
    event.add("status", status)
    event.add("transp", "OPAQUE" if status == "CONFIRMED" else "TRANSPARENT")
    event.add("summary", seat.title)
    for name, value in (("location", seat.where), ("description", seat.text)):
        if value:
            event.add(name, value)
    if seat.url:
        event.add("url", vUri(seat.url))
    event.add("organizer", address_of(organiser, host))
    return event


def address_of(organiser: Organiser, host: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{organiser.email or f'no-reply@{host}'}")
    address.params["cn"] = vText(organiser.name)
    return address
