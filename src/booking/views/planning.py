"""What a guest's own plan shows."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import msgspec

from src.tenants.portal_sections import PortalHead


class PlannedDate(msgspec.Struct, frozen=True, kw_only=True):
    """One date that a guest has a place on. `what` is the service and series, `where` the place
    with its address, or "Online"; `who` comes, empty where that is just the guest.
    """

    href: str
    what: str
    title: str
    starts_at: datetime
    ends_at: datetime
    where: str
    performer: str
    who: list[str]
    is_over: bool


class PlannedDay(msgspec.Struct, frozen=True, kw_only=True):
    on: date
    is_today: bool
    dates: list[PlannedDate]


class PlannedWeek(msgspec.Struct, frozen=True, kw_only=True):
    """`label` says which, in words or by its first and last day."""

    label: str
    days: list[PlannedDay]

    @property
    def count(self) -> int:
        return sum(len(day.dates) for day in self.days)


class PlanningView(msgspec.Struct, frozen=True, kw_only=True):
    """Two weeks of a guest's own dates. `next_date` is the first after them, where these hold none;
    `made_at` is what they are as of. `is_kept`: this is the page that a device keeps.
    """

    head: PortalHead
    weeks: list[PlannedWeek]
    zone: ZoneInfo
    made_at: datetime
    earlier_href: str
    later_href: str
    now_href: str | None
    next_date: PlannedDate | None
    hub_href: str
    worker_href: str
    scope: str
