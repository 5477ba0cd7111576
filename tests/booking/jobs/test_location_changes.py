"""A place gets another name or address: everybody who comes there is told once."""

from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from litestar_email import EmailMultiAlternatives
from sqlalchemy import select

from src.booking.events import SessionsChanged
from src.booking.models import Service, Session, SessionChange
from src.platform.services import Services
from src.tenants.commands.catalogue import LocationDetails, TellsGuests, change_location
from src.tenants.models import Location
from tests.booking.commands.places import a_room
from tests.booking.jobs.test_changes import change, events, guests_of, told
from tests.booking.web.pages import as_owner
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.visitor import Visitor
from tests.support.work import waiting, work

pytestmark = pytest.mark.anyio

OLD, NEW = "Studio 1, Canal 4", "Studio 1, Harbour 9"


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory, contact_email="hello@lotus.example")


@pytest.fixture
async def yoga(services: Services, lotus: Business) -> Service:
    return await a_service(services.uow_factory, lotus.id, price_type="free")


@pytest.fixture
async def room(services: Services, lotus: Business) -> Location:
    return await a_room(services.uow_factory, lotus, address="Canal 4")


async def move_house(
    services: Services, business: Business, room: Location, *, tell: bool = True, **more: Any
) -> None:
    wanted: dict[str, Any] = {"name": "Studio 1", "address": "Harbour 9", **more}
    async with services.uow_factory(business.id) as uow:
        cmd = LocationDetails(**wanted)
        await change_location(uow, business.ctx, room.id, cmd, tell_guests=tell)


def lines_of(mail: EmailMultiAlternatives) -> list[str]:
    return [line.strip() for line in mail.body.splitlines()]


async def sequences(services: Services, business: Business, *ids: UUID) -> list[int]:
    async with services.uow_factory(business.id) as uow:
        return [(await uow.session.get_one(Session, (business.id, one))).sequence for one in ids]


async def test_each_guest_is_told_old_and_new_in_one_mail(
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
    room: Location,
) -> None:
    first = await a_session(services.uow_factory, yoga, location_id=room.id)
    second = await a_session(services.uow_factory, yoga, location_id=room.id, in_days=14)
    await guests_of(services, lotus, first.id, "carl", "dora")
    await guests_of(services, lotus, second.id, "carl")
    before = {str(event["UID"]): event for mail in mailer.sent for event in events(mail)}
    await move_house(services, lotus, room)
    await work(services, lotus.id)
    mails = {mail.to[0].split()[0]: mail for mail in told(mailer)}
    assert mails.keys() == {"Carl", "Dora"}
    assert len(told(mailer)) == 2, "one mail for both of his dates"
    for name, dates in (("Carl", 2), ("Dora", 1)):
        assert lines_of(mails[name]).count(f"Before: {OLD}") == dates
        assert lines_of(mails[name]).count(NEW) == dates
        assert OLD in str(mails[name].alternatives)
        assert "without any charge" not in mails[name].body, "the time is what they bought"
        assert len(events(mails[name])) == dates
        for event in events(mails[name]):
            was = before[str(event["UID"])]
            assert int(event["SEQUENCE"]) == int(was["SEQUENCE"]) + 1
            assert (str(was["LOCATION"]), str(event["LOCATION"])) == (OLD, NEW)


async def test_the_same_work_twice_and_who_books_later_are_no_news(
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
    room: Location,
) -> None:
    session = await a_session(services.uow_factory, yoga, location_id=room.id)
    await guests_of(services, lotus, session.id, "carl")
    await move_house(services, lotus, room)
    await guests_of(services, lotus, session.id, "dora")
    async with services.uow_factory(lotus.id) as uow:
        action_id = await uow.session.scalar(select(SessionChange.action_id))
        uow.record(SessionsChanged(action_id=action_id))
    await work(services, lotus.id)
    [mail] = told(mailer)
    assert mail.to == ["Carl <carl@example.com>"]


