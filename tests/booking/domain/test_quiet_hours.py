"""Deadlines that are counted without the night, over clock changes as well."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.booking.domain.leaving import (
    BeforeUnit,
    LeavingTerms,
    Tier,
    deadlines,
    moves_until,
    terms_errors,
    terms_from,
)
from src.booking.domain.quiet_hours import (
    QuietHours,
    days_before,
    hours_before,
    quiet_error,
)
from src.platform.localtime import to_local, to_utc

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NIGHT = QuietHours(begins=22, ends=8)


def at(text: str, zone: ZoneInfo = AMSTERDAM) -> datetime:
    return to_utc(datetime.fromisoformat(text), zone)


@pytest.mark.parametrize(
    ("start", "count", "until"),
    [
        ("2027-05-12T09:00", 0, "2027-05-12T09:00"),
        # An hour of the morning and eleven of the day before: nobody is woken.
        ("2027-05-12T09:00", 12, "2027-05-11T11:00"),
        ("2027-05-12T18:00", 4, "2027-05-12T14:00"),
        # At the very end of the quiet hours the guest still has the morning.
        ("2027-05-12T09:00", 1, "2027-05-12T08:00"),
        ("2027-05-12T09:00", 2, "2027-05-11T21:00"),
        # Fourteen hours are a whole day without its night.
        ("2027-05-12T18:00", 28, "2027-05-10T18:00"),
        ("2027-05-12T18:00", 10 + 14 + 14, "2027-05-10T08:00"),
        # A start within the quiet hours.
        ("2027-05-12T06:30", 1, "2027-05-11T21:00"),
        ("2027-05-12T23:00", 1, "2027-05-12T21:00"),
        ("2027-05-12T08:00", 1, "2027-05-11T21:00"),
        ("2027-05-12T22:00", 1, "2027-05-12T21:00"),
        # A night on which the clocks change is shorter, or longer, and is left out whole.
        ("2027-03-28T09:00", 3, "2027-03-27T20:00"),
        ("2027-10-31T09:00", 3, "2027-10-30T20:00"),
    ],
)
def test_hours_of_the_night_are_not_counted(start: str, count: int, until: str) -> None:
    assert hours_before(at(start), count, AMSTERDAM, NIGHT) == at(until)


@pytest.mark.parametrize(
    ("start", "count", "until"),
    [
        ("2027-05-12T09:00", 1, "2027-05-11T09:00"),
        ("2027-05-12T08:00", 1, "2027-05-11T08:00"),
        ("2027-05-12T07:00", 1, "2027-05-10T22:00"),
        ("2027-05-12T22:00", 1, "2027-05-11T22:00"),
        ("2027-05-12T23:00", 2, "2027-05-10T22:00"),
        ("2027-05-12T07:00", 0, "2027-05-12T07:00"),
        ("2027-03-28T07:00", 1, "2027-03-26T22:00"),
    ],
)
def test_a_day_that_ends_at_night_ends_the_evening_before(
    start: str, count: int, until: str
) -> None:
    assert days_before(at(start), count, AMSTERDAM, NIGHT) == at(until)


@pytest.mark.parametrize(
    ("quiet", "start", "count", "until"),
    [
        # 28 March: 02:00 is 03:00 at once, so nothing lies between, and nothing is left out.
        (QuietHours(begins=2, ends=3), "2027-03-28T06:00", 4, "2027-03-28T01:00"),
        (QuietHours(begins=1, ends=2), "2027-03-28T06:00", 4, "2027-03-28T00:00"),
        # 31 October: 02:00 to 03:00 passes twice; quiet are both hours, from the first 02:00 on.
        (QuietHours(begins=2, ends=3), "2027-10-31T06:00", 4, "2027-10-31T01:00"),
        (QuietHours(begins=12, ends=15), "2027-05-12T16:00", 2, "2027-05-12T11:00"),
    ],
)
def test_hours_that_the_clocks_leave_out_or_pass_twice(
    quiet: QuietHours, start: str, count: int, until: str
) -> None:
    assert hours_before(at(start), count, AMSTERDAM, quiet) == at(until)


def test_a_zone_that_left_out_a_whole_day_has_deadlines_too() -> None:
    """Samoa had no 30 December 2011."""
    apia = ZoneInfo("Pacific/Apia")
    until = hours_before(at("2011-12-31T09:00", apia), 2, apia, NIGHT)
    assert until == at("2011-12-29T21:00", apia)


ZONES = st.sampled_from(["Europe/Amsterdam", "America/St_Johns", "Australia/Lord_Howe", "UTC"])
STARTS = st.integers(0, 2 * 365 * 24 * 4).map(
    lambda quarters: datetime(2026, 1, 1, tzinfo=UTC) + quarters * timedelta(minutes=15)
)
QUIET = st.builds(
    lambda begins, hours: QuietHours(begins=begins, ends=(begins + hours) % 24),
    st.integers(0, 23),
    st.integers(1, 12),
)


@given(STARTS, st.integers(0, 60), QUIET, ZONES)
def test_counted_step_by_step_it_is_the_same(
    start: datetime, count: int, quiet: QuietHours, name: str
) -> None:
    """Real time that is not quiet, walked through backwards in short steps, none of them skipped.

    On the night of a change, quiet hours begin when the clock first shows their hour and end when
    it first shows their end, which a look at one clock time cannot tell; those are left out.
    """
    zone = ZoneInfo(name)
    until = hours_before(start, count, zone, quiet)
    offsets = {(start - timedelta(hours=12 * n)).astimezone(zone).utcoffset() for n in range(16)}
    if len(offsets) > 1:
        assert until <= start - timedelta(hours=count)
        return
    counted, moment = 0, start
    while moment > until:
        moment -= timedelta(minutes=15)
        hour = to_local(moment, zone).hour
        counted += (hour - quiet.begins) % 24 >= quiet.hours
    assert counted == count * 4
    if count:
        assert (to_local(until, zone).hour - quiet.begins) % 24 >= quiet.hours, "the latest such"


@settings(max_examples=20)
@given(STARTS, st.integers(1, 150), QUIET, ZONES)
def test_a_long_time_at_once_is_as_many_short_ones(
    start: datetime, tens: int, quiet: QuietHours, name: str
) -> None:
    """Also over the nights on which the clocks change."""
    zone, until = ZoneInfo(name), start
    for _ten in range(tens):
        until = hours_before(until, 10, zone, quiet)
    assert hours_before(start, 10 * tens, zone, quiet) == until


class CountedZone(ZoneInfo):
    """How often its clocks were looked at."""

    looks = 0

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        CountedZone.looks += 1
        return super().utcoffset(dt)


def test_a_year_of_hours_is_not_gone_through_night_by_night() -> None:
    CountedZone.looks = 0
    hours_before(at("2027-05-12T09:00"), 365 * 24, CountedZone("Europe/Amsterdam"), NIGHT)
    assert CountedZone.looks < 1500


@given(STARTS, QUIET, ZONES, st.sampled_from(list(BeforeUnit)))
def test_steps_in_order_have_deadlines_in_order(
    start: datetime, quiet: QuietHours, name: str, unit: BeforeUnit
) -> None:
    counts = (9, 8, 7, 3, 2, 1) if unit is BeforeUnit.DAYS else (72, 49, 48, 24, 2, 1)
    tiers = tuple(Tier(before=count, unit=unit, percent=100) for count in counts)
    terms = LeavingTerms(tiers=tiers, quiet_hours=quiet)
    assert terms_errors(terms) == {}
    moments = [due.until_at for due in deadlines(terms, start, ZoneInfo(name))]
    assert all(first < second for first, second in pairwise([*moments, start]))


def test_the_terms_keep_them_and_use_them_for_exchanging_too() -> None:
    terms = LeavingTerms(tiers=(Tier(before=12, percent=100),), moves_before=2, quiet_hours=NIGHT)
    assert terms_from(terms.document()) == terms
    start = at("2027-05-12T09:00")
    assert [due.until_at for due in deadlines(terms, start, AMSTERDAM)] == [at("2027-05-11T11:00")]
    assert moves_until(terms, start, AMSTERDAM) == at("2027-05-11T21:00")
    old = terms_from({"tiers": [{"before": 12, "percent": 100}]})
    assert [due.until_at for due in deadlines(old, start, AMSTERDAM)] == [at("2027-05-11T21:00")]


def test_what_cannot_be_quiet_hours_is_said() -> None:
    assert quiet_error(NIGHT) == ""
    assert "between 0 and 23" in quiet_error(QuietHours(begins=24, ends=8))
    for begins, ends in ((8, 8), (8, 21)):
        assert "12 hours" in quiet_error(QuietHours(begins=begins, ends=ends))
    mixed = LeavingTerms(
        tiers=(
            Tier(before=2, unit=BeforeUnit.DAYS, percent=100),
            Tier(before=30, percent=50),
        ),
        quiet_hours=NIGHT,
    )
    assert list(terms_errors(mixed)) == ["tiers.1.unit"]
