"""Asking for a cancellation, and taking it back within the undo window.

The request commits `cancelling`, which stops sales, and starts the window in which nothing else
happens. The freeing itself is `src.booking.jobs.cancel`'s.
Source: docs/algorithms/cancelling.md.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from src.booking.commands.leave_requests import accept_open_request
from src.booking.commands.waking import wake_waitlists
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.domain.states import TAKEN_SEATS
from src.booking.events import CancellationRequested, SessionsChanged
from src.booking.models import Booking, Cancellation, Seat, Session, SessionChange
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext

TAKEN = tuple(sorted(str(state) for state in TAKEN_SEATS))
CANCELLABLE = (str(SeatState.HELD), *TAKEN)

register_constraint(
    "uq_cancellations_live",
    lambda: Conflict(_("This is being cancelled already."), code="already_cancelling"),
)


async def cancel_session(
    uow: UnitOfWork,
    ctx: RequestContext,
    session_id: UUID,
    *,
    reason: str,
    undo_seconds: int,
    gives_back: bool = False,
    seen_taken: int | None = None,
) -> UUID:
    """Stops the session's sale now and lets a job free every live seat after the undo window.

    With `gives_back` what was paid for the seats goes back with them. `seen_taken` is the number of
    live seats that the decision was made on. Returns the cancellation's id.
    Raises: NotFound; Conflict when it has ended, is cancelled, or more seats are taken meanwhile.
    """
    now = uow.clock.now()
    await _check_cancellable(uow, session_id, now)
    total = await _customers_with_seats(uow, Seat.session_id == session_id, TAKEN)
    cancellation_id = await _request(
        uow,
        ctx,
        "session",
        session_id,
        reason=reason,
        total=total,
        undo_seconds=undo_seconds,
        gives_back=gives_back,
    )
    await audit(uow, ctx, "session.cancelled", "session", session_id, reason=reason)
    await uow.settle()
    await _stop_sale(uow, session_id, seen_taken)
    return cancellation_id


async def cancel_purchase(
    uow: UnitOfWork, ctx: RequestContext, booking_id: UUID, *, reason: str, undo_seconds: int
) -> UUID:
    """Lets a job free the booking's seats that have not started, after the undo window. A guest who
    asked for it has got it with this.

    Returns the cancellation's id. Raises: NotFound; Conflict when no such seat is left.
    """
    booking = await uow.session.get(Booking, (uow.tenant, booking_id))
    if booking is None:
        raise NotFound(_("There is no such booking."))
    now = uow.clock.now()
    which = Seat.booking_id == booking_id
    if not await _customers_with_seats(uow, which, CANCELLABLE, starts_after=now):
        raise Conflict(_("No seat of this booking is left to cancel."), code="nothing_to_cancel")
    total = await _customers_with_seats(uow, which, TAKEN, starts_after=now)
    await accept_open_request(uow, ctx, booking_id)
    await audit(uow, ctx, "booking.cancelled", "booking", booking_id, reason=reason)
    return await _request(
        uow, ctx, "purchase", booking_id, reason=reason, total=total, undo_seconds=undo_seconds
    )


async def undo_cancellation(uow: UnitOfWork, ctx: RequestContext, cancellation_id: UUID) -> None:
    """Takes a cancellation back while it waits; a session is on sale again as before.

    Raises: NotFound; Conflict when the window has passed.
    """
    undone = await uow.session.execute(
        update(Cancellation)
        .where(
            Cancellation.tenant_id == uow.tenant,
            Cancellation.id == cancellation_id,
            Cancellation.state == "waiting",
        )
        .values(state="undone", finished_at=uow.clock.now())
        .returning(Cancellation.scope, Cancellation.subject_id)
    )
    row = undone.first()
    if row is None:
        await get_cancellation(uow, cancellation_id)
        raise Conflict(_("It is too late to undo this: seats are being freed."), code="too_late")
    await audit(uow, ctx, f"{row.scope}.cancellation_undone", row.scope, row.subject_id)
    if row.scope == "session":
        await _tell_what_waited(uow, row.subject_id)
        await wake_waitlists(uow, [row.subject_id])
    await uow.settle()
    if row.scope == "session":
        await uow.session.execute(
            update(Session)
            .where(
                Session.tenant_id == uow.tenant,
                Session.id == row.subject_id,
                Session.state == str(SessionState.CANCELLING),
            )
            .values(state=str(SessionState.SCHEDULED))
        )


async def _tell_what_waited(uow: UnitOfWork, session_id: UUID) -> None:
    """While a session was being cancelled nobody was told how it had changed before."""
    action_id = await uow.session.scalar(
        select(SessionChange.action_id)
        .where(SessionChange.tenant_id == uow.tenant, SessionChange.session_id == session_id)
        .order_by(SessionChange.sequence.desc())
        .limit(1)
    )
    if action_id is not None:
        uow.record(SessionsChanged(action_id=action_id))


async def get_cancellation(uow: UnitOfWork, cancellation_id: UUID) -> Cancellation:
    """Raises: NotFound."""
    found = await uow.session.get(Cancellation, (uow.tenant, cancellation_id))
    if found is None:
        raise NotFound(_("There is no such cancellation."))
    return found


async def _check_cancellable(uow: UnitOfWork, session_id: UUID, now: datetime) -> None:
    session = await uow.session.get(Session, (uow.tenant, session_id))
    if session is None:
        raise NotFound(_("There is no such session."))
    if session.state != SessionState.SCHEDULED:
        raise Conflict(_("This session is cancelled already."), code="already_cancelled")
    if session.ends_at <= now:
        raise Conflict(_("This session is over; it stays as history."), code="session_over")


async def _customers_with_seats(
    uow: UnitOfWork, which: Any, states: Sequence[str], *, starts_after: datetime | None = None
) -> int:
    """How many customers have such seats; of taken ones, the measure of the job's progress."""
    statement = (
        select(func.count(Booking.customer_id.distinct()))
        .select_from(Seat)
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .where(Seat.tenant_id == uow.tenant, which, Seat.state.in_(states))
    )
    if starts_after is not None:
        statement = statement.join(
            Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id)
        ).where(Session.starts_at > starts_after)
    return await uow.session.scalar(statement) or 0


async def _request(
    uow: UnitOfWork,
    ctx: RequestContext,
    scope: str,
    subject_id: UUID,
    *,
    reason: str,
    total: int,
    undo_seconds: int,
    gives_back: bool = False,
) -> UUID:
    now, cancellation_id = uow.clock.now(), new_id()
    uow.session.add(
        Cancellation(
            tenant_id=uow.tenant,
            id=cancellation_id,
            scope=scope,
            subject_id=subject_id,
            state="waiting",
            reason=reason,
            total=total,
            gives_back=gives_back,
            requested_by=ctx.actor.user_id,
            requested_at=now,
            starts_at=now + timedelta(seconds=undo_seconds),
        )
    )
    uow.record(CancellationRequested(cancellation_id=cancellation_id), delay_seconds=undo_seconds)
    return cancellation_id


async def _stop_sale(uow: UnitOfWork, session_id: UUID, seen_taken: int | None) -> None:
    as_seen = [] if seen_taken is None else [Session.seats_taken <= seen_taken]
    stopped = await uow.session.execute(
        update(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.id == session_id,
            Session.state == str(SessionState.SCHEDULED),
            *as_seen,
        )
        .values(state=str(SessionState.CANCELLING))
        .returning(Session.id)
    )
    if stopped.first() is None:
        raise Conflict(_("This session is cancelled already."), code="already_cancelled")
