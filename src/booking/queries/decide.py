"""Whether something may be booked, by whom, and at what price: read once, judged by one function.

The booking command refuses with the answer; the dashboard shows it as "why can't Anna book this?".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from src.billing.domain.credits import LotFacts
from src.billing.domain.lot_users import Comer
from src.booking.domain.bookable import (
    BusinessFacts,
    why_not_bookable_series,
    why_not_bookable_session,
)
from src.booking.domain.drop_in import PayWay
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.price_tiers import PriceTier
from src.booking.domain.quotes import Quote, SubjectKind
from src.booking.domain.reasons import Reason
from src.booking.domain.staff_rules import (
    StaffPays,
    quote_paid,
    series_for_staff,
    session_for_staff,
)
from src.booking.models import Service, Session
from src.booking.queries.by_credit import series_by_credit, session_by_credit
from src.booking.queries.gaps import with_gaps
from src.booking.queries.offer_facts import (
    business_facts,
    quote_of_series,
    quote_of_session,
    series_facts,
    session_facts,
)
from src.booking.queries.offers import (
    SeriesOffer,
    SessionOffer,
    count_as_free,
    get_series_offer,
    get_session_offer,
)
from src.booking.queries.sold_terms import find_sold_terms
from src.booking.queries.tiers import (
    for_people,
    tiers_of_series,
    tiers_of_session,
    why_not_chosen,
)
from src.booking.queries.transfers import with_transfer
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Limit
from src.tenants.queries.consequences import month_usage
from src.tenants.queries.established import is_established


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The price, and every reason against; `runs` are the session, or all of the series. `tiers`
    are the prices beside the full one, and `tiers_error` is what is wrong with those asked for.
    """

    service: Service
    runs: list[Session]
    quote: Quote
    reasons: list[Reason]
    tiers: tuple[PriceTier, ...]
    tiers_error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for, and for how many; with `pays` it is staff who ask. A `way` to pay that is
    none of the offer's is left to the asker to refuse. With a `lot`, the asker's own, its credits
    are to pay, which may be for certain people only: `party` are those who come. `opens_slot`: the
    session is the time of the appointment that they make. `customer_id` is who has proved to be
    that customer, and `is_offered` says that a waiting list has offered it to them: only such may
    have what is kept for established customers.
    """

    kind: SubjectKind
    subject_id: UUID
    size: int = 1
    way: PayWay | None = None
    tiers: tuple[str, ...] = ()
    pays: StaffPays | None = None
    lot: LotFacts | None = None
    party: tuple[Comer, ...] | None = None
    opens_slot: bool = False
    customer_id: UUID | None = None
    is_offered: bool = False


async def business_now(uow: UnitOfWork, tenant: TenantSnapshot, now: datetime) -> BusinessFacts:
    """The business as a page shows it: the month's counter is read and not claimed."""
    limit = tenant.entitlements.limit(Limit.BOOKINGS_PER_MONTH)
    used_up = False
    if limit is not None:
        used_up = await month_usage(uow, tenant.id, tenant.timezone, now) >= limit
    return business_facts(tenant, monthly_limit_reached=used_up)


async def decide(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    business: BusinessFacts,
    asked: Asked,
    now: datetime,
    held: Mapping[UUID, int] | None = None,
) -> Decided:
    """`held` are seats by session that count as free.

    Raises: NotFound for what is absent, or another business's.
    """
    if asked.kind == "session":
        return await _session(uow, tenant, business, asked, now, held or {})
    return await _series(uow, tenant, business, asked, now, held or {})


async def _session(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    business: BusinessFacts,
    asked: Asked,
    now: datetime,
    held: Mapping[UUID, int],
) -> Decided:
    offer = await get_session_offer(uow, asked.subject_id)
    count_as_free([offer.session], held)
    ready = business.payments_ready
    quote = quote_of_session(offer, asked.size, asked.way, payments_ready=ready)
    by_staff = asked.pays is not None
    tiers = tiers_of_session(offer, now, business.zone, by_staff=by_staff)
    quote = for_people(quote, tiers, asked.tiers)
    if asked.pays is not None:
        quote = quote_paid(quote, asked.pays)
    runs = [offer.session]
    quote = await with_transfer(uow, quote, runs, asked.way, business.zone, by_staff=by_staff)
    against: list[Reason] = []
    if asked.lot is not None:
        quote, against = session_by_credit(offer, quote, asked.lot, now, asked.party)
    admits = await _admits(uow, offer, asked)
    facts = session_facts(offer, business, quote, opens_slot=asked.opens_slot, admits=admits)
    if asked.lot is not None:
        facts = replace(facts, credit_only=False)
    if asked.pays is not None:
        facts = session_for_staff(facts)
    sold = await find_sold_terms(uow, tenant, offer.service, offer.series)
    return Decided(
        service=offer.service,
        runs=runs,
        quote=sold.quoted(quote),
        reasons=[*why_not_bookable_session(facts, now), *against],
        tiers=tiers,
        tiers_error=why_not_chosen(tiers, asked.tiers, asked.size),
    )


async def _admits(uow: UnitOfWork, offer: SessionOffer | SeriesOffer, asked: Asked) -> bool:
    """Whether who asks may have what is kept; nobody is looked up for what is not."""
    if not offer.is_kept or asked.is_offered:
        return True
    return await is_established(uow, asked.customer_id)


async def _series(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    business: BusinessFacts,
    asked: Asked,
    now: datetime,
    held: Mapping[UUID, int],
) -> Decided:
    offer = await get_series_offer(uow, asked.subject_id)
    count_as_free(offer.sessions, held)
    by_staff = asked.pays is not None
    quote = quote_of_series(offer, tenant, asked.size, now, by_staff=by_staff)
    tiers = tiers_of_series(offer, now, tenant.zone, asked.size, by_staff=by_staff)
    quote = for_people(quote, tiers, asked.tiers)
    admits = await _admits(uow, offer, asked)
    facts = series_facts(offer, business, asked.size, admits=admits)
    if asked.pays is not None:
        quote = quote_paid(quote, asked.pays)
        facts = series_for_staff(facts, quote.price_type)
    quote = with_gaps(quote, offer, facts.terms, tenant, now)
    against: list[Reason] = []
    if asked.lot is not None:
        quote, against = series_by_credit(offer, quote, asked.lot, now, asked.party)
        # Nothing is paid online, so that it does not matter whether it could be.
        terms = replace(facts.terms, price_type=SeriesPriceType.ON_SITE)
        facts = replace(facts, terms=terms)
    sold = await find_sold_terms(uow, tenant, offer.service, offer.series)
    return Decided(
        service=offer.service,
        runs=list(offer.sessions),
        quote=sold.quoted(
            await with_transfer(
                uow, quote, offer.sessions, asked.way, tenant.zone, by_staff=by_staff
            )
        ),
        reasons=[*why_not_bookable_series(facts, now), *against],
        tiers=tiers,
        tiers_error=why_not_chosen(tiers, asked.tiers, asked.size),
    )
