from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.booking.domain.repeat import (
    LARGEST_NUMBER_OF_DATES,
    Occurrence,
    OccurrenceNote,
    RepeatRule,
    holiday_name,
    holiday_region_names,
    included_dates,
    preview,
    supported_holiday_regions,
)
from src.platform.errors import InvalidInput
from src.platform.i18n import use_locale
from src.platform.localtime import is_nonexistent

BERLIN = ZoneInfo("Europe/Berlin")
TUESDAYS = RepeatRule(
    weekdays=frozenset({1}),
    start_on=date(2026, 10, 6),
    start_time=time(18),
    duration_minutes=90,
    count=8,
)
SUNDAY_NIGHTS = replace(TUESDAYS, weekdays=frozenset({6}), start_time=time(2, 30), count=2)


def locals_of(occurrences: list[Occurrence]) -> list[datetime]:
    return [occurrence.local_start for occurrence in occurrences]


def test_six_in_the_evening_stays_six_over_the_end_of_summer_time() -> None:
    """Row 2-36: dates slipped by an hour when the clocks changed."""
    dates = preview(TUESDAYS, BERLIN)
    assert [d.local_start.hour for d in dates] == [18] * 8
    assert dates[2].starts_at == datetime(2026, 10, 20, 16, tzinfo=UTC)
    assert dates[3].starts_at == datetime(2026, 10, 27, 17, tzinfo=UTC)
    assert all(d.ends_at - d.starts_at == timedelta(minutes=90) for d in dates)
    assert all(d.included and d.note is None for d in dates)


def test_several_weekdays_come_in_order_and_the_last_day_counts() -> None:
    rule = replace(TUESDAYS, weekdays=frozenset({3, 1}), count=None, until_on=date(2026, 10, 15))
    days = [local.day for local in locals_of(preview(rule, BERLIN))]
    assert days == [6, 8, 13, 15]


def test_a_time_that_is_jumped_over_moves_forward_and_says_so() -> None:
    dates = preview(replace(SUNDAY_NIGHTS, start_on=date(2026, 3, 29)), BERLIN)
    assert dates[0].note is OccurrenceNote.MOVED_FORWARD
    assert dates[0].local_start == datetime.fromisoformat("2026-03-29T03:30")
    assert dates[1].note is None
    assert dates[1].local_start == datetime.fromisoformat("2026-04-05T02:30")


def test_a_doubled_time_means_the_first_and_says_so() -> None:
    dates = preview(replace(SUNDAY_NIGHTS, start_on=date(2026, 10, 25)), BERLIN)
    assert dates[0].note is OccurrenceNote.DOUBLED
    assert dates[0].starts_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_holidays_are_shown_skipped_and_made_up_for() -> None:
    fridays = replace(
        TUESDAYS,
        weekdays=frozenset({4}),
        start_on=date(2026, 12, 18),
        count=3,
        skip_holidays_of="DE-BY",
    )
    dates = preview(fridays, BERLIN)
    assert [(d.local_start.day, d.included) for d in dates] == [
        (18, True),
        (25, False),
        (1, False),
        (8, True),
        (15, True),
    ]
    assert dates[1].note is OccurrenceNote.SKIPPED_HOLIDAY
    assert dates[1].holiday_name
    assert len(included_dates(dates)) == 3


def test_a_holiday_of_another_part_of_the_country_is_an_ordinary_day() -> None:
    epiphany = replace(TUESDAYS, weekdays=frozenset({2}), start_on=date(2027, 1, 6), count=1)
    assert len(preview(replace(epiphany, skip_holidays_of="DE-BY"), BERLIN)) == 2
    assert len(preview(replace(epiphany, skip_holidays_of="DE-HH"), BERLIN)) == 1


