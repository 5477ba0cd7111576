"""When a session's minimum group size is looked at: a row for the clock, moved with the session."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, select

from src.billing.commands.due import add_due, drop_due, drop_several_due
from src.billing.domain.kinds import LIVE_PAGES
from src.billing.models import Order, PaymentPage
from src.booking.domain.kinds import SeatState
from src.booking.domain.minimum import ASK_AHEAD, decide_at, passes_decision
from src.booking.models import Seat, Session
from src.booking.queries.held import BY_STAFF
from src.booking.queries.standing import count_standing
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _

MINIMUM_DUE = "minimum"


async def plan_decision(
    uow: UnitOfWork, session_id: UUID, starts_at: datetime, decide_hours: int
) -> None:
    """Has it looked at a day before it is decided, or at once where that has passed."""
    await plan_decisions(uow, [(session_id, starts_at, decide_hours)])


async def replan_decision(
    uow: UnitOfWork, session_id: UUID, starts_at: datetime, decide_hours: int | None
) -> None:
    """`plan_decision`, or with None nothing is decided any more."""
    if decide_hours is None:
        await drop_due(uow, session_id)
    else:
        await plan_decision(uow, session_id, starts_at, decide_hours)


async def plan_decisions(uow: UnitOfWork, sessions: Sequence[tuple[UUID, datetime, int]]) -> None:
    """`plan_decision` for each of (id, starts_at, decide_hours), in one statement each way."""
    if not sessions:
        return
    await drop_several_due(uow, [session_id for session_id, _start, _hours in sessions])
    for session_id, starts_at, decide_hours in sessions:
        ask_at = decide_at(starts_at, decide_hours) - ASK_AHEAD
        await add_due(uow, MINIMUM_DUE, session_id, max(ask_at, uow.clock.now()))


async def move_past_errors(
    uow: UnitOfWork, session: Session, starts_at: datetime
) -> dict[str, str]:
    """Sentences by field where the move alone would have a session called off that nobody was asked
    about: its moment is over then, and too few have booked.
    """
    least, hours = session.min_seats, session.decide_hours
    if least is None or hours is None or session.decided_at is not None:
        return {}
    if not passes_decision(session.starts_at, starts_at, hours, uow.clock.now()):
        return {}
    standing = await count_standing(uow, session.id)
    if standing >= least:
        return {}
    sentence = _(
        "It would be called off at once: that is decided %(hours)s hours before the start, and"
        " %(taken)s booked so far, and at least %(least)s are needed. Change its minimum, or these"
        " hours.",
        hours=hours,
        taken=standing,
        least=least,
    )
    return {"starts_at": sentence}


async def count_waiting_for_link(uow: UnitOfWork, session_id: UUID) -> int:
    """The places of a session that are held for guests who were mailed a link to pay and have not
    opened a payment page: for up to a day nobody knows whether they come.
    """
    is_paying = exists().where(
        PaymentPage.tenant_id == Order.tenant_id,
        PaymentPage.order_id == Order.id,
        PaymentPage.state.in_([str(state) for state in LIVE_PAGES]),
    )
    counted = await uow.session.scalar(
        select(func.count())
        .select_from(Seat)
        .join(Order, (Order.tenant_id == Seat.tenant_id) & (Order.id == Seat.order_id))
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.session_id == session_id,
            Seat.state == str(SeatState.HELD),
            Order.source == BY_STAFF,
            ~is_paying,
        )
    )
    return counted or 0
