"""Letting waiting lists hear of places that get free, and of dates that get another time."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import exists, select

from src.booking.domain.kinds import SessionState
from src.booking.domain.waiting import STANDING
from src.booking.events import PlacesFreed, WaitedDatesMoved
from src.booking.models import Session, WaitlistEntry
from src.platform.db.uow import UnitOfWork


async def wake_waitlists(
    uow: UnitOfWork, session_ids: Collection[UUID], *, delay_seconds: int = 0
) -> None:
    """Records that places of the sessions get free with this transaction, or that others may have
    those that are, if anybody waits for one or was offered one: the list is looked at, wherever its
    session belongs by then.

    Called before the unit of work settles, since the places themselves are given back last.
    """
    if await _somebody_waits(uow, session_ids):
        uow.record(PlacesFreed(session_ids=sorted(set(session_ids))), delay_seconds=delay_seconds)


async def dates_behind(uow: UnitOfWork, entries: Collection[WaitlistEntry]) -> set[UUID]:
    """The sessions that these entries wait for, to be woken when the entries end: whoever waits
    behind a party that was too big for what is free may have had to wait for it.
    """
    single = {one.session_id for one in entries if one.session_id is not None}
    series = {one.series_id for one in entries if one.series_id is not None}
    if not series:
        return single
    dates = await uow.session.scalars(
        select(Session.id).where(Session.tenant_id == uow.tenant, Session.series_id.in_(series))
    )
    return single | set(dates)


async def wake_each_list(uow: UnitOfWork, entries: Collection[WaitlistEntry]) -> None:
    """As `wake_waitlists` for all that these entries wait for and that is still to come, each pool
    by an event of its own: there may be hundreds, and one that fails begins no other anew.
    """
    single = {one.session_id for one in entries if one.session_id is not None}
    series = {one.series_id for one in entries if one.series_id is not None}
    dates = await uow.session.execute(
        select(Session.id, Session.series_id).where(
            Session.tenant_id == uow.tenant,
            Session.id.in_(single) | Session.series_id.in_(series),
            Session.state == str(SessionState.SCHEDULED),
            Session.starts_at > uow.clock.now(),
        )
    )
    # Any of its dates names a pool.
    pools = {row.series_id or row.id: row.id for row in dates}
    for session_id in pools.values():
        uow.record(PlacesFreed(session_ids=[session_id]))


async def wake_moved(uow: UnitOfWork, session_ids: Collection[UUID]) -> None:
    """Records that the sessions get another time with this transaction, if anybody waits for one:
    offers end sooner where they must, and whoever waits is told. Called as `wake_waitlists` is.
    """
    if await _somebody_waits(uow, session_ids):
        ids = sorted(set(session_ids))
        uow.record(WaitedDatesMoved(session_ids=ids))


async def wake_edited(
    uow: UnitOfWork, *, resized: Collection[UUID], moved: Collection[UUID]
) -> None:
    """Both: sessions with another number of places, since with fewer a party that waits ahead may
    never fit in, and those that get another time.
    """
    await wake_waitlists(uow, resized)
    await wake_moved(uow, moved)


async def _somebody_waits(uow: UnitOfWork, session_ids: Collection[UUID]) -> bool:
    if not session_ids:
        return False
    of_series = select(Session.series_id).where(
        Session.tenant_id == uow.tenant,
        Session.id.in_(session_ids),
        Session.series_id.is_not(None),
    )
    beside = select(Session.id).where(
        Session.tenant_id == uow.tenant, Session.series_id.in_(of_series)
    )
    waits = exists().where(
        WaitlistEntry.tenant_id == uow.tenant,
        WaitlistEntry.state.in_([str(state) for state in STANDING]),
        WaitlistEntry.session_id.in_(session_ids)
        | WaitlistEntry.series_id.in_(of_series)
        # With any of its dates a purchase may end that a missing one was waited for with.
        | (WaitlistEntry.for_booking_id.is_not(None) & WaitlistEntry.session_id.in_(beside)),
    )
    return bool(await uow.session.scalar(select(waits)))
