"""The marks on seats that a cancelling of seats, or of a purchase, is under way for.

A seat has one at a time, so the same seat is never in two cancellings of seats. Whoever wants to do
something else with the seat finds it in the row that they lock. Seats are locked by (session, id).
Source: docs/algorithms/cancelling.md.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, select, update

from src.booking.commands.cancel_returns import wait_for_payments
from src.booking.domain.kinds import SeatState
from src.booking.models import Booking, Cancellation, Seat, Session
from src.platform.db.uow import UnitOfWork


def is_marked() -> ColumnElement[bool]:
    """Whether the seat is confirmed, and being cancelled already."""
    return (Seat.state == str(SeatState.CONFIRMED)) & Seat.cancellation_id.is_not(None)


async def lock_free_seats(uow: UnitOfWork, which: Sequence[ColumnElement[bool]]) -> list[UUID]:
    """Those among `which` that can be marked; they are joined with their sessions. Orders come
    before seats, so those for which money may come are locked first.

    Those that are marked already are locked, too: `release_seats` waits and sees who wants them.
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
    """The seats are locked, and the cancellation is written."""
    await uow.session.execute(
        update(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(seat_ids))
        .values(cancellation_id=cancellation_id)
        .execution_options(synchronize_session=False)
    )


async def release_seats(uow: UnitOfWork, cancellation_id: UUID) -> set[UUID]:
    """Those of the cancellation that still stand can be left, moved and ticked again, but for those
    that their purchase's own cancellation is about, too: they are marked for that from now on.
    Returns the sessions of all of them.
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
        .values(cancellation_id=_of_purchase(cancellation_id))
        .execution_options(synchronize_session=False)
    )
    return set(locked.values())


def _of_purchase(released_id: UUID) -> ScalarSelect[UUID]:
    """The cancellation of the seat's purchase that waits or runs, or NULL."""
    return (
        select(Cancellation.id)
        .join(
            Booking,
            (Booking.tenant_id == Cancellation.tenant_id)
            & Cancellation.subject_id.in_([Booking.id, Booking.completes_id]),
        )
        .where(
            Cancellation.tenant_id == Seat.tenant_id,
            Booking.id == Seat.booking_id,
            Cancellation.scope == "purchase",
            Cancellation.state.in_(["waiting", "running"]),
            Cancellation.id != released_id,
        )
        .limit(1)
        .correlate(Seat)
        .scalar_subquery()
    )
