"""Services as their owner sees them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, exists, func, select

from src.booking.domain.appointment_terms import appointment_terms_from, lengths_of
from src.booking.domain.kinds import SalesMode, SeriesPriceType, ServiceKind
from src.booking.domain.price_label import PriceFacts, price_label
from src.booking.domain.price_label import text as label_text
from src.booking.domain.price_tiers import open_tiers, read_tiers
from src.booking.domain.reminding import reminders_from
from src.booking.models import Series, Service, ServicePerformer, Session
from src.booking.queries.on_offer import people_in, with_offers
from src.booking.queries.on_sale import OnSale, list_on_sale
from src.booking.reminder_words import reminded_words
from src.booking.views.services import ServiceHead, ServiceListRow
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _, current_locale
from src.tenants.context import TenantSnapshot
from src.tenants.models import Performer


async def list_service_rows(
    uow: UnitOfWork, tenant: TenantSnapshot, now: datetime
) -> list[ServiceListRow]:
    """Every service, those on offer first, with what is coming up."""
    on_sale = await list_on_sale(uow, tenant, now)
    found = await uow.session.execute(_with_upcoming(uow.tenant, now))
    given_by = await _givers_of_all(uow)
    return [_list_row(row, on_sale, tenant.currency, given_by) for row in found]


async def _givers_of_all(uow: UnitOfWork) -> dict[UUID, list[str]]:
    """By service, the names of those who give it by appointment and are not put aside."""
    found = await uow.session.execute(
        select(ServicePerformer.service_id, Performer.name)
        .join(
            Performer,
            (Performer.tenant_id == ServicePerformer.tenant_id)
            & (Performer.id == ServicePerformer.performer_id),
        )
        .where(ServicePerformer.tenant_id == uow.tenant, Performer.active)
        .order_by(Performer.name)
    )
    names: dict[UUID, list[str]] = {}
    for row in found:
        names.setdefault(row.service_id, []).append(row.name)
    return names


async def get_service_head(uow: UnitOfWork, service_id: UUID) -> ServiceHead:
    """Raises: NotFound, for another tenant's service too."""
    service = await uow.session.get(Service, (uow.tenant, service_id))
    if service is None:
        raise NotFound(_("There is no such service."))
    return ServiceHead(
        id=service.id,
        name=service.name,
        slug=service.slug,
        kind=service.kind,
        active=service.active,
        visibility=service.visibility,
        reminded=reminded_of(service),
    )


def reminded_of(service: Service) -> str:
    """When its guests are reminded, in words."""
    return reminded_words([one.offset for one in reminders_from(service.reminders)])


async def has_prices_of_their_own(uow: UnitOfWork, service_id: UUID) -> bool:
    """Whether the service has series, or dates that do not cost what it says."""
    of_series = exists().where(Series.tenant_id == uow.tenant, Series.service_id == service_id)
    of_dates = exists().where(
        Session.tenant_id == uow.tenant,
        Session.service_id == service_id,
        Session.drop_in_price_minor.is_not(None),
    )
    return bool(await uow.session.scalar(select(of_series | of_dates)))


def is_paid_online(service: Service) -> bool:
    """Whether its single dates need a processor to be booked."""
    return (
        service.price_type == SeriesPriceType.ONLINE
        and service.sales_mode != SalesMode.SERIES
        and service.price_minor > 0
    )


def _with_upcoming(tenant_id: UUID, now: datetime) -> Select[Any]:
    coming = (
        with_offers(
            select(
                Session.service_id,
                func.count().label("upcoming"),
                func.sum(people_in()).label("taken"),
                func.sum(Session.capacity).label("capacity"),
                func.min(Session.starts_at).label("next_at"),
            )
        )
        .where(
            Session.tenant_id == tenant_id, Session.starts_at >= now, Session.state == "scheduled"
        )
        .group_by(Session.service_id)
        .subquery()
    )
    series = (
        select(Series.service_id, func.count().label("number"))
        .where(Series.tenant_id == tenant_id)
        .group_by(Series.service_id)
        .subquery()
    )
    return (
        select(Service, coming, series.c.number)
        .outerjoin(coming, coming.c.service_id == Service.id)
        .outerjoin(series, series.c.service_id == Service.id)
        .where(Service.tenant_id == tenant_id)
        .order_by(Service.active.desc(), Service.name, Service.id)
    )


def _list_row(
    row: Row[Any], on_sale: OnSale, currency: str, given_by: Mapping[UUID, list[str]]
) -> ServiceListRow:
    service: Service = row.Service
    terms = appointment_terms_from(service.appointment)
    return ServiceListRow(
        id=service.id,
        name=service.name,
        slug=service.slug,
        kind=service.kind,
        mode=service.mode,
        sales_mode=service.sales_mode,
        visibility=service.visibility,
        active=service.active,
        price=_price(service, on_sale, currency),
        pays_online=is_paid_online(service),
        upcoming=row.upcoming or 0,
        seats_taken=row.taken or 0,
        capacity=row.capacity or 0,
        next_at=row.next_at,
        series=row.number or 0,
        lengths=[one.minutes for one in lengths_of(terms, service.duration_minutes, 0)]
        if service.kind == ServiceKind.APPOINTMENT
        else [],
        given_by=given_by.get(service.id, []),
    )


def _price(service: Service, on_sale: OnSale, currency: str) -> str:
    """What guests read, or, for a service that they do not see, what they would read."""
    offered = on_sale.service(service.id)
    if offered is not None:
        return label_text(on_sale.label(offered, currency), current_locale())
    is_free = service.price_type == SeriesPriceType.FREE
    tiers = open_tiers(read_tiers(service.price_tiers), on_sale.today)
    facts = PriceFacts(
        currency=currency,
        kind=ServiceKind(service.kind),
        sales_mode=SalesMode(service.sales_mode),
        catalogue_minor=0 if is_free else service.price_minor,
        catalogue_tiers_minor=() if is_free else tuple(tier.price_minor for tier in tiers),
    )
    return label_text(price_label(facts), current_locale())
