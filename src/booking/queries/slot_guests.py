"""Whose appointment it is, as lists of sessions say it in place of seats."""

from sqlalchemy import case, func, select
from sqlalchemy.sql.elements import ColumnElement

from src.booking.domain.kinds import SeatState
from src.booking.models import Booking, Seat, Session
from src.tenants.models import Customer

_LIVE = [str(one) for one in (SeatState.HELD, SeatState.CONFIRMED, SeatState.ATTENDED)]


def names_of_guests() -> ColumnElement[str]:
    """Of each session of a statement, the names of who has booked it and not left; empty where
    nobody has. Row security keeps it within the tenant, the ids make it quick.
    """
    names = (
        select(func.string_agg(Customer.name.distinct(), ", "))
        .join(
            Booking,
            (Booking.tenant_id == Customer.tenant_id) & (Booking.customer_id == Customer.id),
        )
        .join(Seat, (Seat.tenant_id == Booking.tenant_id) & (Seat.booking_id == Booking.id))
        .where(
            Seat.tenant_id == Session.tenant_id,
            Seat.session_id == Session.id,
            Seat.state.in_([*_LIVE, str(SeatState.NO_SHOW)]),
        )
        .correlate(Session)
        .scalar_subquery()
    )
    return func.coalesce(names, "")


def guest_of_slot() -> ColumnElement[str]:
    """The same for appointments only, so that a list of sessions asks for no more than it shows."""
    return case((Session.is_slot, names_of_guests()), else_="")
