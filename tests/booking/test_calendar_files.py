"""The files that guests' calendar programs get, read line by line without the library's help."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from src.booking.calendar_files import (
    CalendarSeat,
    Organiser,
    booking_calendar,
    cancellation_calendar,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)
LOTUS = Organiser(name="Lotus, Yoga & Co.", email="hello@lotus.example")
WEEK = timedelta(days=7)


def a_seat(number: int = 1, **changes: object) -> CalendarSeat:
    values: dict[str, object] = {
        "seat_id": UUID(int=number),
        "starts_at": datetime(2026, 10, 13, 16, 0, tzinfo=UTC) + number * WEEK,
        "ends_at": datetime(2026, 10, 13, 17, 30, tzinfo=UTC) + number * WEEK,
        "title": f"Lesson {number}",
        **changes,
    }
    return CalendarSeat(**values)  # type: ignore[arg-type]  # Any field may be changed.


def published(*seats: CalendarSeat, organiser: Organiser = LOTUS) -> bytes:
    return booking_calendar(seats, organiser=organiser, zone=BERLIN, host="seats.example", now=NOW)


def unfolded(content: bytes) -> list[str]:
    return re.sub(rb"\r\n[ \t]", b"", content).decode().split("\r\n")


def events_of(content: bytes) -> list[dict[str, str]]:
    """Each event's raw values by name with its parameters; alarms and zones are passed over."""
    found: list[dict[str, str]] = []
    inside = False
    for line in unfolded(content):
        if line == "BEGIN:VEVENT":
            inside = True
            found.append({})
        elif line == "END:VEVENT":
            inside = False
        elif inside:
            name = re.split("[:;]", line, maxsplit=1)[0]
            assert name not in found[-1], f"{name} stands twice"
            found[-1][name] = line[len(name) :]
    return found


def plain(value: str) -> str:
    """The text of a value without parameters, its escapes undone as RFC 5545 says."""
    signs = {"n": "\n", "N": "\n"}
    return re.sub(r"\\(.)", lambda match: signs.get(match[1], match[1]), value[1:])


def test_one_file_holds_every_date_of_a_booking() -> None:
    content = published(*[a_seat(number) for number in (1, 2, 3)])
    lines = unfolded(content)
    assert lines.count("METHOD:PUBLISH") == 1
    assert lines.count("BEGIN:VCALENDAR") == lines.count("BEGIN:VTIMEZONE") == 1
    events = events_of(content)
    assert [event["UID"] for event in events] == [
        f":seat-{UUID(int=number)}@seats.example" for number in (1, 2, 3)
    ]
    assert {event["DTSTAMP"] for event in events} == {":20261001T080000Z"}
    assert {event["STATUS"] for event in events} == {":CONFIRMED"}


def test_the_wall_clock_is_kept_over_the_end_of_summer_time() -> None:
    seats = [a_seat(1), a_seat(2, starts_at=NOW + 10 * WEEK, ends_at=NOW + 10 * WEEK + WEEK / 7)]
    first, second = events_of(published(*seats))
    assert first["DTSTART"] == ";TZID=Europe/Berlin:20261020T180000"
    assert second["DTSTART"] == ";TZID=Europe/Berlin:20261210T090000"


def test_an_expander_that_is_not_ours_finds_the_same_moments() -> None:
    seats = [a_seat(number) for number in range(1, 5)]
    calendar = Calendar.from_ical(published(*seats))
    found = recurring_ical_events.of(calendar).between(NOW, NOW + 20 * WEEK)
    assert sorted(event["DTSTART"].dt for event in found) == [seat.starts_at for seat in seats]
    assert sorted(event["DTEND"].dt for event in found) == [seat.ends_at for seat in seats]


def test_the_zones_rules_cover_the_dates() -> None:
    """A program that knows no zone names must reach the right moment by the rules alone."""
    zone_lines = unfolded(published(a_seat(1)))
    assert "TZID:Europe/Berlin" in zone_lines
    offsets = {line for line in zone_lines if line.startswith("TZOFFSETTO:")}
    assert offsets == {"TZOFFSETTO:+0100", "TZOFFSETTO:+0200"}


def test_a_cancellation_takes_out_the_same_events_by_a_higher_sequence() -> None:
    before = events_of(published(a_seat(1, sequence=2)))
    content = cancellation_calendar(
        [a_seat(1, sequence=3)], organiser=LOTUS, zone=BERLIN, host="seats.example", now=NOW
    )
    [after] = events_of(content)
    assert "METHOD:CANCEL" in unfolded(content)
    assert after["UID"] == before[0]["UID"]
    assert (before[0]["SEQUENCE"], after["SEQUENCE"]) == (":2", ":3")
    assert after["STATUS"] == ":CANCELLED"


def test_the_organiser_is_the_business_and_nobody_else_is_named() -> None:
    content = published(a_seat(1))
    [event] = events_of(content)
    assert event["ORGANIZER"] == ';CN="Lotus, Yoga & Co.":mailto:hello@lotus.example'
    assert not {"ATTENDEE", "CONTACT"} & event.keys()


def test_a_meeting_link_stands_only_where_it_is_given() -> None:
    without, with_link = events_of(
        published(a_seat(1), a_seat(2, url="https://meet.example/a?b=1"))
    )
    assert "URL" not in without
    assert with_link["URL"].endswith(":https://meet.example/a?b=1")


@pytest.mark.parametrize(
    "text",
    [
        "Kurs; für Größe, Mut \\ Mitte",
        "two\nlines",
        "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:evil",
        "ü" * 200,
        "🧘" * 60,
        'say "yes": now',
    ],
)
def test_any_text_stays_text(text: str) -> None:
    content = published(a_seat(1, title=text, where=text, text=text))
    [event] = events_of(content)
    for name in ("SUMMARY", "LOCATION", "DESCRIPTION"):
        assert plain(event[name]) == text.replace("\r\n", "\n")
    assert event["UID"] == f":seat-{UUID(int=1)}@seats.example"


@pytest.mark.parametrize("name", ['The "Best" Gym', "A\r\nATTENDEE:mailto:x@y.example", "Ä;B:C,D"])
def test_a_business_cannot_write_lines_by_its_name(name: str) -> None:
    [event] = events_of(published(a_seat(1), organiser=Organiser(name=name)))
    assert "ATTENDEE" not in event
    assert event["ORGANIZER"].endswith(":mailto:no-reply@seats.example")


@pytest.mark.slow
@settings(max_examples=60)
@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=300))
def test_no_line_is_longer_than_calendars_read(text: str) -> None:
    content = published(a_seat(1, title=text, text=text))
    assert content.endswith(b"\r\n")
    for line in content.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
    [event] = events_of(content)
    assert plain(event.get("DESCRIPTION", ":")) == text
