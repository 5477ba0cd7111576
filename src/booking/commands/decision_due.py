"""When a session's minimum group size is looked at: a row for the clock, moved with the session."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from src.billing.commands.due import add_due, drop_due, drop_several_due
from src.booking.domain.minimum import ASK_AHEAD, decide_at
from src.platform.db.uow import UnitOfWork

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
