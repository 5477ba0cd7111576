"""What a business offers to guests at one moment, in one statement of bounded cost.

However many sessions there are, each service is judged by its next few dates and each series by its
own: every part of the statement walks an index and stops. What lies behind its bounds is still
found on the service's own page and in the list of dates.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import TextClause

from src.billing.gates import may_sell_vouchers
from src.booking.domain.drop_in import (
    DropInRules,
    PayWay,
    opens_at,
)
from src.booking.domain.kinds import (
    SalesMode,
    SeriesPriceType,
    ServiceKind,
)
from src.booking.domain.price_label import (
    PriceFacts,
    PriceLabel,
    SeriesOnSale,
    SingleOnSale,
    price_label,
)
from src.booking.domain.price_tiers import PriceTier, open_tiers
from src.booking.domain.pricing import (
    SaleClosed,
    SeriesQuote,
    quote_series,
)
from src.booking.queries.drop_in import LOOSE
from src.booking.queries.on_sale_rows import (
    AppointmentRow,
    PerformerRow,
    Run,
    SeriesRow,
    ServiceRow,
    SoldAlone,
)
from src.booking.queries.on_sale_statement import Which, on_sale_statement
from src.booking.queries.tiers import at_proportion
from src.platform.db.uow import UnitOfWork
from src.platform.localtime import month_key, to_local
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature, Limit


class Joinable(msgspec.Struct, frozen=True, kw_only=True):
    """A series with what joining it now gives, and at which prices beside the full one."""

    row: SeriesRow
    quote: SeriesQuote
    tiers: tuple[PriceTier, ...] = ()

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

    def had_by_buyers(self, now: datetime) -> list[Run]:
        """The dates to come that a buyer gets a seat in; where nobody can join, all to come."""
        got = set(self.quote.included)
        return [run for run in self.coming(now) if not got or run.id in got]

    def tightest(self, now: datetime) -> tuple[int, int]:
        """Seats left and capacity of the fullest date to come that a buyer gets a seat in."""
        pairs = [(run.capacity - run.taken, run.capacity) for run in self.had_by_buyers(now)]
        return min(pairs, default=(0, 0))


class OnSale(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: services by name, series by their next date, active performers by name.
    `has_packages`: there is one that everybody can buy. `has_vouchers`: so can vouchers be.
    """

    services: list[ServiceRow]
    series: list[Joinable]
    performers: list[PerformerRow]
    month_is_used_up: bool
    now: datetime
    zone: ZoneInfo
    has_packages: bool = False
    has_vouchers: bool = False
    appointments: list[AppointmentRow] = []

    def service(self, service_id: UUID) -> ServiceRow | None:
        return next((row for row in self.services if row.id == service_id), None)

    def label(self, row: ServiceRow, currency: str) -> PriceLabel:
        """The service's one price label."""
        return price_label(
            PriceFacts(
                currency=currency,
                kind=ServiceKind.GROUP,
                sales_mode=SalesMode(row.sales_mode),
                catalogue_minor=row.single_price_minor(),
                catalogue_tiers_minor=_prices_of(row.tiers(LOOSE, self.today)),
                singles=self._singles(row),
                series=tuple(
                    SeriesOnSale(
                        price_minor=offer.quote.asked_minor,
                        full_price_minor=offer.quote.full_price_minor,
                        sold_out=offer.is_sold_out,
                        tiers_minor=_prices_of(offer.tiers),
                    )
                    for offer in self.series
                    if offer.row.service_id == row.id
                    and offer.row.visibility == "public"
                    and not offer.is_closed
                ),
            )
        )

    def next_place_at(self, row: ServiceRow) -> datetime | None:
        """The service's next date that a place can be had for, alone or with a course that can be
        joined. None where there is none.
        """
        alone = [run.first_at for run in row.free_runs or ()]
        in_course = [
            run.starts_at
            for offer in self.series
            if offer.row.service_id == row.id and offer.quote.closed is None
            for run in offer.coming(self.now)
            if run.id in offer.quote.included
        ]
        return min([*alone, *in_course], default=None)

    def _singles(self, row: ServiceRow) -> tuple[SingleOnSale, ...]:
        """Dates that are not sold yet are left out, until single places open."""
        free, coming = self._open(row.free_runs), self._open(row.coming_runs)
        return tuple(
            SingleOnSale(
                row.single_price_minor(rules),
                sold_out=not free,
                tiers_minor=_prices_of(row.tiers(rules, self.today)),
            )
            for rules in free or coming
        )

    @property
    def today(self) -> date:
        """On the business's clock."""
        return to_local(self.now, self.zone).date()

    def _open(self, runs: Sequence[SoldAlone] | None) -> list[DropInRules]:
        """The rules under which some date is sold by now, to strangers."""
        found = [run.rules() for run in runs or () if self._is_open(run)]
        return [rules for rules in found if rules.pays != (PayWay.CREDIT,)]

    def _is_open(self, run: SoldAlone) -> bool:
        at = opens_at(run.rules(), run.first_at, self.zone)
        return at is None or at <= self.now


