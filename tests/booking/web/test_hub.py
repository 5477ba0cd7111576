"""The hub: what a business offers, to everybody alike."""

import pytest
from httpx import AsyncClient

from src.platform.db.uow import UowFactory
from tests.support.builders import a_business, a_series, a_service, a_session

pytestmark = pytest.mark.anyio


async def test_the_hub_shows_services_series_and_dates(
    client: AsyncClient, uow_factory: UowFactory
) -> None:
    lotus = await a_business(uow_factory)
    service = await a_service(uow_factory, lotus.id)
    await a_series(uow_factory, service)
    await a_session(uow_factory, service, in_days=3)
    answer = await client.get("/b/lotus")
    assert answer.status_code == 200, answer.text
    assert "Spring term" in answer.text
    assert "€15.00" in answer.text
    page = await client.get("/b/lotus/yoga")
    assert page.status_code == 200, page.text
