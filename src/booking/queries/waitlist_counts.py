"""How many are on a waiting list."""

from uuid import UUID

from sqlalchemy import func, select

from src.booking.domain.quotes import SubjectKind
from src.booking.domain.waiting import EntryState
from src.booking.models import WaitlistEntry
from src.booking.queries.waiting import STANDS
from src.booking.views.waiting import WaitlistOut
from src.platform.db.uow import UnitOfWork


async def count_waiting(uow: UnitOfWork, session_id: UUID) -> int:
    """How many wait for a place in the session alone."""
    found = await uow.session.scalar(
        select(func.count()).where(
            WaitlistEntry.tenant_id == uow.tenant,
            WaitlistEntry.session_id == session_id,
            WaitlistEntry.state.in_(STANDS),
        )
    )
    return found or 0


async def count_list(uow: UnitOfWork, kind: SubjectKind, subject_id: UUID) -> WaitlistOut:
    """In one query; all 0 where nobody waits, or for what is not there."""
    of_list = WaitlistEntry.session_id if kind == "session" else WaitlistEntry.series_id
    has_offer = WaitlistEntry.state == str(EntryState.OFFERED)
    found = await uow.session.execute(
        select(
            func.count().filter(~has_offer),
            func.count().filter(has_offer),
            func.coalesce(func.sum(WaitlistEntry.party_size), 0),
        ).where(
            WaitlistEntry.tenant_id == uow.tenant,
            of_list == subject_id,
            WaitlistEntry.state.in_(STANDS),
        )
    )
    waiting, offered, places = found.one()
    return WaitlistOut(waiting=waiting, offered=offered, places=int(places))
