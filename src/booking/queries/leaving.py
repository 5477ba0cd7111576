"""What the pages about leaving a date have to know."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from src.booking.domain.kinds import SeriesPriceType, SessionState
from src.booking.domain.leaving import LeavingTerms
from src.booking.domain.refund_policy import BuyerKind
from src.booking.domain.terms_example import longest_before
from src.booking.models import Series, Service, Session
from src.booking.queries.sold_terms import sold_terms_of
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


async def sample_start(
    uow: UnitOfWork, service_id: UUID | None, terms: Iterable[LeavingTerms]
) -> datetime | None:
    """A start to explain the `terms` by: of the service's next date for which nothing that they
    name has passed. None where there is none, so that no moment is named that nobody can meet.
    """
    found: datetime | None = await uow.session.scalar(
        select(func.min(Session.starts_at)).where(
            Session.tenant_id == uow.tenant,
            Session.service_id == service_id,
            Session.starts_at >= uow.clock.now() + longest_before(terms),
            Session.state == str(SessionState.SCHEDULED),
        )
    )
    return found


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
