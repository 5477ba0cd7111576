"""The marks on seats that a cancelling of seats, or of a purchase, is under way for.

A seat has one at a time, so the same seat is never in two cancellings of seats. Whoever wants to do
something else with the seat finds it in the row that they lock. Seats are locked by (session, id).
Source: docs/algorithms/cancelling.md.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from src.booking.commands.cancel_returns import wait_for_payments
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.models import Seat, Session
from src.booking.queries.being_cancelled import is_any_going
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _


def are_going() -> Conflict:
    """Some of the seats that this would cancel are being cancelled by themselves."""
    return Conflict(
        _(
            "Places among these are being cancelled already. Wait until that is done, or undo it,"
            " and then cancel the rest. If it does not end, ask those who run this service."
        ),
        code="places_being_cancelled",
    )


async def refuse_going(uow: UnitOfWork, which: Sequence[ColumnElement[bool]]) -> None:
    """Raises: Conflict where a seat among `which` is in another cancellation, which has its money
    chosen. The seats are joined with their sessions.
    """
    if await is_any_going(uow, which):
        raise are_going()


async def lock_free_seats(uow: UnitOfWork, which: Sequence[ColumnElement[bool]]) -> list[UUID]:
    """Those among `which` that can be marked; they are joined with their sessions. Orders come
    before seats, so those for which money may come are locked first.

    Those that are marked already are locked, too, so that what is said about them still is so.
    """
    await wait_for_payments(uow, which)
    found = await uow.session.execute(
        select(Seat.id, Seat.cancellation_id)
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(Seat.tenant_id == uow.tenant, *which, Seat.state == str(SeatState.CONFIRMED))
        .order_by(Seat.session_id, Seat.id)
        .with_for_update(of=Seat, key_share=True)
    )
    return [seat_id for seat_id, cancellation_id in found if cancellation_id is None]


async def mark_seats(uow: UnitOfWork, cancellation_id: UUID, seat_ids: Sequence[UUID]) -> None:
    """The seats are locked, and the cancellation is written. Their sessions are locked last: who
    calls one of them off in this moment sees the marks, or is seen here.

    Raises: Conflict where a session is called off by now.
    """
    marked = await uow.session.scalars(
        update(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(seat_ids))
        .values(cancellation_id=cancellation_id)
        .returning(Seat.session_id)
        .execution_options(synchronize_session=False)
    )
    session_ids = set(marked)
    standing = await uow.session.scalars(
        select(Session.id)
        .where(
            Session.tenant_id == uow.tenant,
            Session.id.in_(session_ids),
            Session.state == str(SessionState.SCHEDULED),
        )
        .order_by(Session.id)
        .with_for_update(key_share=True)
    )
    if set(standing) != session_ids:
        raise are_going()


async def release_seats(uow: UnitOfWork, cancellation_id: UUID) -> set[UUID]:
    """Those of the cancellation that still stand can be left, moved and ticked again. Returns the
    sessions of all of them.
    """
    standing = (
        Seat.tenant_id == uow.tenant,
        Seat.cancellation_id == cancellation_id,
        Seat.state == str(SeatState.CONFIRMED),
    )
    found = await uow.session.execute(
        select(Seat.id, Seat.session_id)
        .where(*standing)
        .order_by(Seat.session_id, Seat.id)
        .with_for_update(key_share=True)
    )
    locked = {row.id: row.session_id for row in found}
    await uow.session.execute(
        update(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(locked))
        .values(cancellation_id=None)
        .execution_options(synchronize_session=False)
    )
    return set(locked.values())
