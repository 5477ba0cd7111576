"""What booking has to say when a business changes its currency, its clock or a place."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, or_, select

from src.booking.domain.kinds import SeatState, SessionMode, SessionState
from src.booking.models import Booking, Seat, Series, Service, Session
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.views.settings import GuestsThere, UpcomingDate, UpcomingDates

SAMPLES = 5


async def lock_currency_by_prices(uow: UnitOfWork) -> str | None:
    """A sentence once a service or a series has a price."""
    priced = or_(
        exists().where(Service.tenant_id == uow.tenant, Service.price_minor > 0),
        exists().where(
            Series.tenant_id == uow.tenant,
            or_(Series.price_minor > 0, Series.drop_in_price_minor > 0),
        ),
        exists().where(Session.tenant_id == uow.tenant, Session.drop_in_price_minor > 0),
    )
    if await uow.session.scalar(select(priced)):
        return _("It cannot change any more: your services or series have prices in it.")
    return None


async def upcoming_dates(uow: UnitOfWork, now: datetime) -> UpcomingDates:
    """Scheduled sessions that have not begun, the first few of them by time."""
    ahead = (
        Session.tenant_id == uow.tenant,
        Session.starts_at > now,
        Session.state == str(SessionState.SCHEDULED),
    )
    total = await uow.session.scalar(select(func.count()).select_from(Session).where(*ahead))
    found = await uow.session.execute(
        select(Session.title, Session.starts_at, Service.name)
        .join(
            Service,
            (Service.tenant_id == Session.tenant_id) & (Service.id == Session.service_id),
        )
        .where(*ahead)
        .order_by(Session.starts_at, Session.id)
        .limit(SAMPLES)
    )
    samples = [
        UpcomingDate(title=_title(row.name, row.title), starts_at=row.starts_at) for row in found
    ]
    return UpcomingDates(total=total or 0, samples=samples)


async def guests_at(uow: UnitOfWork, location_id: UUID, now: datetime) -> GuestsThere:
    """Who has a confirmed seat in what still comes there."""
    found = await uow.session.execute(
        select(func.count(Booking.customer_id.distinct()), func.count(Session.id.distinct()))
        .select_from(Session)
        .join(Seat, (Seat.tenant_id == Session.tenant_id) & (Seat.session_id == Session.id))
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .where(
            Session.tenant_id == uow.tenant,
            Session.location_id == location_id,
            Session.mode != str(SessionMode.ONLINE),
            Session.state == str(SessionState.SCHEDULED),
            Session.ends_at > now,
            Seat.state == str(SeatState.CONFIRMED),
        )
    )
    guests, dates = found.one()
    return GuestsThere(guests=guests, dates=dates)


def _title(service: str, session: str) -> str:
    return f"{service}: {session}" if session else service
