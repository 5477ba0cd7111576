"""Why a seat that does not stand cannot be changed, to its guest and to staff."""

from src.booking.domain.kinds import SeatState
from src.booking.domain.reasons import Reason, ReasonCode
from src.platform.i18n import _


def seat_gone(state: SeatState) -> Reason:
    """Of a seat that is not confirmed; there is nothing to be done about it."""
    guest, owner = _words(state)
    return Reason(ReasonCode.SEAT_NOT_CONFIRMED, guest, owner, "")


def _words(state: SeatState) -> tuple[str, str]:
    match state:
        case SeatState.SWAPPED:
            return (
                _("You have exchanged this date for another one."),
                _("This seat has been exchanged for another one."),
            )
        case SeatState.CANCELLED | SeatState.LATE_CANCELLED:
            return _("This place has been cancelled."), _("This seat has been cancelled.")
        case SeatState.HELD:
            return (
                _("This place has not been paid for yet."),
                _("This seat has not been paid for yet."),
            )
        case SeatState.EXPIRED:
            return (
                _("This place was not paid for in time, so it is not yours any more."),
                _("This seat was not paid for in time."),
            )
        case _:
            return (
                _("This date is over for you: whether you came has been noted already."),
                _("Whether they came has been noted already."),
            )
