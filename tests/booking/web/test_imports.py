"""A timetable file is rehearsed, looked at, and taken up whole or not at all."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import func, select, text

from src.booking.models import Session, TimetableImport
from src.platform.services import Services
from src.tenants.domain.roles import Role
from src.tenants.models import Location, Performer
from tests.booking.commands.places import a_performer, a_room
from tests.support.builders import Business, a_business, a_member, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.visitor import Visitor, forms_of
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

TABLE = """date,start,end,title,capacity,location,instructor
2027-04-05,18:00,19:00,Flow,12,Studio 1,Ivan
2027-04-06,18:00,19:00,Flow,12,Studio 1,Ivan
2027-04-07,25:00,26:00,Broken,12,Studio 1,Ivan
"""
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//EN
BEGIN:VEVENT
UID:weekly@example.com
SUMMARY:Yin
DTSTART;TZID=Europe/Amsterdam:20270405T180000
DTEND;TZID=Europe/Amsterdam:20270405T190000
RRULE:FREQ=WEEKLY;COUNT=4
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def path(services: Services, lotus: Business) -> str:
    """Where files for the business's one service are uploaded."""
    service = await a_service(services.uow_factory, lotus.id)
    return f"/app/lotus/services/{service.id}/import"


@pytest.fixture
async def owner(client: AsyncClient, services: Services, lotus: Business) -> Visitor:
    await sign_in(client, services, lotus.owner.id)
    return Visitor(client)


async def upload(
    visitor: Visitor,
    path: str,
    content: str | bytes,
    name: str = "plan.csv",
    *,
    status: int = 200,
    **typed: Any,
) -> Response:
    """Sends the file and follows to its rehearsal."""
    shown = await visitor.open(path)
    [form] = [form for form in forms_of(shown) if "default_capacity" in form.fields]
    body = content.encode() if isinstance(content, str) else content
    visitor.page = await visitor.client.post(
        path,
        data=form.filled(typed),
        files={"file": (name, body, "application/octet-stream")},
        follow_redirects=True,
    )
    assert visitor.page.status_code == status, visitor.page.text
    return visitor.page


async def stored(services: Services, business: Business) -> list[Session]:
    async with services.uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(Session).order_by(Session.starts_at)))


async def how_many(services: Services, business: Business, model: Any) -> int:
    async with services.uow_factory(business.id) as uow:
        return await uow.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.slow
