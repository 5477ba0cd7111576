"""What a cancellation takes from whom: a purchase's dates, and whole holds for one date."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.booking.domain.kinds import SeatState
from src.booking.domain.states import TAKEN_SEATS
from src.booking.models import Booking, Seat, Session
from src.booking.queries.held import pay_until_of, told_until
from src.booking.queries.purchases import left_of_purchase
from src.booking.views.cancellations import LostDate, LostHold
from src.platform.db.uow import UnitOfWork

HELD, TAKEN = str(SeatState.HELD), [str(state) for state in TAKEN_SEATS]


async def list_lost_dates(uow: UnitOfWork, booking_id: UUID, now: datetime) -> list[LostDate]:
    """The dates of the purchase that would be cancelled, in order."""
    found = await uow.session.execute(
        select(Session.starts_at, Session.ends_at, Session.title)
        .join(Seat, (Seat.tenant_id == Session.tenant_id) & (Seat.session_id == Session.id))
        .where(
            Session.tenant_id == uow.tenant,
            *left_of_purchase(booking_id, now),
            Seat.state.in_(TAKEN),
        )
        .distinct()
        .order_by(Session.starts_at)
    )
    return [
        LostDate(starts_at=row.starts_at, ends_at=row.ends_at, title=row.title) for row in found
    ]


async def list_lost_holds(uow: UnitOfWork, which: Sequence[Any]) -> list[LostHold]:
    """The orders that wait to be paid by a link and have a seat among `which`: they are one price,
    so that all of their seats end where one does.
    """
    reached = (
        select(Seat.order_id)
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(Seat.tenant_id == uow.tenant, Seat.state == HELD, *which)
    )
    found = await uow.session.execute(
        select(
            Order,
            func.count().label("seats"),
            func.array_agg(Session.starts_at.distinct()).label("starts"),
        )
        .join(Seat, (Seat.tenant_id == Order.tenant_id) & (Seat.order_id == Order.id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(
            Order.tenant_id == uow.tenant,
            Order.id.in_(reached),
            told_until(),
            Order.state == str(OrderState.OPEN),
            Seat.state == HELD,
        )
        .group_by(Order.tenant_id, Order.id)
        .order_by(Order.guest_name, Order.id)
    )
    return [
        LostHold(
            name=order.guest_name,
            email=order.guest_email,
            seats=seats,
            starts=sorted(starts),
            until=pay_until_of(order),
        )
        for order, seats, starts in found
    ]
