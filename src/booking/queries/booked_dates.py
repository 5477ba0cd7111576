"""The dates of one booking, as its guest sees them on its page."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from src.billing.models import Order
from src.billing.queries.disputes import is_with_the_bank
from src.billing.queries.refundable import is_all_back
from src.booking.domain.kinds import SeatState, SessionMode, SessionState
from src.booking.domain.leaving import (
    LeavingTerms,
    capped,
    exchanged_until,
    hand_on_until,
    moves_until,
    terms_from,
)
from src.booking.domain.moves import Facet, Said, may_leave_free_because_moved, what_differs
from src.booking.domain.states import LIVE_SEATS, state_of_date
from src.booking.leaving_words import next_deadline_words
from src.booking.minimum_words import takes_place_if
from src.booking.models import Booking, Session
from src.booking.paying import paying_of
from src.booking.queries.changes import Believed, said_of
from src.booking.queries.mail_facts import Known
from src.booking.queries.party import count_paying
from src.booking.said import in_party_of, names_of, was_words
from src.booking.views.guest import BookedDate
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot

KNOWS_THE_LINK = frozenset({SeatState.CONFIRMED, SeatState.ATTENDED})

Until = Callable[[LeavingTerms, datetime, ZoneInfo], datetime | None]


def sold_as(seat: Row[Any]) -> Known:
    return seat.session_id, seat.sold_sequence


def told_as(seat: Row[Any]) -> Known:
    return seat.session_id, seat.told_sequence


def is_past(seat: Row[Any], known: Known) -> bool:
    """Whether the session has changed since it was that."""
    return bool(known[1] < seat.Session.sequence)


def _may_leave_free(seat: Row[Any], now: datetime) -> bool:
    return (
        seat.state == SeatState.CONFIRMED
        and seat.Session.starts_at > now
        and may_leave_free_because_moved(
            seat.sold_sequence, seat.Session.moved_sequence, is_marked=seat.may_leave_free
        )
    )


def has_free_way_out(seats: Sequence[Row[Any]], dates: Sequence[BookedDate], now: datetime) -> bool:
    """What is at its old time again is not worth saying so, unless the guest was moved there."""
    free = [seat for seat in seats if _may_leave_free(seat, now)]
    if any(seat.may_leave_free for seat in free):
        return True
    return bool(free) and any(date.is_moved for date in dates)


class About(NamedTuple):
    """What each date of a booking has in common; `is_gone`: none of what was paid can go back."""

    tenant: TenantSnapshot
    order: Order
    terms: LeavingTerms
    path: str
    now: datetime
    is_gone: bool


async def about_dates(
    uow: UnitOfWork, tenant: TenantSnapshot, order: Order, booking: Booking, path: str
) -> About:
    is_gone = is_all_back(order) or await is_with_the_bank(uow, order.id)
    return About(tenant, order, terms_from(booking.leaving), path, uow.clock.now(), is_gone)


def _back_until(seat: Row[Any], about: About, seats: int) -> str:
    """The next deadline; one that was moved may be left for everything, which is said elsewhere."""
    if about.is_gone or _may_leave_free(seat, about.now):
        return ""
    return next_deadline_words(
        capped(about.terms, seat.most_percent),
        paying_of(about.order),
        seat.Session.starts_at,
        about.tenant.zone,
        about.now,
        seats,
    )


def dates_of(seats: Sequence[Row[Any]], then: Believed, about: About) -> list[BookedDate]:
    by_session = groupby(seats, key=lambda seat: seat.session_id)
    dates = [_date(list(own), then, about) for _id, own in by_session]
    return sorted(dates, key=lambda date: date.starts_at)


def _date(own: list[Row[Any]], then: Believed, about: About) -> BookedDate:
    """A date as it is; one that nobody comes to any more as it was when they gave it up, for what
    became of it since was not told to them.
    """
    standing = [seat for seat in own if seat.state in LIVE_SEATS]
    first, states = (standing or own)[0], Counter(SeatState(seat.state) for seat in own)
    session, location = first.Session, first.Location
    # While a cancellation can be undone it says nothing; each seat speaks for itself then.
    is_off = session.state == SessionState.CANCELLED
    shown = state_of_date((SeatState(seat.state), seat.changed_at) for seat in own)
    if is_off and not set(states) <= {SeatState.EXPIRED, SeatState.SWAPPED}:
        shown = SeatState.CANCELLED
    told_last = max(own, key=lambda seat: seat.told_sequence)
    if not standing and (left := then.get(told_as(told_last))) is not None:
        return _date_left(left.said, shown)
    online = _("Online") if session.mode == SessionMode.ONLINE else None
    before, now = then.get(sold_as(first)), said_of(session, location, about.tenant.timezone)
    can_leave = states[SeatState.CONFIRMED] > 0 and not is_off and about.now <= session.starts_at
    leaving = [seat for seat in own if can_leave and seat.state == SeatState.CONFIRMED]
    return BookedDate(
        title=session.title,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        place=location.name if location is not None else online,
        is_online=session.mode == SessionMode.ONLINE,
        is_appointment=session.is_slot,
        address=location.address if location is not None else "",
        performer=first.performer,
        meeting_url=session.meeting_url if shown in KNOWS_THE_LINK else "",
        state=str(shown),
        is_told_of_missing=any(seat.is_told_of_missing for seat in standing),
        seats=sum(count for seat, count in states.items() if seat in LIVE_SEATS),
        comes=names_of(list(in_party_of(standing).values())),
        handed_to=[seat.participant for seat in standing if seat.is_handed_on],
        minimum=takes_place_if(session, about.tenant.zone, about.now)
        if standing and session.state == SessionState.SCHEDULED
        else "",
        was=was_words(before.said, now) if before is not None and not is_off else "",
        is_moved=before is not None and Facet.TIME in what_differs(before.said, now),
        leave_href=f"{about.path}/leave?date={session.id}" if can_leave else "",
        move_href=_href(*_moving(session), session, about) if can_leave else "",
        hand_on_href=_href("hand-on", hand_on_until, session, about) if can_leave else "",
        back_until=_same_for_all(
            _back_until(seat, about, count_paying(leaving)) for seat in leaving
        ),
    )


def _moving(session: Session) -> tuple[str, Until]:
    """An appointment goes to another time, and any other date to another date."""
    return ("time", moves_until) if session.is_slot else ("move", exchanged_until)


def _href(name: str, until: Until, session: Session, about: About) -> str:
    """To a page about the date, which says what else than the terms stands against it."""
    until_at = until(about.terms, session.starts_at, about.tenant.zone)
    if until_at is None or until_at < about.now:
        return ""
    return f"{about.path}/{name}?date={session.id}"


def _same_for_all(words: Iterable[str]) -> str:
    """What holds for one of the party only, the page about leaving says of each."""
    said = set(words)
    return said.pop() if len(said) == 1 else ""


def _date_left(said: Said, state: SeatState) -> BookedDate:
    return BookedDate(
        title=said.title,
        starts_at=said.starts_at,
        ends_at=said.ends_at,
        place=said.place or (_("Online") if said.mode == SessionMode.ONLINE else None),
        is_online=said.mode == SessionMode.ONLINE,
        state=str(state),
        seats=0,
    )