async def list_on_sale(uow: UnitOfWork, tenant: TenantSnapshot, now: datetime) -> OnSale:
    """All listed services, and the newest of the series that can be joined by now.

    What the plan does not have is frozen, and not among it.
    """
    kinds = (Feature.GROUP_SERVICES, Feature.APPOINTMENTS)
    if not any(tenant.entitlements.has(one) for one in kinds):
        return OnSale(
            services=[],
            series=[],
            performers=[],
            month_is_used_up=False,
            now=now,
            zone=tenant.zone,
        )
    return await _ask(uow, tenant, now, on_sale_statement(Which.ALL), {})


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
    found = await _ask(uow, tenant, now, on_sale_statement(Which.ONE), asked)
    return found if found.services else None


async def find_chosen_on_sale(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    now: datetime,
    service_ids: Sequence[UUID],
    series_ids: Sequence[UUID],
) -> OnSale:
    """Those services, and the series that are among `series_ids` or that everybody finds of them.
    What is kept for established customers is among it, and says so.
    """
    asked = {"service_ids": list(service_ids), "series_ids": list(series_ids)}
    return await _ask(uow, tenant, now, on_sale_statement(Which.CHOSEN), asked)


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
        "takes_money": tenant.payments_ready,
    }
    row = (await uow.session.execute(statement, {**scope, **asked})).one()
    has = tenant.entitlements.has
    services = _services(row[0]) if has(Feature.GROUP_SERVICES) else []
    series = _series(row[1]) if services and has(Feature.SERIES) else []
    limit = tenant.entitlements.limit(Limit.BOOKINGS_PER_MONTH)
    joinable = [_joinable(one, tenant, now) for one in series]
    return OnSale(
        services=services,
        series=sorted(joinable, key=lambda offer: _next_start(offer, now)),
        performers=_performers(row[2]),
        month_is_used_up=limit is not None and (row[3] or 0) >= limit,
        now=now,
        zone=tenant.zone,
        has_packages=bool(row[4]) and has(Feature.PACKAGES),
        has_vouchers=bool(row[5]) and may_sell_vouchers(tenant),
        appointments=_appointments(row[6]) if has(Feature.APPOINTMENTS) else [],
    )


def _joinable(row: SeriesRow, tenant: TenantSnapshot, now: datetime) -> Joinable:
    quote = quote_series(row.terms(), row.sessions(), now, tenant.zone)
    tiers: tuple[PriceTier, ...] = ()
    if row.price_type != SeriesPriceType.FREE:
        tiers = open_tiers(row.price_tiers, to_local(now, tenant.zone).date())
    if quote.closed is None:
        tiers = at_proportion(tiers, quote.remaining, quote.base)
    elif quote.closed is SaleClosed.FULL:
        tiers = at_proportion(tiers, quote.to_come, quote.base)
    return Joinable(row=row, quote=quote, tiers=tiers)


def _prices_of(tiers: Sequence[PriceTier]) -> tuple[int, ...]:
    return tuple(tier.price_minor for tier in tiers)


def _next_start(offer: Joinable, now: datetime) -> tuple[datetime, str]:
    starts = [run.starts_at for run in offer.coming(now)]
    return (starts[0] if starts else now, offer.row.title)


_services = msgspec.json.Decoder(list[ServiceRow]).decode
_series = msgspec.json.Decoder(list[SeriesRow]).decode
_appointments = msgspec.json.Decoder(list[AppointmentRow]).decode
_performers = msgspec.json.Decoder(list[PerformerRow]).decode