def test_chosen_days_are_skipped() -> None:
    dates = preview(replace(TUESDAYS, count=2, skip_dates=frozenset({date(2026, 10, 13)})), BERLIN)
    assert [d.note for d in dates] == [None, OccurrenceNote.SKIPPED_DATE, None]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"weekdays": frozenset()}, "weekdays"),
        ({"weekdays": frozenset({7})}, "weekdays"),
        ({"count": None}, "until_on"),
        ({"until_on": date(2026, 12, 1)}, "until_on"),
        ({"count": None, "until_on": date(2026, 10, 5)}, "until_on"),
        ({"count": 0}, "count"),
        ({"count": LARGEST_NUMBER_OF_DATES + 1}, "count"),
        ({"duration_minutes": 0}, "duration_minutes"),
        ({"duration_minutes": 7 * 24 * 60 + 1}, "duration_minutes"),
        ({"start_on": date(26, 1, 1)}, "start_on"),
        ({"skip_holidays_of": "XX"}, "skip_holidays_of"),
        ({"skip_holidays_of": "DE-XX"}, "skip_holidays_of"),
        ({"skip_holidays_of": "PUBLIC"}, "skip_holidays_of"),
        ({"skip_holidays_of": "MON-BY"}, "skip_holidays_of"),
        ({"count": None, "until_on": date(2126, 1, 1)}, "until_on"),
        (
            {
                "count": None,
                "until_on": date(2026, 10, 6),
                "start_on": date(2026, 10, 5),
                "weekdays": frozenset({2}),
            },
            "until_on",
        ),
        (
            {
                "count": None,
                "until_on": date(2026, 10, 6),
                "skip_dates": frozenset({date(2026, 10, 6)}),
            },
            "until_on",
        ),
    ],
)
def test_refusals_name_the_field(change: dict[str, object], field: str) -> None:
    rule = replace(TUESDAYS, **change)  # type: ignore[arg-type]  # The table mixes field types.
    with pytest.raises(InvalidInput) as refusal:
        preview(rule, BERLIN)
    assert list(refusal.value.fields) == [field]


def test_errors_of_several_fields_come_together() -> None:
    with pytest.raises(InvalidInput) as refusal:
        preview(replace(TUESDAYS, weekdays=frozenset(), count=None), BERLIN)
    assert set(refusal.value.fields) == {"weekdays", "until_on"}


def test_countries_can_be_offered_for_choice() -> None:
    assert "BY" in supported_holiday_regions()["DE"]


def test_parts_of_a_country_have_names_and_each_has_its_holidays() -> None:
    assert holiday_region_names("DE")["BY"] == "Bayern"
    assert holiday_region_names("FR")["971"] == "Guadeloupe"
    assert holiday_region_names("FI")["10"] == "Lappi"
    assert holiday_region_names("XX") == holiday_region_names("PUBLIC") == {}
    for country, parts in supported_holiday_regions().items():
        assert set(holiday_region_names(country)) == set(parts)
    peace = date(2027, 8, 8)
    assert holiday_name("DE-Augsburg", peace) == holiday_name("de-augsburg", peace)
    assert holiday_name("DE-Augsburg", peace) == "Augsburg Peace Festival"


rules = st.builds(
    RepeatRule,
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    start_on=st.dates(date(2024, 1, 1), date(2030, 1, 1)),
    start_time=st.builds(time, st.integers(0, 23), st.integers(0, 59)),
    duration_minutes=st.integers(1, 600),
    count=st.integers(1, 120),
    skip_dates=st.frozensets(st.dates(date(2024, 1, 1), date(2030, 1, 1)), max_size=5),
)
zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo"])


@settings(max_examples=40)
@given(rules, zones)
def test_every_date_keeps_the_wall_clock_unless_it_does_not_exist(
    rule: RepeatRule, zone_name: str
) -> None:
    zone = ZoneInfo(zone_name)
    dates = preview(rule, zone)
    assert len(included_dates(dates)) == rule.count
    assert [d.starts_at for d in dates] == sorted({d.starts_at for d in dates})
    for occurrence in dates:
        assert occurrence.local_start.weekday() in rule.weekdays
        assert occurrence.included == (occurrence.local_start.date() not in rule.skip_dates)
        assert occurrence.ends_at - occurrence.starts_at == timedelta(minutes=rule.duration_minutes)
        wished = datetime.combine(occurrence.local_start.date(), rule.start_time)
        if occurrence.note is OccurrenceNote.MOVED_FORWARD:
            assert is_nonexistent(wished, zone)
        else:
            assert occurrence.local_start.time() == rule.start_time or not occurrence.included


@pytest.mark.parametrize("machine", ["de_DE.UTF-8", "en_US.UTF-8", "C"])
def test_the_language_of_the_machine_names_no_holiday(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In years that nobody has asked for before: a year's holidays are found once."""
    monkeypatch.setenv("LANGUAGE", machine)
    year = {"de_DE.UTF-8": 2035, "en_US.UTF-8": 2036, "C": 2037}[machine]
    with use_locale("en-GB"):
        assert holiday_name("DE-BY", date(year, 5, 1)) == "Labor Day"
    with use_locale("fr"):
        assert holiday_name("DE-BY", date(year, 5, 1)) == "Erster Mai"


def test_holidays_are_named_for_the_reader() -> None:
    easter_monday = date(2027, 3, 29)
    with use_locale("en-GB"):
        assert holiday_name("DE-BY", easter_monday) == "Easter Monday"
    with use_locale("de"):
        assert holiday_name("DE-BY", easter_monday) == "Ostermontag"
