"""Taking back a session that nobody ever had a seat in."""

from uuid import UUID

from sqlalchemy import delete, exists, select

from src.booking.commands.busy import free_performer
from src.booking.commands.changes import changed_meanwhile
from src.booking.commands.sessions import get_session, which_session
from src.booking.models import Booking, Seat, Session, SessionChange
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext

for _name in ("fk_seats_tenant_id_session_id", "fk_bookings_tenant_id_session_id"):
    register_constraint(_name, changed_meanwhile)


async def delete_session(uow: UnitOfWork, ctx: RequestContext, session_id: UUID) -> UUID:
    """Takes back a session that nobody ever had a seat in; returns its service.

    Raises: NotFound; Conflict when somebody had a seat or it belongs to a series.
    """
    session = await get_session(uow, session_id)
    sentence = await why_not_deletable(uow, session)
    if sentence is not None:
        raise Conflict(sentence, code="not_deletable")
    await free_performer(uow, [session_id])
    await uow.session.execute(
        delete(SessionChange).where(
            SessionChange.tenant_id == uow.tenant, SessionChange.session_id == session_id
        )
    )
    said = await which_session(uow, session)
    await audit(uow, ctx, "session.deleted", "session", session_id, **said)
    await uow.settle()
    deleted = await uow.session.execute(
        delete(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.id == session_id,
            Session.seats_taken == 0,
            Session.series_id.is_(None),
        )
        .returning(Session.id)
    )
    if deleted.first() is None:
        raise changed_meanwhile()
    return session.service_id


async def why_not_deletable(uow: UnitOfWork, session: Session) -> str | None:
    """Why this session has to stay, None when it may go."""
    if session.series_id is not None:
        return _("This session belongs to a series; take it out of the series first.")
    if await _was_ever_booked(uow, session.id):
        return _("Somebody has booked this session, so it stays as history; you can cancel it.")
    return None


async def _was_ever_booked(uow: UnitOfWork, session_id: UUID) -> bool:
    seats = exists().where(Seat.tenant_id == uow.tenant, Seat.session_id == session_id)
    bookings = exists().where(Booking.tenant_id == uow.tenant, Booking.session_id == session_id)
    return bool(await uow.session.scalar(select(seats | bookings)))
