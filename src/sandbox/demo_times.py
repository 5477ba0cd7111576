"""When things happen in the demo: always around the moment at which it is loaded."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from src.platform.clock import SystemClock
from src.platform.db.uow import UnitOfWork
from src.platform.services import Services

A_DAY = timedelta(days=1)
AHEAD = timedelta(hours=2)
JUST_NOW = timedelta(minutes=15)


class EarlierClock:
    """The machine's clock, so many days behind."""

    def __init__(self, days: int) -> None:
        self._behind = timedelta(days=days)

    def now(self) -> datetime:
        return SystemClock().now() - self._behind


def earlier(services: Services, days: int) -> Services:
    """The same services so many days ago, for what has happened by now.

    The stand-in for Stripe lives in the present, so nothing is paid online then.
    """
    clock = EarlierClock(days)

    def then(tenant_id: UUID | None) -> UnitOfWork:
        uow = services.uow_factory(tenant_id)
        uow.clock = clock
        return uow

    return replace(services, clock=clock, uow_factory=then)


def soon(now: datetime) -> datetime:
    """When a class begins that people are about to come to: today while the day has an hour for it,
    else early tomorrow. Both moments are what the clock on the wall shows.
    """
    at = min(max(_half_hour(now + AHEAD), _opening(now)), _last_start(now))
    return at if at > now else _opening(now + A_DAY)


def just_over(now: datetime, minutes: int) -> datetime:
    """When a class of that length began that has ended a moment ago: today if it can have, else
    late yesterday. Both moments are what the clock on the wall shows.
    """
    length = timedelta(minutes=minutes)
    at = min(_half_hour(now - length - JUST_NOW), _last_start(now))
    return at if at >= _opening(now) else _last_start(now - A_DAY)


def _half_hour(at: datetime) -> datetime:
    return at.replace(minute=at.minute // 30 * 30, second=0, microsecond=0)


def _opening(on: datetime) -> datetime:
    return on.replace(hour=7, minute=0, second=0, microsecond=0)


def _last_start(on: datetime) -> datetime:
    return on.replace(hour=21, minute=30, second=0, microsecond=0)
