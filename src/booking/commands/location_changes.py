"""The sessions of a place that is called otherwise, or lies elsewhere, from now on.

In the transaction that changes the place: the sessions read its name and address as they are, so
what their guests know has to be kept in that very moment. Who books in it has read the one or the
other, and their confirmation says what is so.
Source: docs/algorithms/sessions-that-change.md.
"""

from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select, update

from src.booking.commands.changes import changed_meanwhile, note_changes
from src.booking.commands.series_dates import lock_dates
from src.booking.domain.kinds import SessionMode, SessionState
from src.booking.domain.moves import place_line
from src.booking.models import Session
from src.platform.db.uow import UnitOfWork
from src.tenants.context import RequestContext

_IDS = ARRAY(Uuid())


async def follow_location(
    uow: UnitOfWork, ctx: RequestContext, location_id: UUID, name: str, address: str
) -> None:
    """Lets everybody who comes there be told, as one act; `name` and `address` are what it was.

    Of sessions in which nobody has a place, or is offered one, nothing is kept: nobody was told.
    Raises: Conflict when somebody changes one of the sessions meanwhile, or is the first in it.
    """
    there = (
        Session.tenant_id == uow.tenant,
        Session.location_id == location_id,
        Session.mode != str(SessionMode.ONLINE),
        Session.state != str(SessionState.CANCELLED),
        Session.ends_at > uow.clock.now(),
    )
    busy = (await uow.session.scalars(select(Session).where(*there, Session.seats_taken > 0))).all()
    busy_ids = [session.id for session in busy]
    ids = (await uow.session.scalars(select(Session.id).where(*there))).all()
    was = place_line(name, address)
    await note_changes(uow, busy, timezone=ctx.here.timezone, place=was)
    await uow.settle()
    await lock_dates(uow, ids)
    raised = await uow.session.execute(
        update(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.id == any_(bindparam(None, ids, type_=_IDS)),
            # Whoever booked one of the others since may have been told where it was.
            (Session.seats_taken == 0)
            | (Session.id == any_(bindparam(None, busy_ids, type_=_IDS))),
        )
        .values(sequence=Session.sequence + 1)
        .execution_options(synchronize_session=False)
        .returning(Session.id)
    )
    if len(raised.all()) != len(ids):
        raise changed_meanwhile()
