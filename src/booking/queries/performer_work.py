"""What somebody is booked for who is about to be put aside."""

from datetime import datetime
from uuid import UUID

from src.booking.queries.hours import list_booked_of, list_given_by
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.views.settings import PerformerWork, WorkAhead


async def work_of_performer(uow: UnitOfWork, performer_id: UUID, now: datetime) -> PerformerWork:
    """Their appointments and sessions ahead, and the services that nobody would give any more."""
    ahead = [
        WorkAhead(
            starts_at=one.starts_at,
            label=" · ".join(filter(None, (one.service_name, one.guests))),
            href=f"sessions/{one.session_id}",
        )
        for one in await list_booked_of(uow, performer_id, now)
    ]
    given = await list_given_by(uow, performer_id)
    notes = [
        _("Nobody else gives “%(name)s”: guests could not book it any more.", name=name)
        for name, has_others in given.values()
        if not has_others
    ]
    return PerformerWork(ahead=ahead, notes=notes)
