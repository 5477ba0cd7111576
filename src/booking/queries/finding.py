"""Why guests do not find a service, a series or a date on the public page, or cannot book it there.

Judged by the functions that refuse a guest, with what keeps something off the page beside them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from src.booking.domain.bookable import BusinessFacts, why_not_bookable_session
from src.booking.domain.kinds import SalesMode, ServiceKind, SessionState, Visibility
from src.booking.domain.publishing import (
    Seen,
    how_seen,
    how_service_seen,
    how_session_seen,
    why_not_found_appointment,
    why_not_found_series,
    why_not_found_service,
    why_not_found_session,
    why_unlisted,
)
from src.booking.domain.reasons import Reason, ReasonCode
from src.booking.mend_links import Subject, why_lines
from src.booking.models import Series, Service, Session
from src.booking.queries.decide import business_now
from src.booking.queries.free_times import givers
from src.booking.queries.hours import have_hours
from src.booking.queries.kept import is_kept as kept_in_sql
from src.booking.queries.kept import is_service_kept
from src.booking.queries.offer_facts import (
    quote_of_session,
    series_facts,
    service_facts,
    session_facts,
)
from src.booking.queries.offers import SessionOffer, get_series_offer, get_session_offer
from src.booking.queries.services import is_paid_online
from src.booking.views.customers import WhyLine
from src.booking.views.finding import Found
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.localtime import to_local
from src.tenants.context import TenantSnapshot

_KEPT = kept_in_sql("services.id", "series.id")
MOST_SERIES = 20
MOST_DATES = 300
"""Of a service, among which one that can be booked is looked for."""


async def find_service(uow: UnitOfWork, tenant: TenantSnapshot, service_id: UUID) -> Found:
    """Raises: NotFound, for another tenant's service too."""
    now = uow.clock.now()
    service = await uow.session.get(Service, (uow.tenant, service_id))
    if service is None:
        raise NotFound(_("There is no such service."))
    business = await business_now(uow, tenant, now)
    if service.kind == ServiceKind.APPOINTMENT:
        return await _find_appointments(uow, tenant, business, service)
    to_come = (
        select(Session.id)
        .where(
            Session.tenant_id == uow.tenant,
            Session.service_id == service_id,
            Session.starts_at >= now,
            Session.state == str(SessionState.SCHEDULED),
        )
        .limit(1)
    )
    in_series = to_come.join(
        Series, (Series.tenant_id == Session.tenant_id) & (Series.id == Session.series_id)
    ).where(
        Series.active, Series.published_at.is_not(None), Series.visibility != str(Visibility.HIDDEN)
    )
    reasons = why_not_found_service(
        business,
        service_facts(service, is_kept_from_them=await is_service_kept(uow, service_id)),
        pays_online=is_paid_online(service),
        has_dates=await uow.session.scalar(to_come) is not None,
        has_series=await uow.session.scalar(in_series) is not None,
    )
    if reasons:
        return _found(reasons, Subject(base=f"/app/{tenant.slug}", service_id=service_id))
    return await _find_any(uow, tenant, business, service, now)


async def _find_appointments(
    uow: UnitOfWork, tenant: TenantSnapshot, business: BusinessFacts, service: Service
) -> Found:
    """Whether anybody gives it and has hours, beside what stands against any service."""
    given_by = await givers(uow, service.id)
    today = to_local(uow.clock.now(), tenant.zone).date()
    reasons = why_not_found_appointment(
        business,
        service_facts(service, is_kept_from_them=await is_service_kept(uow, service.id)),
        pays_online=is_paid_online(service),
        has_givers=bool(given_by),
        has_hours=await have_hours(uow, given_by, today),
    )
    return _found(reasons, Subject(base=f"/app/{tenant.slug}", service_id=service.id))


class _Judged(NamedTuple):
    """A series or a single date, and what keeps guests from booking it on the public page."""

    subject: Subject
    reasons: list[Reason]


async def _find_any(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    business: BusinessFacts,
    service: Service,
    now: datetime,
) -> Found:
    """Whether any series or date to come can be booked; else each thing that stands against them
    once, with the page where it is mended for the soonest that it stands against.
    """
    mode, judged = SalesMode(service.sales_mode), list[_Judged]()
    for judge, other in ((_judge_series, SalesMode.SINGLE), (_judge_dates, SalesMode.SERIES)):
        if mode is not other:
            judged += await judge(uow, tenant, business, service, now)
        if any(not one.reasons for one in judged):
            return Found(seen=str(Seen.BOOKABLE), why=[])
    why: dict[ReasonCode, WhyLine] = {}
    for one in judged:
        for reason in one.reasons:
            if reason.code not in why:
                [why[reason.code]] = why_lines([reason], one.subject)
    seen = how_service_seen(one.reasons for one in judged)
    return Found(seen=str(seen), why=list(why.values()))


