"""What is to be done about a session's minimum, and when."""

from datetime import UTC, datetime, timedelta

import pytest

from src.booking.domain.minimum import (
    ASK_AHEAD,
    LONGEST_WAIT,
    Step,
    decide_at,
    minimum_errors,
    next_step,
    wait_until,
)

START = datetime(2027, 3, 28, 16, 0, tzinfo=UTC)
AT = decide_at(START, 24)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("now", "taken", "live", "was_asked", "step"),
    [
        (AT - ASK_AHEAD - SECOND, 0, 0, False, Step.WAIT),
        (AT - ASK_AHEAD, 4, 5, False, Step.ASK),
        (AT - ASK_AHEAD, 5, 5, False, Step.WAIT),
        (AT - SECOND, 4, 4, True, Step.WAIT),
        (AT, 5, 5, True, Step.GO),
        (AT, 4, 5, True, Step.LOOK_AGAIN),
        (AT + LONGEST_WAIT - SECOND, 4, 5, True, Step.LOOK_AGAIN),
        (AT + LONGEST_WAIT, 4, 5, True, Step.CALL_OFF),
        (AT, 4, 4, True, Step.CALL_OFF),
        (AT, 4, 4, False, Step.CALL_OFF),
    ],
)
def test_each_moment_has_its_step(
    now: datetime, taken: int, live: int, was_asked: bool, step: Step
) -> None:
    found = next_step(
        at=AT,
        starts_at=START,
        now=now,
        min_seats=5,
        taken=taken,
        live=live,
        was_asked=was_asked,
    )
    assert found is step


def test_who_is_paying_is_waited_for_but_never_into_the_last_half_of_the_time() -> None:
    assert wait_until(AT, START) == AT + LONGEST_WAIT
    assert wait_until(decide_at(START, 1), START) == START - timedelta(minutes=30)


@pytest.mark.parametrize(
    ("least", "hours", "field"),
    [(0, 24, "min_seats"), (11, 24, "min_seats"), (5, 0, "decide_hours"), (5, 72, "decide_hours")],
)
def test_what_cannot_be_is_refused_at_its_field(least: int, hours: int, field: str) -> None:
    assert list(minimum_errors(least, hours, 10, START, START - timedelta(hours=72))) == [field]
