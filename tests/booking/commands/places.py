"""People and rooms for the tests of sessions."""

from typing import Any

from src.platform.db.uow import UowFactory
from src.tenants.models import Location, Performer
from tests.support.builders import Business


async def a_performer(
    uow_factory: UowFactory, business: Business, name: str = "Ivan", **more: Any
) -> Performer:
    async with uow_factory(business.id) as uow:
        performer = Performer(tenant_id=business.id, name=name, created_at=uow.clock.now(), **more)
        uow.session.add(performer)
    return performer


async def a_room(
    uow_factory: UowFactory, business: Business, name: str = "Studio 1", **more: Any
) -> Location:
    async with uow_factory(business.id) as uow:
        location = Location(tenant_id=business.id, name=name, created_at=uow.clock.now(), **more)
        uow.session.add(location)
    return location
