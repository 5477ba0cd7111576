"""Ticking off who came, and the list as a file."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import select

from src.booking.commands.attendance import Ticked, mark_attendance
from src.booking.domain.kinds import SeatState
from src.booking.models import Session
from src.booking.queries.roster import get_roster
from src.booking.views.roster import RosterSeat
from src.platform.csvio import read_csv
from src.platform.errors import Conflict, NotFound
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.domain.roles import Role
from src.tenants.models import AuditEntry
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.web.pages import as_owner, fields_of
from tests.support.builders import Business, a_business, a_member, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.visitor import forms_of
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def tonight(services: Services, lotus: Business) -> Session:
    """A free session in two hours with Carl, his Kid and Dora in it."""
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service, in_days=2 / 24)
    await booked(services.uow_factory, lotus, a_wish("session", session.id, party=("Carl", "Kid")))
    wish = a_wish("session", session.id, party=("Dora",), guest_email="dora@example.com")
    await booked(services.uow_factory, lotus, wish)
    return session


async def ids_of(services: Services, lotus: Business) -> list[UUID]:
    return [seat.id for seat in await seats_of(services.uow_factory, lotus.id)]


async def states_of(services: Services, lotus: Business) -> list[str]:
    return [seat.state for seat in await seats_of(services.uow_factory, lotus.id)]


async def mark(
    services: Services, lotus: Business, session: Session, ids: list[UUID], wanted: SeatState
) -> Ticked:
    async with services.uow_factory(lotus.id) as uow:
        return await mark_attendance(uow, lotus.ctx, session.id, ids, wanted)


async def test_a_tick_and_its_undo(services: Services, lotus: Business, tonight: Session) -> None:
    ids = await ids_of(services, lotus)
    assert await mark(services, lotus, tonight, ids[:2], SeatState.ATTENDED) == Ticked(2, 0)
    assert await mark(services, lotus, tonight, ids, SeatState.ATTENDED) == Ticked(1, 2)
    assert await mark(services, lotus, tonight, ids[:1], SeatState.CONFIRMED) == Ticked(1, 0)
    assert await states_of(services, lotus) == ["confirmed", "attended", "attended"]
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.execute(
            select(AuditEntry.action, AuditEntry.detail)
            .where(AuditEntry.action.startswith("seats."))
            .order_by(AuditEntry.id)
        )
        said = [(row.action, len(row.detail["seats"])) for row in found]
    assert said == [
        ("seats.attended", 2),
        ("seats.attended", 1),
        ("seats.attendance_undone", 1),
    ]


async def test_no_show_waits_for_the_start_and_strangers_are_not_found(
    services: Services, lotus: Business, tonight: Session, clock: FrozenClock
) -> None:
    ids = await ids_of(services, lotus)
    with pytest.raises(Conflict, match="may still come"):
        await mark(services, lotus, tonight, ids, SeatState.NO_SHOW)
    with pytest.raises(NotFound):
        await mark(services, lotus, tonight, [*ids, new_id()], SeatState.ATTENDED)
    assert await states_of(services, lotus) == ["confirmed"] * 3
    clock.advance(timedelta(hours=2))
    assert await mark(services, lotus, tonight, ids, SeatState.NO_SHOW) == Ticked(3, 0)


async def test_a_hold_is_not_ticked(services: Services, lotus: Business) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service, in_days=1 / 24)
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    ids = await ids_of(services, lotus)
    for wanted in (SeatState.ATTENDED, SeatState.CONFIRMED):
        assert await mark(services, lotus, session, ids, wanted) == Ticked(0, 1)
    assert await states_of(services, lotus) == ["held"]


async def test_the_page_ticks_without_scripts_and_with_them(
    client: AsyncClient, services: Services, lotus: Business, tonight: Session
) -> None:
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{tonight.id}"
    shown = await client.get(path)
    token = fields_of(shown, f"{path}/attendance")["_csrf_token"]
    ids = [str(one) for one in await ids_of(services, lotus)]
    sent = {"_csrf_token": token, "seat_ids": ids[:1], "wanted": "attended", "show": "expected"}
    answer = await client.post(f"{path}/attendance", data=sent)
    assert answer.headers["location"] == f"{path}?show=expected&ticked={ids[0]}#coming"
    assert "is here." in (await client.get(path)).text
    sent |= {"seat_ids": ids}
    part = await client.post(f"{path}/attendance", data=sent, headers={"HX-Request": "true"})
    assert "2 are here. 1 was so already" in part.text
    assert "<html" not in part.text
    assert "Nobody is in this part of the list." in part.text
    here = (await client.get(f"{path}?show=here")).text
    assert here.count("Take back:") == 3
    none = await client.post(f"{path}/attendance", data={**sent, "seat_ids": []})
    assert none.status_code == 303
    assert "Tick at least one guest first." in (await client.get(path)).text


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
async def test_whose_row_leaves_the_list_is_named_and_can_be_brought_back(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    tonight: Session,
    headers: dict[str, str],
) -> None:
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{tonight.id}"
    [dora] = [one for one in await roster_of(services, lotus, tonight) if one.name == "Dora"]
    sent = {"seat_ids": str(dora.seat_id), "wanted": "attended", "show": "expected"}

    async def press(shown: Response, fields: dict[str, Any]) -> Response:
        token = fields_of(shown, f"{path}/attendance")["_csrf_token"]
        typed = {**fields, "_csrf_token": token}
        answer = await client.post(f"{path}/attendance", data=typed, headers=headers)
        return answer if headers else await client.get(answer.headers["location"])

    shown = await press(await client.get(f"{path}?show=expected"), sent)
    assert "Dora is here." in shown.text
    undo = next(one for one in forms_of(shown) if one.fields.get("seat_ids") == [str(dora.seat_id)])
    assert "Undo: Dora" in shown.text
    back = await press(shown, {**undo.fields, "wanted": "confirmed"})
    assert "Taken back for Dora." in back.text
    assert "Undo: Dora" not in back.text, "her row is there again"
    assert set(await states_of(services, lotus)) == {"confirmed"}
    whole = await press(await client.get(path), {**sent, "show": "all"})
    assert "Dora is here." in whole.text
    assert "Undo: Dora" not in whole.text, "her row is still there, with “Take back”"


async def roster_of(services: Services, lotus: Business, session: Session) -> list[RosterSeat]:
    async with services.uow_factory(lotus.id) as uow:
        return (await get_roster(uow, session.id)).coming


async def test_an_instructor_ticks_at_their_own_door_only(
    client: AsyncClient, services: Services, lotus: Business, tonight: Session
) -> None:
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    performer = await a_performer(services.uow_factory, lotus, user_id=ivan.user_id)
    service = await a_service(services.uow_factory, lotus.id, slug="own", price_type="free")
    own = await a_session(services.uow_factory, service, in_days=1 / 24, performer_id=performer.id)
    wish = a_wish("session", own.id, guest_email="eva@example.com")
    mine = await booked(services.uow_factory, lotus, wish)
    await sign_in(client, services, ivan.user_id)
    path = f"/app/lotus/sessions/{own.id}"
    shown = await client.get(path)
    token = fields_of(shown, f"{path}/attendance")["_csrf_token"]
    seats = await seats_of(services.uow_factory, lotus.id)
    own_ids = [str(seat.id) for seat in seats if seat.order_id == mine.order_id]
    other_ids = [str(seat.id) for seat in seats if seat.order_id != mine.order_id]
    sent = {"_csrf_token": token, "wanted": "attended"}
    for where, ids, status in (
        (tonight.id, other_ids, 404),
        (own.id, other_ids, 404),
        (own.id, own_ids, 303),
    ):
        answer = await client.post(
            f"/app/lotus/sessions/{where}/attendance", data={**sent, "seat_ids": ids}
        )
        assert answer.status_code == status
    export = await client.post(f"{path}/export", data={"_csrf_token": token})
    assert export.status_code == 403


async def test_the_file_is_safe_to_open_and_its_taking_is_logged(
    client: AsyncClient, services: Services, lotus: Business, tonight: Session
) -> None:
    """Row 2-48: a name ran as a formula in the list of who comes."""
    wish = a_wish(
        "session",
        tonight.id,
        party=("=cmd()",),
        guest_email="evil@example.com",
        note="-1+2",
        consents={"terms": {"accepted_at": "2027-01-01"}},
    )
    carl = (await ids_of(services, lotus))[0]
    await mark(services, lotus, tonight, [carl], SeatState.ATTENDED)
    await booked(services.uow_factory, lotus, wish)
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{tonight.id}"
    token = fields_of(await client.get(path), f"{path}/export")["_csrf_token"]
    answer = await client.post(f"{path}/export", data={"_csrf_token": token})
    assert answer.headers["content-type"].startswith("text/csv")
    assert "'=cmd()" in answer.text
    assert ",=cmd()" not in answer.text
    table = read_csv(answer.content)
    assert sorted(row.cells[0] for row in table.rows) == ["=cmd()", "Carl", "Dora", "Kid"]
    assert {row.cells[5] for row in table.rows} == {"Here", "Booked"}, "by the page's words"
    [evil] = [row.cells for row in table.rows if row.cells[0] == "=cmd()"]
    assert (evil[2], evil[4], evil[11], evil[12]) == (
        "evil@example.com",
        "1",
        "-1+2",
        "Booking terms",
    )
    async with services.uow_factory(lotus.id) as uow:
        detail = await uow.session.scalar(
            select(AuditEntry.detail).where(AuditEntry.action == "roster.exported")
        )
    assert detail == {"rows": 4, "title": "Yoga"}