async def _judge_series(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    business: BusinessFacts,
    service: Service,
    now: datetime,
) -> list[_Judged]:
    """Those of the service that have dates to come, until one can be booked."""
    next_at = (
        select(func.min(Session.starts_at))
        .where(
            Session.tenant_id == Series.tenant_id,
            Session.series_id == Series.id,
            Session.starts_at >= now,
            Session.state == str(SessionState.SCHEDULED),
        )
        .correlate(Series)
        .scalar_subquery()
    )
    found = await uow.session.scalars(
        select(Series.id)
        .where(Series.tenant_id == uow.tenant, Series.service_id == service.id)
        .where(next_at.is_not(None))
        .order_by(next_at, Series.id)
        .limit(MOST_SERIES)
    )
    judged: list[_Judged] = []
    for series_id in found.all():
        offer = await get_series_offer(uow, series_id)
        reasons = why_not_found_series(series_facts(offer, business), now)
        judged.append(_Judged(subject_of_series(tenant, offer.series), reasons))
        if not reasons:
            break
    return judged


async def _judge_dates(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    business: BusinessFacts,
    service: Service,
    now: datetime,
) -> list[_Judged]:
    """Those to come of the service by themselves, those with free seats first."""
    found = await uow.session.execute(
        select(Session, Series, _KEPT)
        .select_from(Session)
        .join(
            Service, (Service.tenant_id == Session.tenant_id) & (Service.id == Session.service_id)
        )
        .outerjoin(
            Series, (Series.tenant_id == Session.tenant_id) & (Series.id == Session.series_id)
        )
        .where(
            Session.tenant_id == uow.tenant,
            Session.service_id == service.id,
            Session.starts_at >= now,
            Session.state == str(SessionState.SCHEDULED),
        )
        .order_by(Session.seats_taken >= Session.capacity, Session.starts_at, Session.id)
        .limit(MOST_DATES),
        {"tenant_id": uow.tenant},
    )
    judged: list[_Judged] = []
    for session, series, is_kept in found:
        offer = SessionOffer(session, service, series, bool(is_kept))
        quote = quote_of_session(offer, 1, payments_ready=business.payments_ready)
        reasons = why_not_bookable_session(session_facts(offer, business, quote), now)
        if series is not None:
            reasons += why_unlisted(Visibility.PUBLIC, Visibility(series.visibility))
        judged.append(_Judged(_subject_of_session(tenant, session), reasons))
    return judged


async def find_series(uow: UnitOfWork, tenant: TenantSnapshot, series_id: UUID) -> Found:
    """Raises: NotFound, for another tenant's series too."""
    now = uow.clock.now()
    offer = await get_series_offer(uow, series_id)
    business = await business_now(uow, tenant, now)
    reasons = why_not_found_series(series_facts(offer, business), now)
    return _found(reasons, subject_of_series(tenant, offer.series))


async def find_session(uow: UnitOfWork, tenant: TenantSnapshot, session_id: UUID) -> Found:
    """Raises: NotFound, for another tenant's session too."""
    now = uow.clock.now()
    offer = await get_session_offer(uow, session_id)
    business = await business_now(uow, tenant, now)
    quote = quote_of_session(offer, 1, payments_ready=business.payments_ready)
    facts = session_facts(offer, business, quote)
    series, subject = offer.series, _subject_of_session(tenant, offer.session)
    seen_by = None if series is None else Visibility(series.visibility)
    reasons = why_not_found_session(facts, seen_by, now)
    if series is None or not reasons:
        return _found(reasons, subject)
    term = await get_series_offer(uow, series.id)
    of_series = why_not_found_series(series_facts(term, business), now)
    seen = how_session_seen(reasons, of_series)
    return Found(seen=str(seen), why=why_lines(reasons, subject))


def subject_of_series(tenant: TenantSnapshot, series: Series) -> Subject:
    return Subject(base=f"/app/{tenant.slug}", service_id=series.service_id, series_id=series.id)


def _subject_of_session(tenant: TenantSnapshot, session: Session) -> Subject:
    return Subject(
        base=f"/app/{tenant.slug}",
        service_id=session.service_id,
        session_id=session.id,
        series_id=session.series_id,
    )


def _found(reasons: Sequence[Reason], subject: Subject) -> Found:
    return Found(seen=str(how_seen(reasons)), why=why_lines(reasons, subject))
