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

from src.sandbox.stripe.app import create_app
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


@asynccontextmanager
async def serve(
    config: Config, port: int = 0, webhook_transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Running]:
    """The stand-in for as long as the block lasts; port 0 takes a free one."""
    # The server's own word on each start and stop is of no use inside a test or a demo.
    logging.getLogger("_granian").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    address = f"http://127.0.0.1:{port or (port := _free_port())}"
    app = create_app(config, webhook_transport)
    server = Server(
        app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_enabled=False
    )
    stop: Callable[[], None] = server.stop
    task = asyncio.get_running_loop().create_task(server.serve())
    try:
        async with httpx.AsyncClient(
            base_url=address, trust_env=False, timeout=30.0, verify=tls_context()
        ) as http:
            await _until_up(http, task)
            yield Running(address, app.state.engine, http)
    finally:
        stop()
        await task


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _until_up(http: httpx.AsyncClient, task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while True:
            if task.done():
                await task
                raise RuntimeError("the stand-in for Stripe stopped at its start")
            try:
                await http.get("/assets/page.css")
            except httpx.TransportError:
                await asyncio.sleep(_POLL_SECONDS)
            else:
                return
