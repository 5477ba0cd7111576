"""When a booking brings the month near its limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.tenants.domain.counters import percent_crossed, percent_reached


@pytest.mark.parametrize(
    ("taken", "limit", "percent"),
    [
        (0, 30, 0),
        (23, 30, 0),
        (24, 30, 80),
        (29, 30, 80),
        (30, 30, 100),
        (31, 30, 100),
        (159, 200, 0),
        (160, 200, 80),
        (0, 0, 100),
        (10_000, None, 0),
    ],
)
def test_the_highest_threshold_reached(taken: int, limit: int | None, percent: int) -> None:
    assert percent_reached(taken, limit) == percent


@given(st.integers(1, 500))
def test_each_threshold_is_crossed_by_one_unit(limit: int) -> None:
    crossings = [p for taken in range(1, limit + 50) if (p := percent_crossed(taken, limit))]
    assert crossings in ([80, 100], [100])
    assert crossings == [80, 100] or limit < 5


def test_one_unit_that_crosses_both_tells_the_higher() -> None:
    assert percent_crossed(1, 1) == 100


def test_nothing_is_crossed_without_a_limit() -> None:
    assert percent_crossed(1, None) == 0
