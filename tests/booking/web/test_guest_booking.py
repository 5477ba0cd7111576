"""The booking form and what it leads to."""

from typing import Any

import pytest
from httpx import AsyncClient, Response

from src.platform.db.uow import UowFactory
from tests.support.builders import a_business, a_series, a_service, a_session

pytestmark = pytest.mark.anyio


def fields_of(html: str) -> dict[str, str]:
    """The hidden fields of the page's booking form."""
    import re

    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html))


async def send(client: AsyncClient, url: str, **typed: Any) -> Response:
    shown = await client.get(url)
    assert shown.status_code == 200, shown.text
    data = {"name": "Carl", "email": "carl@example.com", "size": "1", **fields_of(shown.text)}
    return await client.post(url, data={**data, **typed})


async def test_a_free_session_is_booked_at_once(
    client: AsyncClient, uow_factory: UowFactory
) -> None:
    lotus = await a_business(uow_factory)
    service = await a_service(uow_factory, lotus.id, price_type="on_site")
    session = await a_session(uow_factory, service)
    sent = await send(client, f"/b/lotus/yoga/book?session={session.id}")
    assert sent.status_code == 303, sent.text
    booked = await client.get(sent.headers["location"])
    assert booked.status_code == 200, booked.text
    assert "You are booked" in booked.text
