"""What a seat and a session may become, as tables that the guards of updates are made from."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from src.booking.domain.kinds import BookingState, SeatState, SessionState

LIVE_SEATS = frozenset({SeatState.HELD, SeatState.CONFIRMED, SeatState.ATTENDED, SeatState.NO_SHOW})
"""The seats that use capacity; the same set stands in the database's partial indexes."""

_LIVE_ORDER = (SeatState.HELD, SeatState.CONFIRMED, SeatState.ATTENDED, SeatState.NO_SHOW)

TAKEN_SEATS = LIVE_SEATS - {SeatState.HELD}
"""The live seats that nobody has to pay for any more before they stand."""

WAIVED_SEATS = frozenset({SeatState.CANCELLED, SeatState.EXPIRED})
"""The seats whose share nobody has to pay. A guest who cancels late or stays away still owes it,
and a swapped seat has none: its share moved to the seat which took its place.
"""

SEAT_MOVES: Mapping[SeatState, frozenset[SeatState]] = {
    # A hold dies by time; it is cancelled when its session is. Only a payment confirms it.
    SeatState.HELD: frozenset({SeatState.CONFIRMED, SeatState.EXPIRED, SeatState.CANCELLED}),
    SeatState.CONFIRMED: frozenset(
        {
            SeatState.ATTENDED,
            SeatState.NO_SHOW,
            SeatState.CANCELLED,
            SeatState.LATE_CANCELLED,
            SeatState.SWAPPED,
        }
    ),
    # Attendance is ticked by people, who may tick the wrong name; a session that is called off
    # while it runs takes along whoever was ticked already.
    SeatState.ATTENDED: frozenset({SeatState.NO_SHOW, SeatState.CONFIRMED, SeatState.CANCELLED}),
    SeatState.NO_SHOW: frozenset({SeatState.ATTENDED, SeatState.CONFIRMED, SeatState.CANCELLED}),
    # A payment that arrives after the hold ended takes its seat again where it is still free.
    SeatState.EXPIRED: frozenset({SeatState.CONFIRMED}),
    SeatState.CANCELLED: frozenset(),
    SeatState.LATE_CANCELLED: frozenset(),
    SeatState.SWAPPED: frozenset(),
}

SESSION_MOVES: Mapping[SessionState, frozenset[SessionState]] = {
    SessionState.SCHEDULED: frozenset({SessionState.CANCELLING, SessionState.VACATED}),
    # A payment that arrives after the hold ended takes the time again where it is still free.
    SessionState.VACATED: frozenset({SessionState.SCHEDULED}),
    # Back only within the undo window, before anybody has been told.
    SessionState.CANCELLING: frozenset({SessionState.CANCELLED, SessionState.SCHEDULED}),
    SessionState.CANCELLED: frozenset(),
}


def is_waived(seat: SeatState, session: SessionState, *, lies_in_credit: bool = False) -> bool:
    """Whether nobody has to pay the seat's share: also of one left late, once its date is off.

    A share that lies in a credit is still to be paid: its guest has something for it.
    """
    if lies_in_credit:
        return False
    is_off = seat is SeatState.LATE_CANCELLED and session is SessionState.CANCELLED
    return seat in WAIVED_SEATS or is_off


def state_of_date(seats: Iterable[tuple[SeatState, datetime]]) -> SeatState:
    """What a date is to a party by its seats there, each with when it became what it is. Where none
    is live, the one that ended last says so. Raises: ValueError without any.
    """
    found = list(seats)
    states = {state for state, _at in found}
    for state in _LIVE_ORDER:
        if state in states:
            return state
    return max(found, key=lambda one: one[1])[0]


def live_cancellation(seat: SeatState, named: UUID | None) -> UUID | None:
    """The cancellation that is under way for the seat: what an ended one names is history."""
    return named if seat is SeatState.CONFIRMED else None


S = TypeVar("S", SeatState, SessionState)


def sources_of(wanted: S) -> frozenset[S]:
    """The states that lead to the wanted one: the WHERE of a guarded UPDATE."""
    moves: Mapping[S, frozenset[S]] = SEAT_MOVES if isinstance(wanted, SeatState) else SESSION_MOVES
    return frozenset(state for state, targets in moves.items() if wanted in targets)


def booking_state(seats: Iterable[SeatState]) -> BookingState:
    """The state of a booking with these seats, of which there is at least one.

    A booking is what its most open seat is: held while one waits for payment, confirmed while one
    is still to come, completed when all that were not cancelled are over.
    """
    states = set(seats)
    if not states:
        raise ValueError("a booking has at least one seat")
    if SeatState.HELD in states:
        return BookingState.HELD
    if SeatState.CONFIRMED in states:
        return BookingState.CONFIRMED
    if states & LIVE_SEATS:
        return BookingState.COMPLETED
    return BookingState.EXPIRED if states == {SeatState.EXPIRED} else BookingState.CANCELLED
