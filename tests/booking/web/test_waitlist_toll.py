"""Before dates are called off or moved, their owner reads what it means for who waits for them."""

from datetime import timedelta

import pytest
from httpx import AsyncClient

from src.booking.commands.waitlist import change_waitlist
from src.booking.domain.waiting import WaitlistTerms
from src.platform.services import Services
from tests.booking.commands.test_waitlist import Town, a_town
from tests.booking.commands.test_waitlist_ends import a_full_term
from tests.booking.web.pages import as_owner, send
from tests.support.waiting import joined
from tests.support.work import work

pytestmark = pytest.mark.anyio


@pytest.fixture
async def town(services: Services) -> Town:
    """Ann is offered the place, Bob waits."""
    town = await a_town(services)
    await town.join("Ann")
    await town.join("Bob")
    await town.free()
    await town.work()
    return town


def a_day_later(town: Town) -> dict[str, str]:
    """The session's times, as they are typed."""
    starts_at = town.session.starts_at.replace(tzinfo=None) + timedelta(days=1)
    times = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1)}
    return {name: at.isoformat(timespec="minutes") for name, at in times.items()}


async def test_a_session_that_is_called_off_names_who_waits_and_the_offers(
    client: AsyncClient, services: Services, town: Town
) -> None:
    await as_owner(client, services, town.lotus)
    shown = (await client.get(f"/app/lotus/sessions/{town.session.id}/cancel")).text
    assert "2 people who wait are told that the list is closed, one mail each" in shown
    assert "1 offer ends when the cancelling is over (1 place)" in shown
    assert ">Mails<" not in shown, "nobody else gets one"


async def test_a_series_names_those_of_its_dates_and_its_own(
    client: AsyncClient, services: Services
) -> None:
    lotus, term = await a_full_term(services)
    first = term.sessions[0].id
    await joined(services.uow_factory, lotus, "series", term.series.id, "Ann")
    await joined(services.uow_factory, lotus, "session", first, "Bob")
    await work(services, lotus.id)
    await as_owner(client, services, lotus)
    one = (await client.get(f"/app/lotus/sessions/{first}/cancel")).text
    assert "1 person who waits is told by mail that the list is closed" in one
    shown = (await client.get(f"/app/lotus/series/{term.series.id}/cancel")).text
    assert "2 people who wait are told that the list is closed, one mail each" in shown


async def test_nobody_waits_and_nothing_is_said(client: AsyncClient, services: Services) -> None:
    lotus, term = await a_full_term(services)
    await as_owner(client, services, lotus)
    shown = (await client.get(f"/app/lotus/series/{term.series.id}/cancel")).text
    assert "list is closed" not in shown


async def test_a_move_names_who_is_told_and_the_offers(
    client: AsyncClient, services: Services, town: Town
) -> None:
    await as_owner(client, services, town.lotus)
    path = f"/app/lotus/sessions/{town.session.id}/edit"
    shown = (await send(client, path, a_day_later(town))).text
    assert "are offered" not in shown, "nothing gets free"
    for words in (
        "2 people who wait are told the new time, one mail each",
        "1 offer ends sooner if the new start asks for it",
    ):
        assert words in shown


SERVED = "places that get free are offered in turn, and whoever is offered one reads the new time"


async def test_a_move_with_more_seats_says_both_and_who_is_offered_them(
    client: AsyncClient, services: Services, town: Town
) -> None:
    await as_owner(client, services, town.lotus)
    path = f"/app/lotus/sessions/{town.session.id}/edit"
    shown = (await send(client, path, a_day_later(town))).text
    assert "Seats, prices and the series stay as they are." in shown
    assert "Number of seats" not in shown
    now = town.session.capacity
    shown = (await send(client, path, {**a_day_later(town), "capacity": str(now + 3)})).text
    assert f"now {now}, then {now + 3}" in shown
    assert "Nothing is done yet. Prices and the series stay as they are." in shown
    assert SERVED in shown


@pytest.mark.slow
async def test_more_seats_are_said_to_be_offered_to_who_waits(
    client: AsyncClient, services: Services, town: Town
) -> None:
    await as_owner(client, services, town.lotus)
    path = f"/app/lotus/sessions/{town.session.id}/several"
    typed = {"began": "on", "scope": "all", "change": ["capacity"], "capacity": "3"}
    shown = (await send(client, path, typed)).text
    assert "2 people wait; places that get free are offered to them in turn, by mail" in shown
    typed |= {"change": ["capacity", "time"], "start_time": "07:15"}
    shown = (await send(client, path, typed)).text
    assert "2 people who wait are told the new time" in shown
    assert SERVED in shown
    async with services.uow_factory(town.lotus.id) as uow:
        off = WaitlistTerms(is_on=False)
        await change_waitlist(uow, town.lotus.ctx, town.service.id, off)
    assert SERVED not in (await send(client, path, typed)).text
