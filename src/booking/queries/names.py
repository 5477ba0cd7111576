"""What the places and performers of sessions are called."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from src.booking.models import Session
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Location, Performer


async def find_places_and_performers(
    uow: UnitOfWork, runs: Sequence[Session]
) -> tuple[dict[UUID, str], str | None]:
    """The places by id, and who performs: all of them, in a few words."""
    location_ids = {run.location_id for run in runs if run.location_id}
    performer_ids = {run.performer_id for run in runs if run.performer_id}
    found = await uow.session.execute(
        select(Location.id, Location.name)
        .where(Location.tenant_id == uow.tenant, Location.id.in_(location_ids))
        .union_all(
            select(Performer.id, Performer.name).where(
                Performer.tenant_id == uow.tenant, Performer.id.in_(performer_ids)
            )
        )
    )
    names: dict[UUID, str] = {row[0]: row[1] for row in found}
    performers = sorted(names[id_] for id_ in performer_ids if id_ in names)
    return names, ", ".join(performers) or None
