"""A place gets another name in the moment in which sessions come there."""

import asyncio

import pytest
from sqlalchemy import text

from src.booking.commands.book import book
from src.booking.commands.edit_plan import EditSeveral
from src.booking.commands.edit_several import edit_several
from src.booking.domain.kinds import DateScope
from src.booking.models import Session
from src.platform.errors import Conflict
from src.tenants.commands.catalogue import LocationDetails, change_location
from src.tenants.models import Location
from tests.booking.commands.places import a_room
from tests.booking.commands.test_book import a_wish
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_service, a_session, as_guest
from tests.support.locks import until_somebody_waits

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]


async def rename(committing: Committing, business: Business, room: Location) -> None:
    async with committing.uow_factory(business.id) as uow:
        details = LocationDetails(name="Hall", address="Harbour 9")
        await change_location(uow, business.ctx, room.id, details, tell_guests=True)


async def bring(committing: Committing, business: Business, first: Session, room: Location) -> None:
    async with committing.uow_factory(business.id) as uow:
        cmd = EditSeveral(
            session_id=first.id,
            scope=DateScope.FOLLOWING,
            changes_place=True,
            location_id=room.id,
            capacity=5,
        )
        assert await edit_several(uow, business.ctx, cmd) == 2


async def test_sessions_come_to_a_place_while_it_is_renamed(committing: Committing) -> None:
    """Who brings them holds one that is there already, for which the renaming waits."""
    factory = committing.uow_factory
    business = await a_business(factory)
    service = await a_service(factory, business.id, price_type="free")
    room = await a_room(factory, business, address="Canal 4")
    there = await a_session(factory, service, location_id=room.id)
    comes = await a_session(factory, service, in_days=14)
    assert there.id < comes.id
    async with factory(business.id) as holding:
        await holding.session.execute(
            text("SELECT id FROM sessions WHERE id = :id FOR NO KEY UPDATE"), {"id": comes.id}
        )
        bringing = asyncio.create_task(bring(committing, business, there, room))
        await until_somebody_waits(factory)
        renaming = asyncio.create_task(rename(committing, business, room))
        await until_somebody_waits(factory, many=2)
    await asyncio.gather(bringing, renaming)
    async with factory(business.id) as uow:
        place = await uow.session.get_one(Location, (business.id, room.id))
        came = await uow.session.get_one(Session, (business.id, comes.id))
        assert (place.name, came.location_id, came.capacity) == ("Hall", room.id, 5)


async def test_the_first_guest_of_a_date_makes_a_renaming_start_again(
    committing: Committing,
) -> None:
    """They may have been told the old place, and would never hear of the new one."""
    factory = committing.uow_factory
    business = await a_business(factory)
    service = await a_service(factory, business.id, price_type="free")
    room = await a_room(factory, business, address="Canal 4")
    session = await a_session(factory, service, location_id=room.id)
    async with factory(business.id) as holding:
        await book(holding, as_guest(business), a_wish("session", session.id))
        renaming = asyncio.create_task(rename(committing, business, room))
        await until_somebody_waits(factory)
    with pytest.raises(Conflict, match="has just changed"):
        await renaming
    await rename(committing, business, room)
