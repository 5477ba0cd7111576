"""What the dates would have cost that a series is sold without."""

from dataclasses import replace
from datetime import datetime

from src.booking.domain.gaps import gap_shares_minor
from src.booking.domain.kinds import GapPolicy, SeriesPriceType
from src.booking.domain.price_tiers import read_tiers
from src.booking.domain.pricing import SeriesTerms, quote_series
from src.booking.domain.quotes import Quote
from src.booking.queries.offer_facts import series_session
from src.booking.queries.offers import SeriesOffer
from src.tenants.context import TenantSnapshot


def with_gaps(
    quote: Quote, offer: SeriesOffer, terms: SeriesTerms, tenant: TenantSnapshot, now: datetime
) -> Quote:
    """The quote of a party with what is left out, which only a series sold with gaps has. `terms`
    are those that it is quoted by. Who pays nothing for the course pays nothing for these.
    """
    if terms.gap_policy is not GapPolicy.SELL_WITH_GAPS:
        return quote
    runs = [series_session(session) for session in offer.sessions]
    quoted = quote_series(terms, runs, now, tenant.zone, party_size=quote.party_size)
    if quoted.closed or not quoted.gaps:
        return quote
    in_term = {session.id: session.in_term for session in offer.sessions}
    counts = [in_term[session_id] for session_id in quoted.gaps]
    shares = {
        person.tier: gap_shares_minor(
            _whole_price_minor(offer, person.tier) if person.unit_minor else 0,
            quoted.remaining,
            quoted.base,
            counts,
        )
        for person in set(quote.party)
    }
    gaps = {
        session_id: {tier: minors[at] for tier, minors in shares.items()}
        for at, session_id in enumerate(quoted.gaps)
    }
    return replace(quote, gaps=gaps)


def _whole_price_minor(offer: SeriesOffer, tier: str) -> int:
    """The price of the whole term, "" being the full one."""
    series = offer.series
    if series.price_type == SeriesPriceType.FREE:
        return 0
    prices = {one.name: one.price_minor for one in read_tiers(series.price_tiers)}
    return {**prices, "": series.price_minor}.get(tier, 0)
