"""The marks on seats that a cancelling of seats, or of a purchase, is under way for.

A seat has one at a time, so the same seat is never in two cancellings of seats. Whoever wants to do
something else with the seat finds it in the row that they lock. Seats are locked by (session, id).
Source: docs/algorithms/cancelling.md.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from src.booking.commands.cancel_returns import wait_for_payments
from src.booking.domain.kinds import SeatState
from src.booking.models import Seat, Session
from src.platform.db.uow import UnitOfWork


def is_free_to_cancel() -> list[ColumnElement[bool]]:
    """Whether the seat is confirmed, and nobody is cancelling it."""
    return [Seat.state == str(SeatState.CONFIRMED), Seat.cancellation_id.is_(None)]


def is_marked() -> ColumnElement[bool]:
    """Whether the seat is confirmed, and being cancelled already."""
    return (Seat.state == str(SeatState.CONFIRMED)) & Seat.cancellation_id.is_not(None)


async def lock_free_seats(uow: UnitOfWork, which: Sequence[ColumnElement[bool]]) -> list[UUID]:
    """Those among `which` that can be marked; they are joined with their sessions. Orders come
    before seats, so those for which money may come are locked first.
    """
    await wait_for_payments(uow, which)
    found = await uow.session.scalars(
        select(Seat.id)
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(Seat.tenant_id == uow.tenant, *which, *is_free_to_cancel())
        .order_by(Seat.session_id, Seat.id)
        .with_for_update(of=Seat, key_share=True)
    )
    return list(found)


async def mark_seats(uow: UnitOfWork, cancellation_id: UUID, seat_ids: Sequence[UUID]) -> None:
    """The seats are locked, and the cancellation is written."""
    await uow.session.execute(
        update(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(seat_ids))
        .values(cancellation_id=cancellation_id)
        .execution_options(synchronize_session=False)
    )


async def release_seats(uow: UnitOfWork, cancellation_id: UUID) -> None:
    """Those of the cancellation that still stand can be left, moved and ticked again."""
    standing = (
        Seat.tenant_id == uow.tenant,
        Seat.cancellation_id == cancellation_id,
        Seat.state == str(SeatState.CONFIRMED),
    )
    locked = await uow.session.scalars(
        select(Seat.id)
        .where(*standing)
        .order_by(Seat.session_id, Seat.id)
        .with_for_update(key_share=True)
    )
    await uow.session.execute(
        update(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(locked.all()))
        .values(cancellation_id=None)
        .execution_options(synchronize_session=False)
    )
