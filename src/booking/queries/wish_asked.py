"""An offer together with how to quote it, and refuse it, for money or for somebody's credits."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

import msgspec

from src.billing.domain.credits import LotFacts
from src.booking.domain.appointment_terms import SlotWish
from src.booking.domain.bookable import (
    BusinessFacts,
    SeriesFacts,
    SessionFacts,
    why_not_bookable_series,
    why_not_bookable_session,
)
from src.booking.domain.by_credit import CreditFacts, takes_credits
from src.booking.domain.drop_in import PayWay
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.price_tiers import PriceTier
from src.booking.domain.quotes import Quote
from src.booking.domain.reasons import Reason, time_taken
from src.booking.models import Series, Service, Session
from src.booking.queries.by_credit import (
    credit_facts_of_series,
    credit_facts_of_session,
)
from src.booking.queries.drop_in import rules_of
from src.booking.queries.free_times import givers
from src.booking.queries.kept import is_service_kept
from src.booking.queries.offer_facts import (
    quote_of_series,
    quote_of_session,
    series_facts,
    session_facts,
)
from src.booking.queries.offers import SessionOffer, get_series_offer, get_session_offer
from src.booking.queries.slots import (
    find_appointment_service,
    price_of,
    slot_session,
    who_has_time,
)
from src.booking.queries.sold_terms import SoldTerms, find_sold_terms
from src.booking.queries.tiers import for_people, tiers_of_series, tiers_of_session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot


class AskedFor(msgspec.Struct, frozen=True, kw_only=True):
    """An offer together with how to quote it, and refuse it, for a party of any size; `tiers` are
    its prices beside the full one.

    `takes_credits`: it can be paid with credits at all; `credit_facts` are what a lot is held
    against for a quote. `refuse_by_credit` is what stands against booking, how it is paid left out.
    That it `is_kept` for established customers is none of that: others are not shown it at all.
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
    is_kept: bool

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
    offer = await get_session_offer(uow, session_id)
    return await _one_date(uow, tenant, offer, business, now, way)


async def asked_slot(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    service_slug: str,
    wish: SlotWish,
    business: BusinessFacts,
    now: datetime,
    way: PayWay | None,
) -> AskedFor:
    """A time of a service that is given by appointment. Raises: NotFound for a length that is not
    offered, or by somebody who does not give it, too.
    """
    service = await find_appointment_service(uow, service_slug)
    price_minor = None if service is None else price_of(service, wish.minutes)
    if service is None or price_minor is None:
        raise NotFound(_("There is no such service."))
    known = await givers(uow, service.id, wish.performer_id)
    if not known:
        raise NotFound(_("There is no such service."))
    free = await who_has_time(uow, tenant, service, wish)
    session = slot_session(service, wish, service.max_party, price_minor, now)
    session.performer_id = next(iter(known)) if len(known) == 1 else None
    offer = SessionOffer(session, service, None, await is_service_kept(uow, service.id))
    against = [] if free else [time_taken()]
    return await _one_date(uow, tenant, offer, business, now, way, against=against, opens_slot=True)


async def _one_date(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    offer: SessionOffer,
    business: BusinessFacts,
    now: datetime,
    way: PayWay | None,
    *,
    against: Sequence[Reason] = (),
    opens_slot: bool = False,
) -> AskedFor:
    """`against`: what else stands against it, whatever the party's size. `opens_slot`: the date is
    the time of the appointment that they make.
    """
    ready = business.payments_ready

    def quote(size: int) -> Quote:
        return quote_of_session(offer, size, way, payments_ready=ready)

    def facts_for(size: int) -> SessionFacts:
        return session_facts(offer, business, quote(size), opens_slot=opens_slot, admits=True)

    def refuse(size: int) -> list[Reason]:
        return [*why_not_bookable_session(facts_for(size), now), *against]

    def refuse_by_credit(size: int) -> list[Reason]:
        facts = replace(facts_for(size), credit_only=False, pays_online=False)
        return [*why_not_bookable_session(facts, now), *against]

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
        is_kept=offer.is_kept,
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

    def facts_for(size: int) -> SeriesFacts:
        return series_facts(offer, business, size, admits=True)

    def refuse_by_credit(size: int) -> list[Reason]:
        facts = facts_for(size)
        terms = replace(facts.terms, price_type=SeriesPriceType.ON_SITE)
        return why_not_bookable_series(replace(facts, terms=terms), now)

    def quote(size: int) -> Quote:
        return quote_of_series(offer, tenant, size, now)

    return AskedFor(
        service=offer.service,
        series=offer.series,
        runs=offer.sessions,
        quote=quote,
        refuse=lambda size: why_not_bookable_series(facts_for(size), now),
        tiers=lambda size: tiers_of_series(offer, now, tenant.zone, size),
        takes_credits=offer.series.takes_credits and quote(1).full_minor > 0,
        credit_facts=lambda quote, lot: credit_facts_of_series(offer, quote, lot),
        refuse_by_credit=refuse_by_credit,
        sold=await find_sold_terms(uow, tenant, offer.service, offer.series),
        is_kept=offer.is_kept,
    )
