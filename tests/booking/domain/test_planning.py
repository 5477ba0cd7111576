"""Which days a guest's plan shows."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from src.booking.domain.planning import FARTHEST_WEEKS, on_their_days, planned_days

DAYS = st.dates(date(2000, 1, 1), date(2090, 1, 1))
FIRST = st.integers(0, 6)


@given(DAYS, FIRST)
def test_two_whole_weeks_with_today_in_the_first(today: date, first: int) -> None:
    weeks = planned_days(today, first)
    days = [day for week in weeks for day in week]
    assert [len(week) for week in weeks] == [7, 7]
    assert today in weeks[0]
    assert all(week[0].weekday() == first for week in weeks)
    assert days == [days[0] + timedelta(days=number) for number in range(14)]


@given(DAYS, FIRST, st.integers(-300, 300))
def test_the_same_two_weeks_later(today: date, first: int, weeks_on: int) -> None:
    start = planned_days(today, first, weeks_on)[0][0]
    shift = start - planned_days(today, first)[0][0]
    nearest = max(min(weeks_on, FARTHEST_WEEKS), -FARTHEST_WEEKS)
    assert shift == timedelta(weeks=nearest)


@given(st.lists(st.integers(-3, 17)))
def test_everything_is_on_its_day_in_its_order(offsets: list[int]) -> None:
    days = [date(2026, 5, 4) + timedelta(days=number) for number in range(14)]
    dated = [(days[0] + timedelta(days=offset), number) for number, offset in enumerate(offsets)]
    shown = on_their_days(days, dated)
    assert [on for on, _things in shown] == days
    assert [(on, thing) for on, things in shown for thing in things] == sorted(
        (one for one in dated if one[0] in days), key=lambda one: one[0]
    )
