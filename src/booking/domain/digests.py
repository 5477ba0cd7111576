"""When members are mailed about their business, and about which stretch of time."""

from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from src.platform.localtime import to_local, to_utc

AT = time(7, 0)
"""On the business's clock."""


class DigestKind(StrEnum):
    """`daily` and `weekly` are about the business, `morning` about one's own sessions that day."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MORNING = "morning"


def next_digest_at(kind: DigestKind, now: datetime, zone: ZoneInfo) -> datetime:
    """The first seven o'clock after `now`; for a weekly one, that of a Monday."""
    local = to_local(now, zone)
    day = local.date()
    while True:
        at = to_utc(datetime.combine(day, AT), zone)
        if at > now and (kind is not DigestKind.WEEKLY or day.weekday() == 0):
            return at
        day += timedelta(days=1)


def day_begins_at(now: datetime, zone: ZoneInfo) -> datetime:
    """Midnight before `now` on the zone's clocks: what a digest tells of ends there."""
    return to_utc(datetime.combine(to_local(now, zone).date(), time()), zone)


def day_ends_at(now: datetime, zone: ZoneInfo) -> datetime:
    """The midnight after `now`."""
    tomorrow = to_local(now, zone).date() + timedelta(days=1)
    return to_utc(datetime.combine(tomorrow, time()), zone)
