"""Free times against a model that looks at every single minute, weeks of clock changes included."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.booking.domain.free_times import (
    Availability,
    Fit,
    Hours,
    Stretch,
    free_starts,
    is_within,
    least_taken,
    merged,
    open_stretches,
)
from src.platform.localtime import to_local

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)
WEEK = [date(2027, 3, 26), date(2026, 10, 23), date(2026, 12, 7)]
"""Days just before the clocks go forward, just before they go back, and a plain Monday."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
FAR = datetime(2100, 1, 1, tzinfo=UTC)


def fit(minutes: int = 60, before: int = 0, after: int = 0, step: int = 30) -> Fit:
    return Fit(minutes * MINUTE, before * MINUTE, after * MINUTE, step * MINUTE)


def nine_to(hour: int) -> Availability:
    return Availability({day: [Hours(9 * 60, hour * 60)] for day in range(7)})


def clocks(found: list[datetime], zone: ZoneInfo = BERLIN) -> list[str]:
    return [f"{to_local(at, zone):%H:%M}" for at in found]


def starts_of(availability: Availability, on: date, wanted: Fit, *busy: Stretch) -> list[datetime]:
    stretches = open_stretches(availability, BERLIN, on, on)
    return free_starts(
        stretches, busy, wanted, earliest=datetime(2000, 1, 1, tzinfo=UTC), before=FAR
    )


