"""Ticking off who came, and taking a tick back.

A tick is one guarded UPDATE over seats locked by id, so that two people at two doors do each thing
once: whoever comes second finds it done and changes nothing, and who looks at an old list undoes
nobody else's tick. Their customers are held before them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select, update

from src.billing.commands.fees import drop_fees
from src.booking.commands.no_shows import ask_for_no_shows
from src.booking.commands.sessions import get_session
from src.booking.domain.attendance import TICKED_FROM, why_not_tick
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.domain.states import live_cancellation
from src.booking.models import Booking, Seat, Session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _
from src.tenants.commands.audit import audit
from src.tenants.commands.customers import keep_customers
from src.tenants.context import RequestContext

_ACTIONS = {
    SeatState.ATTENDED: "seats.attended",
    SeatState.NO_SHOW: "seats.no_show",
    SeatState.CONFIRMED: "seats.attendance_undone",
}


@dataclass(frozen=True, slots=True)
class Ticked:
    """How many seats were changed, how many were so already or no longer could be, and how many
    are being cancelled. `fees` is of how many a fee will be asked. `overtaken` are those that were
    changed by somebody else since they were seen, and what they are now.
    """

    changed: int
    passed_over: int
    being_cancelled: int = 0
    fees: int = 0
    overtaken: Mapping[UUID, SeatState] = field(default_factory=dict)


async def mark_attendance(
    uow: UnitOfWork,
    ctx: RequestContext,
    session_id: UUID,
    seat_ids: Sequence[UUID],
    wanted: SeatState,
    was: Mapping[UUID, SeatState] | None = None,
) -> Ticked:
    """Marks seats of one session as attended or no-show, or, as confirmed, takes that back. Those
    that are being cancelled stay as they are, and so does what is no longer what it `was` when it
    was seen, unless it is as wanted.

    Who did not come is asked for a fee where the terms say so; whoever came after all is not.
    Raises: NotFound for a seat of another session; Conflict when it is too early or cancelled.
    """
    session = await get_session(uow, session_id)
    check_tickable(uow, ctx, session, wanted)
    await _keep_guests(uow, session_id, seat_ids)
    standing = await _lock_standing(uow, session_id, seat_ids)
    overtaken = {
        seat_id: state
        for seat_id, state in standing.items()
        if state in TICKED_FROM[wanted] and state is not (was or {}).get(seat_id, state)
    }
    known = standing.keys() - overtaken.keys()
    changed = await uow.session.execute(
        update(Seat)
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.id.in_(known),
            Seat.state.in_([str(state) for state in TICKED_FROM[wanted]]),
        )
        .values(state=str(wanted), changed_at=uow.clock.now(), changed_by="staff", changed_why="")
        .returning(Seat.id)
        .execution_options(synchronize_session=False)
    )
    done, fees = sorted(changed.scalars()), 0
    if done:
        said = {"session": str(session_id), "seats": [str(seat_id) for seat_id in done]}
        await audit(uow, ctx, _ACTIONS[wanted], "seats", None, **said)
        if wanted is SeatState.NO_SHOW:
            fees = await ask_for_no_shows(uow, ctx.here, done, "staff")
        else:
            await drop_fees(uow, done)
    return Ticked(
        changed=len(done),
        passed_over=len(known) - len(done),
        being_cancelled=len(set(seat_ids)) - len(standing),
        fees=fees,
        overtaken=overtaken,
    )


async def _lock_standing(
    uow: UnitOfWork, session_id: UUID, seat_ids: Sequence[UUID]
) -> dict[UUID, SeatState]:
    """Locks the seats by id, and returns those that are not being cancelled. Raises: NotFound."""
    locked = await uow.session.execute(
        select(Seat.id, Seat.state, Seat.cancellation_id)
        .where(Seat.tenant_id == uow.tenant, Seat.session_id == session_id, Seat.id.in_(seat_ids))
        .order_by(Seat.id)
        .with_for_update(key_share=True)
    )
    seats = locked.all()
    if {seat.id for seat in seats} != set(seat_ids):
        raise NotFound(_("There is no such place in this session."))
    return {
        seat.id: SeatState(seat.state)
        for seat in seats
        if live_cancellation(SeatState(seat.state), seat.cancellation_id) is None
    }


async def _keep_guests(uow: UnitOfWork, session_id: UUID, seat_ids: Sequence[UUID]) -> None:
    """Whoever booked the seats stays who they are until COMMIT, so that a fee is asked of who is
    left after a merge. Before the seats, as whoever erases somebody locks them.
    """
    found = await uow.session.scalars(
        select(Booking.customer_id)
        .join(Seat, (Seat.tenant_id == Booking.tenant_id) & (Seat.booking_id == Booking.id))
        .where(Seat.tenant_id == uow.tenant, Seat.session_id == session_id, Seat.id.in_(seat_ids))
    )
    await keep_customers(uow, set(found))


def check_tickable(
    uow: UnitOfWork, ctx: RequestContext, session: Session, wanted: SeatState
) -> None:
    """Raises: Conflict with the reason."""
    state = SessionState(session.state)
    now = uow.clock.now()
    refusal = why_not_tick(wanted, state, session.starts_at, ctx.here.zone, now)
    if refusal is not None:
        raise Conflict(refusal, code="not_tickable")
