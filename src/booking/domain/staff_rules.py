"""What does not hold for staff who book for a guest, and how it may be paid then.

Staff are not bound by the minimum notice, the furthest day, the opening of drop-ins, the join
policy, or by what is kept for established customers: those keep guests off what the business would
rather arrange itself. Everything else, the seats above all, holds for them too. The facts are
relaxed and then judged by the one function that judges guests (`bookable`), so that there is no
second set of rules.
"""

from dataclasses import replace
from typing import Literal

from src.booking.domain.bookable import SeriesFacts, ServiceFacts, SessionFacts
from src.booking.domain.kinds import JoinPolicy, SeriesPriceType
from src.booking.domain.pricing import SeriesTerms
from src.booking.domain.quotes import Quote

StaffPays = Literal["on_site", "free", "link", "transfer", "credit"]
"""Paid at the door, given away, paid online by a link that the guest gets by mail, by bank
transfer, of which a mail says how, or with credits of the guest's.
"""


def session_for_staff(facts: SessionFacts) -> SessionFacts:
    """The same session, asked for by staff."""
    return replace(
        facts,
        service=_service_for_staff(facts.service),
        drop_in_opens_at=None,
        credit_only=False,
    )


def series_for_staff(facts: SeriesFacts, price_type: SeriesPriceType) -> SeriesFacts:
    """The same series, asked for by staff and paid as they say."""
    terms = replace(terms_for_staff(facts.terms), price_type=price_type)
    return replace(facts, service=_service_for_staff(facts.service), terms=terms)


def terms_for_staff(terms: SeriesTerms) -> SeriesTerms:
    """Joined at any time and up to the start; the price is worked out as for a guest."""
    return replace(terms, join_policy=JoinPolicy.ANY_TIME, min_notice_minutes=0)


def quote_paid(quote: Quote, pays: StaffPays) -> Quote:
    """The same thing at the same price, or at none, paid as staff say; what credits pay is worked
    out from the lot.
    """
    if pays == "credit":
        return quote
    if pays == "free":
        people = tuple(person._replace(unit_minor=0) for person in quote.people)
        return replace(quote, unit_minor=0, people=people, price_type=SeriesPriceType.FREE)
    price_type = SeriesPriceType.ONLINE if pays == "link" else SeriesPriceType.ON_SITE
    return replace(quote, price_type=price_type)


def _service_for_staff(service: ServiceFacts) -> ServiceFacts:
    return replace(service, min_notice_minutes=0, horizon_days=None, is_kept_from_them=False)
