"""The camera at the door checks in by itself whoever can only be meant, and nobody else."""

from datetime import timedelta

import pytest
from httpx import AsyncClient

from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import as_owner
from tests.booking.web.test_check_in import BY_SCRIPT, a_code, read_by_camera, states_of
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def test_a_code_read_by_the_camera_checks_in_whoever_has_one_place(
    client: AsyncClient, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service, in_days=2)
    alone = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    code = await a_code(services, lotus, alone)
    await as_owner(client, services, lotus)
    early = await read_by_camera(client, code, **BY_SCRIPT)
    assert 'data-scanned="error"' in early.text
    assert "This booking has no place today." in early.text
    clock.advance(timedelta(days=2))
    await as_owner(client, services, lotus)
    done = await read_by_camera(client, f"https://seatline.example/c/lotus/{code}", **BY_SCRIPT)
    assert 'data-scanned="success"' in done.text
    assert "1 person is checked in." in done.text
    assert "<html" not in done.text
    assert await states_of(services, lotus) == ["attended"]
    again = await read_by_camera(client, code)
    assert 'data-scanned="warning"' in again.text
    assert "Checked in already." in again.text
    assert "<html" in again.text, "without a script it is the whole page"
    none = await read_by_camera(client, "https://elsewhere.example/menu", **BY_SCRIPT)
    assert 'data-scanned="error"' in none.text
    assert "There is no booking with this code." in none.text


@pytest.mark.parametrize("hours", [9, -11], ids=["after its end", "the evening before"])
async def test_at_another_time_than_the_places_the_camera_asks(
    client: AsyncClient, services: Services, lotus: Business, clock: FrozenClock, hours: int
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service, in_days=2)
    alone = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    clock.advance(session.starts_at + timedelta(hours=hours) - clock.now())
    await as_owner(client, services, lotus)
    shown = await read_by_camera(client, await a_code(services, lotus, alone), **BY_SCRIPT)
    assert 'data-scanned="warning"' in shown.text
    assert "Press “Here” only if they came for it." in shown.text
    assert 'aria-label="Here: Carl"' in shown.text
    assert await states_of(services, lotus) == ["confirmed"]


async def test_what_is_owed_makes_whoever_scans_look_up(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    session = await a_session(services.uow_factory, service, in_days=0.05)
    alone = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    await as_owner(client, services, lotus)
    shown = await read_by_camera(client, await a_code(services, lotus, alone), **BY_SCRIPT)
    assert 'data-scanned="warning"' in shown.text
    assert "1 person is checked in." in shown.text
    assert "Still to pay: €15.00" in shown.text
