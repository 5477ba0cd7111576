"""What became of an order's seats: which stand, which were cancelled or moved together, and where
to read more. The words are in the reader's language and tell times in the business's zone.
"""

from collections.abc import Hashable, Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, any_, func, or_, select

from src.billing.lines import Ended, Fate, Moved
from src.billing.models import Order
from src.booking.domain.kinds import SeatState
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import Booking, Cancellation, Seat, Session
from src.booking.queries.date_moves import Dates, read_dates
from src.booking.queries.party import NUMBER, called_among_their_own
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.tenants.models import Participant

MOST_DATES = 3
_CANCELLED = frozenset({SeatState.CANCELLED, SeatState.LATE_CANCELLED})


class _Told(NamedTuple):
    """A seat with what is told of it."""

    seat: Seat
    session: Session
    series_id: UUID | None
    person: str
    number: int
    act: UUID | None


async def fate_of_seats(uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> Fate:
    """How many of the order's seats stand on dates to come, which were cancelled and which moved
    together.

    Seats that end in one act have one moment, whatever comes back of each.
    """
    told = await _list_told(uow, order_id)
    now = uow.clock.now()
    dates = await read_dates(uow, [one.session for one in told], zone)
    return Fate(
        standing=sum(_stands(one) and one.session.starts_at > now for one in told),
        ended=_ended(told, dates),
        moved=_moved(told, dates),
        dates_moved=dates.moves_of([one.seat for one in told]),
        pages=_pages(told),
    )


async def _list_told(uow: UnitOfWork, order_id: UUID) -> list[_Told]:
    tenant = Seat.tenant_id
    found = await uow.session.execute(
        select(Seat, Session, Booking.series_id, Participant.name, NUMBER, Order.guest_name)
        .add_columns(_cancellation_of_seat().label("act"))
        .join(Session, (Session.tenant_id == tenant) & (Session.id == Seat.session_id))
        .join(Booking, (Booking.tenant_id == tenant) & (Booking.id == Seat.booking_id))
        .join(Order, (Order.tenant_id == tenant) & (Order.id == Seat.order_id))
        .join(
            Participant, (Participant.tenant_id == tenant) & (Participant.id == Seat.participant_id)
        )
        .where(tenant == uow.tenant, Seat.order_id == order_id)
        .order_by(Session.starts_at, Seat.id)
    )
    return [_told(row) for row in found]


def _told(row: Row[Any]) -> _Told:
    person = called_among_their_own(row.name, row.number, row.guest_name)
    return _Told(row.Seat, row.Session, row.series_id, person, row.number, row.act)


def _stands(one: _Told) -> bool:
    return one.seat.state in LIVE_SEATS


def _ended(told: Sequence[_Told], dates: Dates) -> list[Ended]:
    acts: dict[Hashable, list[_Told]] = {}
    for one in told:
        if one.seat.state in _CANCELLED:
            seat = one.seat
            key = (seat.changed_at, seat.changed_by, seat.changed_why, one.act)
            acts.setdefault(key, []).append(one)
    return [
        Ended(
            at=own[0].seat.changed_at,
            parts=len(own),
            by=own[0].seat.changed_by,
            why=own[0].seat.changed_why,
            page=f"cancellations/{own[0].act}" if _is_of_staff(own[0]) else None,
            what=f"{_people(own)}, {_dates(own, dates)}",
        )
        for own in sorted(acts.values(), key=lambda seats: seats[0].seat.changed_at)
    ]


def _is_of_staff(one: _Told) -> bool:
    return one.act is not None and one.seat.changed_by == "staff"


def _moved(told: Sequence[_Told], dates: Dates) -> list[Moved]:
    """What was moved to one date in one act has one moment."""
    by_id = {one.seat.id: one for one in told}
    pairs = [(by_id[one.seat.replaces_id], one) for one in told if one.seat.replaces_id in by_id]
    acts: dict[Hashable, list[tuple[_Told, _Told]]] = {}
    for then, now in pairs:
        key = (then.seat.changed_at, then.session.id, now.session.id)
        acts.setdefault(key, []).append((then, now))
    return [
        Moved(
            at=own[0][0].seat.changed_at,
            by=own[0][0].seat.changed_by,
            why=own[0][0].seat.changed_why,
            what=_people([then for then, _now in own]),
            was=_date(own[0][0], dates),
            becomes=dates.words_at(own[0][1].session, own[0][0].seat.changed_at),
            page=f"sessions/{own[0][1].session.id}",
        )
        for own in acts.values()
    ]


def _pages(told: Sequence[_Told]) -> list[tuple[str, str]]:
    """The booking, and the series or the one date that it is for now."""
    if not told:
        return []
    pages = [(_("See the booking"), f"bookings/{told[0].seat.booking_id}")]
    live = [one for one in told if _stands(one)] or told
    sessions = {one.session.id for one in live}
    if told[0].series_id is not None:
        pages.append((_("See the series"), f"series/{told[0].series_id}"))
    elif len(sessions) == 1:
        pages.append((_("See the session"), f"sessions/{live[0].session.id}"))
    return pages


def _people(own: Iterable[_Told]) -> str:
    """Each once, in the order of the party."""
    people = sorted({(one.number, one.person) for one in own})
    return ", ".join(person for _number, person in people)


def _dates(own: Sequence[_Told], known: Dates) -> str:
    """Each once; of many the first."""
    by_session = groupby(own, key=lambda one: one.session.id)
    dates = [_date(next(seats), known) for _id, seats in by_session]
    if len(dates) <= MOST_DATES:
        return "; ".join(dates)
    return ngettext(
        "%(first)s and %(num)s date after it",
        "%(first)s and %(num)s dates after it",
        len(dates) - 1,
        first=dates[0],
    )


def _date(one: _Told, dates: Dates) -> str:
    """As it was when the seat ended."""
    return dates.words_at(one.session, one.seat.changed_at)


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
