"""Where a date goes that is moved along with others, on the wall clock of its business."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from src.platform.localtime import to_local, to_utc

FURTHEST_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How each of several dates moves; None leaves it where it is.

    `weekday` (0 is Monday) is reached within the date's own week, which begins on Monday; `days`
    count forward, or back below 0. Not both.
    """

    weekday: int | None = None
    days: int | None = None
    start_time: time | None = None

    def of(self, starts_at: datetime, zone: ZoneInfo) -> datetime:
        """When it starts then. What the clocks show stays the same across a change of them; a time
        that they skip comes later, and of one that they show twice the first is meant.
        """
        before = to_local(starts_at, zone)
        on = before.date()
        if self.weekday is not None:
            on += timedelta(days=self.weekday - on.weekday())
        on += timedelta(days=self.days or 0)
        at = before.time() if self.start_time is None else self.start_time.replace(tzinfo=None)
        local = datetime.combine(on, at)
        return starts_at if local == before else to_utc(local, zone)
