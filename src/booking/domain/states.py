"""What a seat, a session, a booking and an order may become, as tables."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from src.billing.domain.kinds import OrderState
from src.booking.domain.kinds import BookingState, SeatState, SessionState
from src.platform.errors import Conflict
from src.platform.i18n import _

LIVE_SEATS = frozenset({SeatState.HELD, SeatState.CONFIRMED, SeatState.ATTENDED, SeatState.NO_SHOW})
"""The seats that use capacity; the same set stands in the database's partial indexes."""

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
    SessionState.SCHEDULED: frozenset({SessionState.CANCELLING}),
    # Back only within the undo window, before anybody has been told.
    SessionState.CANCELLING: frozenset({SessionState.CANCELLED, SessionState.SCHEDULED}),
    SessionState.CANCELLED: frozenset(),
}

ORDER_MOVES: Mapping[OrderState, frozenset[OrderState]] = {
    OrderState.OPEN: frozenset({OrderState.CONFIRMED, OrderState.EXPIRED, OrderState.CANCELLED}),
    OrderState.CONFIRMED: frozenset({OrderState.CANCELLED}),
    # A late payment counts as long as everything ordered can be had again.
    OrderState.EXPIRED: frozenset({OrderState.CONFIRMED}),
    OrderState.CANCELLED: frozenset(),
}

BOOKING_MOVES: Mapping[BookingState, frozenset[BookingState]] = {
    BookingState.HELD: frozenset(
        {BookingState.CONFIRMED, BookingState.EXPIRED, BookingState.CANCELLED}
    ),
    BookingState.CONFIRMED: frozenset({BookingState.COMPLETED, BookingState.CANCELLED}),
    BookingState.COMPLETED: frozenset({BookingState.CONFIRMED, BookingState.CANCELLED}),
    BookingState.EXPIRED: frozenset({BookingState.CONFIRMED}),
    BookingState.CANCELLED: frozenset(),
}

S = TypeVar("S", SeatState, SessionState, OrderState, BookingState)


class IllegalMove(Conflict):
    """The thing is no longer in a state from which this can be done."""

    code = "illegal_move"


def can_move(current: S, wanted: S) -> bool:
    """Whether the table has the move; staying where one is is no move."""
    return wanted in _moves(current)


def move(current: S, wanted: S) -> S:
    """The wanted state. Raises IllegalMove where the table does not lead there."""
    if not can_move(current, wanted):
        raise IllegalMove(
            _("This cannot be done any more: it is already %(state)s.", state=_state_word(current))
        )
    return wanted


def sources_of(wanted: S) -> frozenset[S]:
    """The states that lead to the wanted one: the WHERE of a guarded UPDATE."""
    return frozenset(state for state in type(wanted) if can_move(state, wanted))


def is_live(seat: SeatState) -> bool:
    return seat in LIVE_SEATS


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


def _moves(current: S) -> frozenset[S]:
    if isinstance(current, SeatState):
        return SEAT_MOVES[current]
    if isinstance(current, SessionState):
        return SESSION_MOVES[current]
    if isinstance(current, OrderState):
        return ORDER_MOVES[current]
    return BOOKING_MOVES[current]


def _state_word(state: SeatState | SessionState | OrderState | BookingState) -> str:
    words = {
        "held": _("waiting for payment"),
        "open": _("waiting for payment"),
        "confirmed": _("confirmed"),
        "attended": _("attended"),
        "no_show": _("marked as a no-show"),
        "cancelled": _("cancelled"),
        "late_cancelled": _("cancelled"),
        "swapped": _("swapped"),
        "expired": _("expired"),
        "scheduled": _("scheduled"),
        "cancelling": _("being cancelled"),
        "completed": _("completed"),
    }
    return words[state.value]
