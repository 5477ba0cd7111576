"""Between moments, which are stored, and a wall clock, which is shown and typed.

A wall-clock time is a naive datetime together with a zone. One that the clocks jump over moves
forward by the jump; one that they pass twice means the first pass.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """The moment at which the zone's clocks first show `local`, or the moment it moves to."""
    return _in_zone(local, zone, fold=0).astimezone(UTC)


def to_local(at: datetime, zone: ZoneInfo) -> datetime:
    """The naive wall-clock time that the zone's clocks show at the moment."""
    if at.tzinfo is None:
        raise ValueError("a moment needs its offset from UTC")
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def is_nonexistent(local: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks jump over this wall-clock time."""
    return to_local(to_utc(local, zone), zone) != local.replace(fold=0)


def is_ambiguous(local: datetime, zone: ZoneInfo) -> bool:
    """Whether the clocks pass this wall-clock time twice."""
    first = _in_zone(local, zone, fold=0).utcoffset()
    second = _in_zone(local, zone, fold=1).utcoffset()
    return first != second and not is_nonexistent(local, zone)


def month_key(at: datetime, zone: ZoneInfo) -> str:
    """The calendar month of the moment on the zone's clocks, as "2026-11"."""
    return f"{to_local(at, zone):%Y-%m}"


def local_day_bounds(on: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first moment of the day and of the next one; 23 to 25 hours lie between them."""
    midnight = datetime.combine(on, time())
    return to_utc(midnight, zone), to_utc(midnight + timedelta(days=1), zone)


def _in_zone(local: datetime, zone: ZoneInfo, *, fold: int) -> datetime:
    if local.tzinfo is not None:
        raise ValueError("a wall-clock time carries no zone of its own")
    return local.replace(tzinfo=zone, fold=fold)
