"""Where a date goes that is moved along with others: by the clock on the wall."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from src.booking.domain.shifting import Shift

ZONE = ZoneInfo("Europe/Amsterdam")


def moved(shift: Shift, *local: int) -> str:
    to = shift.of(datetime(*local, tzinfo=ZONE).astimezone(UTC), ZONE)  # type: ignore[misc]  # numbers alone
    assert to.tzinfo == UTC
    return f"{to.astimezone(ZONE):%a %Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("shift", "then"),
    [
        (Shift(), "Wed 2027-01-13 18:30"),
        (Shift(weekday=0), "Mon 2027-01-11 18:30"),
        (Shift(weekday=6), "Sun 2027-01-17 18:30"),
        (Shift(weekday=2), "Wed 2027-01-13 18:30"),
        (Shift(days=7), "Wed 2027-01-20 18:30"),
        (Shift(days=-13), "Thu 2026-12-31 18:30"),
        (Shift(weekday=4, start_time=time(9, 15)), "Fri 2027-01-15 09:15"),
        (Shift(start_time=time(0, 0)), "Wed 2027-01-13 00:00"),
    ],
)
def test_a_date_moves_within_its_week_or_by_days(shift: Shift, then: str) -> None:
    assert moved(shift, 2027, 1, 13, 18, 30) == then


@pytest.mark.parametrize(
    ("days", "then"),
    [(7, "Wed 2027-03-31 18:30"), (-150, "Sun 2026-10-25 18:30")],
)
def test_the_clock_shows_the_same_after_it_was_changed(days: int, then: str) -> None:
    assert moved(Shift(days=days), 2027, 3, 24, 18, 30) == then


def test_a_time_that_the_clocks_skip_comes_later_and_of_one_shown_twice_the_first_is_meant() -> (
    None
):
    assert moved(Shift(days=1), 2027, 3, 27, 2, 30) == "Sun 2027-03-28 03:30"
    first = Shift(days=1).of(datetime(2026, 10, 24, 0, 30, tzinfo=UTC), ZONE)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_what_is_not_moved_keeps_its_very_moment_in_the_hour_that_comes_twice() -> None:
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert Shift(weekday=6).of(second, ZONE) == second
