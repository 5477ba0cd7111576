"""The people and places that an owner can choose from."""

from uuid import UUID

from sqlalchemy import or_, select

from src.booking.models import Service
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Location, Performer

Choice = tuple[str, str]
"""A value of a select with its label."""


async def list_performer_choices(uow: UnitOfWork, *chosen: UUID | None) -> list[Choice]:
    """Active performers by name, and those that are chosen already."""
    found = await uow.session.execute(
        select(Performer.id, Performer.name)
        .where(Performer.tenant_id == uow.tenant)
        .where(or_(Performer.active, Performer.id.in_([one for one in chosen if one])))
        .order_by(Performer.name)
    )
    return [(str(row.id), row.name) for row in found]


async def list_location_choices(uow: UnitOfWork, chosen: UUID | None = None) -> list[Choice]:
    """Active places by name, and the one that is chosen already."""
    found = await uow.session.execute(
        select(Location.id, Location.name)
        .where(Location.tenant_id == uow.tenant)
        .where(or_(Location.active, Location.id == chosen))
        .order_by(Location.name)
    )
    return [(str(row.id), row.name) for row in found]


async def list_group_service_choices(uow: UnitOfWork) -> list[Choice]:
    """Services that have sessions, active ones, by name."""
    found = await uow.session.execute(
        select(Service.id, Service.name)
        .where(Service.tenant_id == uow.tenant, Service.active, Service.kind == "group")
        .order_by(Service.name)
    )
    return [(str(row.id), row.name) for row in found]
