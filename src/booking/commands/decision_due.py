"""When a session's minimum group size is looked at: a row for the clock, moved with the session."""

from datetime import datetime
from uuid import UUID

from src.billing.commands.due import add_due, drop_due
from src.booking.domain.minimum import ASK_AHEAD, decide_at
from src.platform.db.uow import UnitOfWork

MINIMUM_DUE = "minimum"


async def plan_decision(
    uow: UnitOfWork, session_id: UUID, starts_at: datetime, decide_hours: int
) -> None:
    """Has it looked at a day before it is decided, or at once where that has passed."""
    await drop_due(uow, session_id)
    ask_at = decide_at(starts_at, decide_hours) - ASK_AHEAD
    await add_due(uow, MINIMUM_DUE, session_id, max(ask_at, uow.clock.now()))
