"""How long waiting lists are, over the API."""

import pytest
from httpx import AsyncClient

from src.platform.services import Services
from tests.booking.api.conftest import Program, a_program
from tests.booking.commands.test_waitlist import a_town
from tests.booking.commands.test_waitlist_ends import a_full_term
from tests.support.builders import a_business
from tests.support.waiting import joined

pytestmark = pytest.mark.anyio


@pytest.mark.slow
async def test_a_sessions_list_is_counted_by_parties_and_places(
    client: AsyncClient, services: Services
) -> None:
    town = await a_town(services, size=3)
    program = await a_program(client, services, town.lotus)
    path = f"/sessions/{town.session.id}/waitlist"
    assert (await program.get(path)).json() == {"waiting": 0, "offered": 0, "places": 0}
    await town.join("Ann")
    await town.join("Bob", size=3)
    await town.free()
    await town.work()
    assert (await program.get(path)).json() == {"waiting": 1, "offered": 1, "places": 4}


async def test_a_series_list_is_its_own(client: AsyncClient, services: Services) -> None:
    lotus, term = await a_full_term(services)
    await joined(services.uow_factory, lotus, "series", term.series.id, "Ann")
    program = await a_program(client, services, lotus)
    of_series = (await program.get(f"/series/{term.series.id}/waitlist")).json()
    of_date = (await program.get(f"/sessions/{term.sessions[0].id}/waitlist")).json()
    assert (of_series["waiting"], of_date["waiting"]) == (1, 0)


async def test_another_businesss_list_is_not_there(client: AsyncClient, services: Services) -> None:
    _lotus, term = await a_full_term(services)
    rival = await a_business(services.uow_factory, "rival", owner="Eve")
    program: Program = await a_program(client, services, rival)
    for path in (f"/series/{term.series.id}", f"/sessions/{term.sessions[0].id}"):
        assert (await program.get(f"{path}/waitlist")).status_code == 404
