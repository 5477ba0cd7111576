"""Cancelling single seats of one session, in one act, however many guests they are.

The seats are marked with the request, which keeps everybody else's hands off them until they are
freed, or it is taken back. Source: docs/algorithms/cancelling.md.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from src.booking.commands.cancel import NewCancellation, request
from src.booking.commands.cancel_marks import lock_free_seats, mark_seats
from src.booking.commands.cancel_returns import NOTHING, MoneyWanted
from src.booking.commands.sessions import get_session
from src.booking.domain.kinds import SessionState
from src.booking.models import Seat
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _
from src.tenants.context import RequestContext


async def cancel_seats(
    uow: UnitOfWork,
    ctx: RequestContext,
    session_id: UUID,
    seat_ids: Sequence[UUID],
    *,
    reason: str,
    undo_seconds: int,
    money: MoneyWanted = NOTHING,
) -> UUID:
    """Lets a job free these seats after the undo window: all of them, or nothing is done.

    `money` says what goes back to whom. Returns the cancellation's id.
    Raises: NotFound for a seat of another session; Conflict when the session has started or does
    not take place, or one of the seats has ended, was ticked, or is being cancelled; InvalidInput
    for `money`.
    """
    session = await get_session(uow, session_id)
    stay = why_places_stay(session.state, session.starts_at, uow.clock.now())
    if stay is not None:
        raise stay
    which = [Seat.session_id == session_id, Seat.id.in_(seat_ids)]
    free = await lock_free_seats(uow, which)
    if not free or set(free) != set(seat_ids):
        raise await _why_not(uow, session_id, seat_ids)
    new = NewCancellation(
        scope="seats",
        subject_id=session_id,
        reason=reason,
        undo_seconds=undo_seconds,
        seat_ids=free,
    )
    cancellation_id = await request(uow, ctx, new, which, money)
    await uow.settle()
    await mark_seats(uow, cancellation_id, free)
    return cancellation_id


def why_places_stay(state: str, starts_at: datetime, now: datetime) -> Conflict | None:
    """Why no place of such a session can be cancelled by itself, if none can."""
    if state == SessionState.CANCELLED:
        return Conflict(_("This session is cancelled already."), code="already_cancelled")
    if state != SessionState.SCHEDULED:
        return Conflict(_("This session is being cancelled."), code="already_cancelling")
    if starts_at <= now:
        return Conflict(_("This session has started, so its places stay."), code="session_started")
    return None


async def _why_not(
    uow: UnitOfWork, session_id: UUID, seat_ids: Sequence[UUID]
) -> Conflict | NotFound:
    found = await uow.session.execute(
        select(func.count(), func.count(Seat.cancellation_id)).where(
            Seat.tenant_id == uow.tenant, Seat.session_id == session_id, Seat.id.in_(seat_ids)
        )
    )
    known, marked = found.one()
    if not seat_ids or known != len(set(seat_ids)):
        return NotFound(_("There is no such place in this session."))
    if marked:
        return Conflict(
            _("One of these places is being cancelled already."), code="already_cancelling"
        )
    return Conflict(
        _("These places have just changed. Please look at them again."), code="seats_changed"
    )
