"""Telling guests who performs instead of whom they may expect; silent unless asked for."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select, update

from src.booking.models import SessionChange
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Performer


async def announced(uow: UnitOfWork, told: Mapping[UUID, UUID | None]) -> dict[UUID, str]:
    """The names that guests are to read, by session. `told` are those with another performer, None
    where nobody is to hear of it: whoever was still to be told there does not perform any more.
    """
    if not told:
        return {}
    await uow.session.execute(
        update(SessionChange)
        .where(
            SessionChange.tenant_id == uow.tenant,
            SessionChange.session_id.in_(told),
            SessionChange.performer != "",
        )
        .values(performer="")
        .execution_options(synchronize_session=False)
    )
    found = await uow.session.execute(
        select(Performer.id, Performer.name).where(
            Performer.tenant_id == uow.tenant, Performer.id.in_(filter(None, told.values()))
        )
    )
    names = {row.id: row.name for row in found}
    return {session_id: names[who] for session_id, who in told.items() if who is not None}
