"""What counts as a purchase of a series, in one place for every number about it.

A purchase is sold, in checkout or cancelled, and nothing else: the three add up to all of them.
One whose hold died or was given up was never a purchase.
"""

from sqlalchemy import ColumnElement, exists

from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import Booking, Seat

_LIVE = [str(state) for state in LIVE_SEATS]


def is_purchase() -> ColumnElement[bool]:
    """Of a booking and its order."""
    return Order.state.in_([str(OrderState.OPEN), str(OrderState.CONFIRMED)])


def is_in_checkout() -> ColumnElement[bool]:
    """Its guest is paying just now."""
    return Order.state == str(OrderState.OPEN)


def is_sold() -> ColumnElement[bool]:
    """Confirmed, and at least one of its seats stands."""
    return (Order.state == str(OrderState.CONFIRMED)) & _has_live_seat()


def is_cancelled() -> ColumnElement[bool]:
    """Confirmed once, and none of its seats stands any more."""
    return (Order.state == str(OrderState.CONFIRMED)) & ~_has_live_seat()


def _has_live_seat() -> ColumnElement[bool]:
    return exists().where(
        Seat.tenant_id == Booking.tenant_id, Seat.booking_id == Booking.id, Seat.state.in_(_LIVE)
    )
