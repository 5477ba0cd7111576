from datetime import UTC, datetime, timedelta

from src.billing.domain.holds import (
    HOLD_MARGIN,
    LINK_LIFETIME,
    hold_expires_at,
    is_shortened_by_paying,
    page_expires_at,
    payable_until,
)

CALLED = datetime(2027, 3, 1, 9, 0, 0, 999_999, tzinfo=UTC)


def test_a_page_outlives_the_processors_minimum_even_after_a_slow_call() -> None:
    assert page_expires_at(CALLED) - CALLED > timedelta(minutes=30, seconds=59)
    assert page_expires_at(CALLED).microsecond == 0


def test_a_hold_outlives_its_page() -> None:
    assert hold_expires_at(CALLED) == page_expires_at(CALLED) + HOLD_MARGIN


def test_only_a_hold_without_a_page_is_shortened_by_paying() -> None:
    later = CALLED + timedelta(minutes=10)
    by_link = payable_until(hold_expires_at(CALLED, LINK_LIFETIME))
    assert is_shortened_by_paying(by_link, later)
    with_page = payable_until(page_expires_at(CALLED) + HOLD_MARGIN)
    assert not is_shortened_by_paying(with_page, CALLED)
    assert not is_shortened_by_paying(with_page, later)
    assert not is_shortened_by_paying(None, CALLED)
