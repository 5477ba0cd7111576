"""What counts as a purchase of a series, in one place for every number about it.

A purchase is sold, in checkout or cancelled, and nothing else: the three add up to all of them.
One whose hold died or was given up was never a purchase.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select

from src.billing.domain.kinds import OrderState
from src.billing.lines import Ended, Fate
from src.billing.models import Order
from src.booking.domain.kinds import SeatState
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import Booking, Seat, Session
from src.platform.db.uow import UnitOfWork

ONE_ACT = timedelta(seconds=10)

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


async def fate_of_seats(uow: UnitOfWork, order_id: UUID) -> Fate:
    """How many of the order's seats stand on dates to come, and which were cancelled together."""
    is_to_come = Session.starts_at > uow.clock.now()
    found = await uow.session.execute(
        select(Seat.state, Seat.changed_at, Seat.changed_by, Seat.changed_why, func.count())
        .add_columns(func.count().filter(is_to_come))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(Seat.tenant_id == uow.tenant, Seat.order_id == order_id)
        .group_by(Seat.state, Seat.changed_at, Seat.changed_by, Seat.changed_why)
        .order_by(Seat.changed_at)
    )
    rows = found.all()
    cancelled = (str(SeatState.CANCELLED), str(SeatState.LATE_CANCELLED))
    live = {str(state) for state in LIVE_SEATS}
    return Fate(
        standing=sum(row[5] for row in rows if row[0] in live),
        ended=_in_acts(
            Ended(row[1], row[4], row[2], row[3]) for row in rows if row[0] in cancelled
        ),
    )


def _in_acts(ended: Iterable[Ended]) -> list[Ended]:
    """One for each act, in order of time: seats that go at several terms are written one after
    the other, and so have moments of their own.
    """
    acts: list[Ended] = []
    for end in ended:
        last = acts[-1] if acts else None
        if last is not None and _is_same_act(last, end):
            acts[-1] = last._replace(parts=last.parts + end.parts)
        else:
            acts.append(end)
    return acts


def _is_same_act(act: Ended, end: Ended) -> bool:
    return (act.by, act.why) == (end.by, end.why) and end.at - act.at < ONE_ACT
