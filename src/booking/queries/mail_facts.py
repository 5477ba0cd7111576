"""What a mail about a booking says, read in one go."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, select

from src.billing.domain.cause_keys import paid_meanwhile_key
from src.billing.models import Order, Refund
from src.booking.models import Booking, Seat, Series, Service, Session
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Location


@dataclass(frozen=True, slots=True)
class SeatFacts:
    """A seat with its session, as far as a guest may know them."""

    seat: Seat
    session: Session
    location: Location | None


@dataclass(frozen=True, slots=True)
class BookingFacts:
    """An order's booking with its seats in order of time."""

    order: Order
    booking: Booking
    service: Service
    series: Series | None
    seats: Sequence[SeatFacts]

    @property
    def what(self) -> str:
        """What was bought, as one name."""
        parts = [self.service.name, self.series.title if self.series is not None else ""]
        return " · ".join(part for part in parts if part)


async def find_booking_facts(uow: UnitOfWork, order_id: UUID) -> BookingFacts | None:
    """All about the order's booking, None when the order is none of ours."""
    found = await uow.session.execute(_OF_ORDER, {"tenant_id": uow.tenant, "order_id": order_id})
    rows = found.all()
    return _facts(rows) if rows else None


async def list_facts_of_seats(uow: UnitOfWork, seat_ids: Sequence[UUID]) -> list[BookingFacts]:
    """The bookings these seats belong to, each with just these seats, oldest order first."""
    found = await uow.session.execute(
        _OF_SEATS, {"tenant_id": uow.tenant, "seat_ids": list(seat_ids)}
    )
    by_order: dict[UUID, list[Row[Any]]] = {}
    for row in found:
        by_order.setdefault(row[0].id, []).append(row)
    return [_facts(by_order[order_id]) for order_id in sorted(by_order)]


async def sum_money_back(
    uow: UnitOfWork, cancellation_id: UUID, bookings: Sequence[BookingFacts]
) -> int:
    """Minor units that the cancellation gave back for these bookings by itself."""
    back = select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(
        Refund.tenant_id == uow.tenant,
        Refund.order_id.in_([facts.order.id for facts in bookings]),
        Refund.cause_key.startswith(paid_meanwhile_key(cancellation_id)),
    )
    return await uow.session.scalar(back) or 0


def _statement() -> Any:
    return (
        select(Order, Booking, Service, Series, Seat, Session, Location)
        .select_from(Booking)
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .join(
            Service, (Service.tenant_id == Booking.tenant_id) & (Service.id == Booking.service_id)
        )
        .outerjoin(
            Series, (Series.tenant_id == Booking.tenant_id) & (Series.id == Booking.series_id)
        )
        .join(Seat, (Seat.tenant_id == Booking.tenant_id) & (Seat.booking_id == Booking.id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .outerjoin(
            Location,
            (Location.tenant_id == Session.tenant_id) & (Location.id == Session.location_id),
        )
        .where(Booking.tenant_id == bindparam("tenant_id"))
        .order_by(Session.starts_at, Seat.id)
    )


# Made once: a statement of seven tables takes longer to put together than to run.
_OF_ORDER = _statement().where(Booking.order_id == bindparam("order_id"))
_OF_SEATS = _statement().where(Seat.id.in_(bindparam("seat_ids", expanding=True)))


def _facts(rows: Sequence[Row[Any]]) -> BookingFacts:
    order, booking, service, series, *_rest = rows[0]
    seats = [SeatFacts(row[4], row[5], row[6]) for row in rows]
    return BookingFacts(order, booking, service, series, seats)
