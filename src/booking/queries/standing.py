"""Who makes the number that a session needs, counted alike wherever it is asked, said or decided.

Only seats that stand: a place that waits to be paid is nobody's yet, and one that is being
cancelled is nobody's any more.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.sql.elements import ColumnElement

from src.booking.domain.kinds import SeatState
from src.booking.domain.states import TAKEN_SEATS
from src.booking.models import Seat, Session
from src.booking.queries.being_cancelled import is_marked
from src.platform.db.uow import UnitOfWork


def standing_in() -> ColumnElement[int]:
    """Of each session of a statement, its people: those who take places that stand."""
    standing = Seat.state.in_([str(state) for state in TAKEN_SEATS])
    return _seats_of(standing, ~is_marked())


def unpaid_in() -> ColumnElement[int]:
    """Of each session of a statement, the places that are held until they are paid."""
    return _seats_of(Seat.state == str(SeatState.HELD))


def _seats_of(*which: ColumnElement[bool]) -> ColumnElement[int]:
    counted: Select[Any] = select(func.count()).where(
        Seat.tenant_id == Session.tenant_id, Seat.session_id == Session.id, *which
    )
    return counted.correlate(Session).scalar_subquery()


async def count_standing(uow: UnitOfWork, session_id: UUID) -> int:
    """`standing_in` the one session."""
    counted = await uow.session.scalar(
        select(standing_in()).where(Session.tenant_id == uow.tenant, Session.id == session_id)
    )
    return counted or 0
