"""The prices that an offer has beside its full one, and a party that pays at several of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from src.booking.domain.drop_in import DropInRules
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.price_tiers import FULL, PriceTier, open_tiers, read_tiers
from src.booking.domain.pricing import prorate, quote_series
from src.booking.domain.quotes import Person, Quote
from src.booking.domain.staff_rules import terms_for_staff
from src.booking.models import Service
from src.booking.queries.drop_in import rules_of
from src.booking.queries.offer_facts import series_session, series_terms
from src.booking.queries.offers import SeriesOffer, SessionOffer
from src.platform.i18n import _
from src.platform.localtime import to_local


def tiers_of_session(
    offer: SessionOffer, now: datetime, zone: ZoneInfo, *, by_staff: bool = False
) -> tuple[PriceTier, ...]:
    """The service's, where the date costs what the service says; a date with a price of its own, or
    of its series, has that one only.
    """
    today = to_local(now, zone).date()
    return open_tiers(single_tiers(offer.service, rules_of(offer)), today, by_staff=by_staff)


def single_tiers(service: Service, rules: DropInRules) -> tuple[PriceTier, ...]:
    """Those that a date of the service has by these rules, ended ones too."""
    return tiers_beside(SeriesPriceType(service.price_type), service.price_tiers, rules)


def tiers_beside(
    service_type: SeriesPriceType, stored: Sequence[Any], rules: DropInRules
) -> tuple[PriceTier, ...]:
    """The same from what is `stored` of a service."""
    if service_type is SeriesPriceType.FREE or rules.price_minor is not None:
        return ()
    return read_tiers(stored)


def tiers_of_series(
    offer: SeriesOffer, now: datetime, zone: ZoneInfo, size: int, *, by_staff: bool = False
) -> tuple[PriceTier, ...]:
    """At what joining now costs; while nobody can join, at what the whole term does."""
    series = offer.series
    if series.price_type == SeriesPriceType.FREE or not series.price_tiers:
        return ()
    today = to_local(now, zone).date()
    found = open_tiers(read_tiers(series.price_tiers), today, by_staff=by_staff)
    terms = series_terms(series, offer.service)
    if by_staff:
        terms = terms_for_staff(terms)
    runs = [series_session(session) for session in offer.sessions]
    quoted = quote_series(terms, runs, now, zone, party_size=size)
    return found if quoted.closed else at_proportion(found, quoted.remaining, quoted.base)


def at_proportion(tiers: Sequence[PriceTier], remaining: int, base: int) -> tuple[PriceTier, ...]:
    """The prices of who joins late."""
    return tuple(
        PriceTier(
            key=tier.key,
            name=tier.name,
            price_minor=prorate(tier.price_minor, remaining, base),
            until_on=tier.until_on,
            audience=tier.audience,
        )
        for tier in tiers
    )


def for_people(quote: Quote, tiers: Sequence[PriceTier], chosen: Sequence[str]) -> Quote:
    """The quote for a party that has chosen, one by one, a tier or the full price. What is not
    among the tiers counts as the full price; see `why_not_chosen`.
    """
    known = {tier.key: Person(tier.name, tier.price_minor) for tier in tiers}
    full = Person("", quote.unit_minor)
    if not any(key in known for key in chosen):
        return quote
    return replace(quote, people=tuple(known.get(key, full) for key in chosen))


def why_not_chosen(tiers: Sequence[PriceTier], chosen: Sequence[str], size: int) -> str | None:
    """The sentence for a choice that cannot be, None for one that can."""
    if chosen and len(chosen) != size:
        return _("Please choose a price for everyone who comes.")
    if set(chosen) - {FULL, *(tier.key for tier in tiers)}:
        return _("One of the prices is not on offer any more. Please look again.")
    return None