async def test_a_table_is_rehearsed_and_then_published(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    ivan = await a_performer(services.uow_factory, lotus, "Ivan")
    room = await a_room(services.uow_factory, lotus, "Studio 1")
    await upload(owner, path, TABLE)
    assert "Publish 2 sessions" in owner.text
    assert await stored(services, lotus) == []
    rehearsal = owner.path
    await owner.open(f"{rehearsal}?show=refused")
    assert "line 4" in owner.text
    assert "Broken" in owner.text
    await upload(owner, path, TABLE.replace("2027-04-07,25:00,26:00", "2020-04-07,18:00,19:00"))
    await owner.open(f"{owner.path}?show=refused")
    assert "Tue, Apr 7, 2020, 6:00" in owner.text
    assert "It is over." in owner.text
    await owner.open(f"{rehearsal}?show=refused")
    await owner.submit(to="/commit")
    assert "2 sessions are published." in owner.text
    first, _second = await stored(services, lotus)
    assert (first.title, first.capacity) == ("Flow", 12)
    assert (first.performer_id, first.location_id) == (ivan.id, room.id)
    assert first.starts_at == datetime(2027, 4, 5, 16, tzinfo=UTC)
    await owner.open(rehearsal)
    assert owner.path.endswith("/sessions")


async def test_a_calendar_keeps_its_wall_clock_and_importing_it_again_creates_nothing(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await upload(owner, path, CALENDAR, "plan.ics", default_capacity=7)
    await owner.submit(to="/commit")
    made = await stored(services, lotus)
    assert [session.capacity for session in made] == [7] * 4
    await upload(owner, path, CALENDAR, "plan.ics")
    assert "Nothing in this file would be created" in owner.text
    assert "/commit" not in owner.text
    await owner.open(f"{owner.path}?show=there")
    assert owner.text.count("Yin") == 4
    assert len(await stored(services, lotus)) == 4


async def test_unknown_people_and_places_are_added_only_when_ticked(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await upload(owner, path, TABLE)
    assert "Add 1 person whom you do not have yet" in owner.text
    assert "Add 1 place that you do not have yet" in owner.text
    rehearsal = owner.path
    await owner.submit({"add_performers": "on", "add_locations": "on"}, to=rehearsal)
    await owner.submit(to="/commit")
    first, second = await stored(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        performer = (await uow.session.scalars(select(Performer))).one()
        location = (await uow.session.scalars(select(Location))).one()
    assert (performer.name, location.name) == ("Ivan", "Studio 1")
    assert first.performer_id == second.performer_id == performer.id
    assert first.location_id == location.id


async def test_unticked_names_stay_out(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await upload(owner, path, TABLE)
    await owner.submit(to="/commit")
    assert {session.performer_id for session in await stored(services, lotus)} == {None}
    assert await how_many(services, lotus, Performer) == 0
    assert await how_many(services, lotus, Location) == 0


async def test_a_person_cannot_be_in_two_places_and_a_room_not_be_overfull(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await a_performer(services.uow_factory, lotus, "Ivan")
    await a_room(services.uow_factory, lotus, "Studio 1", room_capacity=10)
    rows = [
        "date,start,end,title,capacity,location,instructor",
        "2027-04-05,18:00,19:00,Flow,9,Studio 1,Ivan",
        "2027-04-05,18:30,19:30,Yin,9,Studio 1,Ivan",
        "2027-04-06,18:00,19:00,Crowd,11,Studio 1,Ivan",
    ]
    await upload(owner, path, "\n".join(rows))
    await owner.open(f"{owner.path}?show=clashes")
    assert "Taken at that time: Flow." in owner.text
    assert "Studio 1 has room for 10 people." in owner.text
    await owner.submit(to="/commit")
    assert [session.title for session in await stored(services, lotus)] == ["Flow"]


async def test_what_changed_since_is_shown_before_anything_is_created(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await upload(owner, path, TABLE)
    looked_at = owner.page
    await a_performer(services.uow_factory, lotus, "Ivan")
    owner.page = looked_at
    await owner.submit(to="/commit")
    assert "Something has changed since" in owner.text
    assert await stored(services, lotus) == []
    await owner.submit(to="/commit")
    assert len(await stored(services, lotus)) == 2


async def test_pressing_twice_publishes_once(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await upload(owner, path, TABLE)
    looked_at = owner.page
    for _press in range(2):
        owner.page = looked_at
        await owner.submit(to="/commit")
        assert "2 sessions are published." in owner.text
    assert len(await stored(services, lotus)) == 2


async def test_an_import_counts_nothing_on_the_months_counter(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await upload(owner, path, TABLE)
    await owner.submit(to="/commit")
    async with services.uow_factory(lotus.id) as uow:
        counted = await uow.session.scalar(text("SELECT count(*) FROM booking_counters"))
    assert counted == 0


async def test_a_file_can_be_given_up_until_it_is_imported(
    services: Services, lotus: Business, owner: Visitor, path: str
) -> None:
    await upload(owner, path, TABLE)
    rehearsal = owner.page
    await owner.submit(to="/delete")
    assert await how_many(services, lotus, TimetableImport) == 0
    await upload(owner, path, TABLE)
    shown = owner.page
    await owner.submit(to="/commit")
    owner.page = shown
    await owner.submit(to="/delete", status=409)
    owner.page = rehearsal
    await owner.submit(to="/delete", status=404)
    assert len(await stored(services, lotus)) == 2
    await owner.open(path)
    assert "2 sessions published" in owner.text


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "plan.csv", "This file is empty."),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 50, "plan.csv", "This kind of file cannot be used here."),
        (b"PK\x03\x04\x00\x00" * 20, "plan.xlsx", "This kind of file cannot be used here."),
        ("colour\nred\n", "plan.csv", "The file has: colour."),
        ("colour,size\n", "plan.csv", "The file has: colour, size."),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "plan.ics", ""),
        ("x" * (5 * 1024 * 1024 + 1), "plan.csv", "This file is too large"),
    ],
)
async def test_a_file_that_is_no_timetable_is_refused_with_the_reason(
    services: Services,
    lotus: Business,
    owner: Visitor,
    path: str,
    content: str | bytes,
    name: str,
    sentence: str,
) -> None:
    status = 422 if sentence else 200
    await upload(owner, path, content, name, status=status)
    assert sentence in owner.text
    assert not sentence or "still there. Please choose the file again." in " ".join(
        owner.text.split()
    )
    assert await stored(services, lotus) == []


@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode("utf-8-sig"),
        TABLE.encode("utf-16"),
        TABLE.replace(",", ";").encode("cp1252"),
        TABLE.replace("Flow", "Übung").encode("cp1252"),
        TABLE.replace("Flow", '"=HYPERLINK(""http://evil.example"")"').encode(),
        TABLE.replace("\n", "\r\n").encode(),
    ],
    ids=["bom", "utf-16", "semicolons", "windows", "formula", "crlf"],
)
async def test_tables_come_as_other_programs_write_them(
    services: Services, lotus: Business, owner: Visitor, path: str, content: bytes
) -> None:
    await upload(owner, path, content)
    assert "Publish 2 sessions" in owner.text
    await owner.submit(to="/commit")
    titles = {session.title for session in await stored(services, lotus)}
    assert len(titles) == 1
    assert titles <= {"Flow", "Übung", '=HYPERLINK("http://evil.example")'}


@pytest.mark.parametrize(
    ("old", "new", "kind", "words"),
    [
        ("COUNT=4", "COUNT=4000000;INTERVAL=1", "create", "Publish 74 sessions"),
        (
            "FREQ=WEEKLY;COUNT=4",
            "FREQ=SECONDLY",
            "refused",
            "Its repetition is written in a way that cannot be read.",
        ),
        (
            "TZID=Europe/Amsterdam",
            "TZID=Mars/Olympus",
            "create",
            "The time zone “Mars/Olympus” is not known",
        ),
        (
            "DTSTART;TZID=Europe/Amsterdam:20270405T180000",
            "DTSTART:soon",
            "refused",
            "“soon” is not a date and time.",
        ),
    ],
    ids=["endless rule", "every second", "unknown zone", "broken start"],
)
async def test_odd_calendars_end_in_rows_with_reasons(
    owner: Visitor, path: str, old: str, new: str, kind: str, words: str
) -> None:
    await upload(owner, path, CALENDAR.replace(old, new), "plan.ics")
    await owner.open(f"{owner.path}?show={kind}")
    assert "Yin" in owner.text
    assert words in owner.text


@pytest.mark.parametrize("many", [1200, pytest.param(5000, marks=pytest.mark.slow)])
async def test_many_rows_come_in_pages_and_are_published_at_once(
    services: Services, lotus: Business, owner: Visitor, path: str, clock: FrozenClock, many: int
) -> None:
    starts = [clock.now() + timedelta(days=1, minutes=90 * number) for number in range(many)]
    rows = "\n".join(f"{at:%Y-%m-%d},{at:%H:%M},60,Open gym" for at in starts)
    await upload(owner, path, f"date,start,duration,title\n{rows}")
    assert f"Publish {many:,} sessions" in owner.text.replace(str(many), f"{many:,}")
    await owner.open(f"{owner.path}?show=create&page={many // 100}")
    assert owner.text.count("Open gym") == 100 + len(["the event as a whole"])
    await owner.submit(to="/commit")
    assert await how_many(services, lotus, Session) == many


async def test_the_plan_and_the_role_decide_who_imports(
    services: Services, lotus: Business, owner: Visitor, path: str, client: AsyncClient
) -> None:
    await upload(owner, path, TABLE)
    rehearsal = owner.path
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    await sign_in(client, services, ivan.user_id)
    for one in (path, rehearsal):
        await owner.open(one, status=403)
    eves = await a_business(services.uow_factory, "rival", owner="Eve")
    await sign_in(client, services, eves.owner.id)
    for one in (path, rehearsal):
        await owner.open(one, status=404)
        await owner.open(one.replace("/lotus/", "/rival/"), status=404)
    small = await a_business(services.uow_factory, "small", plan="starter", owner="Sam")
    service = await a_service(services.uow_factory, small.id)
    await sign_in(client, services, small.owner.id)
    await owner.open(f"/app/small/services/{service.id}/import", status=402)


async def test_a_session_made_by_hand_is_not_doubled(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    service = await a_service(services.uow_factory, lotus.id, slug="other", name="Other")
    await a_session(
        services.uow_factory,
        service,
        starts_at=datetime(2027, 4, 5, 16, tzinfo=UTC),
        title="Flow",
    )
    other = f"/app/lotus/services/{service.id}/import"
    await upload(owner, other, TABLE.replace("Studio 1", ""))
    await owner.open(f"{owner.path}?show=clashes")
    assert "There is such a session at that time already." in owner.text
