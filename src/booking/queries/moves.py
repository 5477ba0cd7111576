"""What moving a session would mean, beside the guests it touches."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from src.booking.commands.sessions import UpdateSession, get_session
from src.booking.domain.kinds import JoinPolicy, SessionMode, SessionState
from src.booking.models import Series, Service, Session
from src.booking.queries.cancellations import toll_of_session
from src.booking.queries.lists_toll import waiters_of
from src.booking.views.sessions import MoveEffect, SeriesPlace
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.models import Location, Performer


async def get_move_effect(
    uow: UnitOfWork, tenant: TenantSnapshot, cmd: UpdateSession
) -> MoveEffect:
    """Raises: NotFound."""
    session = await get_session(uow, cmd.session_id)
    service = await uow.session.get_one(Service, (uow.tenant, session.service_id))
    performer = None
    if cmd.performer_id is not None:
        performer = await uow.session.get_one(Performer, (uow.tenant, cmd.performer_id))
    return MoveEffect(
        name=" · ".join(filter(None, (service.name, session.title))),
        sequence=session.sequence,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        places=await _places(uow, session, cmd),
        capacity=(session.capacity, cmd.capacity),
        performer=performer.name if performer is not None else None,
        bookable_until=cmd.starts_at - timedelta(minutes=service.min_notice_minutes),
        series=await _place_in_series(uow, session.series_id, cmd),
        toll=await toll_of_session(uow, session.id),
        waiting=await waiters_of(
            uow, tenant, moved=[session], grown=[session] if cmd.capacity > session.capacity else []
        ),
    )


async def _places(uow: UnitOfWork, session: Session, cmd: UpdateSession) -> tuple[str, str] | None:
    """Where the session is and would be, as guests read it; None where that stays."""
    if (session.location_id, session.mode) == (cmd.location_id, cmd.mode):
        return None
    before = await _place_words(uow, session.location_id, session.mode)
    return before, await _place_words(uow, cmd.location_id, cmd.mode)


async def _place_words(uow: UnitOfWork, location_id: UUID | None, mode: str) -> str:
    if location_id is None:
        return _("online") if mode == SessionMode.ONLINE else _("no place")
    location = await uow.session.get(Location, (uow.tenant, location_id))
    return location.name if location is not None else _("no place")


async def _place_in_series(
    uow: UnitOfWork, series_id: UUID | None, cmd: UpdateSession
) -> SeriesPlace | None:
    """Where the date stands among those of its series, cancelled ones left out."""
    if series_id is None:
        return None
    series = await uow.session.get_one(Series, (uow.tenant, series_id))
    found = await uow.session.execute(
        select(Session.id, Session.starts_at)
        .where(
            Session.tenant_id == uow.tenant,
            Session.series_id == series_id,
            Session.state == str(SessionState.SCHEDULED),
        )
        .order_by(Session.starts_at, Session.id)
    )
    starts: dict[UUID, datetime] = {row.id: row.starts_at for row in found}
    moved = {**starts, cmd.session_id: cmd.starts_at}
    first, first_then = min(starts.values()), min(moved.values())
    closes = series.join_policy == JoinPolicy.BEFORE_START and first != first_then
    return SeriesPlace(
        title=series.title,
        dates=len(starts),
        place=_place(starts, cmd.session_id),
        place_then=_place(moved, cmd.session_id),
        joinable_until=first_then if closes else None,
    )


def _place(starts: dict[UUID, datetime], session_id: UUID) -> int:
    """From 1, in order of time."""
    in_order = sorted(starts, key=lambda one: (starts[one], one))
    return in_order.index(session_id) + 1
