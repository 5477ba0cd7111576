"""Staff swap a guest's place for one of another course, from the roster."""

import pytest
from httpx import AsyncClient

from src.platform.services import Services
from tests.booking.commands.test_swap import a_school
from tests.booking.web.pages import as_owner, fields_of
from tests.booking.web.test_roster_bulk import press, words_in

pytestmark = pytest.mark.anyio


@pytest.mark.slow
async def test_a_date_of_another_course_is_offered_shown_and_taken(
    client: AsyncClient, services: Services
) -> None:
    school = await a_school(services)
    [first, *_others] = await school.seats()
    session, target = school.own.sessions[0], school.other.sessions[0]
    await as_owner(client, services, school.business)
    asked = await press(client, session, "move", [first.id], {})
    assert "Pilates · Spring term" in asked.text
    to = {"to_session_id": str(target.id)}
    seen = await press(client, session, "move", [first.id], to)
    assert "A credit for the old date pays the new one." in seen.text
    sure = {**to, "seen": fields_of(seen)["seen"][0], "sure": "on"}
    assert (await press(client, session, "move", [first.id], sure)).status_code == 303
    assert await school.taken(school.own) == [0, 1, 1]
    assert await school.taken(school.other) == [1, 0, 0]
    roster = words_in(await client.get(f"/app/lotus/sessions/{session.id}"))
    assert f"· {school.business.owner.name}" in roster.split("Moved to another date")[1]


async def test_what_is_not_paid_is_said_before_anything_is_done(
    client: AsyncClient, services: Services
) -> None:
    school = await a_school(services, is_paid=False)
    [first, *_others] = await school.seats()
    await as_owner(client, services, school.business)
    asked = await press(client, school.own.sessions[0], "move", [first.id], {})
    assert "Pilates" not in asked.text
