"""What cancelling dates does to the price that new buyers of their series pay."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.pricing import SeriesQuote, cancelled_in, quote_series
from src.booking.models import Series, Session
from src.booking.queries.offer_facts import series_session, series_terms
from src.booking.queries.offers import get_series_offer
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


class PriceWithout(NamedTuple):
    """What joining a series gives and costs, as it is and without the dates; `has_others` where it
    has other prices beside the full one.
    """

    title: str
    before: SeriesQuote
    after: SeriesQuote
    is_free: bool
    has_others: bool


async def list_prices_without(
    uow: UnitOfWork, tenant: TenantSnapshot, session_ids: Collection[UUID]
) -> list[PriceWithout]:
    """Of the series on sale that these dates are of, by their titles."""
    dates = select(Session.series_id).where(
        Session.tenant_id == uow.tenant, Session.id.in_(session_ids)
    )
    found = await uow.session.scalars(
        select(Series.id)
        .where(
            Series.tenant_id == uow.tenant,
            Series.id.in_(dates),
            Series.active,
            Series.published_at.is_not(None),
        )
        .order_by(Series.title, Series.id)
    )
    now = uow.clock.now()
    prices = []
    for series_id in found.all():
        offer = await get_series_offer(uow, series_id)
        terms = series_terms(offer.series, offer.service)
        runs = [series_session(one) for one in offer.sessions]
        without = cancelled_in(runs, session_ids)
        prices.append(
            PriceWithout(
                title=offer.series.title,
                before=quote_series(terms, runs, now, tenant.zone),
                after=quote_series(terms, without, now, tenant.zone),
                is_free=terms.price_type is SeriesPriceType.FREE,
                has_others=bool(offer.series.price_tiers),
            )
        )
    return prices
