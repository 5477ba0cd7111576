"""The whole program in processes of its own: web, worker, relay, stand-in for Stripe, mailbox.

For what only real processes show: a browser's journey, and a kill in the middle of something.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import asyncpg
import httpx
import uvloop
from redis import Redis

from src.platform.ratelimit import KEY_PREFIX
from src.sandbox.postgres import Role
from src.sandbox.processes import Process, free_port, http_ready, spawn, tcp_ready
from tests.support.databases import drop_database, own_database
from tests.support.servers import CHECKOUT, test_servers

T = TypeVar("T")
STRIPE_KEY = "sk_test_of_the_program"
WAIT_SECONDS = 60.0


MOST_WORKERS = 16


class Program:
    """A running Seatline over a database of its own."""

    def __init__(self, folder: Path, urls: dict[Role, str], redis_url: str) -> None:
        self._folder = folder
        self._urls = urls
        self._processes: dict[str, Process] = {}
        self._ports = {name: _own_port() for name in ("web", "stripe", "mailbox", "smtp")}
        self._environment = self._settings(redis_url)

    @property
    def base_url(self) -> str:
        return self._address("web")

    def _address(self, name: str) -> str:
        return f"http://127.0.0.1:{self._ports[name]}"

    def _settings(self, redis_url: str) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "PYTHONWARNINGS": "",
            "SEATLINE_ENV": "test",
            "BASE_URL": self._address("web"),
            "SECRET_KEY": "a secret that only this program knows",
            "DATABASE_URL": self._urls[Role.APP],
            "MIGRATOR_DATABASE_URL": self._urls[Role.MIGRATOR],
            "RELAY_DATABASE_URL": self._urls[Role.RELAY],
            "REDIS_URL": redis_url,
            "SMTP_URL": f"smtp://127.0.0.1:{self._ports['smtp']}",
            "MAIL_FROM": "bookings@seatline.example",
            "STRIPE_SECRET_KEY": STRIPE_KEY,
            "STRIPE_API_BASE": self._address("stripe"),
            "STRIPE_PLATFORM_WEBHOOK_SECRET": "whsec_platform",
            "STRIPE_CONNECT_WEBHOOK_SECRET": "whsec_connect",
            "LOG_FORMAT": "console",
            "UNDO_WINDOW_SECONDS": "1",
        }

    def start(self, *names: str) -> None:
        """Starts the processes and returns when each is ready."""
        for name in names:
            self._processes[name] = spawn(
                name,
                self._command(name),
                log_path=self._folder / f"{name}.log",
                environment=self._environment,
                folder=CHECKOUT,
            )
        for name in names:
            if name in ("stripe", "mailbox"):
                self._processes[name].wait_ready(tcp_ready(self._ports[name]))
            if name == "web":
                self._processes[name].wait_ready(http_ready(self._ports["web"], "/readyz"))

    def _command(self, name: str) -> Sequence[str]:
        data = str(self._folder / f"{name}-data")
        hooks = f"{self.base_url}/hooks/stripe"
        commands = {
            "web": ["granian", "--interface", "asgi", "--factory", "--host", "127.0.0.1", "--port",
                    str(self._ports["web"]), "--loop", "uvloop", "src.app:create_app"],
            "worker": ["src.cli", "worker"],
            "relay": ["src.cli", "relay"],
            "mailbox": ["src.sandbox.mailbox", "--smtp-port", str(self._ports["smtp"]),
                        "--http-port", str(self._ports["mailbox"]), "--data-dir", data],
            "stripe": ["src.sandbox.stripe", "--port", str(self._ports["stripe"]), "--data-dir",
                       data, "--secret-key", STRIPE_KEY,
                       "--platform-webhook-url", f"{hooks}/platform",
                       "--platform-webhook-secret", "whsec_platform",
                       "--connect-webhook-url", f"{hooks}/connect",
                       "--connect-webhook-secret", "whsec_connect"],
        }  # fmt: skip
        return [sys.executable, "-m", *commands[name]]

    def kill(self, name: str) -> None:
        """SIGKILL: no goodbye, nothing tidied."""
        self._processes.pop(name).stop(signal.SIGKILL)

    def stop(self) -> None:
        """At once: how processes say goodbye is tested where they are."""
        for process in reversed(self._processes.values()):
            process.stop(signal.SIGKILL)
        self._processes.clear()

    def log(self, name: str) -> str:
        return self._processes[name].log_tail()

    def rows(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """What the owner of the tables sees, every tenant's rows."""

        async def fetch() -> list[asyncpg.Record]:
            address = self._urls[Role.MIGRATOR].replace("+asyncpg", "")
            connection = await asyncpg.connect(address)
            try:
                found: list[asyncpg.Record] = await connection.fetch(sql, *values)
                return found
            finally:
                await connection.close()

        return _aside(fetch())

    @contextmanager
    def holding(self, sql: str) -> Iterator[None]:
        """Keeps the rows that the statement locks until the end of the block."""
        address = self._urls[Role.MIGRATOR].replace("+asyncpg", "")
        loop = asyncio.new_event_loop()
        thread = Thread(target=loop.run_forever, daemon=True)
        thread.start()

        def wait(work: Coroutine[Any, Any, T]) -> T:
            return asyncio.run_coroutine_threadsafe(work, loop).result(60)

        async def hold() -> asyncpg.Connection:
            connection = await asyncpg.connect(address)
            await connection.execute("BEGIN")
            await connection.execute(sql)
            return connection

        connection = wait(hold())
        try:
            yield
        finally:
            wait(connection.close())
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def mails(self, to: str | None = None) -> list[dict[str, Any]]:
        """Every mail in the mailbox, oldest first."""
        params = {"limit": "10000"} | ({"to": to} if to else {})
        # It reads each of them anew, and there may be thousands.
        answer = httpx.get(f"{self._address('mailbox')}/api/messages", params=params, timeout=180)
        answer.raise_for_status()
        found = answer.json()
        return list(reversed(found["messages"] if isinstance(found, dict) else found))

    def mailbox_fault(self, **wish: Any) -> None:
        httpx.post(f"{self._address('mailbox')}/_faults", json=wish).raise_for_status()

    def stripe_knob(self, knob: str, **wish: Any) -> Any:
        answer = httpx.post(f"{self._address('stripe')}/_emulator/{knob}", json=wish, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def stripe_state(self) -> Any:
        return httpx.get(f"{self._address('stripe')}/_emulator/state", timeout=30).json()

    def forget_limits(self) -> None:
        """Nobody has tried anything yet."""
        queue = Redis.from_url(self._environment["REDIS_URL"])
        for key in queue.scan_iter(f"{KEY_PREFIX}*"):
            queue.delete(key)
        queue.close()

    def run(self, work: Callable[[Any], Any]) -> Any:
        """Runs an async function of the program's services in this process."""
        from src.platform.config import load_settings
        from src.running import open_services

        async def go() -> Any:
            running = open_services(load_settings(self._environment))
            try:
                return await work(running.services)
            finally:
                await running.close()

        return _aside(go())


def _own_port() -> int:
    """None that another worker of this run takes in the same moment: servers that share a port
    answer for each other.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    # The system hands out odd ones alone, or even ones.
    while (port := free_port()) // 2 % MOST_WORKERS != worker % MOST_WORKERS:
        pass
    return port


def _aside(work: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: Playwright keeps a loop running in the one that asks."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(uvloop.run, work).result()


def eventually(
    holds: Callable[[], Any], what: str, seconds: float = WAIT_SECONDS, *, every: float = 0.05
) -> Any:
    """The first true answer; looks again and again, for other processes do not say when."""
    deadline = time.monotonic() + seconds
    while True:
        answer = holds()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s"
        # Another process gives no event to wait for: what it has done is looked up.
        time.sleep(every)


def _forget(redis_url: str) -> None:
    """Jobs, sessions and limits of an earlier program would meet another database."""
    queue = Redis.from_url(redis_url)
    queue.flushdb()
    queue.close()


@contextmanager
def running_program(folder: Path) -> Iterator[Program]:
    """Everything up, over a fresh migrated database; nothing is left of it afterwards."""
    name, urls = own_database()
    redis_url = test_servers().program_valkey_url
    _forget(redis_url)
    program = Program(folder, urls, redis_url)
    try:
        program.start("mailbox", "stripe", "web", "worker", "relay")
        yield program
    finally:
        program.stop()
        drop_database(name)
