"""From rows to the facts that pure rules decide on."""

from datetime import datetime

from src.booking.domain.bookable import BusinessFacts, SeriesFacts, ServiceFacts, SessionFacts
from src.booking.domain.drop_in import PayWay, open_ways, opens_at, price_of_date, ways_to_pay
from src.booking.domain.kinds import (
    GapPolicy,
    JoinPolicy,
    SalesMode,
    SeriesPriceType,
    ServiceKind,
    SessionState,
    Visibility,
)
from src.booking.domain.leaving import terms_from
from src.booking.domain.pricing import (
    SeriesSession,
    SeriesTerms,
    quote_series,
)
from src.booking.domain.quotes import Quote
from src.booking.domain.staff_rules import terms_for_staff
from src.booking.models import Series, Service, Session
from src.booking.queries.drop_in import LOOSE, rules_of
from src.booking.queries.offers import SeriesOffer, SessionOffer
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature


def business_facts(tenant: TenantSnapshot, *, monthly_limit_reached: bool = False) -> BusinessFacts:
    return BusinessFacts(
        zone=tenant.zone,
        status=str(tenant.status),
        is_confirmed=tenant.is_confirmed,
        may_sell_groups=tenant.entitlements.has(Feature.GROUP_SERVICES),
        may_sell_series=tenant.entitlements.has(Feature.SERIES),
        may_sell_appointments=tenant.entitlements.has(Feature.APPOINTMENTS),
        monthly_limit_reached=monthly_limit_reached,
        payments_ready=tenant.payments_ready,
        seats_told_up_to=tenant.seats_told_up_to,
    )


def service_facts(service: Service, *, is_kept_from_them: bool = False) -> ServiceFacts:
    return ServiceFacts(
        kind=ServiceKind(service.kind),
        active=service.active,
        visibility=Visibility(service.visibility),
        sales_mode=SalesMode(service.sales_mode),
        min_notice_minutes=service.min_notice_minutes,
        horizon_days=service.horizon_days,
        max_party_size=service.max_party,
        is_kept_from_them=is_kept_from_them,
    )


def session_facts(
    offer: SessionOffer,
    business: BusinessFacts,
    quote: Quote,
    *,
    opens_slot: bool = False,
    admits: bool = False,
) -> SessionFacts:
    """`opens_slot`: whoever asks is about to make the appointment. `admits`: they may have what is
    kept for established customers.
    """
    session, series, rules = offer.session, offer.series, rules_of(offer)
    return SessionFacts(
        business=business,
        service=service_facts(offer.service, is_kept_from_them=offer.is_kept and not admits),
        state=SessionState(session.state),
        starts_at=session.starts_at,
        capacity=session.capacity,
        taken=session.seats_taken,
        party_size=quote.party_size,
        pays_online=quote.way == PayWay.ONLINE and quote.full_minor > 0,
        in_series=series is not None,
        series_on_sale=series is not None and is_on_sale(series),
        drop_in_allowed=bool(rules.allowed),
        drop_in_opens_at=opens_at(rules, session.starts_at, business.zone),
        credit_only=quote.ways == (PayWay.CREDIT,),
        is_anothers=session.is_slot and not opens_slot,
    )


def is_on_sale(series: Series) -> bool:
    """To everybody, or by its link."""
    is_hidden = series.visibility == Visibility.HIDDEN
    return series.active and series.published_at is not None and not is_hidden


def series_terms(series: Series, service: Service) -> SeriesTerms:
    return SeriesTerms(
        price_type=SeriesPriceType(series.price_type),
        price_minor=series.price_minor,
        base_sessions=series.base_sessions or 0,
        join_policy=JoinPolicy(series.join_policy),
        join_until_on=series.join_until_on,
        gap_policy=GapPolicy(series.gap_policy),
        min_notice_minutes=service.min_notice_minutes,
    )


def series_session(session: Session) -> SeriesSession:
    return SeriesSession(
        session_id=session.id,
        starts_at=session.starts_at,
        state=SessionState(session.state),
        capacity=session.capacity,
        taken=session.seats_taken,
        in_term=session.in_term,
    )


def series_facts(
    offer: SeriesOffer, business: BusinessFacts, party_size: int = 1, *, admits: bool = False
) -> SeriesFacts:
    """`admits` as for a session."""
    series = offer.series
    return SeriesFacts(
        business=business,
        service=service_facts(offer.service, is_kept_from_them=offer.is_kept and not admits),
        terms=series_terms(series, offer.service),
        sessions=[series_session(session) for session in offer.sessions],
        active=series.active,
        visibility=Visibility(series.visibility),
        published=series.published_at is not None,
        party_size=party_size,
    )


def quote_of_session(
    offer: SessionOffer,
    party_size: int,
    way: PayWay | None = None,
    *,
    payments_ready: bool = True,
) -> Quote:
    """The price of one date: its own, else the series' for single dates, else the service's.

    Paid the wanted way, or the first of those that are open where that is none of them.
    """
    service, session, rules = offer.service, offer.session, rules_of(offer)
    service_type = SeriesPriceType(service.price_type)
    ways = ways_to_pay(rules, service_type)
    open_now = open_ways(ways, payments_ready=payments_ready)
    if way not in open_now:
        way = open_now[0] if open_now else None
    return Quote(
        kind="session",
        subject_id=session.id,
        service_id=service.id,
        description=" · ".join(filter(None, (service.name, session.title))),
        session_ids=(session.id,),
        sequences=(session.sequence,),
        party_size=party_size,
        unit_minor=price_of_date(rules, service_type, service.price_minor),
        price_type=service_type if way is None else SeriesPriceType(way.value),
        ways=ways,
        tax_rate_bp=service.tax_rate_bp,
        leaving=terms_from(service.leaving),
    )


def quote_of_series(
    offer: SeriesOffer,
    tenant: TenantSnapshot,
    party_size: int,
    now: datetime,
    *,
    by_staff: bool = False,
) -> Quote:
    """What joining now costs and gives; a closed series is quoted at 0 with no sessions."""
    series, service = offer.series, offer.service
    terms = series_terms(series, service)
    quoted = quote_series(
        terms_for_staff(terms) if by_staff else terms,
        [series_session(session) for session in offer.sessions],
        now,
        tenant.zone,
        party_size=party_size,
    )
    sequences = {session.id: session.sequence for session in offer.sessions}
    return Quote(
        kind="series",
        subject_id=series.id,
        service_id=service.id,
        description=" · ".join(filter(None, (service.name, series.title))),
        session_ids=quoted.included,
        sequences=tuple(sequences[session_id] for session_id in quoted.included),
        party_size=party_size,
        unit_minor=quoted.price_minor,
        price_type=SeriesPriceType(series.price_type),
        ways=ways_to_pay(LOOSE, SeriesPriceType(series.price_type)),
        tax_rate_bp=service.tax_rate_bp,
        leaving=terms_from(series.leaving),
    )
