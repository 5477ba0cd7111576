"""All routes of the application, to walk along."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from httpx import AsyncClient
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute


@dataclass(frozen=True)
class Route:
    """One handler at one address."""

    path: str
    method: str
    handler: HTTPRouteHandler

    @property
    def places(self) -> list[str]:
        """The names of what the address leaves open."""
        return re.findall(r"\{(\w+)(?::\w+)?\}", self.path)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def filled(self, values: Mapping[str, object]) -> str:
        """The address with the values in its places. An unknown place is a failure: it is told to
        whoever adds a route, so that no walk passes it by.
        """
        unknown = set(self.places) - set(values)
        assert not unknown, f"{self} has {unknown}: add one to tests/security/everything.py"
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: str(values[found[1]]), self.path)


def routes(app: Litestar) -> Iterator[Route]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"}):
                    yield Route(route.path_format, method, handler)


async def answer(client: AsyncClient, route: Route, path: str, token: str) -> int:
    sent: dict[str, Any] = {"data": {"_csrf_token": token}} if route.method == "POST" else {}
    response = await client.request(route.method, path, **sent)
    return response.status_code


async def a_token(client: AsyncClient) -> str:
    shown = await client.get("/account")
    found = re.search(r'name="_csrf_token" value="([^"]+)"', shown.text)
    assert found is not None
    return found[1]
