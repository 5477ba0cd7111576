"""Which dates an act on one date reaches when it is said to be more than that one."""

from collections.abc import Collection, Sequence
from datetime import time
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select

from src.booking.domain.kinds import DateScope, SessionState
from src.booking.models import Session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.localtime import to_local


async def list_reached(
    uow: UnitOfWork,
    first: Session,
    scope: DateScope,
    zone: ZoneInfo,
    chosen: Collection[UUID] = (),
) -> Sequence[Session]:
    """Those in order of time that are scheduled and have not begun: what has been is history.

    Following and all are those of the first one's series or, outside of any, those of its service
    on the same weekday and time of the zone's clock. `chosen` are the ids that the last scope says.
    Raises: NotFound for a chosen one that is not there.
    """
    if chosen:
        await _check_there(uow, chosen)
    if scope is DateScope.THIS:
        return await _not_begun(uow, [Session.id == first.id])
    if scope is DateScope.CHOSEN:
        return await _not_begun(uow, [Session.id.in_(chosen)])
    which = [Session.service_id == first.service_id]
    if scope is DateScope.FOLLOWING:
        which.append(Session.starts_at >= first.starts_at)
    if first.series_id is not None:
        return await _not_begun(uow, [*which, Session.series_id == first.series_id])
    found = await _not_begun(uow, [*which, Session.series_id.is_(None)])
    return [one for one in found if _rhythm(one, zone) == _rhythm(first, zone)]


async def _check_there(uow: UnitOfWork, chosen: Collection[UUID]) -> None:
    there = await uow.session.scalar(
        select(func.count()).where(Session.tenant_id == uow.tenant, Session.id.in_(chosen))
    )
    if there != len(set(chosen)):
        raise NotFound(_("There is no such session."))


async def _not_begun(uow: UnitOfWork, which: Sequence[ColumnElement[bool]]) -> Sequence[Session]:
    found = await uow.session.scalars(
        select(Session)
        .where(
            Session.tenant_id == uow.tenant,
            *which,
            Session.state == str(SessionState.SCHEDULED),
            Session.starts_at > uow.clock.now(),
        )
        .order_by(Session.starts_at, Session.id)
    )
    return found.all()


def _rhythm(session: Session, zone: ZoneInfo) -> tuple[int, time]:
    local = to_local(session.starts_at, zone)
    return local.weekday(), local.time()
