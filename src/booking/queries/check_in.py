"""A booking found by its code or reference at the door, with the places it has today."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select

from src.billing.domain.kinds import OrderState, order_end
from src.billing.domain.references import reference_from
from src.billing.models import Order
from src.billing.owed import owed_minor
from src.booking.domain.attendance import is_at_the_door
from src.booking.domain.kinds import SeatState
from src.booking.domain.states import TAKEN_SEATS
from src.booking.models import Booking, Seat, Service, Session
from src.booking.queries.customers import notes_of_customer, tags_of_customer
from src.booking.queries.party import NUMBER, called_by_staff
from src.booking.queries.purchases import of_purchase
from src.booking.views.check_in import CheckInBooking, CheckInOwed, CheckInSeat
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.models import Customer, Location, Participant, Performer

TAKEN = [str(state) for state in TAKEN_SEATS]


async def find_order_by_reference(uow: UnitOfWork, reference: str) -> Order | None:
    """For those whose picture does not scan; capitals, spaces and the hyphen do not matter."""
    wanted = reference_from(reference)
    found: Order | None = await uow.session.scalar(
        select(Order).where(Order.tenant_id == uow.tenant, Order.reference == wanted)
    )
    return found


async def get_check_in(
    uow: UnitOfWork, order_id: UUID, zone: ZoneInfo, *, led_by: UUID | None = None
) -> CheckInBooking:
    """The booking's taken seats, those of today apart; with a course also those of dates that it
    was sold without and its guest has got since, by the code of either.

    `led_by` narrows them to one member's sessions. Raises: NotFound, where none is left then too.
    """
    found = await uow.session.execute(
        select(Order, Booking, tags_of_customer().label("tags"), notes_of_customer().label("notes"))
        .add_columns(Customer.erased_at)
        .join(Booking, (Booking.tenant_id == Order.tenant_id) & (Booking.order_id == Order.id))
        .join(
            Customer,
            (Customer.tenant_id == Booking.tenant_id) & (Customer.id == Booking.customer_id),
        )
        .where(Order.tenant_id == uow.tenant, Order.id == order_id)
        .limit(1)
    )
    row = found.first()
    if row is None:
        raise NotFound(_("There is no booking with this code."))
    order: Order = row.Order
    booking: Booking = row.Booking
    purchase_id = booking.completes_id or booking.id
    seats = await _seats(uow, purchase_id, led_by)
    if led_by is not None and not seats:
        raise NotFound(_("This booking has no place in your sessions."))
    now = uow.clock.now()
    return CheckInBooking(
        booking_id=booking.id,
        customer_id=booking.customer_id,
        is_erased=row.erased_at is not None,
        reference=order.reference,
        guest_name=order.guest_name,
        note=booking.note,
        consents=sorted(order.consents),
        tags=row.tags or [],
        staff_notes=row.notes,
        owed=await _owed(uow, purchase_id),
        currency=order.currency,
        standing="stands" if seats else _why_none_stands(order),
        today=[seat for seat in seats if _is_now(seat, zone, now)],
        other=[seat for seat in seats if not _is_now(seat, zone, now)],
    )


def _why_none_stands(order: Order) -> str:
    if order.state == OrderState.OPEN:
        return "unpaid"
    if order.state == OrderState.CONFIRMED:
        return "cancelled"
    return str(order_end(order.state, order.closed_why))


def _is_now(seat: CheckInSeat, zone: ZoneInfo, now: datetime) -> bool:
    return is_at_the_door(seat.starts_at, seat.ends_at, zone, now)


async def _owed(uow: UnitOfWork, purchase_id: UUID) -> list[CheckInOwed]:
    owed = owed_minor()
    found = await uow.session.execute(
        select(Booking.id, Order.reference, owed.label("minor"))
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .where(
            Booking.tenant_id == uow.tenant,
            (Booking.id == purchase_id) | (Booking.completes_id == purchase_id),
            owed > 0,
        )
        .order_by(Order.id)
    )
    return [CheckInOwed(booking_id, reference, minor) for booking_id, reference, minor in found]


async def _seats(uow: UnitOfWork, purchase_id: UUID, led_by: UUID | None) -> list[CheckInSeat]:
    tenant = Seat.tenant_id
    statement = (
        select(Seat, Session, Service.name.label("service"), Location.name.label("place"))
        .add_columns(Participant.name.label("person"), NUMBER, Order.guest_name)
        .join(Order, (Order.tenant_id == tenant) & (Order.id == Seat.order_id))
        .join(Session, (Session.tenant_id == tenant) & (Session.id == Seat.session_id))
        .join(Service, (Service.tenant_id == tenant) & (Service.id == Session.service_id))
        .join(
            Participant, (Participant.tenant_id == tenant) & (Participant.id == Seat.participant_id)
        )
        .outerjoin(Location, (Location.tenant_id == tenant) & (Location.id == Session.location_id))
        .where(tenant == uow.tenant, of_purchase(purchase_id), Seat.state.in_(TAKEN))
        .order_by(Session.starts_at, Session.id, NUMBER, Seat.id)
    )
    if led_by is not None:
        statement = statement.join(
            Performer, (Performer.tenant_id == tenant) & (Performer.id == Session.performer_id)
        ).where(Performer.user_id == led_by)
    return [_seat(row) for row in await uow.session.execute(statement)]


def _seat(row: Row[Any]) -> CheckInSeat:
    session: Session = row.Session
    return CheckInSeat(
        seat_id=row.Seat.id,
        session_id=session.id,
        name=called_by_staff(row.person, row.number, row.guest_name),
        tier=row.Seat.tier,
        state=row.Seat.state,
        is_being_cancelled=row.Seat.state == SeatState.CONFIRMED
        and row.Seat.cancellation_id is not None,
        session_state=session.state,
        what=" · ".join(filter(None, (row.service, session.title))),
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        place=row.place,
    )
