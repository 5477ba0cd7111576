"""A small application around the web kit, spoken to over HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from httpx import ASGITransport, AsyncClient
from litestar import Litestar
from redis.asyncio import Redis

from src.platform.web.kit import WebKit
from tests.support.clock import FrozenClock

TEMPLATES = {
    "form.html": "<title>page</title>{{ page.csrf_input }}{% include '_form.html' %}",
    "_form.html": "<form>{{ view.name }}{% for level, text in page.flashes %}"
    "[{{ level }}:{{ text }}]{% endfor %}</form>",
    "token.html": "<body hx-headers='{{ page.csrf_token }}'>{{ page.csrf_input }}</body>",
    "plain.html": "<p>{{ view }}</p>",
    "broken.html": "{{ view.missing }}",
    "context.html": "{{ page.locale }}|{{ page.user }}|{{ page.nav }}|{{ page.path }}|"
    "{{ page.asset('app.css') }}|{{ _('Hello %(name)s', name='<b>') }}|"
    "{{ 1250|money('EUR') }}",
    "errors/404.html": "<h1>own 404</h1>{{ error.message or 'nothing here' }}",
    "errors/error.html": "<h1>{{ error.status }}</h1>{{ error.message or 'no words' }}"
    "#{{ error.request_id }}{{ page.csrf_token[:0] }}",
    "errors/_fragment.html": "<p role=alert>{{ error.message or 'no words' }}</p>",
}


@pytest.fixture
def template_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    for name, text in TEMPLATES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def static_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "app.css").write_text("body { color: red }\n" * 50)
    (tmp_path / "secret.txt").write_text("outside")
    return folder


@pytest.fixture
def make_kit(
    redis: Redis, clock: FrozenClock, template_folder: Path, static_folder: Path
) -> Callable[..., WebKit]:
    def make(**others: Any) -> WebKit:
        settings: dict[str, Any] = {
            "secret_keys": ["k" * 32],
            "secure": False,
            "templates": template_folder,
            "static": static_folder,
            **others,
        }
        return WebKit(redis=redis, clock=clock, **settings)

    return make


@pytest.fixture
def kit(make_kit: Callable[..., WebKit]) -> WebKit:
    return make_kit()


Serve = Callable[..., Awaitable[AsyncClient]]


@pytest.fixture
async def serve(kit: WebKit) -> AsyncIterator[Serve]:
    """Makes a client of an application with these handlers; the kit is around it as in real use."""
    clients: list[AsyncClient] = []

    async def start(
        *handlers: Any, kit: WebKit = kit, peer: tuple[str, int] = ("203.0.113.9", 1234)
    ) -> AsyncClient:
        app = Litestar(
            route_handlers=[*handlers, *kit.route_handlers],
            middleware=kit.middleware,
            exception_handlers=kit.exception_handlers,
            logging_config=None,
            openapi_config=None,
        )
        kit.attach(app)
        transport = ASGITransport(app, raise_app_exceptions=True, client=peer)
        clients.append(AsyncClient(transport=transport, base_url="http://testserver.local"))
        return clients[-1]

    yield start
    for client in clients:
        await client.aclose()
