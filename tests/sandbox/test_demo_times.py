from datetime import UTC, datetime, time, timedelta

import pytest

from src.sandbox.demo_times import EarlierClock, just_over, soon


def at(hour: int, minute: int, day: int = 10) -> datetime:
    return datetime(2026, 3, day, hour, minute)  # noqa: DTZ001 - a clock on a wall


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (at(0, 10), at(7, 0)),
        (at(9, 41), at(11, 30)),
        (at(18, 0), at(20, 0)),
        (at(20, 59), at(21, 30)),
        (at(21, 30), at(7, 0, day=11)),
        (at(23, 59), at(7, 0, day=11)),
    ],
)
def test_the_next_class_is_today_while_the_day_has_an_hour_for_it(
    now: datetime, expected: datetime
) -> None:
    assert soon(now) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (at(0, 10), at(21, 30, day=9)),
        (at(8, 14), at(21, 30, day=9)),
        (at(8, 15), at(7, 0)),
        (at(12, 0), at(10, 30)),
        (at(23, 59), at(21, 30)),
    ],
)
def test_the_last_class_has_just_ended(now: datetime, expected: datetime) -> None:
    assert just_over(now, 60) == expected


def test_whenever_it_is_loaded_one_class_is_over_and_one_is_to_come() -> None:
    for minutes in range(0, 24 * 60, 7):
        now = at(0, 0) + timedelta(minutes=minutes)
        before, ahead = just_over(now, 60), soon(now)
        assert before + timedelta(hours=1) <= now < ahead
        assert all(time(7) <= start.time() <= time(21, 30) for start in (before, ahead))


def test_what_happened_then_is_dated_then() -> None:
    behind = datetime.now(UTC) - EarlierClock(20).now()
    assert timedelta(days=19, hours=23) < behind < timedelta(days=20, minutes=1)
