"""An owner's way over real HTTP: from sign-up to a buyer in the roster, and back out again."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.browser.person import on_day
from tests.support.letters import link_in, the_calendar, the_mail
from tests.support.program import Program, eventually, running_program
from tests.support.timetables import a_timetable
from tests.support.visitor import Visitor

pytestmark = pytest.mark.anyio

PASSWORD = "a heron waits beside the water"
EMAIL, GUEST = "olive@heron.example", "carl@heron.example"
CARD = {"expiry": "12/34", "cvc": "123", "name": "Carl Guest"}

TICKABLE = re.compile(r'name="session_ids"\s+value="([^"]+)"(.*?)</label>', re.DOTALL)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with running_program(tmp_path_factory.mktemp("program")) as running:
        yield running


@pytest.fixture
async def owner(program: Program) -> AsyncIterator[Visitor]:
    async with httpx.AsyncClient(base_url=program.base_url, timeout=30) as client:
        yield Visitor(client)


@pytest.fixture
async def guest(program: Program) -> AsyncIterator[Visitor]:
    async with httpx.AsyncClient(base_url=program.base_url, timeout=30) as client:
        yield Visitor(client)


@pytest.mark.slow
async def test_from_sign_up_to_a_cancelled_purchase(
    program: Program, owner: Visitor, guest: Visitor
) -> None:
    await sign_up(program, owner)
    await connect(owner)
    service = await offer(owner)
    await publish(owner, service)
    series = await bundle(program, owner, service)
    booking = await buy(program, guest, series)
    await look_at_the_buyer(program, owner, series)
    await cancel(program, owner, series)
    assert "This booking is cancelled" in (await guest.open(booking)).text


async def sign_up(program: Program, owner: Visitor) -> None:
    await owner.open("/sign-up")
    asked = {"business_name": "Heron", "slug": "heron", "name": "Olive", "email": EMAIL}
    weak = await owner.submit({**asked, "password": "short"}, status=422)
    assert EMAIL in weak.text, "what was typed is kept"
    sent = await owner.submit({**asked, "password": PASSWORD})
    assert "Look into your mail" in sent.text
    await owner.open(link_in(the_mail(program, EMAIL, ""), "/confirm-email/"))
    assert owner.path == "/app/heron/start"
    assert "Growth trial: 14 days left." in owner.text
    assert "Describe what you offer" in owner.text


async def connect(owner: Visitor) -> None:
    await owner.open("/app/heron/payments")
    await owner.submit(to="/connect")
    back = await owner.submit({"decision": "finish"})
    assert back.url.path == "/app/heron/payments"
    assert "You can take payments" in back.text


async def send(owner: Visitor, values: dict[str, Any], **more: Any) -> httpx.Response:
    """The form of the page itself, not those of the menus around it."""
    return await owner.submit(values, to=owner.path, **more)


async def offer(owner: Visitor) -> str:
    """Returns the path of the new service."""
    await owner.open("/app/heron/services/new")
    wrong = {"name": "Bird drawing", "price_type": "online", "price": "much"}
    refused = await send(owner, wrong, status=422)
    assert "much" in refused.text, "what was typed is kept"
    await send(owner, {**wrong, "price": "15,00", "sales_mode": "both", "active": "on"})
    assert owner.path.endswith("/sessions")
    return owner.path.removesuffix("/sessions")


async def publish(owner: Visitor, service: str) -> None:
    """By hand, by a rule with its preview, and from a file with its rehearsal."""
    day = on_day(10).isoformat()
    await owner.open(f"{service}/sessions/new")
    backwards = {"starts_at": f"{day}T11:00", "ends_at": f"{day}T10:00", "capacity": "8"}
    await send(owner, backwards, status=422)
    by_hand = await send(owner, {**backwards, "ends_at": f"{day}T12:00", "title": "Taster"})
    assert "Taster" in by_hand.text
    await owner.open(f"{service}/sessions/repeat")
    start = on_day(3)
    rule = {"weekdays": [start.weekday()], "start_time": "18:00", "start_on": start, "count": 4}
    preview = await send(owner, {**rule, "title_pattern": "Lesson {n}", "step": "look"})
    dates = re.findall(r'name="ticked"\s+value="([^"]+)"', preview.text)
    assert len(dates) == 4
    published = await send(owner, {"ticked": dates, "step": "publish"})
    assert "Lesson 4" in published.text
    await owner.open(f"{service}/import")
    file = ("hall.ics", a_timetable(on_day(5)), "text/calendar")
    rehearsed = await send(owner, {"default_capacity": "12"}, files={"file": file})
    assert "Publish 3 sessions" in rehearsed.text
    assert "Candlelight" in (await owner.submit(to="/commit")).text


async def bundle(program: Program, owner: Visitor, service: str) -> str:
    """Returns the path of the series, which is on sale."""
    editor = await owner.open(f"{service}/series/new")
    lessons = [
        match.group(1)
        for match in re.finditer(
            r'name="session_ids"\s+value="([^"]+)"(.*?)</label>', editor.text, re.DOTALL
        )
        if "Lesson" in match.group(2)
    ]
    assert len(lessons) == 4
    terms = {"title": "Spring term", "price_type": "online", "price": "48"}
    await send(owner, {**terms, "session_ids": lessons})
    series = owner.path
    assert "Spring term" not in (await owner.open("/b/heron")).text, "a draft is not on the hub"
    await owner.open(series)
    await owner.submit(to="/publish")
    hub = f"{program.base_url}/b/heron"
    eventually(lambda: "Spring term" in httpx.get(hub, timeout=30).text, "the hub's change")
    return series


async def buy(program: Program, guest: Visitor, series: str) -> str:
    """Returns the path of the booking."""
    await guest.open(f"/b/heron/bird-drawing/book?series={series[-36:]}")
    details = {"name": "Carl Guest", "email": GUEST, "step": "book"}
    await guest.submit(details)
    declined = await guest.submit({"number": "4000 0000 0000 0002", **CARD}, status=402)
    assert "No money was taken." in declined.text
    done = await guest.submit({"number": "4242 4242 4242 4242", **CARD})
    assert "You are booked" in done.text
    starts = program.rows(
        "SELECT starts_at FROM sessions WHERE series_id = $1 ORDER BY starts_at", UUID(series[-36:])
    )
    _method, entries = the_calendar(the_mail(program, GUEST, "You are booked"))
    assert [entry.starts_at for entry in entries] == [row["starts_at"] for row in starts]
    return guest.path


async def look_at_the_buyer(program: Program, owner: Visitor, series: str) -> None:
    assert "Carl Guest" in (await owner.open(f"{series}/buyers")).text
    for row in program.rows("SELECT id FROM sessions WHERE series_id = $1", UUID(series[-36:])):
        assert "Carl Guest" in (await owner.open(f"/app/heron/sessions/{row['id']}")).text
    assert "€48.00" in (await owner.open("/app/heron/orders")).text
    assert "1 of 1,000" in (await owner.open("/app/heron/plan")).text


async def cancel(program: Program, owner: Visitor, series: str) -> None:
    [booking] = program.rows("SELECT id FROM bookings WHERE series_id = $1", UUID(series[-36:]))
    await owner.open(f"/app/heron/bookings/{booking['id']}/cancel")
    await owner.submit({"reason": "The birds have left.", "money": "full"}, to="/cancel")
    method, entries = the_calendar(the_mail(program, GUEST, "Cancelled"))
    assert (method, len(entries)) == ("CANCEL", 4)
    freed = "SELECT sum(seats_taken) AS n FROM sessions"
    eventually(lambda: program.rows(freed)[0]["n"] == 0, "freeing")
    assert "4 seats freed" in (await owner.open(owner.path)).text
    back = "SELECT state, amount_minor FROM refunds"
    eventually(lambda: [tuple(r) for r in program.rows(back)] == [("succeeded", 4800)], "the money")
    assert "Given back" in (await owner.open(owner.path)).text
