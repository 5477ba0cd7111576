"""Which seats are being cancelled already, so that none is ever in two cancellations.

What goes back for a seat is chosen once, by whoever cancels it first.
Source: docs/algorithms/cancelling.md.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, String, any_, cast, exists, func, or_, select

from src.booking.domain.kinds import SeatState, SessionState
from src.booking.events import CancellationRequested
from src.booking.models import Cancellation, Seat, Session
from src.booking.views.cancellations import Going
from src.platform.db.uow import UnitOfWork
from src.platform.outbox.models import OutboxRow

CONFIRMED = str(SeatState.CONFIRMED)


def is_marked() -> ColumnElement[bool]:
    """Whether the seat is confirmed, and being cancelled already."""
    return (Seat.state == CONFIRMED) & Seat.cancellation_id.is_not(None)


def has_no_marked_seat() -> ColumnElement[bool]:
    """Of a session: none of its seats is being cancelled by itself, or with its purchase."""
    marked = exists().where(
        Seat.tenant_id == Session.tenant_id, Seat.session_id == Session.id, is_marked()
    )
    return ~marked.correlate(Session)


def has_halted() -> ColumnElement[bool]:
    """Of a cancellation: its job failed too often and waits for whoever runs the service."""
    return exists().where(
        OutboxRow.tenant_id == Cancellation.tenant_id,
        OutboxRow.topic == CancellationRequested.topic,
        OutboxRow.parked_at.is_not(None),
        OutboxRow.payload["cancellation_id"].astext == cast(Cancellation.id, String),
    )


async def is_halted(uow: UnitOfWork, cancellation_id: UUID) -> bool:
    found = await uow.session.scalar(
        select(has_halted()).where(
            Cancellation.tenant_id == uow.tenant,
            Cancellation.id == cancellation_id,
            Cancellation.state.in_(["waiting", "running"]),
        )
    )
    return bool(found)


async def list_going(uow: UnitOfWork, which: Sequence[ColumnElement[bool]]) -> list[Going]:
    """The cancellations that wait or run and reach confirmed seats among `which`, with how many.

    The seats are joined with their sessions.
    """
    is_stopped = Session.state == str(SessionState.CANCELLING)
    found = await uow.session.execute(
        select(
            Cancellation.id,
            Cancellation.state,
            func.count().label("seats"),
            has_halted().label("has_halted"),
        )
        .select_from(Seat)
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .join(
            Cancellation,
            (Cancellation.tenant_id == Seat.tenant_id)
            & or_(
                Cancellation.id == Seat.cancellation_id,
                is_stopped & (Cancellation.subject_id == Seat.session_id),
                is_stopped & (Seat.session_id == any_(Cancellation.session_ids)),
            ),
        )
        .where(
            Seat.tenant_id == uow.tenant,
            *which,
            Seat.state == CONFIRMED,
            Cancellation.state.in_(["waiting", "running"]),
        )
        .group_by(Cancellation.tenant_id, Cancellation.id)
        .order_by(Cancellation.id)
    )
    return [
        Going(
            cancellation_id=row.id,
            seats=row.seats,
            can_undo=row.state == "waiting",
            has_halted=row.has_halted,
        )
        for row in found
    ]


async def is_any_going(uow: UnitOfWork, which: Sequence[ColumnElement[bool]]) -> bool:
    """Whether a seat among `which` is being cancelled, or its session is called off.

    The seats are joined with their sessions.
    """
    found: UUID | None = await uow.session.scalar(
        select(Seat.id)
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(
            Seat.tenant_id == uow.tenant,
            *which,
            Seat.state == CONFIRMED,
            Seat.cancellation_id.is_not(None) | (Session.state != str(SessionState.SCHEDULED)),
        )
        .limit(1)
    )
    return found is not None
