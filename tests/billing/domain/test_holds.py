from datetime import UTC, datetime, timedelta

from src.billing.domain.holds import HOLD_MARGIN, hold_expires_at, page_expires_at

CALLED = datetime(2027, 3, 1, 9, 0, 0, 999_999, tzinfo=UTC)


def test_a_page_outlives_the_processors_minimum_even_after_a_slow_call() -> None:
    assert page_expires_at(CALLED) - CALLED > timedelta(minutes=30, seconds=59)
    assert page_expires_at(CALLED).microsecond == 0


def test_a_hold_outlives_its_page() -> None:
    assert hold_expires_at(CALLED) == page_expires_at(CALLED) + HOLD_MARGIN
