"""What a business offers to guests at one moment, in one statement of bounded cost.

However many sessions there are, each service is judged by its next few dates and each series by its
own: every part of the statement walks an index and stops. The bounds are stated below; what lies
behind them is still found on the service's own page and in the list of dates.
"""

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import TextClause, text

from src.booking.domain.bookable import ServiceFacts
from src.booking.domain.kinds import (
    GapPolicy,
    JoinPolicy,
    SalesMode,
    SeriesPriceType,
    ServiceKind,
    SessionState,
)
from src.booking.domain.price_label import (
    PriceFacts,
    PriceLabel,
    SeriesOnSale,
    SingleOnSale,
    price_label,
)
from src.booking.domain.pricing import (
    SaleClosed,
    SeriesQuote,
    SeriesSession,
    SeriesTerms,
    quote_series,
)
from src.platform.db.uow import UnitOfWork
from src.platform.localtime import month_key, to_local
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature, Limit

NEXT_FREE_DATES = 60
NEXT_DATES = 20
NEWEST_SERIES = 60
MOST_SERIES_OF_A_SERVICE = 40


class Run(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A date of a series, as the statement packs it."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    state: str
    capacity: int
    taken: int
    in_term: bool
    mode: str
    place: str | None


class SeriesRow(msgspec.Struct, frozen=True, kw_only=True):
    """A published series of a service on sale as series, with all its dates in order."""

    id: UUID
    service_id: UUID
    title: str
    description: str
    price_type: str
    price_minor: int
    visibility: str
    join_policy: str
    join_until_on: date | None
    gap_policy: str
    base_sessions: int
    min_notice_minutes: int
    runs: list[Run]

    def terms(self) -> SeriesTerms:
        return SeriesTerms(
            price_type=SeriesPriceType(self.price_type),
            price_minor=self.price_minor,
            base_sessions=self.base_sessions,
            join_policy=JoinPolicy(self.join_policy),
            join_until_on=self.join_until_on,
            gap_policy=GapPolicy(self.gap_policy),
            min_notice_minutes=self.min_notice_minutes,
        )

    def sessions(self) -> list[SeriesSession]:
        return [
            SeriesSession(
                session_id=run.id,
                starts_at=run.starts_at,
                state=SessionState(run.state),
                capacity=run.capacity,
                taken=run.taken,
                in_term=run.in_term,
            )
            for run in self.runs
        ]


class ServiceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A group service. `free_prices` are the prices at which its next dates can be booked alone,
    `full_prices` those of its next dates whether or not a seat is left.
    """

    id: UUID
    slug: str
    name: str
    description: str
    mode: str
    sales_mode: str
    price_type: str
    price_minor: int
    duration_minutes: int
    min_notice_minutes: int
    horizon_days: int
    active: bool
    visibility: str
    free_prices: list[int] | None
    full_prices: list[int] | None
    next_at: datetime | None

    def facts(self) -> ServiceFacts:
        return ServiceFacts(
            active=self.active,
            sales_mode=SalesMode(self.sales_mode),
            min_notice_minutes=self.min_notice_minutes,
            horizon_days=self.horizon_days,
        )

    def single_price_minor(self, drop_in_minor: int | None) -> int:
        if self.price_type == SeriesPriceType.FREE:
            return 0
        return self.price_minor if drop_in_minor is None else drop_in_minor


class PerformerRow(msgspec.Struct, frozen=True):
    id: UUID
    name: str


class Joinable(msgspec.Struct, frozen=True, kw_only=True):
    """A series with what joining it now gives."""

    row: SeriesRow
    quote: SeriesQuote

    @property
    def is_sold_out(self) -> bool:
        return self.quote.closed is SaleClosed.FULL

    @property
    def is_closed(self) -> bool:
        """Nobody can join, however many seats there are."""
        return self.quote.closed is not None and not self.is_sold_out

    def coming(self, now: datetime) -> list[Run]:
        """The dates that somebody who joins now would come to, full ones too."""
        earliest_at = now + timedelta(minutes=self.row.min_notice_minutes)
        return [r for r in self.row.runs if r.state == "scheduled" and r.starts_at >= earliest_at]

    def tightest(self, now: datetime) -> tuple[int, int]:
        """Seats left and capacity of the fullest date to come."""
        pairs = [(run.capacity - run.taken, run.capacity) for run in self.coming(now)]
        return min(pairs, default=(0, 0))


class OnSale(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: services by name, series by their next date, active performers by name."""

    services: list[ServiceRow]
    series: list[Joinable]
    performers: list[PerformerRow]
    month_is_used_up: bool

    def service(self, service_id: UUID) -> ServiceRow | None:
        return next((row for row in self.services if row.id == service_id), None)

    def label(self, row: ServiceRow, currency: str) -> PriceLabel:
        """The service's one price label."""
        return price_label(
            PriceFacts(
                currency=currency,
                kind=ServiceKind.GROUP,
                sales_mode=SalesMode(row.sales_mode),
                catalogue_minor=row.single_price_minor(None),
                singles=_singles(row),
                series=tuple(
                    SeriesOnSale(
                        price_minor=_asked_minor(offer.quote),
                        full_price_minor=offer.quote.full_price_minor,
                        sold_out=offer.is_sold_out,
                    )
                    for offer in self.series
                    if offer.row.service_id == row.id
                    and offer.row.visibility == "public"
                    and not offer.is_closed
                ),
            )
        )


async def list_on_sale(uow: UnitOfWork, tenant: TenantSnapshot, now: datetime) -> OnSale:
    """All listed services, and the newest of the series that can be joined by now.

    A plan without group services has none of it: they are frozen.
    """
    if not tenant.entitlements.has(Feature.GROUP_SERVICES):
        return OnSale(services=[], series=[], performers=[], month_is_used_up=False)
    return await _ask(uow, tenant, now, _statement(one_service=False), {})


async def find_on_sale(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    now: datetime,
    service_slug: str,
    series_id: UUID | None = None,
) -> OnSale | None:
    """One service with its series that still run; None when there is no such service, or it is
    hidden or frozen.

    An unlisted series is among them only when it is asked for by its id.
    """
    if not tenant.entitlements.has(Feature.GROUP_SERVICES):
        return None
    asked = {"service_slug": service_slug, "series_id": series_id}
    found = await _ask(uow, tenant, now, _statement(one_service=True), asked)
    return found if found.services else None


async def _ask(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    now: datetime,
    statement: TextClause,
    asked: dict[str, Any],
) -> OnSale:
    scope = {
        "tenant_id": tenant.id,
        "now": now,
        "today": to_local(now, tenant.zone).date(),
        "zone": tenant.timezone,
        "month": month_key(now, tenant.zone),
    }
    row = (await uow.session.execute(statement, {**scope, **asked})).one()
    series = _series(row[1]) if tenant.entitlements.has(Feature.SERIES) else []
    limit = tenant.entitlements.limit(Limit.BOOKINGS_PER_MONTH)
    joinable = [_joinable(one, tenant, now) for one in series]
    return OnSale(
        services=_services(row[0]),
        series=sorted(joinable, key=lambda offer: _next_start(offer, now)),
        performers=_performers(row[2]),
        month_is_used_up=limit is not None and (row[3] or 0) >= limit,
    )


def _joinable(row: SeriesRow, tenant: TenantSnapshot, now: datetime) -> Joinable:
    return Joinable(row=row, quote=quote_series(row.terms(), row.sessions(), now, tenant.zone))


def _next_start(offer: Joinable, now: datetime) -> tuple[datetime, str]:
    starts = [run.starts_at for run in offer.coming(now)]
    return (starts[0] if starts else now, offer.row.title)


def _singles(row: ServiceRow) -> tuple[SingleOnSale, ...]:
    if row.free_prices:
        return tuple(SingleOnSale(price) for price in row.free_prices)
    return tuple(SingleOnSale(price, sold_out=True) for price in row.full_prices or ())


def _asked_minor(quote: SeriesQuote) -> int:
    """What is shown as the price; a sold-out series has none, so its full one stands in."""
    return quote.full_price_minor if quote.closed is not None else quote.price_minor


_services = msgspec.json.Decoder(list[ServiceRow]).decode
_series = msgspec.json.Decoder(list[SeriesRow]).decode
_performers = msgspec.json.Decoder(list[PerformerRow]).decode

LISTED_SERIES = "r.active AND r.visibility = 'public' AND r.published_at IS NOT NULL"
"""Condition on `series r` for being shown to everybody."""

_PRICE = (
    "CASE WHEN s.price_type = 'free' THEN 0 WHEN w.series_id IS NULL THEN s.price_minor"
    " ELSE coalesce(r.drop_in_price_minor, s.price_minor) END"
)
_SOLD_ALONE = f"(w.series_id IS NULL OR (r.drop_in_allowed AND {LISTED_SERIES}))"
_NEXT = (
    "SELECT n.starts_at, n.series_id, n.tenant_id FROM sessions n"
    " WHERE n.tenant_id = s.tenant_id AND n.service_id = s.id AND n.state = 'scheduled'"
    " AND n.starts_at >= cast(:now AS timestamptz)"
    " + s.min_notice_minutes * interval '1 minute'"
    " AND n.starts_at < ((cast(:today AS date) + s.horizon_days + 1)::timestamp"
    " AT TIME ZONE :zone) {seats} ORDER BY n.starts_at LIMIT {most}"
)
_PRICES = (
    "LEFT JOIN LATERAL (SELECT array_agg(DISTINCT {price}) FILTER (WHERE {alone}) AS prices,"
    " min(w.starts_at) AS next_at FROM ({next}) w"
    " LEFT JOIN series r ON r.tenant_id = w.tenant_id AND r.id = w.series_id) {name} ON true"
)
_SERVICES = (
    "SELECT s.id, s.slug, s.name, s.description, s.mode, s.sales_mode, s.price_type,"
    " s.price_minor, s.duration_minutes, s.min_notice_minutes, s.horizon_days, s.active,"
    " s.visibility, CASE WHEN s.sales_mode <> 'series' THEN free.prices END AS free_prices,"
    " CASE WHEN s.sales_mode <> 'series' THEN coming.prices END AS full_prices, coming.next_at"
    " FROM services s {free} {coming}"
    " WHERE s.tenant_id = :tenant_id AND s.kind = 'group' AND {which} ORDER BY s.name, s.id"
)
_SERIES = (
    "SELECT r.id, r.service_id, r.title, r.description, r.price_type, r.price_minor, r.visibility,"
    " r.join_policy, r.join_until_on, r.gap_policy, coalesce(r.base_sessions, 0) AS base_sessions,"
    " s.min_notice_minutes, runs.runs FROM ({candidates}) r"
    " JOIN services s ON s.tenant_id = r.tenant_id AND s.id = r.service_id"
    " AND s.sales_mode <> 'single' AND s.kind = 'group' AND {which}"
    " CROSS JOIN LATERAL (SELECT min(n.starts_at) AS first_at, max(n.starts_at) AS last_at"
    " FROM sessions n WHERE n.tenant_id = r.tenant_id AND n.series_id = r.id"
    " AND n.state = 'scheduled') d"
    " CROSS JOIN LATERAL (SELECT json_agg(json_build_array(n.id, n.starts_at, n.ends_at, n.state,"
    " n.capacity, n.seats_taken, n.in_term, n.mode, l.name) ORDER BY n.starts_at, n.id) AS runs"
    " FROM sessions n LEFT JOIN locations l ON l.tenant_id = n.tenant_id AND l.id = n.location_id"
    " WHERE n.tenant_id = r.tenant_id AND n.series_id = r.id) runs"
    " WHERE d.last_at >= :now {joinable}"
)
_JOINABLE = (
    "AND (r.join_policy = 'any_time' OR d.first_at >= :now"
    " OR (r.join_policy = 'until' AND r.join_until_on >= cast(:today AS date)))"
)


@lru_cache(maxsize=2)
def _statement(*, one_service: bool) -> TextClause:
    which = "s.slug = :service_slug AND s.visibility <> 'hidden'"
    candidates = (
        "SELECT r.* FROM series r WHERE r.tenant_id = :tenant_id AND r.active"
        " AND r.published_at IS NOT NULL AND (r.visibility = 'public'"
        " OR (r.visibility = 'unlisted' AND r.id = cast(:series_id AS uuid)))"
        " AND r.service_id = (SELECT x.id FROM services x WHERE x.tenant_id = :tenant_id"
        f" AND x.slug = :service_slug) ORDER BY r.id DESC LIMIT {MOST_SERIES_OF_A_SERVICE}"
    )
    if not one_service:
        which = "s.active AND s.visibility = 'public'"
        candidates = (
            f"SELECT r.* FROM series r WHERE r.tenant_id = :tenant_id AND {LISTED_SERIES}"
            f" ORDER BY r.id DESC LIMIT {NEWEST_SERIES}"
        )
    services = _SERVICES.format(
        free=_prices("free", "AND n.seats_taken < n.capacity", NEXT_FREE_DATES),
        coming=_prices("coming", "", NEXT_DATES),
        which=which,
    )
    joinable = "" if one_service else _JOINABLE
    series = _SERIES.format(candidates=candidates, which=which, joinable=joinable)
    performers = (
        "SELECT p.id, p.name FROM performers p WHERE p.tenant_id = :tenant_id AND p.active"
        " ORDER BY p.name"
    )
    counter = "SELECT taken FROM booking_counters WHERE tenant_id = :tenant_id AND month = :month"
    parts = [_packed(services, "x"), _packed(series, "y"), _packed(performers, "z")]
    return text(f"SELECT {', '.join(parts)}, ({counter})")  # constants only


def _prices(name: str, seats: str, most: int) -> str:
    upcoming = _NEXT.format(seats=seats, most=most)
    return _PRICES.format(price=_PRICE, alone=_SOLD_ALONE, next=upcoming, name=name)


def _packed(statement: str, name: str) -> str:
    """The rows as one JSON text, which is decoded much faster than rows are fetched."""
    return f"(SELECT coalesce(json_agg({name}), '[]')::text FROM ({statement}) {name})"
