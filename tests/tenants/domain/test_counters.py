"""When a booking brings the month near its limit."""

import pytest

from src.tenants.domain.counters import percent_reached


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