async def test_two_changes_are_each_told_by_what_was_told_before(
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
    room: Location,
) -> None:
    session = await a_session(services.uow_factory, yoga, location_id=room.id)
    await guests_of(services, lotus, session.id, "carl")
    await move_house(services, lotus, room)
    await move_house(services, lotus, room, address="Mill 2")
    await work(services, lotus.id)
    await move_house(services, lotus, room, address="Canal 4")
    await work(services, lotus.id)
    first, second = told(mailer)
    assert f"Before: {OLD}" in lines_of(first)
    assert "Studio 1, Mill 2" in lines_of(first)
    assert "Before: Studio 1, Mill 2" in lines_of(second)
    assert OLD in lines_of(second)


async def test_what_is_online_over_or_elsewhere_is_left_alone(
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
    room: Location,
    clock: FrozenClock,
) -> None:
    other = await a_room(services.uow_factory, lotus, "Studio 2")
    online = await a_session(services.uow_factory, yoga, location_id=room.id, mode="online")
    elsewhere = await a_session(services.uow_factory, yoga, location_id=other.id)
    over = await a_session(services.uow_factory, yoga, location_id=room.id, in_days=1)
    for one in (online, elsewhere, over):
        await guests_of(services, lotus, one.id, "carl")
    clock.advance(over.ends_at - clock.now())
    await move_house(services, lotus, room, tell=False)
    assert await waiting(services, lotus.id) == []
    assert await sequences(services, lotus, online.id, elsewhere.id, over.id) == [0, 0, 0]


async def test_of_dates_without_guests_only_the_number_goes_on(
    services: Services, lotus: Business, yoga: Service, room: Location
) -> None:
    full = await a_session(services.uow_factory, yoga, location_id=room.id)
    empty = await a_session(services.uow_factory, yoga, location_id=room.id, in_days=14)
    await guests_of(services, lotus, full.id, "carl")
    await move_house(services, lotus, room)
    assert await sequences(services, lotus, full.id, empty.id) == [1, 1]
    async with services.uow_factory(lotus.id) as uow:
        kept = (await uow.session.scalars(select(SessionChange.session_id))).all()
    assert kept == [full.id]


async def test_nothing_changes_before_somebody_says_that_guests_are_told(
    services: Services, lotus: Business, yoga: Service, room: Location
) -> None:
    first = await a_session(services.uow_factory, yoga, location_id=room.id)
    second = await a_session(services.uow_factory, yoga, location_id=room.id, in_days=14)
    await guests_of(services, lotus, first.id, "carl", "dora")
    await guests_of(services, lotus, second.id, "carl")
    with pytest.raises(TellsGuests) as refused:
        await move_house(services, lotus, room, tell=False)
    assert (refused.value.there.guests, refused.value.there.dates) == (2, 2)
    assert await sequences(services, lotus, first.id, second.id) == [0, 0]
    await move_house(services, lotus, room, tell=False, address="Canal 4", room_capacity=8)
    assert await waiting(services, lotus.id) == [], "more room is nothing to tell"


async def test_the_owner_sees_how_many_before_it_is_saved(
    client: AsyncClient,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
    room: Location,
) -> None:
    session = await a_session(services.uow_factory, yoga, location_id=room.id)
    await guests_of(services, lotus, session.id, "carl", "dora")
    await as_owner(client, services, lotus)
    owner, path = Visitor(client), f"/app/lotus/settings/locations/{room.id}"
    await owner.open(path)
    await owner.submit({"address": "Harbour 9"}, to=path)
    shown = " ".join(owner.text.split())
    assert "2 guests are told of it" in shown
    assert "They come here on 1 date." in shown
    assert "Save and tell them" in shown
    await work(services, lotus.id)
    assert told(mailer) == []
    await owner.submit(to=path)
    assert "“Studio 1” is saved." in owner.text
    await work(services, lotus.id)
    assert len(told(mailer)) == 2
    await change(services, lotus, session.id, title="Basics")
    await work(services, lotus.id)
    assert "Before: no title" in lines_of(told(mailer)[-1]), "the place is no news any more"
