"""Which days a guest's own plan shows."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import TypeVar

WEEKS = 2
A_WEEK = 7
FARTHEST_WEEKS = 104

Dated = TypeVar("Dated")


def planned_days(today: date, first_weekday: int, weeks_on: int = 0) -> list[list[date]]:
    """The week that `today` is in and the one after it, whole, from `first_weekday` on (0 is
    Monday); `weeks_on` so many weeks later, or earlier where it is below 0.

    Never further away than `FARTHEST_WEEKS`: nobody plans there, and calendars end somewhere.
    """
    shift = min(max(weeks_on, -FARTHEST_WEEKS), FARTHEST_WEEKS)
    start = today - timedelta(days=(today.weekday() - first_weekday) % A_WEEK)
    start += timedelta(weeks=shift)
    days = [start + timedelta(days=day) for day in range(WEEKS * A_WEEK)]
    return [days[at : at + A_WEEK] for at in range(0, len(days), A_WEEK)]


def on_their_days(
    days: Sequence[date], dated: Iterable[tuple[date, Dated]]
) -> list[tuple[date, list[Dated]]]:
    """Each of the `days` once with what is on it, in the order it came; what is on none is left
    out.
    """
    by_day: dict[date, list[Dated]] = {day: [] for day in days}
    for on, thing in dated:
        if on in by_day:
            by_day[on].append(thing)
    return list(by_day.items())
