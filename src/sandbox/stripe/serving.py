"""Runs the stand-in on a loopback port inside the running event loop."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar

from src.sandbox.stripe.app import create_app, stripe_behind
from src.sandbox.stripe.config import Config
from src.sandbox.stripe.engine import Engine
from src.sandbox.stripe.tls import tls_context

_POLL_SECONDS = 0.01
_START_SECONDS = 10.0


@dataclass(frozen=True)
class Running:
    """A stand-in that is up; `base_url` is what the stripe library is pointed at."""

    base_url: str
    engine: Engine
    http: httpx.AsyncClient

    async def turn(self, knob: str, **wish: Any) -> dict[str, Any]:
        """Turns a knob; raises `httpx.HTTPStatusError` when it refuses."""
        answer = await self.http.post(f"/_emulator/{knob}", json=wish)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    async def state(self) -> dict[str, Any]:
        told: dict[str, Any] = (await self.http.get("/_emulator/state")).json()
        return told


@dataclass(frozen=True)
class Port:
    """An address that answers for whichever stand-in is behind it, one after the other."""

    base_url: str
    app: Litestar

    @asynccontextmanager
    async def occupied(
        self, config: Config, webhook_transport: httpx.AsyncBaseTransport | None = None
    ) -> AsyncIterator[Running]:
        """A stand-in behind the port for as long as the block lasts; who was called by the one
        before must have hung up.
        """
        async with (
            stripe_behind(self.app, config, webhook_transport) as engine,
            self.client() as http,
        ):
            yield Running(self.base_url, engine, http)
        # What was sent and not yet read when the block ended is read before this, and finds nobody.
        async with self.client() as http:
            await _is_up(http)

    async def until_up(self, serving: asyncio.Task[None]) -> None:
        async with asyncio.timeout(_START_SECONDS), self.client() as http:
            while not await _is_up(http):
                if serving.done():
                    await serving
                    raise RuntimeError("the stand-in for Stripe stopped at its start")
                # The server tells nobody when it listens, so it is asked.
                await asyncio.sleep(_POLL_SECONDS)

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.base_url, trust_env=False, timeout=30.0, verify=tls_context()
        )


@asynccontextmanager
async def serve(
    config: Config, port: int = 0, webhook_transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Running]:
    """The stand-in for as long as the block lasts; port 0 takes a free one."""
    app = create_app()
    async with (
        stripe_behind(app, config, webhook_transport) as engine,
        listen(app, port) as listening,
        listening.client() as http,
    ):
        yield Running(listening.base_url, engine, http)


@asynccontextmanager
async def listen(app: Litestar, port: int = 0) -> AsyncIterator[Port]:
    """The port for as long as the block lasts; 0 takes a free one."""
    # The server's own word on each start and stop is of no use inside a test or a demo.
    logging.getLogger("_granian").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    listening = Port(f"http://127.0.0.1:{port or (port := _free_port())}", app)
    server = Server(
        app,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGINL,
        log_enabled=False,
    )
    stop: Callable[[], None] = server.stop
    task = asyncio.get_running_loop().create_task(server.serve())
    try:
        await listening.until_up(task)
        yield listening
    finally:
        stop()
        await task


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _is_up(http: httpx.AsyncClient) -> bool:
    try:
        await http.get("/assets/page.css")
    except httpx.TransportError:
        return False
    return True
