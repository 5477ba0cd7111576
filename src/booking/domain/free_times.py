"""When an appointment can start: what is left of somebody's hours once what takes them is off.

Hours are written on the wall clock of the business; everything is worked out in moments, so that
an hour stays an hour in the weeks when the clocks change.
Source: docs/algorithms/free-times.md.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from src.platform.localtime import to_utc

DAY_MINUTES = 24 * 60


class Hours(NamedTuple):
    """Minutes of the wall clock since midnight, from the first up to the second; at most 1440."""

    starts_minute: int
    ends_minute: int


class Stretch(NamedTuple):
    """From one moment up to another."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Availability:
    """One performer's hours: `weekly` by weekday, Monday is 0; `exceptions` stand in for the whole
    of their day, no hours at all for a day off. On `closed` days nobody is there but whoever has
    hours of their own for just that day.
    """

    weekly: Mapping[int, Sequence[Hours]]
    exceptions: Mapping[date, Sequence[Hours]] = field(default_factory=dict)
    closed: AbstractSet[date] = frozenset()

    def hours_on(self, on: date) -> Sequence[Hours]:
        if on in self.exceptions:
            return self.exceptions[on]
        return () if on in self.closed else self.weekly.get(on.weekday(), ())


class Fit(NamedTuple):
    """What an appointment takes: its length, what is kept free around it, and how far apart the
    times are that are offered.
    """

    duration: timedelta
    before: timedelta = timedelta()
    after: timedelta = timedelta()
    step: timedelta = timedelta(minutes=30)


def open_stretches(
    availability: Availability, zone: ZoneInfo, from_on: date, until_on: date
) -> list[Stretch]:
    """The hours of those days, both included, as moments in order; what touches is one stretch."""
    found: list[Stretch] = []
    on = from_on
    while on <= until_on:
        midnight = datetime.combine(on, time())
        for hours in availability.hours_on(on):
            starts_at = to_utc(midnight + timedelta(minutes=hours.starts_minute), zone)
            ends_at = to_utc(midnight + timedelta(minutes=hours.ends_minute), zone)
            if starts_at < ends_at:
                found.append(Stretch(starts_at, ends_at))
        on += timedelta(days=1)
    return merged(found)


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """In order of time, none touching the next."""
    joined: list[Stretch] = []
    for one in sorted(stretches):
        if joined and one.starts_at <= joined[-1].ends_at:
            last = joined.pop()
            joined.append(Stretch(last.starts_at, max(last.ends_at, one.ends_at)))
        else:
            joined.append(one)
    return joined


def free_starts(
    stretches: Sequence[Stretch],
    busy: Sequence[Stretch],
    fit: Fit,
    *,
    earliest: datetime,
    before: datetime,
) -> list[datetime]:
    """Every start on the grid of its stretch, from `earliest` on and earlier than `before`, at
    which the appointment ends within the stretch and nothing busy meets it or what is kept free
    around it.

    `busy` may overlap itself and come in any order. Ending as another thing begins is no overlap.
    """
    taken = merged(busy)
    starts = [one.starts_at for one in taken]
    found: list[datetime] = []
    for stretch in stretches:
        at = _on_grid(stretch.starts_at, max(stretch.starts_at, earliest), fit.step)
        while at + fit.duration <= stretch.ends_at and at < before:
            last = bisect_right(starts, at + fit.duration + fit.after - _TICK) - 1
            if last >= 0 and taken[last].ends_at > at - fit.before:
                at = _on_grid(stretch.starts_at, taken[last].ends_at + fit.before, fit.step)
            else:
                found.append(at)
                at += fit.step
    return found


_TICK = timedelta(microseconds=1)


def _on_grid(origin: datetime, at: datetime, step: timedelta) -> datetime:
    """The first moment at or after `at` that lies whole steps after `origin`."""
    steps = -((origin - at) // step)
    return origin + steps * step


def is_within(stretches: Sequence[Stretch], starts_at: datetime, ends_at: datetime) -> bool:
    """Whether somebody is there for all of it."""
    return any(one.starts_at <= starts_at and ends_at <= one.ends_at for one in stretches)


def least_taken(candidates: Iterable[str], taken: Mapping[str, timedelta]) -> list[str]:
    """Those who could do it, whoever has least to do that day first; of equals always the same."""
    return sorted(candidates, key=lambda one: (taken.get(one, timedelta()), one))
