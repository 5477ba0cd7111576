"""Asking for a cancellation, and taking it back within the undo window.

The request commits `cancelling`, which stops sales, keeps what goes back to whom, and starts the
window in which nothing else happens. The freeing itself is `src.booking.jobs.cancel`'s.
Source: docs/algorithms/cancelling.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select, update

from src.billing.commands.due import drop_due
from src.billing.commands.orders import lock_order
from src.booking.commands.cancel_marks import (
    lock_free_seats,
    mark_seats,
    refuse_going,
    release_seats,
)
from src.booking.commands.cancel_returns import (
    NOTHING,
    MoneyWanted,
    keep_returns,
    wait_for_payments,
)
from src.booking.commands.decision_due import plan_decision
from src.booking.commands.leave_requests import accept_open_requests, reopen_requests
from src.booking.commands.series import lock_series
from src.booking.commands.series_dates import lock_dates
from src.booking.commands.waitlist_leaving import prolong_offers, resume_waiting
from src.booking.commands.waking import wake_waitlists
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.domain.minimum import decide_at
from src.booking.domain.states import TAKEN_SEATS, sources_of
from src.booking.events import CancellationRequested, SessionsChanged
from src.booking.models import Booking, Cancellation, Seat, Series, Session, SessionChange
from src.booking.queries.being_cancelled import has_no_marked_seat, is_marked
from src.booking.queries.born_credits import list_born_credits, worths_by_order
from src.booking.queries.cancellation_money import Which
from src.booking.queries.purchases import left_of_purchase
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext

TAKEN = tuple(sorted(str(state) for state in TAKEN_SEATS))
CANCELLABLE = tuple(sorted(str(state) for state in sources_of(SeatState.CANCELLED)))

SUBJECTS = {
    "session": ("session", "session"),
    "dates": ("session", "session"),
    "purchase": ("booking", "booking"),
    "series": ("series", "series"),
    "seats": ("seats", "session"),
}
"""What is cancelled, by scope, in the words of the audit log, and what its entry is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCancellation:
    """What is asked for. `session_ids` are the dates of a series, or those chosen one by one, of
    which the earliest is then the subject; `resumes_sale` says whether the series is on sale.
    `seat_ids` are chosen seats.
    """

    scope: str
    subject_id: UUID
    reason: str
    undo_seconds: int
    gives_back: bool = False
    session_ids: Sequence[UUID] = ()
    resumes_sale: bool = False
    revokes_credits: bool = False
    seat_ids: Sequence[UUID] = ()


def _is_being_cancelled() -> Conflict:
    return Conflict(_("This is being cancelled already."), code="already_cancelling")


register_constraint("uq_cancellations_live", _is_being_cancelled)


async def cancel_session(
    uow: UnitOfWork,
    ctx: RequestContext,
    session_id: UUID,
    *,
    reason: str,
    undo_seconds: int,
    money: MoneyWanted = NOTHING,
    gives_back: bool = False,
    as_seen: Sequence[ColumnElement[bool]] = (),
) -> UUID:
    """Stops the session's sale now and lets a job free every live seat after the undo window.

    `money` says what goes back to whom; with `gives_back` it is all that was paid for the seats.
    `as_seen` is what the decision was made on, as conditions on the session, asked once nobody can
    take a seat of it any more. Returns the cancellation's id.
    Raises: NotFound; Conflict when it has ended, is cancelled, places of it are being cancelled, or
    `as_seen` holds no longer; InvalidInput for `money`.
    """
    now = uow.clock.now()
    await _check_cancellable(uow, session_id, now)
    which = [Seat.session_id == session_id]
    await refuse_going(uow, which)
    new = NewCancellation(
        scope="session",
        subject_id=session_id,
        reason=reason,
        undo_seconds=undo_seconds,
        gives_back=gives_back,
    )
    cancellation_id = await request(uow, ctx, new, which, money)
    await uow.settle()
    await _stop_sale(uow, session_id, as_seen)
    return cancellation_id


