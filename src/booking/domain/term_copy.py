"""A term again, from another day on: the same weekdays apart, the same times on the clocks."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median_low
from uuid import UUID
from zoneinfo import ZoneInfo

from src.platform.localtime import to_local, to_utc

WEEK = timedelta(days=7)
MOST_WEEKS_ON = 52

HolidayOf = Callable[[date], str | None]
"""The name of the holiday on a day, None for a working day."""


@dataclass(frozen=True, slots=True)
class CopiedDate:
    """A date of the new term. `skipped` are the holidays that it went past, as day and name;
    `holiday` is the one that it stays on, which only an idle date does.
    """

    starts_at: datetime
    ends_at: datetime
    skipped: tuple[tuple[date, str], ...] = ()
    holiday: str | None = None


def copy_dates(
    runs: Sequence[tuple[datetime, datetime]],
    first_on: date,
    zone: ZoneInfo,
    holiday_of: HolidayOf,
    idle: Collection[int] = (),
) -> list[CopiedDate]:
    """Each run, in order of time, as many days after `first_on` as it was after the first.

    The clocks show what they showed, whatever is changed in between. A date on a holiday moves a
    week on and takes all later ones along, so that none is lost and their order stays. Those at the
    `idle` positions, which did not take place, go along and move nothing.
    """
    shift = timedelta()
    copied: list[CopiedDate] = []
    if runs:
        shift = first_on - to_local(runs[0][0], zone).date()
    for position, (starts_at, ends_at) in enumerate(runs):
        skipped: list[tuple[date, str]] = []
        on = to_local(starts_at, zone).date() + shift
        if position in idle:
            copied.append(_moved(starts_at, ends_at, shift, zone, (), holiday_of(on)))
            continue
        while (name := holiday_of(on)) is not None and len(skipped) < MOST_WEEKS_ON:
            skipped.append((on, name))
            shift, on = shift + WEEK, on + WEEK
        copied.append(_moved(starts_at, ends_at, shift, zone, tuple(skipped)))
    return copied


def _moved(
    starts_at: datetime,
    ends_at: datetime,
    shift: timedelta,
    zone: ZoneInfo,
    skipped: tuple[tuple[date, str], ...],
    holiday: str | None = None,
) -> CopiedDate:
    start = to_utc(to_local(starts_at, zone) + shift, zone)
    end = to_utc(to_local(ends_at, zone) + shift, zone)
    # Where the clocks leave nothing between the two, the session is as long as it was.
    return CopiedDate(
        start, end if end > start else start + (ends_at - starts_at), skipped, holiday
    )


def first_overlap(led: Sequence[tuple[UUID, CopiedDate]]) -> tuple[CopiedDate, CopiedDate] | None:
    """Two dates for which one leader would have to be in two places; None where there are none.

    Ending at the very moment at which another begins is no overlap.
    """
    ordered = sorted(led, key=lambda one: (one[0], one[1].starts_at))
    for (leader, earlier), (next_leader, later) in pairwise(ordered):
        if leader == next_leader and later.starts_at < earlier.ends_at:
            return earlier, later
    return None


@dataclass(frozen=True, slots=True)
class Hole:
    """Weeks of the old term in which nothing stood, between the two days next to them. `holidays`
    fell on what would have been dates.
    """

    after: date
    before: date
    holidays: tuple[tuple[date, str], ...]


def holes_before(days: Sequence[date], holiday_of: HolidayOf) -> list[Hole | None]:
    """For each day of the old term, in order, the hole that it comes after."""
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    usual = median_low(gaps) if gaps else 0
    return [
        None,
        *(
            _hole(earlier, later, holiday_of) if gap >= usual + WEEK.days else None
            for gap, (earlier, later) in zip(gaps, pairwise(days), strict=True)
        ),
    ][: len(days)]


def _hole(earlier: date, later: date, holiday_of: HolidayOf) -> Hole:
    weeks = range(1, min((later - earlier).days // WEEK.days + 1, MOST_WEEKS_ON))
    would_be = (on for week in weeks if (on := earlier + week * WEEK) < later)
    found = ((on, holiday_of(on)) for on in would_be)
    return Hole(earlier, later, tuple((on, name) for on, name in found if name))


def day_after_term(first_at: datetime, last_at: datetime, zone: ZoneInfo) -> date:
    """The day a copy begins on unless somebody says another: its first weekday after the last date
    of the term, or of the last one that was made from it.
    """
    first = to_local(first_at, zone).date()
    last = to_local(last_at, zone).date()
    weeks = (last - first).days // 7 + 1
    return first + weeks * WEEK
