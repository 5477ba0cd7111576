"""Why guests do not find a service, a series or a date on the public page, or cannot book it there.

Judged by the functions that refuse a guest, with what keeps something off the page beside them.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from src.booking.domain.kinds import SessionState, Visibility
from src.booking.domain.publishing import (
    how_seen,
    why_not_found_series,
    why_not_found_service,
    why_not_found_session,
)
from src.booking.domain.reasons import Reason
from src.booking.mend_links import Subject, why_lines
from src.booking.models import Series, Service, Session
from src.booking.queries.decide import business_now
from src.booking.queries.offer_facts import (
    quote_of_session,
    series_facts,
    service_facts,
    session_facts,
)
from src.booking.queries.offers import get_series_offer, get_session_offer
from src.booking.queries.services import is_paid_online
from src.booking.views.finding import Found
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot


async def find_service(uow: UnitOfWork, tenant: TenantSnapshot, service_id: UUID) -> Found:
    """Raises: NotFound, for another tenant's service too."""
    now = uow.clock.now()
    service = await uow.session.get(Service, (uow.tenant, service_id))
    if service is None:
        raise NotFound(_("There is no such service."))
    business = await business_now(uow, tenant, now)
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
        service_facts(service),
        pays_online=is_paid_online(service),
        has_dates=await uow.session.scalar(to_come) is not None,
        has_series=await uow.session.scalar(in_series) is not None,
    )
    return _found(reasons, Subject(base=f"/app/{tenant.slug}", service_id=service_id))


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
    series = None if offer.series is None else Visibility(offer.series.visibility)
    subject = Subject(
        base=f"/app/{tenant.slug}",
        service_id=offer.service.id,
        session_id=session_id,
        series_id=offer.session.series_id,
    )
    return _found(why_not_found_session(facts, series, now), subject)


def subject_of_series(tenant: TenantSnapshot, series: Series) -> Subject:
    return Subject(base=f"/app/{tenant.slug}", service_id=series.service_id, series_id=series.id)


def _found(reasons: Sequence[Reason], subject: Subject) -> Found:
    return Found(seen=str(how_seen(reasons)), why=why_lines(reasons, subject))
