"""Dated sessions of one month as guests may see them: one statement that walks an index.

At most `MOST_DATES` come at a time; `after` goes on from there, so that a month with thousands of
dates costs what a month with a few dozen does.
"""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import TextClause, text

from src.booking.domain.drop_in import DropInRules, PayWay
from src.booking.domain.leaving import BeforeUnit
from src.booking.queries.drop_in import rules_from, rules_in_sql
from src.booking.queries.kept import KEPT_SERVICES
from src.booking.queries.on_sale_statement import LISTED_SERIES
from src.platform.db.uow import UnitOfWork
from src.platform.localtime import to_local, to_utc

MOST_DATES = 50
FURTHEST_MONTHS = 24


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for; None: no wish. `weekday` counts from 1, Monday.

    `month` is the first of a month; `after` is the last date that was shown before. `words` and
    `tag` are looked for in what is said of services; `services` are those that were found by them.
    """

    month: date | None = None
    service: UUID | None = None
    performer: UUID | None = None
    weekday: int | None = None
    after: UUID | None = None
    words: str | None = None
    tag: str | None = None
    services: tuple[UUID, ...] | None = None

    @property
    def is_searched(self) -> bool:
        return (self.words or self.tag) is not None

    @property
    def is_narrowed(self) -> bool:
        return (self.service or self.performer or self.weekday) is not None


class DatedRow(msgspec.Struct, frozen=True, gc=False):
    """A session with the names around it, in the order of the statement's columns."""

    id: UUID
    service_id: UUID
    title: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    mode: str
    performer: str | None
    place: str | None
    series_id: UUID | None
    series_title: str | None
    drop_in_allowed: bool | None
    drop_in_minor: int | None
    opens_before: int | None
    opens_unit: str | None
    pays: list[str] | None

    def rules(self) -> DropInRules:
        """How it is sold alone."""
        unit = BeforeUnit(self.opens_unit) if self.opens_unit else None
        pays = [PayWay(way) for way in self.pays or ()]
        return rules_from(self.drop_in_allowed, self.drop_in_minor, self.opens_before, unit, pays)


class Window(msgspec.Struct, frozen=True):
    """Dates in order; `has_more` when the month goes on behind the last of them."""

    rows: list[DatedRow]
    has_more: bool


async def list_dates(
    uow: UnitOfWork, wanted: Wanted, month: date, zone: ZoneInfo, now: datetime
) -> Window:
    """The month's dates from now on that are listed, cancelled ones left out."""
    starts_at, ends_at = month_bounds(month, zone)
    given: dict[str, object] = {
        "service": wanted.service,
        "performer": wanted.performer,
        "weekday": wanted.weekday,
        "after": wanted.after,
        "services": wanted.services,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    bounds = {"starts_at": max(starts_at, now), "ends_at": ends_at}
    if wanted.weekday is not None:
        asked["zone"] = zone.key
    found = await uow.session.execute(
        _dates_statement(frozenset(asked)), {"tenant_id": uow.tenant, **bounds, **asked}
    )
    rows = [DatedRow(*row) for row in found]
    return Window(rows[:MOST_DATES], len(rows) > MOST_DATES)


async def find_next_date(uow: UnitOfWork, wanted: Wanted, from_at: datetime) -> datetime | None:
    """The first listed date from a moment on, by the same wishes but for the weekday."""
    given: dict[str, object] = {
        "service": wanted.service,
        "performer": wanted.performer,
        "services": wanted.services,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    found: datetime | None = await uow.session.scalar(
        _next_statement(frozenset(asked)),
        {"tenant_id": uow.tenant, "starts_at": from_at, **asked},
    )
    return found


def month_bounds(month: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first moment of the month and of the next one on the zone's clocks."""
    return to_utc(_midnight(month), zone), to_utc(_midnight(following(month)), zone)


def month_of(at: datetime, zone: ZoneInfo) -> date:
    """The first day of the moment's month."""
    return to_local(at, zone).date().replace(day=1)


def following(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def preceding(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def within_reach(month: date, now: datetime, zone: ZoneInfo) -> date:
    """The month itself, or the nearest one that is neither over nor too far ahead."""
    first = month_of(now, zone)
    furthest = first.replace(year=first.year + FURTHEST_MONTHS // 12)
    return min(max(month, first), furthest)


def _midnight(on: date) -> datetime:
    return datetime.combine(on, time())


_FROM = (
    " FROM sessions n JOIN services s ON s.tenant_id = n.tenant_id AND s.id = n.service_id"
    " LEFT JOIN series r ON r.tenant_id = n.tenant_id AND r.id = n.series_id"
    " LEFT JOIN performers p ON p.tenant_id = n.tenant_id AND p.id = n.performer_id"
    " LEFT JOIN locations l ON l.tenant_id = n.tenant_id AND l.id = n.location_id"
)
_LISTED = (
    " WHERE n.tenant_id = :tenant_id AND n.starts_at >= :starts_at AND n.state = 'scheduled'"
    f" AND (n.series_id IS NULL OR ({LISTED_SERIES})) AND s.kind = 'group' AND s.active"
)
_NARROWED = {
    "service": " AND n.service_id = :service",
    "services": " AND n.service_id = ANY(CAST(:services AS uuid[]))",
    "performer": " AND n.performer_id = :performer",
    "weekday": " AND extract(isodow FROM n.starts_at AT TIME ZONE :zone) = :weekday",
    "after": (
        " AND (n.starts_at, n.id) > (SELECT x.starts_at, x.id FROM sessions x"
        " WHERE x.tenant_id = :tenant_id AND x.id = :after)"
    ),
}
_PUBLIC_SERVICE = f" AND s.visibility = 'public' AND s.id <> ALL({KEPT_SERVICES})"


@lru_cache(maxsize=64)
def _dates_statement(asked: frozenset[str]) -> TextClause:
    """A service that is asked for by its own page may be unlisted."""
    columns = (
        "n.id, n.service_id, n.title, n.starts_at, n.ends_at, n.capacity, n.seats_taken, n.mode,"
        " p.name, l.name, n.series_id, r.title, " + rules_in_sql("n", "r")
    )
    where = _LISTED + " AND n.starts_at < :ends_at" + _narrowing(asked)
    order = f" ORDER BY n.starts_at, n.id LIMIT {MOST_DATES + 1}"
    return text(f"SELECT {columns}{_FROM}{where}{order}")


@lru_cache(maxsize=8)
def _next_statement(asked: frozenset[str]) -> TextClause:
    where = _LISTED + _narrowing(asked)
    return text(f"SELECT n.starts_at{_FROM}{where} ORDER BY n.starts_at LIMIT 1")


def _narrowing(asked: frozenset[str]) -> str:
    conditions = "".join(_NARROWED[name] for name in sorted(asked & _NARROWED.keys()))
    return conditions if "service" in asked else _PUBLIC_SERVICE + conditions
