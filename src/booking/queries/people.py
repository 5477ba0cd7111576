"""Who a booking is for, read whole: for staff by booking or seat, for the guest by order."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from src.billing.models import Order
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import Booking, Seat, Series, Service, Session
from src.booking.queries.party import NUMBER
from src.booking.queries.purchases import of_purchase
from src.booking.said import in_party
from src.booking.views.people import BookingPeople, OnePerson
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.models import Customer, Participant

LIVE = [str(state) for state in LIVE_SEATS]


async def get_people(uow: UnitOfWork, booking_id: UUID) -> BookingPeople:
    """Raises: NotFound, for another business's booking and for that of an erased person too."""
    return await _people(uow, _bookings(uow).where(Booking.id == booking_id))


async def get_people_of_order(uow: UnitOfWork, order_id: UUID) -> BookingPeople:
    """Raises: NotFound."""
    return await _people(uow, _bookings(uow).where(Booking.order_id == order_id).limit(1))


async def get_person_in_seat(
    uow: UnitOfWork, session_id: UUID, seat_id: UUID
) -> tuple[BookingPeople, OnePerson]:
    """The booking of a seat of this session, and who sits in it. Raises: NotFound."""
    seat = await uow.session.get(Seat, (uow.tenant, seat_id))
    if seat is None or seat.session_id != session_id:
        raise NotFound(_("There is no such place in this session."))
    people = await get_people(uow, seat.booking_id)
    (person,) = [one for one in people.people if one.participant_id == seat.participant_id]
    return people, person


def _bookings(uow: UnitOfWork) -> Select[Any]:
    tenant = Booking.tenant_id
    return (
        select(Booking, Order.guest_name, Service.name.label("service"))
        .add_columns(Series.title.label("series"), Customer.erased_at)
        .join(Order, (Order.tenant_id == tenant) & (Order.id == Booking.order_id))
        .join(Service, (Service.tenant_id == tenant) & (Service.id == Booking.service_id))
        .join(Customer, (Customer.tenant_id == tenant) & (Customer.id == Booking.customer_id))
        .outerjoin(Series, (Series.tenant_id == tenant) & (Series.id == Booking.series_id))
        .where(tenant == uow.tenant)
    )


async def _people(uow: UnitOfWork, statement: Select[Any]) -> BookingPeople:
    row = (await uow.session.execute(statement)).one_or_none()
    if row is None:
        raise NotFound(_("There is no such booking."))
    if row.erased_at is not None:
        raise NotFound(_("Whose booking this was has been erased."))
    booking: Booking = row.Booking
    tenant = Seat.tenant_id
    found = await uow.session.execute(
        select(Seat.participant_id, NUMBER, Participant.name, Seat.tier)
        .select_from(Seat)
        .join(
            Participant, (Participant.tenant_id == tenant) & (Participant.id == Seat.participant_id)
        )
        .where(tenant == uow.tenant, Seat.booking_id == booking.id)
    )
    party = in_party(found.tuples())
    return BookingPeople(
        booking_id=booking.id,
        purchase_id=booking.completes_id or booking.id,
        order_id=booking.order_id,
        customer_id=booking.customer_id,
        guest_name=row.guest_name,
        what=" · ".join(filter(None, (row.service, row.series))),
        note=booking.note,
        people=[
            OnePerson(participant_id=one, number=who.number, name=who.name, tier=who.tier)
            for one, who in party.items()
        ],
        first_starts_at=await first_start(uow, booking),
    )


async def first_start(uow: UnitOfWork, booking: Booking) -> datetime | None:
    """When the first date begins that somebody still has a place in, of a whole course wherever it
    is completed; None where nobody of this very booking has any.
    """
    own = booking.completes_id or booking.id
    found = await uow.session.execute(
        select(func.min(Session.starts_at), func.bool_or(Seat.booking_id == booking.id))
        .select_from(Seat)
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(Seat.tenant_id == uow.tenant, of_purchase(own), Seat.state.in_(LIVE))
    )
    first_at, has_any = found.one()
    return first_at if has_any else None
