"""Runs the mailbox, SMTP and pages, inside the running event loop."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from src.sandbox.mailbox.app import create_app
from src.sandbox.mailbox.faults import Faults
from src.sandbox.mailbox.smtp import serve_smtp
from src.sandbox.mailbox.store import MailStore
from src.sandbox.processes import LOOPBACK, free_port, tcp_ready

POLL_SECONDS = 0.01
START_SECONDS = 10.0


@dataclass(frozen=True)
class RunningMailbox:
    """A mailbox that is up. `store` and `faults` are the live ones, for tests in this process."""

    smtp_url: str
    base_url: str
    store: MailStore
    faults: Faults


@asynccontextmanager
async def serve(
    data_dir: Path, *, smtp_port: int = 0, http_port: int = 0
) -> AsyncIterator[RunningMailbox]:
    """The mailbox for as long as the block lasts; port 0 takes a free one."""
    # The libraries' own word on each connection is of no use inside a test or a demo.
    for name in ("_granian", "mail.log"):
        logging.getLogger(name).setLevel(logging.WARNING)
    store, faults = MailStore(data_dir), Faults()
    smtp_port, http_port = smtp_port or free_port(), http_port or free_port()
    pages = Server(
        create_app(store, faults),
        address=LOOPBACK,
        port=http_port,
        interface=Interfaces.ASGI,
        log_enabled=False,
    )
    smtp = await serve_smtp(LOOPBACK, smtp_port, store, faults)
    serving = asyncio.get_running_loop().create_task(pages.serve())
    try:
        await _until_up(serving, http_port)
        yield RunningMailbox(
            f"smtp://{LOOPBACK}:{smtp_port}", f"http://{LOOPBACK}:{http_port}", store, faults
        )
    finally:
        smtp.close()
        pages.stop()  # type: ignore[no-untyped-call]  # granian does not annotate it
        await serving


async def _until_up(serving: "asyncio.Task[None]", port: int) -> None:
    ready = tcp_ready(port)
    async with asyncio.timeout(START_SECONDS):
        while not ready():
            if serving.done():
                await serving
                raise RuntimeError("the mailbox's pages stopped at their start")
            await asyncio.sleep(POLL_SECONDS)
