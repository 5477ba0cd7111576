"""An offer together with how to quote it, and refuse it, for money or for somebody's credits."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import msgspec

from src.billing.domain.credits import LotFacts
from src.booking.domain.bookable import (
    BusinessFacts,
    why_not_bookable_series,
    why_not_bookable_session,
)
from src.booking.domain.by_credit import CreditFacts, takes_credits
from src.booking.domain.drop_in import PayWay
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.price_tiers import PriceTier
from src.booking.domain.quotes import Quote
from src.booking.domain.reasons import Reason
from src.booking.models import Series, Service, Session
from src.booking.queries.by_credit import (
    credit_facts_of_series,
    credit_facts_of_session,
)
from src.booking.queries.drop_in import rules_of
from src.booking.queries.offer_facts import (
    quote_of_series,
    quote_of_session,
    series_facts,
    session_facts,
)
from src.booking.queries.offers import get_series_offer, get_session_offer
from src.booking.queries.sold_terms import SoldTerms, find_sold_terms
from src.booking.queries.tiers import for_people, tiers_of_series, tiers_of_session
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


class AskedFor(msgspec.Struct, frozen=True, kw_only=True):
    """An offer together with how to quote it, and refuse it, for a party of any size; `tiers` are
    its prices beside the full one.

    `takes_credits`: it can be paid with credits at all; `credit_facts` are what a lot is held
    against for a quote. `refuse_by_credit` is what stands against booking, how it is paid left out.
    """

    service: Service
    series: Series | None
    runs: Sequence[Session]
    quote: Callable[[int], Quote]
    refuse: Callable[[int], list[Reason]]
    tiers: Callable[[int], tuple[PriceTier, ...]]
    takes_credits: bool
    credit_facts: Callable[[Quote, LotFacts], CreditFacts]
    refuse_by_credit: Callable[[int], list[Reason]]
    sold: SoldTerms

    def quote_for(self, people: Sequence[str]) -> Quote:
        """For those who have chosen a price each."""
        size = len(people)
        return for_people(self.quote(size), self.tiers(size), people)

    def as_for_one(self) -> "AskedFor":
        """At the price and with the dates that one person gets, whatever the party's size."""
        return msgspec.structs.replace(
            self,
            quote=lambda size: replace(self.quote(1), party_size=size),
            tiers=lambda _size: self.tiers(1),
        )


async def asked_session(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    session_id: UUID,
    business: BusinessFacts,
    now: datetime,
    way: PayWay | None,
) -> AskedFor:
    """Raises: NotFound."""
    offer, ready = await get_session_offer(uow, session_id), business.payments_ready

    def quote(size: int) -> Quote:
        return quote_of_session(offer, size, way, payments_ready=ready)

    def refuse(size: int) -> list[Reason]:
        return why_not_bookable_session(session_facts(offer, business, quote(size)), now)

    def refuse_by_credit(size: int) -> list[Reason]:
        facts = session_facts(offer, business, quote(size))
        return why_not_bookable_session(replace(facts, credit_only=False, pays_online=False), now)

    return AskedFor(
        service=offer.service,
        series=offer.series,
        runs=[offer.session],
        quote=quote,
        refuse=refuse,
        tiers=lambda _size: tiers_of_session(offer, now, business.zone),
        takes_credits=takes_credits(rules_of(offer)) and quote(1).full_minor > 0,
        credit_facts=lambda quote, lot: credit_facts_of_session(offer, quote, lot),
        refuse_by_credit=refuse_by_credit,
        sold=await find_sold_terms(uow, tenant, offer.service, offer.series),
    )


async def asked_series(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    series_id: UUID,
    business: BusinessFacts,
    now: datetime,
) -> AskedFor:
    """Raises: NotFound."""
    offer = await get_series_offer(uow, series_id)

    def refuse_by_credit(size: int) -> list[Reason]:
        facts = series_facts(offer, business, size)
        terms = replace(facts.terms, price_type=SeriesPriceType.ON_SITE)
        return why_not_bookable_series(replace(facts, terms=terms), now)

    def quote(size: int) -> Quote:
        return quote_of_series(offer, tenant, size, now)

    return AskedFor(
        service=offer.service,
        series=offer.series,
        runs=offer.sessions,
        quote=quote,
        refuse=lambda size: why_not_bookable_series(series_facts(offer, business, size), now),
        tiers=lambda size: tiers_of_series(offer, now, tenant.zone, size),
        takes_credits=offer.series.takes_credits and quote(1).full_minor > 0,
        credit_facts=lambda quote, lot: credit_facts_of_series(offer, quote, lot),
        refuse_by_credit=refuse_by_credit,
        sold=await find_sold_terms(uow, tenant, offer.service, offer.series),
    )