async def cancel_purchase(
    uow: UnitOfWork,
    ctx: RequestContext,
    booking_id: UUID,
    *,
    reason: str,
    undo_seconds: int,
    money: MoneyWanted = NOTHING,
) -> UUID:
    """Lets a job free the booking's seats that have not started and are not ticked, those too of
    dates that it has been completed by, after the undo window, in which nobody else does anything
    with them. A guest who asked for it has got it with this.

    `money` says what goes back. Returns the cancellation's id.
    Raises: NotFound; Conflict when no such seat is left, or some of them are being cancelled
    already; InvalidInput for `money`.
    """
    booking = await uow.session.get(Booking, (uow.tenant, booking_id))
    if booking is None:
        raise NotFound(_("There is no such booking."))
    # Whoever completes the purchase holds its order: what they took is seen, or they see this.
    await lock_order(uow, booking.order_id)
    which = left_of_purchase(booking_id, uow.clock.now())
    if not await _customers_with_seats(uow, which, CANCELLABLE):
        raise Conflict(_("No seat of this booking is left to cancel."), code="nothing_to_cancel")
    seat_ids = await lock_free_seats(uow, which)
    if not await _customers_with_seats(uow, [*which, ~is_marked()], CANCELLABLE):
        raise _is_being_cancelled()
    await refuse_going(uow, which)
    new = NewCancellation(
        scope="purchase",
        subject_id=booking_id,
        reason=reason,
        undo_seconds=undo_seconds,
        revokes_credits=money.revokes_credits,
    )
    cancellation_id = await request(uow, ctx, new, which, money)
    await accept_open_requests(uow, ctx, booking_id)
    await uow.settle()
    await mark_seats(uow, cancellation_id, seat_ids)
    return cancellation_id


async def undo_cancellation(uow: UnitOfWork, ctx: RequestContext, cancellation_id: UUID) -> None:
    """Takes a cancellation back while it waits; a session is on sale again as before, and a guest
    whose request to leave was accepted with it has asked again.

    Raises: NotFound; Conflict when the window has passed.
    """
    await _lock_series_of(uow, cancellation_id)
    undone = await uow.session.execute(
        update(Cancellation)
        .where(
            Cancellation.tenant_id == uow.tenant,
            Cancellation.id == cancellation_id,
            Cancellation.state == "waiting",
        )
        .values(state="undone", finished_at=uow.clock.now())
        .returning(Cancellation)
    )
    row = undone.scalar_one_or_none()
    if row is None:
        await get_cancellation(uow, cancellation_id)
        raise Conflict(_("It is too late to undo this: seats are being freed."), code="too_late")
    if row.scope == "seats":
        # No seat leads to it from now on, so whoever is erased could not be found in its reason.
        row.reason = ""
    what, subject = SUBJECTS[row.scope]
    await audit(uow, ctx, f"{what}.cancellation_undone", subject, row.subject_id)
    released = await release_seats(uow, cancellation_id)
    stopped = stopped_sessions(row)
    if row.scope == "dates":
        others = sorted(stopped - {row.subject_id})
        await log_dates(uow, ctx, "session.cancellation_undone", others)
    await _tell_what_waited(uow, stopped | released)
    stopped_for = uow.clock.now() - row.requested_at
    await prolong_offers(uow, stopped, stopped_for)
    await wake_waitlists(uow, stopped)
    decided = await _decide_anew(uow, stopped)
    if row.scope == "purchase":
        await reopen_requests(uow, row.subject_id, row.requested_at)
        await resume_waiting(uow, row.subject_id, stopped_for)
    if row.resumes_sale:
        await _resume_sale(uow, row.subject_id)
    await uow.settle()
    await lock_dates(uow, stopped)
    await uow.session.execute(
        update(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.id.in_(stopped),
            Session.state == str(SessionState.CANCELLING),
        )
        .values(
            state=str(SessionState.SCHEDULED),
            decided_at=case((Session.id.in_(decided), uow.clock.now()), else_=Session.decided_at),
        )
        .execution_options(synchronize_session=False)
    )


async def _lock_series_of(uow: UnitOfWork, cancellation_id: UUID) -> None:
    """A series' row comes before the one of its cancellation: who cancels it again holds the series
    while the index waits for what becomes of the cancellation that is there.
    """
    series_id = await uow.session.scalar(
        select(Cancellation.subject_id).where(
            Cancellation.tenant_id == uow.tenant,
            Cancellation.id == cancellation_id,
            Cancellation.scope == "series",
        )
    )
    if series_id is not None:
        await lock_series(uow, series_id)


async def _decide_anew(uow: UnitOfWork, session_ids: set[UUID]) -> set[UUID]:
    """Those with a minimum have lost the clock's row. Where the moment to decide has passed, who
    undoes says that they take place, and their ids are returned; the others are looked at again.
    """
    found = await uow.session.execute(
        select(Session.id, Session.starts_at, Session.decide_hours).where(
            Session.tenant_id == uow.tenant,
            Session.id.in_(session_ids),
            Session.decide_hours.is_not(None),
            Session.decided_at.is_(None),
        )
    )
    decided = set()
    for session_id, starts_at, hours in found:
        if decide_at(starts_at, hours) <= uow.clock.now():
            await drop_due(uow, session_id)
            decided.add(session_id)
        else:
            await plan_decision(uow, session_id, starts_at, hours)
    return decided


