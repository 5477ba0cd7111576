"""What a guest reads of the terms before they book."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from src.booking.domain.drop_in import open_ways
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.quotes import Quote
from src.booking.leaving_words import by_way_in_words, dates_in_words, rules_in_words
from src.booking.models import Session
from src.booking.queries.sold_terms import SoldTerms
from src.tenants.context import TenantSnapshot


def said_of_quote(
    tenant: TenantSnapshot, sold: SoldTerms, quote: Quote, runs: Sequence[Session], now: datetime
) -> list[str]:
    """The terms it would be bought under: for one date as moments, for either way to pay while that
    is chosen; for a series as rules.
    """
    price_type = quote.price_type if quote.total_minor else SeriesPriceType.FREE
    if quote.kind == "series":
        got = set(quote.session_ids)
        first_at = min((run.starts_at for run in runs if run.id in got), default=None)
        terms = sold.quoted(quote).leaving
        return rules_in_words(
            terms, price_type, tenant.zone, first_at, now, seats=quote.paid_places
        )
    starts_at = runs[0].starts_at

    def words(price_type: SeriesPriceType) -> list[str]:
        terms = sold.quoted(replace(quote, price_type=price_type)).leaving
        return dates_in_words(
            terms, price_type, starts_at, tenant.zone, now, seats=quote.paid_places
        )

    ways = open_ways(quote.ways, payments_ready=tenant.payments_ready)
    if quote.total_minor and len(ways) > 1:
        by_card, on_site = words(SeriesPriceType.ONLINE), words(SeriesPriceType.ON_SITE)
        return by_way_in_words(by_card, on_site)
    return words(price_type)
