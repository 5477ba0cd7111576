"""Sessions that are over, with guests of whom nobody has said whether they came."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from src.booking.domain.kinds import SeatState, SessionState
from src.booking.domain.session_rules import LONGEST_SESSION
from src.booking.models import Seat, Service, Session
from src.booking.views.today import Unticked
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Performer

TOLD_FOR = timedelta(days=1)
MOST_UNTICKED = 5
TICKED = (str(SeatState.ATTENDED), str(SeatState.NO_SHOW))


async def list_unticked(
    uow: UnitOfWork, now: datetime, *, led_by: UUID | None = None
) -> list[Unticked]:
    """Those that ended within the last day, the latest first, at most `MOST_UNTICKED`.

    A roster of which nobody is ticked is left out: many businesses never check anybody in. With
    `led_by`, only what this member leads.
    """
    waits = (Seat.state == str(SeatState.CONFIRMED)) & Seat.cancellation_id.is_(None)
    ticks = (
        select(
            func.count().filter(waits).label("left"),
            func.count().filter(Seat.state.in_(TICKED)).label("ticked"),
        )
        .where(Seat.tenant_id == Session.tenant_id, Seat.session_id == Session.id)
        .lateral()
    )
    statement = (
        select(Session.id, Service.name, Session.starts_at, ticks.c.left, ticks.c.ticked)
        .join(
            Service, (Service.tenant_id == Session.tenant_id) & (Service.id == Session.service_id)
        )
        .join(ticks, (ticks.c.left > 0) & (ticks.c.ticked > 0))
        .where(
            Session.tenant_id == uow.tenant,
            Session.state == SessionState.SCHEDULED,
            # Of the two on the start the index makes a range; no session is longer.
            Session.starts_at > now - TOLD_FOR - LONGEST_SESSION,
            Session.starts_at < now,
            Session.ends_at > now - TOLD_FOR,
            Session.ends_at <= now,
        )
        .order_by(Session.ends_at.desc(), Session.id)
        .limit(MOST_UNTICKED)
    )
    if led_by is not None:
        mine = select(Performer.id).where(
            Performer.tenant_id == uow.tenant, Performer.user_id == led_by
        )
        statement = statement.where(Session.performer_id.in_(mine))
    return [
        Unticked(id=id_, what=what, starts_at=starts_at, left=left, people=left + ticked)
        for id_, what, starts_at, left, ticked in await uow.session.execute(statement)
    ]
