"""Hours of the night that are none: a deadline counted without them lies in the day before.

They are hours of the business's clock, the same each day; a night on which the clocks change is as
long as it is.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from src.platform.i18n import _
from src.platform.localtime import to_local, to_utc

LONGEST_HOURS = 12
A_DAY = timedelta(days=1)
AT_ONCE = (14, 4, 1)
"""Days that are gone over together; no zone has changed its clocks and back in so few."""


class QuietHours(msgspec.Struct, frozen=True, kw_only=True):
    """From the full local hour `begins` up to `ends`, over midnight where that is the earlier."""

    begins: int
    ends: int

    @property
    def hours(self) -> int:
        """How long they are on a clock that does not change."""
        return (self.ends - self.begins) % 24


def quiet_error(quiet: QuietHours) -> str:
    """A sentence, empty where they may be saved."""
    if not (0 <= quiet.begins <= 23 and 0 <= quiet.ends <= 23):
        return _("Please give full hours between 0 and 23.")
    if not 1 <= quiet.hours <= LONGEST_HOURS:
        return _("Quiet hours last between 1 and %(most)s hours.", most=LONGEST_HOURS)
    return ""


def hours_before(
    start: datetime, count: int, zone: ZoneInfo, quiet: QuietHours | None = None
) -> datetime:
    """The last moment from which so many real hours that count pass until the start."""
    at, left = start, timedelta(hours=count)
    while quiet is not None and left:
        days = _days_alike(at, left, zone, quiet)
        at -= days * A_DAY
        left -= days * (A_DAY - timedelta(hours=quiet.hours))
        ended_at = _last(at, quiet.ends, zone)
        began_at = _last(at, quiet.begins, zone)
        if began_at > ended_at:
            at = began_at
            continue
        if at - left >= ended_at:
            break
        left -= at - ended_at
        at = ended_at
    return at - left


def _days_alike(at: datetime, left: timedelta, zone: ZoneInfo, quiet: QuietHours) -> int:
    """So many days up to the moment on which the clocks do not change, and of which less counts
    than is left: each has the same quiet hours, wherever in it they lie.
    """
    counts = A_DAY - timedelta(hours=quiet.hours)
    for days in AT_ONCE:
        if days * counts < left and _offset(at, zone) == _offset(at - days * A_DAY, zone):
            return days
    return 0


def _offset(at: datetime, zone: ZoneInfo) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


def days_before(
    start: datetime, count: int, zone: ZoneInfo, quiet: QuietHours | None = None
) -> datetime:
    """So many days earlier at the same local time; of quiet hours, the moment they begin."""
    at = to_utc(to_local(start, zone) - timedelta(days=count), zone)
    if quiet is None or not count:
        return at
    # At the very moment they end, they are over.
    after = at + timedelta.resolution
    began_at = _last(after, quiet.begins, zone)
    return began_at if began_at > _last(after, quiet.ends, zone) else at


def _last(at: datetime, hour: int, zone: ZoneInfo) -> datetime:
    """When the clocks last showed that full hour before the moment."""
    today = to_local(at, zone).date()
    # A third day, since a zone may have left out all of one.
    shown = (
        to_utc(datetime.combine(today - timedelta(days=back), time(hour)), zone)
        for back in range(3)
    )
    return max(moment for moment in shown if moment < at.astimezone(UTC))
