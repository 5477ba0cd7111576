"""The people whom a guest keeps, and booking for them."""

from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import func, select

from src.booking.models import Seat, Session
from src.booking.queries.roster import get_roster
from src.platform.services import Services
from src.tenants.commands.customers import find_or_add_customer
from src.tenants.models import Participant
from tests.booking.web.conftest import subject
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.portal import CARL, sign_in_portal
from tests.support.visitor import Visitor

pytestmark = pytest.mark.anyio
HERE = "/b/lotus/me/people"


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def carl(services: Services, lotus: Business) -> UUID:
    async with services.uow_factory(lotus.id) as uow:
        return await find_or_add_customer(uow, CARL, "Carl Guest", "", uow.clock.now())


@pytest.fixture
async def guest(client: AsyncClient, services: Services, lotus: Business, carl: UUID) -> Visitor:
    await sign_in_portal(client, services, lotus.id, carl)
    return Visitor(client)


@pytest.fixture
async def session(services: Services, lotus: Business) -> Session:
    service = await a_service(services.uow_factory, lotus.id, price_type="free", slug="yoga")
    return await a_session(services.uow_factory, service, capacity=8)


async def kept(services: Services, business: Business) -> list[tuple[str, str]]:
    async with services.uow_factory(business.id) as uow:
        found = await uow.session.execute(
            select(Participant.name, Participant.note)
            .where(Participant.kept_at.is_not(None))
            .order_by(Participant.name)
        )
        return [(row.name, row.note) for row in found]


async def add(guest: Visitor, name: str, note: str = "", *, status: int = 200) -> None:
    await guest.open(HERE)
    await guest.submit({"name": name, "note": note}, to="/me/people", status=status)


async def test_somebody_is_added_changed_and_removed(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    await add(guest, "Lia", "Allergic to nuts")
    await add(guest, "Tom")
    assert "Tom is one of your people now." in guest.text
    assert await kept(services, lotus) == [("Lia", "Allergic to nuts"), ("Tom", "")]
    await add(guest, "lia", status=422)
    assert "You have somebody of this name already." in guest.text
    await add(guest, "\u200b \u2060", status=422)
    assert 'id="f-name-error"' in guest.text
    async with services.uow_factory(lotus.id) as uow:
        lia = await uow.session.scalar(select(Participant.id).where(Participant.name == "Lia"))
    await guest.open(f"{HERE}/{lia}")
    await guest.submit({"name": "Lia Marie", "note": ""}, to=f"/people/{lia}")
    assert await kept(services, lotus) == [("Lia Marie", ""), ("Tom", "")]
    await guest.open(HERE)
    await guest.submit({}, to=f"/people/{lia}/remove")
    assert await kept(services, lotus) == [("Tom", "")]


async def test_nobody_else_gets_at_them(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    await add(guest, "Lia")
    async with services.uow_factory(lotus.id) as uow:
        lia = await uow.session.scalar(select(Participant.id).where(Participant.name == "Lia"))
        dora = await find_or_add_customer(uow, "dora@example.com", "Dora", "", uow.clock.now())
    await sign_in_portal(guest.client, services, lotus.id, dora, "dora@example.com")
    assert (await guest.client.get(f"{HERE}/{lia}")).status_code == 404
    await guest.open(HERE)
    assert "Lia" not in guest.text
    guest.client.cookies.clear()
    assert (await guest.client.get(HERE)).status_code == 303


async def test_a_booking_for_one_of_them_is_theirs_and_not_made_twice(
    guest: Visitor, services: Services, lotus: Business, session: Session
) -> None:
    await add(guest, "Lia", "Allergic to nuts")
    url = subject("session", session.id)
    await guest.open(url)
    wanted = {"step": "update", "size": "2"}
    await guest.submit(wanted, to="send=1")
    assert '<option value="Lia">' in guest.text
    assert 'list="own-people"' in guest.text
    await guest.submit({"step": "book", "size": "2", "names.2": "lia"}, to="send=1")
    assert "You are booked" in guest.text
    async with services.uow_factory(lotus.id) as uow:
        own = select(Participant.id).where(Participant.kept_at.is_not(None))
        taken = select(func.count()).select_from(Seat).where(Seat.participant_id.in_(own))
        assert await uow.session.scalar(taken) == 1
        notes = {seat.name: seat.note for seat in (await get_roster(uow, session.id)).coming}
        assert notes == {"Carl Guest": "", "Lia": "Allergic to nuts"}, "at the door"
    await guest.open(url)
    again = {"step": "book", "size": "1", "first": "Lia"}
    await guest.submit(again, to="send=1", status=409)
    assert "This person has a place on that date already." in guest.text
    async with services.uow_factory(lotus.id) as uow:
        assert await uow.session.scalar(select(func.count()).select_from(Seat)) == 2
        kept_session = await uow.session.get_one(Session, (lotus.id, session.id))
        assert kept_session.seats_taken == 2


async def test_a_stranger_who_types_the_name_books_for_somebody_else(
    guest: Visitor, services: Services, lotus: Business, session: Session
) -> None:
    await add(guest, "Lia")
    guest.client.cookies.clear()
    await guest.open(subject("session", session.id))
    assert "own-people" not in guest.text
    typed = {"name": "Lia", "email": CARL, "step": "book"}
    await guest.submit(typed, to="send=1")
    assert "You are booked" in guest.text
    async with services.uow_factory(lotus.id) as uow:
        own = select(Participant.id).where(Participant.kept_at.is_not(None))
        taken = select(func.count()).select_from(Seat).where(Seat.participant_id.in_(own))
        assert await uow.session.scalar(taken) == 0
