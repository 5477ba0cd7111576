"""What counts as a purchase of a series, in one place for every number about it.

A purchase is sold, in checkout or cancelled, and nothing else: the three add up to all of them.
One whose hold died or was given up was never a purchase.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, any_, exists, func, or_, select
from sqlalchemy.orm import aliased

from src.billing.domain.kinds import OrderState
from src.billing.lines import Ended, Fate
from src.billing.models import Order
from src.booking.domain.kinds import SeatState
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import Booking, Cancellation, Seat, Session
from src.platform.db.uow import UnitOfWork

_LIVE = [str(state) for state in LIVE_SEATS]
_ANY = aliased(Booking)
_CANCELLED = [str(SeatState.CANCELLED), str(SeatState.LATE_CANCELLED)]


def is_purchase() -> ColumnElement[bool]:
    """Of a booking and its order."""
    return Order.state.in_([str(OrderState.OPEN), str(OrderState.CONFIRMED)])


def is_whole() -> ColumnElement[bool]:
    """Whether the booking is a purchase of its own, and completes no other."""
    return Booking.completes_id.is_(None)


def is_in_checkout() -> ColumnElement[bool]:
    """Its guest is paying just now."""
    return Order.state == str(OrderState.OPEN)


def is_sold() -> ColumnElement[bool]:
    """Confirmed, and at least one of its seats stands."""
    return (Order.state == str(OrderState.CONFIRMED)) & _has_live_seat()


def is_cancelled() -> ColumnElement[bool]:
    """Confirmed once, and none of its seats stands any more."""
    return (Order.state == str(OrderState.CONFIRMED)) & ~_has_live_seat()


def is_cut_short(now: datetime) -> ColumnElement[bool]:
    """Sold and over, for what was still to come of it has been cancelled."""
    last_held, last_lost = _last_start(_LIVE), _last_start(_CANCELLED)
    return is_sold() & (last_held <= now) & (last_lost > last_held)


def _last_start(states: Sequence[str]) -> ScalarSelect[datetime]:
    """When the last of the booking's seats in one of these states begins."""
    return (
        select(func.max(Session.starts_at))
        .join(Seat, (Seat.tenant_id == Session.tenant_id) & (Seat.session_id == Session.id))
        .where(Seat.tenant_id == Booking.tenant_id, Seat.booking_id == Booking.id)
        .where(Seat.state.in_(states))
        .correlate(Booking)
        .scalar_subquery()
    )


def _has_live_seat() -> ColumnElement[bool]:
    found = exists().where(
        Seat.tenant_id == Booking.tenant_id, Seat.booking_id == Booking.id, is_standing(Seat)
    )
    # Without this it would look at the one seat of a statement that joins them itself.
    return found.correlate(Booking)


def is_standing(seat: type[Seat]) -> ColumnElement[bool]:
    """Whether the row of `seats`, or of its alias, is held or taken, be it over or to come."""
    return seat.state.in_(_LIVE)


def of_purchase(booking_id: UUID) -> ColumnElement[bool]:
    """Of a seat: whether it is of that booking, or of one that completes it."""
    return Seat.booking_id.in_(
        select(_ANY.id).where(
            _ANY.tenant_id == Seat.tenant_id,
            (_ANY.id == booking_id) | (_ANY.completes_id == booking_id),
        )
    )


async def fate_of_seats(uow: UnitOfWork, order_id: UUID) -> Fate:
    """How many of the order's seats stand on dates to come, and which were cancelled together.

    Seats that end in one act have one moment, whatever comes back of each.
    """
    act = _cancellation_of_seat().label("act")
    is_to_come = is_standing(Seat) & (Session.starts_at > uow.clock.now())
    found = await uow.session.execute(
        select(Seat.changed_at, Seat.changed_by, Seat.changed_why)
        .add_columns(func.count().filter(Seat.state.in_(_CANCELLED)).label("cancelled"))
        .add_columns(act, func.count().filter(is_to_come).label("standing"))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(Seat.tenant_id == uow.tenant, Seat.order_id == order_id)
        .group_by(Seat.changed_at, Seat.changed_by, Seat.changed_why, act)
        .order_by(Seat.changed_at)
    )
    rows = found.all()
    return Fate(
        standing=sum(row.standing for row in rows),
        ended=[
            Ended(
                row.changed_at,
                row.cancelled,
                row.changed_by,
                row.changed_why,
                f"cancellations/{row.act}" if row.act and row.changed_by == "staff" else None,
            )
            for row in rows
            if row.cancelled
        ],
    )


def _cancellation_of_seat() -> ColumnElement[UUID | None]:
    """The cancellation that the seat names, or else, for one that ended before seats named theirs,
    the latest one of its session that had been asked for by then.
    """
    of_session = (
        select(Cancellation.id)
        .where(
            Cancellation.tenant_id == Seat.tenant_id,
            Cancellation.state.in_(["running", "done"]),
            Cancellation.requested_at <= Seat.changed_at,
            or_(
                (Cancellation.scope == "session") & (Cancellation.subject_id == Seat.session_id),
                Seat.session_id == any_(Cancellation.session_ids),
            ),
        )
        .order_by(Cancellation.requested_at.desc())
        .limit(1)
        .correlate(Seat)
    )
    return func.coalesce(Seat.cancellation_id, of_session.scalar_subquery())
