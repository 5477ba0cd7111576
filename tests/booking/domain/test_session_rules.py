from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from src.booking.domain.kinds import SessionMode
from src.booking.domain.session_rules import (
    SessionDraft,
    ZoneChange,
    is_safe_meeting_url,
    preview_zone_change,
    session_errors,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GOOD = SessionDraft(
    title="Lesson 1",
    starts_at=NOW + timedelta(hours=10),
    ends_at=NOW + timedelta(hours=13),
    capacity=12,
    mode=SessionMode.ONLINE,
    meeting_url="https://meet.example/room?pwd=1",
)
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
SESSION_ID = UUID(int=1)


def test_a_session_over_midnight_is_fine() -> None:
    assert session_errors(GOOD, NOW) == {}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ends_at": GOOD.starts_at}, "ends_at"),
        ({"ends_at": GOOD.starts_at - timedelta(hours=1)}, "ends_at"),
        ({"ends_at": GOOD.starts_at + timedelta(days=7, seconds=1)}, "ends_at"),
        ({"starts_at": NOW - timedelta(seconds=1)}, "starts_at"),
        ({"capacity": 0}, "capacity"),
        ({"capacity": 4, "taken": 5}, "capacity"),
        ({"capacity": 100_001}, "capacity"),
        ({"title": "x" * 121}, "title"),
        ({"meeting_url": "http://meet.example/room"}, "meeting_url"),
        ({"mode": SessionMode.IN_PERSON}, "meeting_url"),
    ],
)
def test_errors_stand_at_their_field(change: dict[str, object], field: str) -> None:
    draft = replace(GOOD, **change)  # type: ignore[arg-type]  # The table mixes field types.
    assert list(session_errors(draft, NOW)) == [field]


@pytest.mark.parametrize(
    "change",
    [
        {"ends_at": GOOD.starts_at + timedelta(days=7)},
        {"starts_at": NOW},
        {"capacity": 5, "taken": 5},
        {"mode": SessionMode.IN_PERSON, "meeting_url": ""},
    ],
)
def test_the_limits_themselves_are_allowed(change: dict[str, object]) -> None:
    draft = replace(GOOD, **change)  # type: ignore[arg-type]  # The table mixes field types.
    assert session_errors(draft, NOW) == {}


def test_a_past_session_may_be_corrected_but_not_moved() -> None:
    past = replace(GOOD, starts_at=NOW - timedelta(days=1), current_starts_at=NOW - timedelta(1))
    assert session_errors(past, NOW) == {}
    moved = replace(past, starts_at=NOW - timedelta(hours=2))
    assert "starts_at" in session_errors(moved, NOW)


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https:///room",
        "https://user:secret@meet.example/",
        "https://meet.example/a b",
        "https://meet.example:99999/",
        "https://meet.example\\@evil.example/",
        "https://meet.example/\u0000",
        "https://meet.example/" + "x" * 2000,
        "javascript:alert(1)",
        "//meet.example/room",
        "https://[::1/",
    ],
)
def test_doubtful_meeting_links_are_refused(url: str) -> None:
    assert not is_safe_meeting_url(url)


def test_a_new_zone_can_keep_the_moments() -> None:
    start = datetime(2026, 12, 1, 17, tzinfo=UTC)
    sessions = [(SESSION_ID, start, start + timedelta(hours=1))]
    (shift,) = preview_zone_change(sessions, BERLIN, NEW_YORK, ZoneChange.KEEP_INSTANTS)
    assert shift.starts_at == start
    assert shift.local_before == datetime.fromisoformat("2026-12-01T18:00")
    assert shift.local_after == datetime.fromisoformat("2026-12-01T12:00")
    assert shift.moved_by == timedelta()
    assert not shift.adjusted


def test_a_new_zone_can_keep_the_wall_clock() -> None:
    start = datetime(2026, 12, 1, 17, tzinfo=UTC)
    sessions = [(SESSION_ID, start, start + timedelta(hours=1))]
    (shift,) = preview_zone_change(sessions, BERLIN, NEW_YORK, ZoneChange.KEEP_WALL_CLOCK)
    assert shift.local_before == shift.local_after == datetime.fromisoformat("2026-12-01T18:00")
    assert shift.moved_by == timedelta(hours=6)
    assert shift.ends_at - shift.starts_at == timedelta(hours=1)


def test_a_wall_clock_time_that_the_new_zone_lacks_is_pointed_out() -> None:
    start = datetime(2027, 3, 14, 1, 30, tzinfo=UTC)  # 02:30 in Berlin, jumped over in New York
    sessions = [(SESSION_ID, start, start + timedelta(hours=1))]
    (shift,) = preview_zone_change(sessions, BERLIN, NEW_YORK, ZoneChange.KEEP_WALL_CLOCK)
    assert shift.adjusted
    assert shift.local_after == datetime.fromisoformat("2027-03-14T03:30")
