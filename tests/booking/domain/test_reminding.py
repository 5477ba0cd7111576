"""When a reminder is due, on any clock."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from src.booking.domain.leaving import BeforeUnit
from src.booking.domain.reminding import (
    LOOK_AT_LEAST_EVERY,
    Reminder,
    Upcoming,
    changed_reminders,
    due_reminders,
    furthest_ahead,
    next_look,
    reminder_errors,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
YOGA = UUID(int=1)
HOURS, DAYS = BeforeUnit.HOURS, BeforeUnit.DAYS
# The clocks go forward in the night before, so that day has 23 hours.
SUNDAY_EVENING = datetime(2027, 3, 28, 16, 0, tzinfo=UTC)


def a_reminder(ahead: int, unit: BeforeUnit = HOURS, since: datetime = LONG_AGO) -> Reminder:
    return Reminder(ahead=ahead, unit=unit, since=since)


def a_date(*reminders: Reminder, moved_at: datetime | None = None) -> list[Upcoming]:
    return [
        Upcoming(session_id=YOGA, starts_at=SUNDAY_EVENING, reminders=reminders, moved_at=moved_at)
    ]


def test_a_day_is_the_same_time_on_the_clock_and_24_hours_are_hours() -> None:
    dates = a_date(a_reminder(1, DAYS), a_reminder(24))
    due = due_reminders(dates, SUNDAY_EVENING - timedelta(hours=1), AMSTERDAM)
    assert [SUNDAY_EVENING - one.at for one in due] == [timedelta(hours=23), timedelta(hours=24)]


def test_it_is_due_from_its_moment_until_the_start() -> None:
    dates = a_date(a_reminder(2))
    at = SUNDAY_EVENING - timedelta(hours=2)
    second = timedelta(seconds=1)
    moments = [at - second, at, SUNDAY_EVENING - second, SUNDAY_EVENING]
    found = [len(due_reminders(dates, now, AMSTERDAM)) for now in moments]
    assert found == [0, 1, 1, 0]


def test_what_was_over_when_it_was_switched_on_stays_over() -> None:
    at = SUNDAY_EVENING - timedelta(hours=2)
    now = at + timedelta(minutes=30)
    since = [at, at + timedelta(seconds=1)]
    found = [due_reminders(a_date(a_reminder(2, since=one)), now, AMSTERDAM) for one in since]
    assert [len(one) for one in found] == [1, 0]


def test_who_was_told_of_a_move_after_the_moment_is_not_reminded_of_it() -> None:
    at = SUNDAY_EVENING - timedelta(hours=2)
    now = at + timedelta(minutes=30)
    dates = a_date(a_reminder(2), moved_at=at + timedelta(minutes=5))
    assert due_reminders(dates, now, AMSTERDAM) == []


def test_the_next_look_is_the_next_moment_or_soon() -> None:
    dates = a_date(a_reminder(2))
    at = SUNDAY_EVENING - timedelta(hours=2)
    long_before, just_before = at - timedelta(days=1), at - timedelta(minutes=1)
    assert next_look(dates, just_before, AMSTERDAM) == at
    assert next_look(dates, long_before, AMSTERDAM) == long_before + LOOK_AT_LEAST_EVERY


def test_no_reminder_reaches_further_than_what_is_looked_at() -> None:
    reminders = [a_reminder(3, DAYS), a_reminder(24)]
    assert furthest_ahead(reminders) >= timedelta(days=3, hours=1)


def test_those_that_were_there_keep_their_beginning() -> None:
    now = datetime(2027, 3, 1, tzinfo=UTC)
    changed = changed_reminders([a_reminder(24)], [(2, HOURS), (24, HOURS)], now)
    assert [(one.ahead, one.since) for one in changed] == [(24, LONG_AGO), (2, now)]


def test_none_twice_none_without_a_length_and_not_too_many() -> None:
    assert reminder_errors([(24, HOURS), (1, DAYS)]) == {}
    assert list(reminder_errors([(24, HOURS), (24, HOURS)])) == [1]
    assert list(reminder_errors([(0, HOURS), (61, DAYS), (60, DAYS)])) == [0, 1]
    assert reminder_errors([(hours, HOURS) for hours in range(1, 6)])
