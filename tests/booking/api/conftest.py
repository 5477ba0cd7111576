"""A program with a key."""

from dataclasses import dataclass
from typing import Any

import pytest
from httpx import AsyncClient, Response

from src.platform.services import Services
from src.tenants.commands.api_keys import create_api_key
from tests.support.builders import Business, a_business


@dataclass
class Program:
    """Calls the API with one business's key."""

    client: AsyncClient
    key: str

    async def get(self, path: str, **params: Any) -> Response:
        return await self.client.get(
            f"/api/v1{path}", params=params or None, headers=self._headers()
        )

    async def post(self, path: str, body: Any = None, key: str | None = None) -> Response:
        headers = self._headers() | ({"Idempotency-Key": key} if key else {})
        return await self.client.post(f"/api/v1{path}", json=body or {}, headers=headers)

    async def put(self, path: str, body: Any) -> Response:
        return await self.client.put(f"/api/v1{path}", json=body, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


async def a_program(client: AsyncClient, services: Services, business: Business) -> Program:
    async with services.uow_factory(business.id) as uow:
        made = await create_api_key(uow, business.ctx, "site")
    return Program(client, made.plain)


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def program(client: AsyncClient, services: Services, lotus: Business) -> Program:
    return await a_program(client, services, lotus)
