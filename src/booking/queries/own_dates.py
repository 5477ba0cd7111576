"""The dates that a guest has places on, and who comes to them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select

from src.billing.models import Order
from src.booking.domain.kinds import SessionState
from src.booking.domain.states import TAKEN_SEATS
from src.booking.models import Booking, Seat, Series, Service, Session
from src.booking.queries.party import NUMBER
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Location, Participant, Performer

TAKEN = [str(state) for state in TAKEN_SEATS]

Comers = dict[tuple[UUID, UUID], list[tuple[UUID, int, str, str]]]
"""By booking and date, as `said.in_party` takes them."""


def own_dates(uow: UnitOfWork, customer_id: UUID) -> Select[Any]:
    """One row for each booking and date that stands and is not cancelled, in order of time; one
    that is over is among them.
    """
    return (
        select(
            Booking,
            Order,
            Session,
            Service.name.label("service"),
            Series.title.label("series"),
            Location.name.label("location"),
            Location.address.label("address"),
            Performer.name.label("performer"),
            func.count(Seat.id).label("places"),
        )
        .select_from(Booking)
        .join(Order, same_row(Booking, Order, Booking.order_id))
        .join(Seat, and_(Seat.tenant_id == Booking.tenant_id, Seat.booking_id == Booking.id))
        .join(Session, same_row(Seat, Session, Seat.session_id))
        .join(Service, same_row(Booking, Service, Booking.service_id))
        .outerjoin(Series, same_row(Booking, Series, Booking.series_id))
        .outerjoin(Location, same_row(Session, Location, Session.location_id))
        .outerjoin(Performer, same_row(Session, Performer, Session.performer_id))
        .where(
            Booking.tenant_id == uow.tenant,
            Booking.customer_id == customer_id,
            Seat.state.in_(TAKEN),
            Session.state != str(SessionState.CANCELLED),
        )
        .group_by(
            *(Booking.tenant_id, Booking.id, Order.tenant_id, Order.id),
            *(Session.tenant_id, Session.id, Service.name, Series.title),
            *(Location.name, Location.address, Performer.name),
        )
        .order_by(Session.starts_at, Booking.id)
    )


async def list_who_comes(uow: UnitOfWork, booking_ids: Sequence[UUID]) -> Comers:
    """Whoever has a place on a date of these bookings, by booking and date."""
    found = await uow.session.execute(
        select(Seat.booking_id, Seat.session_id, Seat.participant_id, NUMBER, Participant.name)
        .join(Participant, same_row(Seat, Participant, Seat.participant_id))
        .where(
            Seat.tenant_id == uow.tenant, Seat.booking_id.in_(booking_ids), Seat.state.in_(TAKEN)
        )
    )
    comers: Comers = {}
    for booking_id, session_id, one, number, name in found.tuples():
        comers.setdefault((booking_id, session_id), []).append((one, number, name, ""))
    return comers


def same_row(here: Any, there: Any, ref: Any) -> ColumnElement[bool]:
    """That `there` is the row which `ref` of `here` names, at the same business."""
    return and_(there.tenant_id == here.tenant_id, there.id == ref)
