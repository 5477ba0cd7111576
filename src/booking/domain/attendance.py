"""Who came and who did not: what may be ticked on a roster, and from when."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from src.booking.domain.kinds import SeatState, SessionState
from src.booking.domain.states import TAKEN_SEATS, sources_of
from src.platform.i18n import _
from src.platform.localtime import local_day_bounds, to_local

EARLIEST = timedelta(hours=12)
ON_THE_WAY = timedelta(hours=2)
"""How long before a session whoever shows their code can only mean that they come to it."""

TICKED_FROM: Mapping[SeatState, frozenset[SeatState]] = {
    wanted: frozenset(sources_of(wanted)) & TAKEN_SEATS
    for wanted in (SeatState.ATTENDED, SeatState.NO_SHOW, SeatState.CONFIRMED)
}
"""From which states a person may tick each; a hold is confirmed by its payment alone."""


def check_in_opens_at(starts_at: datetime, zone: ZoneInfo) -> datetime:
    """Midnight before the session on the business's clock, at least twelve hours before it."""
    day_starts_at, _day_ends_at = local_day_bounds(to_local(starts_at, zone).date(), zone)
    return min(day_starts_at, starts_at - EARLIEST)


def is_at_the_door(starts_at: datetime, ends_at: datetime, zone: ZoneInfo, now: datetime) -> bool:
    """Whether whoever shows their code now means this session: from the opening of its check-in to
    the end of its day, or its own where that is later.
    """
    _day_starts_at, day_ends_at = local_day_bounds(to_local(starts_at, zone).date(), zone)
    return check_in_opens_at(starts_at, zone) <= now <= max(day_ends_at, ends_at)


def is_expected(starts_at: datetime, ends_at: datetime, now: datetime) -> bool:
    """Whether whoever comes now comes to this session, so that nobody need ask them; at any other
    time of its day they may stand at another's door.
    """
    return starts_at - ON_THE_WAY <= now <= ends_at


def why_not_tick(
    wanted: SeatState,
    session: SessionState,
    starts_at: datetime,
    zone: ZoneInfo,
    now: datetime,
) -> str | None:
    """Why nobody of the session can be marked so now, None when they can."""
    if session is not SessionState.SCHEDULED:
        return _("This session is cancelled, so nobody is checked in.")
    if wanted is SeatState.ATTENDED and now < check_in_opens_at(starts_at, zone):
        return _("Check-in opens on the day of the session.")
    if wanted is SeatState.NO_SHOW and now < starts_at:
        return _("It has not started yet: whoever is missing may still come.")
    return None


def why_not_tick_this() -> str:
    """Against a seat that staff are cancelling, of a session that goes on."""
    return _("This place is being cancelled, so nobody is checked in for it.")
