"""Letting waiting lists hear of places that get free."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import exists, select

from src.booking.domain.waiting import STANDING
from src.booking.events import PlacesFreed
from src.booking.models import Session, WaitlistEntry
from src.platform.db.uow import UnitOfWork


async def wake_waitlists(
    uow: UnitOfWork, session_ids: Collection[UUID], *, delay_seconds: int = 0
) -> None:
    """Records that places of the sessions get free with this transaction, if anybody waits for one,
    or was offered one: the list is looked at, wherever its session belongs by then.

    Called before the unit of work settles, since the places themselves are given back last.
    """
    if not session_ids:
        return
    of_series = select(Session.series_id).where(
        Session.tenant_id == uow.tenant,
        Session.id.in_(session_ids),
        Session.series_id.is_not(None),
    )
    waits = exists().where(
        WaitlistEntry.tenant_id == uow.tenant,
        WaitlistEntry.state.in_([str(state) for state in STANDING]),
        WaitlistEntry.session_id.in_(session_ids) | WaitlistEntry.series_id.in_(of_series),
    )
    if await uow.session.scalar(select(waits)):
        uow.record(PlacesFreed(session_ids=sorted(set(session_ids))), delay_seconds=delay_seconds)
