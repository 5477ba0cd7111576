"""What an order is about, as its guest would call it by now."""

from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from src.booking.domain.kinds import SeatState
from src.booking.models import Booking, Seat, Series, Service, Session
from src.platform.db.uow import UnitOfWork
from src.platform.web.formats import datetime_local


async def names_of_order(uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> list[str]:
    """A course by its name, single dates by when they are, in the current language.

    What was moved to another date is called by that one; what has ended, by the date it was for.
    """
    found = await uow.session.execute(
        select(Service.name, Series.title.label("course"), Session.title, Session.starts_at)
        .add_columns(Booking.completes_id)
        .select_from(Seat)
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .join(Service, (Service.tenant_id == Seat.tenant_id) & (Service.id == Booking.service_id))
        .outerjoin(Series, (Series.tenant_id == Seat.tenant_id) & (Series.id == Booking.series_id))
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.order_id == order_id,
            Seat.state != str(SeatState.SWAPPED),
        )
        .order_by(Session.starts_at, Seat.id)
    )
    names = []
    for row in found:
        parts = [row.name, row.course]
        if row.course is None or row.completes_id is not None:
            parts += [row.title, datetime_local(row.starts_at, zone)]
        names.append(" · ".join(filter(None, parts)))
    return list(dict.fromkeys(names))
