"""Questions: asked once or of each person, and kept with the answers as they were asked."""

from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.booking.models import Booking, Service
from src.platform.csvio import read_csv
from src.platform.services import Services
from src.tenants.models import Participant
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.conftest import Shop, subject
from tests.booking.web.pages import as_owner, send
from tests.support.builders import Business, a_business, a_service, a_session

pytestmark = pytest.mark.anyio

KNEES = {"key": "q1", "label": "Any injuries?", "kind": "text", "required": True}
FIRST = {"key": "q2", "label": "First time?", "kind": "checkbox"}
PER_PERSON = {**KNEES, "per_person": True}


async def ask(services: Services, business: Business, questions: list[dict[str, Any]]) -> None:
    async with services.uow_factory(business.id) as uow:
        await uow.session.execute(update(Service).values(questions=questions))


@pytest.mark.parametrize("later", [[{**KNEES, "label": "Do you like cats?"}], []])
async def test_what_was_answered_stays_under_the_question_that_was_asked(
    client: AsyncClient, services: Services, later: list[dict[str, Any]]
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(
        services.uow_factory, business.id, price_type="free", questions=[KNEES, FIRST]
    )
    session = await a_session(services.uow_factory, service)
    wish = a_wish("session", session.id, answers={"q1": "Left knee", "q2": "on"})
    made = await booked(services.uow_factory, business, wish)
    await ask(services, business, later)
    await as_owner(client, services, business)
    path = f"/app/lotus/sessions/{session.id}"
    for page in (path, f"{path}/print", f"/app/lotus/bookings/{made.booking_id}"):
        shown = (await client.get(page)).text
        for words in ("Any injuries?", "Left knee", "First time?", "yes"):
            assert words in shown, (page, words)
        assert "Do you like cats?" not in shown


@pytest.mark.slow
async def test_each_person_is_asked_and_every_list_says_who_answered_what(
    shop: Shop, client: AsyncClient
) -> None:
    factory = shop.services.uow_factory
    asked = [PER_PERSON, FIRST, {**KNEES, "key": "q3", "required": False}]
    service = await a_service(factory, shop.business.id, price_type="free", questions=asked)
    session = await a_session(factory, service)
    url = subject("session", session.id)
    two = {"size": "2", "quoted_size": "2", "names.2": "Kim", "people.1.q1": "None"}
    refused = await shop.book(url, **two)
    assert refused.status_code == 422
    assert 'id="f-people-2-q1-error"' in refused.text
    assert 'id="f-people-1-q1-error"' not in refused.text
    assert ">None</textarea>" in refused.text, "what was typed is kept"
    answers = {"people.2.q1": "Left knee", "answers.q3": "Loud music"}
    sent = await shop.book(url, **two, **answers)
    assert sent.status_code == 303, sent.text
    async with factory(shop.business.id) as uow:
        booking = (await uow.session.scalars(select(Booking))).one()
    assert [given["answer"] for given in booking.answers] == ["Loud music"]
    kept = [given[0]["answer"] for _who, given in sorted(booking.person_answers.items())]
    assert kept == ["None", "Left knee"]
    assert "Kim: Any injuries?" in (await shop.guest.open(sent.headers["location"])).text
    await as_owner(client, shop.services, shop.business)
    path = f"/app/lotus/sessions/{session.id}"
    paper = (await client.get(f"{path}/print")).text
    assert paper.count("Any injuries?") == 4
    exported = await send(client, path, {}, to=f"{path}/export")
    table = read_csv(exported.content)
    column = table.header.index("Any injuries?")
    assert {row.cells[0]: row.cells[column] for row in table.rows} == {
        "Carl Guest": "Loud music; None",
        "Kim": "Loud music; Left knee",
    }
    async with factory(shop.business.id) as uow:
        await uow.session.execute(update(Participant).values(name=""))
    nameless = await shop.guest.open(sent.headers["location"])
    assert "Person 2: Any injuries?" in nameless.text, "whose answer it is is said all the same"