def stopped_sessions(cancellation: Cancellation) -> set[UUID]:
    """The sessions that the cancellation is of, none for that of a purchase or of seats."""
    if cancellation.scope == "session":
        return {cancellation.subject_id}
    return set(cancellation.session_ids)


async def log_dates(
    uow: UnitOfWork,
    ctx: RequestContext,
    action: str,
    session_ids: Sequence[UUID],
    **said: object,
) -> None:
    """Each date of an act tells its own story, the first of them what the whole act was."""
    for session_id in session_ids:
        await audit(uow, ctx, action, "session", session_id, **said)


async def _resume_sale(uow: UnitOfWork, series_id: UUID) -> None:
    await uow.session.execute(
        update(Series)
        .where(Series.tenant_id == uow.tenant, Series.id == series_id)
        .values(active=True)
        .execution_options(synchronize_session=False)
    )


async def _tell_what_waited(uow: UnitOfWork, session_ids: set[UUID]) -> None:
    """While sessions or seats were being cancelled nobody was told what had changed before."""
    latest = await uow.session.scalars(
        select(SessionChange.action_id)
        .where(SessionChange.tenant_id == uow.tenant, SessionChange.session_id.in_(session_ids))
        .distinct(SessionChange.session_id)
        .order_by(SessionChange.session_id, SessionChange.sequence.desc())
    )
    for action_id in sorted(set(latest)):
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


async def _customers_with_seats(uow: UnitOfWork, which: Which, states: Sequence[str]) -> int:
    """How many customers have such seats; of taken ones, the measure of the job's progress."""
    found = await uow.session.scalar(
        select(func.count(Booking.customer_id.distinct()))
        .select_from(Seat)
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(Seat.tenant_id == uow.tenant, *which, Seat.state.in_(states))
    )
    return found or 0


async def request(
    uow: UnitOfWork, ctx: RequestContext, new: NewCancellation, which: Which, money: MoneyWanted
) -> UUID:
    """Writes down the cancelling of the seats among `which`, and what goes back for them; the job
    begins when the undo window is over. Returns its id. Raises: InvalidInput for `money`.
    """
    await wait_for_payments(uow, which)
    now, cancellation_id = uow.clock.now(), new_id()
    uow.session.add(
        Cancellation(
            tenant_id=uow.tenant,
            id=cancellation_id,
            state="waiting",
            total=await _customers_with_seats(uow, which, TAKEN),
            requested_by=ctx.actor.user_id,
            requested_at=now,
            starts_at=now + timedelta(seconds=new.undo_seconds),
            scope=new.scope,
            subject_id=new.subject_id,
            reason=new.reason,
            gives_back=new.gives_back,
            as_voucher=money.as_voucher,
            session_ids=list(new.session_ids),
            resumes_sale=new.resumes_sale,
            revokes_credits=new.revokes_credits,
        )
    )
    born = await list_born_credits(uow, new.subject_id) if new.revokes_credits else []
    with_credits = worths_by_order(born)
    back_minor = await keep_returns(uow, ctx, cancellation_id, which, money, with_credits)
    said: dict[str, object] = {"reason": new.reason, "cancellation": str(cancellation_id)}
    if back_minor:
        said |= {"amount_minor": back_minor, "money": str(money.choice)}
    if new.seat_ids:
        said |= {"seats": sorted(map(str, new.seat_ids))}
    what, subject = SUBJECTS[new.scope]
    await audit(uow, ctx, f"{what}.cancelled", subject, new.subject_id, **said)
    event = CancellationRequested(cancellation_id=cancellation_id)
    uow.record(event, delay_seconds=new.undo_seconds)
    return cancellation_id


async def _stop_sale(
    uow: UnitOfWork, session_id: UUID, as_seen: Sequence[ColumnElement[bool]]
) -> None:
    # The conditions look at other rows, which an update alone sees as they were before it waited
    # for the session.
    await lock_dates(uow, {session_id})
    stopped = await uow.session.execute(
        update(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.id == session_id,
            Session.state.in_(sources_of(SessionState.CANCELLING)),
            has_no_marked_seat(),
            *as_seen,
        )
        .values(state=str(SessionState.CANCELLING))
        .returning(Session.id)
        .execution_options(synchronize_session=False)
    )
    if stopped.first() is None:
        await refuse_going(uow, [Seat.session_id == session_id])
        raise Conflict(_("This session is cancelled already."), code="already_cancelled")
