"""What the pages about leaving a date have to know."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from src.booking.domain.kinds import SeriesPriceType, SessionState
from src.booking.domain.leaving import LeavingTerms
from src.booking.domain.refund_policy import BuyerKind
from src.booking.models import Series, Service, Session
from src.booking.queries.sold_terms import sold_terms_of
from src.platform.db.uow import UnitOfWork
from src.platform.localtime import to_local, to_utc
from src.tenants.context import TenantSnapshot

SAMPLE_AT_LEAST = timedelta(days=7)
SAMPLE_DAYS, SAMPLE_HOUR = 14, 18


async def sample_start(uow: UnitOfWork, service_id: UUID | None, zone: ZoneInfo) -> datetime:
    """A start to explain terms by: the service's next date that is a week ahead, so that deadlines
    lie ahead as well; else an evening two weeks ahead.
    """
    now = uow.clock.now()
    next_at = await uow.session.scalar(
        select(func.min(Session.starts_at)).where(
            Session.tenant_id == uow.tenant,
            Session.service_id == service_id,
            Session.starts_at >= now + SAMPLE_AT_LEAST,
            Session.state == str(SessionState.SCHEDULED),
        )
    )
    if next_at is not None:
        return next_at
    day = to_local(now, zone) + timedelta(days=SAMPLE_DAYS)
    return to_utc(day.replace(hour=SAMPLE_HOUR, minute=0, second=0, microsecond=0), zone)


async def find_terms(
    uow: UnitOfWork, tenant: TenantSnapshot, service_id: UUID, series_ids: Sequence[UUID]
) -> dict[UUID, LeavingTerms]:
    """The terms that the service's single dates and the series are sold under now, by id."""
    found = await uow.session.execute(
        select(Service.id, Service.leaving, Service.price_type)
        .where(Service.tenant_id == uow.tenant, Service.id == service_id)
        .union_all(
            select(Series.id, Series.leaving, Series.price_type).where(
                Series.tenant_id == uow.tenant, Series.id.in_(series_ids)
            )
        )
    )
    terms: dict[UUID, LeavingTerms] = {}
    for row in found:
        is_course = row[0] != service_id
        sold = await sold_terms_of(uow, tenant, row[1] if not is_course else {}, row[1])
        is_on_site = row[2] == SeriesPriceType.ON_SITE
        single = BuyerKind.ON_SITE if is_on_site else BuyerKind.CARD
        terms[row[0]] = sold.for_kind(BuyerKind.COURSE if is_course else single)
    return terms
