"""Several guests of a session at once: each row once, its money once, failures listed."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import select

from src.billing.models import Order
from src.booking.commands.book import Booked
from src.booking.commands.exchange import MoveSeats, move_by_staff
from src.booking.models import Service, Session
from src.platform.ids import new_id
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.web.pages import as_owner, fields_of
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.cancelling import seats_taken_back
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def session(services: Services, lotus: Business) -> Session:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    return await a_session(services.uow_factory, service, in_days=2)


async def a_guest(services: Services, lotus: Business, session: Session, *party: str) -> Booked:
    wish = a_wish(
        "session",
        session.id,
        party=party,
        guest_name=party[0],
        guest_email=f"{party[0].lower()}@example.com",
    )
    return await booked(services.uow_factory, lotus, wish)


async def ids_of(services: Services, lotus: Business, made: Booked | None = None) -> list[UUID]:
    seats = await seats_of(services.uow_factory, lotus.id)
    return [seat.id for seat in seats if made is None or seat.order_id == made.order_id]


async def states_of(services: Services, lotus: Business) -> list[str]:
    return sorted(seat.state for seat in await seats_of(services.uow_factory, lotus.id))


async def press(
    client: AsyncClient, session: Session, act: str, ids: list[UUID], more: Mapping[str, Any]
) -> Response:
    path = f"/app/lotus/sessions/{session.id}"
    token = fields_of(await client.get(path), f"{path}/attendance")["_csrf_token"]
    sent = {"_csrf_token": token, "seat_ids": [str(one) for one in ids], **more}
    return await client.post(f"{path}/seats/{act}", data=sent)


def words_in(page: Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", page.text).split())


async def test_places_of_what_has_begun_are_not_asked_about(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
) -> None:
    carl = await a_guest(services, lotus, session, "Carl")
    mine = await ids_of(services, lotus, carl)
    clock.advance(session.starts_at - clock.now())
    await as_owner(client, services, lotus)
    for more in ({}, {"sure": "on", "reason": "Repairs"}):
        asked = await press(client, session, "cancel", mine, more)
        assert asked.status_code == 200
        assert "This session has started, so its places stay." in asked.text
        assert "Cancel these places?" not in asked.text


async def test_who_went_to_another_date_and_came_back_keeps_their_number(
    client: AsyncClient, services: Services, lotus: Business, session: Session
) -> None:
    mara = await a_guest(services, lotus, session, "Mara", "", "")
    async with services.uow_factory(lotus.id) as uow:
        service = await uow.session.get_one(Service, (lotus.id, session.service_id))
    other = await a_session(services.uow_factory, service, in_days=3)
    moved = sorted(await seats_of(services.uow_factory, lotus.id), key=lambda one: one.id)[1].id
    for to in (other, session):
        cmd = MoveSeats(
            order_id=mara.order_id, seat_ids=[moved], session_id=to.id, by="staff", why=""
        )
        async with services.uow_factory(lotus.id) as uow:
            [moved] = await move_by_staff(uow, lotus.ctx, cmd)
    await as_owner(client, services, lotus)
    asked = await press(client, session, "move", [moved], {})
    assert "1 guest is chosen: Person 2, booked by Mara" in " ".join(asked.text.split())
    every = await seats_of(services.uow_factory, lotus.id)
    here = [one.id for one in every if (one.session_id, one.state) == (session.id, "confirmed")]
    asked = await press(client, session, "move", here, {})
    assert "3 guests are chosen: Mara, Person 2, Person 3" in " ".join(asked.text.split())


@pytest.mark.slow
async def test_a_message_reaches_each_guest_once(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    mailer: RememberingMailer,
) -> None:
    await a_guest(services, lotus, session, "Carl", "Kid")
    await a_guest(services, lotus, session, "Carl")
    await a_guest(services, lotus, session, "Dora")
    await work(services, lotus.id)
    mailer.sent.clear()
    ids = await ids_of(services, lotus)
    await as_owner(client, services, lotus)
    asked = await press(client, session, "message", ids, {})
    assert "2, one to each guest" in asked.text
    [token] = fields_of(asked)["token"]
    empty = await press(client, session, "message", ids, {"sure": "on", "token": token})
    assert empty.status_code == 422
    more = {"sure": "on", "token": token, "subject": "Bring\na mat", "text": "Hi.\n\nSee <you>."}
    for _twice in range(2):
        assert (await press(client, session, "message", ids, more)).status_code == 303
        await work(services, lotus.id)
    assert sorted(mail.to[0] for mail in mailer.sent) == [
        "Carl <carl@example.com>",
        "Dora <dora@example.com>",
    ]
    assert {mail.subject for mail in mailer.sent} == {"Bring a mat"}
    assert "See <you>." in mailer.sent[0].body


@pytest.mark.slow
async def test_paid_is_noted_for_each_order_and_what_cannot_be_is_listed(
    client: AsyncClient, services: Services, lotus: Business, session: Session
) -> None:
    carl = await a_guest(services, lotus, session, "Carl", "Kid")
    dora = await a_guest(services, lotus, session, "Dora")
    ids = await ids_of(services, lotus)
    await as_owner(client, services, lotus)
    asked = await press(client, session, "paid", ids, {})
    assert "45.00" in asked.text
    assert (await press(client, session, "paid", ids, {"sure": "on"})).status_code == 303
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.execute(select(Order.id, Order.paid_minor))
        paid = {row.id: row.paid_minor for row in found}
    assert paid == {carl.order_id: 3000, dora.order_id: 1500}
    erik = await a_guest(services, lotus, session, "Erik")
    more = await press(client, session, "paid", await ids_of(services, lotus), {})
    said = words_in(more)
    assert "Left out of those ticked: Carl, Kid: Nothing is to be paid on site" in said
    assert "Dora: Nothing is to be paid on site for this booking." in said
    assert f"{(await ids_of(services, lotus, erik))[0]}" in more.text
    again = await press(client, session, "paid", ids, {"sure": "on"})
    shown = await client.get(again.headers["location"])
    assert "None of those chosen owes anything." in shown.text


@pytest.mark.slow
async def test_whose_place_went_meanwhile_is_named_as_left_out(
    client: AsyncClient, services: Services, lotus: Business, session: Session
) -> None:
    await a_guest(services, lotus, session, "Carl")
    dora = await a_guest(services, lotus, session, "Dora")
    async with services.uow_factory(lotus.id) as uow:
        service = await uow.session.get_one(Service, (lotus.id, session.service_id))
    await a_session(services.uow_factory, service, in_days=9)
    gone = await ids_of(services, lotus, dora)
    ids = await ids_of(services, lotus)
    await seats_taken_back(services.uow_factory, lotus, gone)
    await as_owner(client, services, lotus)
    for act in ("cancel", "paid", "message", "move"):
        said = words_in(await press(client, session, act, ids, {}))
        assert "Left out of those ticked: Dora: This place is gone by now." in said, act


async def test_seats_of_elsewhere_are_not_found(
    client: AsyncClient, services: Services, lotus: Business, session: Session
) -> None:
    await a_guest(services, lotus, session, "Carl")
    await as_owner(client, services, lotus)
    for act in ("cancel", "paid", "message"):
        answer = await press(client, session, act, [new_id()], {"sure": "on"})
        assert answer.status_code == 404


async def test_who_has_no_name_of_their_own_is_told_apart(
    client: AsyncClient, services: Services, lotus: Business, session: Session
) -> None:
    wish = a_wish("session", session.id, party=("", ""), guest_name="Noa")
    await booked(services.uow_factory, lotus, wish)
    await as_owner(client, services, lotus)
    page = (await client.get(f"/app/lotus/sessions/{session.id}")).text
    assert page.count('font-medium">Noa</span>') == 1
    assert ">Noa, person 2</span>" in page
