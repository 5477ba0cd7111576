"""Dates to come with what guests are told of them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select

from src.booking.domain.kinds import SessionMode, SessionState
from src.booking.domain.moves import place_line
from src.booking.models import Series, Service, Session
from src.booking.queries.kept import is_kept
from src.booking.queries.offers import SessionOffer
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.models import Location, Performer

MOST_LOOKED_AT = 300

_KEPT = is_kept("services.id", "series.id")

FoundOffer = tuple[SessionOffer, str, str]
"""A date with its place and performer."""


async def list_offers(
    uow: UnitOfWork, service_id: UUID, own_ids: Sequence[UUID], now: datetime
) -> list[FoundOffer]:
    """The service's dates to come that have room, and among them those of the booking's own."""
    return await read_offers(
        uow,
        Session.service_id == service_id,
        ~Session.is_slot | Session.id.in_(own_ids),
        Session.starts_at >= now,
        (Session.state == str(SessionState.SCHEDULED)) | Session.id.in_(own_ids),
        (Session.seats_taken < Session.capacity) | Session.id.in_(own_ids),
    )


async def read_offers(uow: UnitOfWork, *which: ColumnElement[bool]) -> list[FoundOffer]:
    """Sessions with their service, series, place and performer, the soonest first."""
    found = await uow.session.execute(
        select(Session, Service, Series, Location, Performer.name, _KEPT)
        .join(
            Service, (Service.tenant_id == Session.tenant_id) & (Service.id == Session.service_id)
        )
        .outerjoin(
            Series, (Series.tenant_id == Session.tenant_id) & (Series.id == Session.series_id)
        )
        .outerjoin(
            Location,
            (Location.tenant_id == Session.tenant_id) & (Location.id == Session.location_id),
        )
        .outerjoin(
            Performer,
            (Performer.tenant_id == Session.tenant_id) & (Performer.id == Session.performer_id),
        )
        .where(Session.tenant_id == uow.tenant, *which)
        .order_by(Session.starts_at, Session.id)
        .limit(MOST_LOOKED_AT),
        {"tenant_id": uow.tenant},
    )
    return [
        (SessionOffer(row[0], row[1], row[2], bool(row[5])), _place(row[0], row[3]), row[4] or "")
        for row in found
    ]


def _place(session: Session, location: Location | None) -> str:
    if session.mode == SessionMode.ONLINE:
        return _("Online")
    return "" if location is None else place_line(location.name, location.address)
