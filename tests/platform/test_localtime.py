from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.platform.localtime import (
    is_ambiguous,
    is_nonexistent,
    local_day_bounds,
    month_key,
    to_local,
    to_utc,
)

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Pacific/Apia",
        "Asia/Kolkata",
        "UTC",
    )
]
local_times = st.datetimes(
    datetime.fromisoformat("2005-01-01T00:00"), datetime.fromisoformat("2035-01-01T00:00")
)


def test_a_jumped_over_time_moves_forward_by_the_jump() -> None:
    gap = datetime.fromisoformat("2026-03-29T02:30")
    assert is_nonexistent(gap, BERLIN)
    assert not is_ambiguous(gap, BERLIN)
    assert to_utc(gap, BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert to_local(to_utc(gap, BERLIN), BERLIN) == datetime.fromisoformat("2026-03-29T03:30")


def test_a_doubled_time_means_the_first() -> None:
    doubled = datetime.fromisoformat("2026-10-25T02:30")
    assert is_ambiguous(doubled, BERLIN)
    assert not is_nonexistent(doubled, BERLIN)
    assert to_utc(doubled, BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert to_utc(doubled.replace(fold=1), BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_the_month_is_the_local_one() -> None:
    last_hour = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    assert month_key(last_hour, BERLIN) == "2026-11"
    assert month_key(last_hour, ZoneInfo("America/New_York")) == "2026-10"


@pytest.mark.parametrize(
    ("on", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)]
)
def test_a_day_is_as_long_as_its_clocks_say(on: date, hours: int) -> None:
    start_at, end_at = local_day_bounds(on, BERLIN)
    assert end_at - start_at == timedelta(hours=hours)


@given(local_times, st.sampled_from(ZONES))
def test_there_and_back(local: datetime, zone: ZoneInfo) -> None:
    back = to_local(to_utc(local, zone), zone)
    if is_nonexistent(local, zone):
        assert back > local
    else:
        assert back == local


@given(local_times, st.sampled_from(ZONES))
def test_the_second_pass_is_never_chosen(local: datetime, zone: ZoneInfo) -> None:
    if is_ambiguous(local, zone):
        later = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
        assert to_utc(local, zone) < later
        assert to_local(later, zone) == local


def test_moments_and_wall_clock_times_are_not_confused() -> None:
    """Row 2-10: times of several zones were compared as they stood."""
    with pytest.raises(ValueError, match="no zone of its own"):
        to_utc(datetime(2026, 1, 1, tzinfo=UTC), BERLIN)
    with pytest.raises(ValueError, match="offset"):
        to_local(datetime.fromisoformat("2026-01-01T00:00"), BERLIN)
