"""Why there is nothing left to cancel on a date, for the guest who wants to: calmly, in words."""

from collections.abc import Set as AbstractSet

from src.booking.domain.kinds import SeatState, SessionState
from src.platform.i18n import _, ngettext

_LEFT = frozenset({SeatState.CANCELLED, SeatState.LATE_CANCELLED})
_THERE = frozenset({SeatState.ATTENDED, SeatState.NO_SHOW})


def gone_words(
    session: SessionState,
    states: AbstractSet[SeatState],
    *,
    by_guest: bool,
    places: int,
    back: str,
) -> str:
    """One sentence or two about a guest's `places` on one date of which none is confirmed. `back`
    is the amount of money that went back for them, empty where none did.
    """
    if session is SessionState.CANCELLED:
        return _("This date has been called off, so there is nothing to cancel.")
    if states <= _LEFT:
        return f"{_left(by_guest=by_guest, places=places)} {_back(back)}".strip()
    if states <= _LEFT | {SeatState.SWAPPED}:
        return _("You have exchanged this date for another one, so there is nothing to cancel.")
    if SeatState.ATTENDED in states:
        return _("You were there, so there is nothing to cancel any more.")
    if states & _THERE:
        return _("This date is over, so there is nothing to cancel any more.")
    return _("None of these places is yours any more, so there is nothing to cancel.")


def _left(*, by_guest: bool, places: int) -> str:
    if not by_guest:
        return _("The business has cancelled this for you. Its mail says why.")
    return ngettext(
        "You are out of it already: the place is free for others.",
        "You are out of it already: the places are free for others.",
        places,
    )


def _back(back: str) -> str:
    return back and _("%(amount)s went back the way you paid, or is on its way.", amount=back)
