"""What counts as a purchase of a series, in one place for every number about it.

A purchase is sold, in checkout or cancelled, and nothing else: the three add up to all of them.
One whose hold died or was given up was never a purchase.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, exists, func, select
from sqlalchemy.orm import aliased

from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.booking.domain.kinds import SeatState
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import Booking, Seat, Session

_LIVE = [str(state) for state in LIVE_SEATS]
_ANY = aliased(Booking)
_UNTICKED = [str(SeatState.HELD), str(SeatState.CONFIRMED)]
_CANCELLED = [str(SeatState.CANCELLED), str(SeatState.LATE_CANCELLED)]


def is_purchase() -> ColumnElement[bool]:
    """Of a booking and its order."""
    return Order.state.in_([str(OrderState.OPEN), str(OrderState.CONFIRMED)])


def is_whole() -> ColumnElement[bool]:
    """Whether the booking is a purchase of its own, and completes no other."""
    return Booking.completes_id.is_(None)


def is_in_checkout() -> ColumnElement[bool]:
    """Held and not paid yet: its guest is paying just now, or has a link to do so for a while."""
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


def is_reached_with(purchase_id: UUID) -> ColumnElement[bool]:
    """Of a booking: whether cancelling that whole purchase is what leaves all of its course, as it
    is that purchase, or completes it. One that completes another is no whole purchase itself.
    """
    is_itself = (Booking.id == purchase_id) & is_whole()
    return is_itself | (Booking.completes_id == purchase_id)


def of_purchase(booking_id: UUID | ColumnElement[UUID]) -> ColumnElement[bool]:
    """Of a seat: whether it is of that booking, or of one that completes it."""
    return Seat.booking_id.in_(
        select(_ANY.id).where(
            _ANY.tenant_id == Seat.tenant_id,
            (_ANY.id == booking_id) | (_ANY.completes_id == booking_id),
        )
    )


def still_to_come(now: datetime) -> list[ColumnElement[bool]]:
    """Of a seat, joined with its session: whether it is lost when its purchase is cancelled. Who is
    ticked as here or missing has used the date, although it may begin only in a while.
    """
    return [Session.starts_at > now, Seat.state.in_(_UNTICKED)]


def left_of_purchase(booking_id: UUID, now: datetime) -> list[ColumnElement[bool]]:
    """Of a seat, joined with its session: whether cancelling that whole purchase reaches it."""
    return [of_purchase(booking_id), *still_to_come(now)]
