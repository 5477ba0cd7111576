"""Whether a session can take place where it is to be."""

from uuid import UUID

from src.booking.domain.kinds import SessionMode
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.tenants.models import Location


async def place_errors(
    uow: UnitOfWork, location_id: UUID | None, mode: SessionMode, capacity: int
) -> dict[str, str]:
    """Sentences about where a session is to be, and whether its guests fit in there."""
    if location_id is None:
        return {}
    location = await uow.session.get(Location, (uow.tenant, location_id))
    if location is None:
        return {"location_id": _("Please choose one of the given ones.")}
    if location.is_online and mode is SessionMode.IN_PERSON:
        return {"location_id": _("This is an online place; choose a room, or make it online.")}
    if not location.is_online and mode is SessionMode.ONLINE:
        return {"location_id": _("An online session has no room; choose an online place or none.")}
    room = location.room_capacity
    if room is not None and capacity > room:
        return {
            "capacity": ngettext(
                "%(place)s has room for %(num)s person.",
                "%(place)s has room for %(num)s people.",
                room,
                place=location.name,
            )
        }
    return {}
