"""Seven o'clock, whatever the clocks do."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from src.booking.domain.digests import DigestKind, day_begins_at, day_ends_at, next_digest_at

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def test_a_daily_one_is_due_at_seven_on_the_clock() -> None:
    before_change = datetime(2027, 3, 27, 6, 0, tzinfo=UTC)
    found = next_digest_at(DigestKind.DAILY, before_change, AMSTERDAM)
    assert found == datetime(2027, 3, 28, 5, 0, tzinfo=UTC)
    assert next_digest_at(DigestKind.DAILY, found, AMSTERDAM).day == 29


def test_a_weekly_one_is_due_on_monday() -> None:
    monday_at_eight = datetime(2027, 3, 1, 7, 0, tzinfo=UTC)
    found = next_digest_at(DigestKind.WEEKLY, monday_at_eight, AMSTERDAM)
    assert found == datetime(2027, 3, 8, 6, 0, tzinfo=UTC)


def test_a_day_is_that_of_the_zone() -> None:
    now = datetime(2027, 3, 28, 10, 0, tzinfo=UTC)
    begins, ends = day_begins_at(now, AMSTERDAM), day_ends_at(now, AMSTERDAM)
    assert begins == datetime(2027, 3, 27, 23, 0, tzinfo=UTC)
    assert ends == datetime(2027, 3, 28, 22, 0, tzinfo=UTC)
