"""A term again: as many days apart, the clocks the same, holidays passed over and nothing lost."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from src.booking.domain.term_copy import copy_dates, day_after_term, holes_before
from src.platform.localtime import to_local

ZONE = ZoneInfo("Europe/Amsterdam")
FIRST = datetime(2027, 1, 11, 17, 0, tzinfo=UTC)
"""18:00 on a Monday in winter."""
RUNS = [
    (FIRST + timedelta(days=days), FIRST + timedelta(days=days, hours=1)) for days in (0, 2, 7, 9)
]


def no_holidays(_on: date) -> None:
    return None


def locals_of(first_on: date, holidays: dict[date, str] | None = None) -> list[str]:
    holiday_of = holidays.get if holidays else no_holidays
    copied = copy_dates(RUNS, first_on, ZONE, holiday_of)
    return [f"{to_local(one.starts_at, ZONE):%m-%d %H:%M}" for one in copied]


def test_the_clocks_show_the_same_after_they_changed() -> None:
    """Row 2-36: a copied term slipped by an hour when the clocks changed."""
    assert locals_of(date(2027, 3, 22)) == [
        "03-22 18:00",
        "03-24 18:00",
        "03-29 18:00",
        "03-31 18:00",
    ]
    copied = copy_dates(RUNS, date(2027, 3, 22), ZONE, no_holidays)
    assert copied[2].starts_at - copied[0].starts_at == timedelta(days=7, hours=-1)
    assert {one.ends_at - one.starts_at for one in copied} == {timedelta(hours=1)}


def test_a_holiday_moves_its_date_and_all_later_ones_a_week_on() -> None:
    holidays = {date(2027, 3, 29): "Easter Monday"}
    assert locals_of(date(2027, 3, 22), holidays) == [
        "03-22 18:00",
        "03-24 18:00",
        "04-05 18:00",
        "04-07 18:00",
    ]
    copied = copy_dates(RUNS, date(2027, 3, 22), ZONE, holidays.get)
    assert copied[2].skipped == ((date(2027, 3, 29), "Easter Monday"),)
    assert copied[3].skipped == ()


def test_a_night_that_the_clocks_cut_out_keeps_its_length() -> None:
    starts_at = datetime(2027, 1, 10, 1, 15, tzinfo=UTC)
    [copied] = copy_dates(
        [(starts_at, starts_at + timedelta(minutes=30))], date(2027, 3, 28), ZONE, no_holidays
    )
    assert copied.ends_at > copied.starts_at


def test_a_term_follows_the_last_on_its_own_weekday() -> None:
    assert day_after_term(RUNS[0][0], RUNS[-1][0], ZONE) == date(2027, 1, 25)


def test_a_date_that_did_not_take_place_goes_along_and_moves_nothing() -> None:
    holidays = {date(2027, 3, 24): "Founders' day"}
    copied = copy_dates(RUNS, date(2027, 3, 22), ZONE, holidays.get, {1})
    assert [f"{to_local(one.starts_at, ZONE):%m-%d}" for one in copied] == [
        "03-22",
        "03-24",
        "03-29",
        "03-31",
    ]
    assert [one.holiday for one in copied] == [None, "Founders' day", None, None]


def test_a_hole_has_the_days_beside_it_and_the_holidays_in_it() -> None:
    days = [date(2027, 4, 12), date(2027, 4, 19), date(2027, 5, 10)]
    holidays = {date(2027, 4, 26): "King's day", date(2027, 5, 5): "no date's day"}
    first, second, third = holes_before(days, holidays.get)
    assert first is None
    assert second is None
    assert third is not None
    assert (third.after, third.before) == (days[1], days[2])
    assert third.holidays == ((date(2027, 4, 26), "King's day"),)
    assert holes_before(days[:1], holidays.get) == [None]
    assert holes_before([], holidays.get) == []