def at(on: date, hour: int, minute: int = 0) -> datetime:
    return datetime(on.year, on.month, on.day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


MONDAY = WEEK[2]


def test_all_of_a_free_morning() -> None:
    assert clocks(starts_of(nine_to(11), MONDAY, fit())) == ["09:00", "09:30", "10:00"]


def test_what_is_busy_is_left_out_up_to_the_very_minute() -> None:
    busy = Stretch(at(MONDAY, 10), at(MONDAY, 11))
    assert clocks(starts_of(nine_to(13), MONDAY, fit(), busy)) == [
        "09:00",
        "11:00",
        "11:30",
        "12:00",
    ]


def test_what_is_kept_free_around_it_may_lie_outside_of_the_hours() -> None:
    busy = Stretch(at(MONDAY, 10), at(MONDAY, 11))
    found = starts_of(nine_to(13), MONDAY, fit(before=15, after=15), busy)
    assert clocks(found) == ["11:30", "12:00"]


def test_an_exception_stands_in_for_its_day() -> None:
    open_at_night = Availability(nine_to(11).weekly, {MONDAY: [Hours(20 * 60, 21 * 60)]})
    assert clocks(starts_of(open_at_night, MONDAY, fit())) == ["20:00"]
    assert starts_of(Availability(nine_to(11).weekly, {MONDAY: []}), MONDAY, fit()) == []


def test_on_a_closed_day_only_who_says_so_is_there() -> None:
    weekly, closed = nine_to(11).weekly, frozenset({MONDAY})
    assert starts_of(Availability(weekly, {}, closed), MONDAY, fit()) == []
    own = Availability(weekly, {MONDAY: [Hours(9 * 60, 10 * 60)]}, closed)
    assert clocks(starts_of(own, MONDAY, fit())) == ["09:00"]


def test_hours_over_midnight_are_one_stretch() -> None:
    weekly = {0: [Hours(23 * 60, 24 * 60)], 1: [Hours(0, 60)]}
    stretches = open_stretches(Availability(weekly), BERLIN, MONDAY, MONDAY + timedelta(days=1))
    assert len(stretches) == 1
    assert stretches[0].ends_at - stretches[0].starts_at == 2 * 60 * MINUTE


def test_the_night_when_the_clocks_go_forward_is_an_hour_shorter() -> None:
    night = Availability({6: [Hours(60, 5 * 60)]})
    found = starts_of(night, date(2027, 3, 28), fit())
    assert clocks(found) == ["01:00", "01:30", "03:00", "03:30", "04:00"]


def test_the_night_when_they_go_back_is_an_hour_longer() -> None:
    night = Availability({6: [Hours(60, 4 * 60)]})
    found = starts_of(night, date(2026, 10, 25), fit(step=60))
    assert clocks(found) == ["01:00", "02:00", "02:00", "03:00"]
    assert len(set(found)) == 4


def test_hours_that_the_clocks_jump_over_move_forward_with_them() -> None:
    found = starts_of(Availability({6: [Hours(130, 170)]}), date(2027, 3, 28), fit(20))
    assert clocks(found) == ["03:10"]


def test_minimum_notice_falls_between_the_steps() -> None:
    stretches = open_stretches(nine_to(12), BERLIN, MONDAY, MONDAY)
    found = free_starts(stretches, [], fit(), earliest=at(MONDAY, 9, 1), before=at(MONDAY, 10, 30))
    assert clocks(found) == ["09:30", "10:00"]


def test_who_has_least_to_do_comes_first() -> None:
    taken = {"anna": 60 * MINUTE, "bert": 30 * MINUTE}
    assert least_taken(["anna", "bert", "carl"], taken) == ["carl", "bert", "anna"]


HOURS = st.builds(
    lambda start, length: Hours(start, min(start + length, 1440)),
    st.integers(0, 1380),
    st.integers(5, 600),
)
DAYS = st.dictionaries(st.integers(0, 6), st.lists(HOURS, max_size=3), max_size=7)
BUSY = st.lists(st.tuples(st.integers(0, 6 * 1440), st.integers(1, 500)), max_size=12)


@st.composite
def weeks(draw: st.DrawFn) -> tuple[Availability, date]:
    first = draw(st.sampled_from(WEEK))
    some_day = st.integers(0, 5).map(lambda days: first + timedelta(days=days))
    exceptions = draw(st.dictionaries(some_day, st.lists(HOURS, max_size=2), max_size=3))
    closed = draw(st.frozensets(some_day, max_size=2))
    return Availability(draw(DAYS), exceptions, closed), first


@pytest.mark.slow
@given(
    weeks(),
    BUSY,
    st.sampled_from([5, 20, 60, 95, 240]),
    st.sampled_from([0, 10, 45]),
    st.sampled_from([0, 5, 30]),
    st.sampled_from([10, 30, 45]),
    st.sampled_from(["Europe/Berlin", "Europe/Dublin", "Australia/Lord_Howe", "UTC"]),
    st.integers(0, 4 * 1440),
)
def test_nothing_busy_is_offered_and_nothing_free_is_missed(
    week: tuple[Availability, date],
    busy: list[tuple[int, int]],
    minutes: int,
    before: int,
    after: int,
    step: int,
    zone_name: str,
    notice: int,
) -> None:
    availability, first = week
    zone = ZoneInfo(zone_name)
    origin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    taken = [Stretch(origin + s * MINUTE, origin + (s + n) * MINUTE) for s, n in busy]
    stretches = open_stretches(availability, zone, first, first + timedelta(days=5))
    wanted = fit(minutes, before, after, step)
    earliest, end = origin + notice * MINUTE, origin + 5 * 1440 * MINUTE
    found = free_starts(stretches, taken, wanted, earliest=earliest, before=end)
    assert found == _by_the_minute(stretches, taken, wanted, earliest, end)


def _by_the_minute(
    stretches: list[Stretch], taken: list[Stretch], wanted: Fit, earliest: datetime, end: datetime
) -> list[datetime]:
    found = []
    for stretch in stretches:
        start = stretch.starts_at
        while start < stretch.ends_at:
            fits = start + wanted.duration <= stretch.ends_at and earliest <= start < end
            around = (start - wanted.before, start + wanted.duration + wanted.after)
            is_met = any(one.starts_at < around[1] and around[0] < one.ends_at for one in taken)
            if fits and not is_met:
                found.append(start)
            start += wanted.step
    return found


@pytest.mark.slow
@given(weeks(), st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo"]))
def test_somebody_is_there_just_when_their_clock_says_so(
    week: tuple[Availability, date], zone_name: str
) -> None:
    """Minute by minute, but for the hours of a night in which a clock time is none or is two."""
    availability, first = week
    zone = ZoneInfo(zone_name)
    stretches = open_stretches(availability, zone, first, first + timedelta(days=5))
    assert stretches == merged(stretches)
    moment = at(first, 12).astimezone(zone)
    for quarter in range(4 * 24 * 4):
        probe = (moment.astimezone(UTC) + quarter * 15 * MINUTE).replace(second=0)
        local = to_local(probe, zone)
        if local.hour < 5:
            continue
        minute = local.hour * 60 + local.minute
        hours = availability.hours_on(local.date())
        expected = any(one.starts_minute <= minute < one.ends_minute for one in hours)
        assert is_within(stretches, probe, probe + MINUTE) == expected, probe


@pytest.mark.parametrize("step", [5, 7, 45])
def test_times_lie_whole_steps_apart(step: int) -> None:
    found = starts_of(nine_to(18), MONDAY, fit(step=step))
    assert {second - first for first, second in pairwise(found)} == {step * MINUTE}
