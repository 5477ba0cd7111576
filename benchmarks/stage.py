"""Everything that is measured, started for one run on free ports and gone afterwards."""

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from src.sandbox.demo_state import (
    CONNECT_WEBHOOK_PATH,
    PLATFORM_WEBHOOK_PATH,
    DemoState,
    PublicPorts,
    address,
    demo_settings,
    load_state,
)
from src.sandbox.postgres import EmbeddedPostgres, Role
from src.sandbox.processes import Process, Supervisor, free_port, http_ready
from src.sandbox.valkey import EmbeddedValkey

CHECKOUT = Path(__file__).resolve().parents[1]
MEASURED = ("web", "worker", "relay", "postgres", "valkey")


class Stage:
    """PostgreSQL that fsyncs, Valkey, mailbox, stand-in for Stripe, one web process, worker, relay.

    `pids` are the measured programs' outermost processes, by name.
    """

    def __init__(self, supervisor: Supervisor, root: Path) -> None:
        self._supervisor = supervisor
        self._root = root
        self._ports = PublicPorts(web=free_port(), mailbox=free_port(), stripe=free_port())
        self._state: DemoState = load_state(root, self._ports)
        self.pids: dict[str, int] = {}
        self.postgres = EmbeddedPostgres(root / "postgres", self._state.postgres_port, durable=True)
        self.valkey = EmbeddedValkey(root / "valkey", self._state.valkey_port, durable=True)
        self.environment: dict[str, str] = {}

    @property
    def web_port(self) -> int:
        return self._ports.web

    @property
    def stripe_port(self) -> int:
        return self._ports.stripe

    @property
    def database_url(self) -> str:
        """As the server's superuser, in libpq's spelling."""
        return self.postgres.address.plain_url(Role.SUPERUSER, "seatline")

    @property
    def app_database_url(self) -> str:
        """As the program itself connects, in libpq's spelling."""
        return self.postgres.address.plain_url(Role.APP)

    def start(self) -> None:
        """Raises: ChildFailedError, StopRequested."""
        self._start_stores()
        self._start_stand_ins()
        self._supervisor.run("migrate", _module("src.cli", "db", "upgrade"), self.environment)

    def start_platform(self) -> None:
        """Web, worker and relay, once the data is there."""
        web = self._start("web", _web_command(self.web_port))
        self._start("worker", _module("src.cli", "worker"))
        self._start("relay", _module("src.cli", "relay"))
        self._supervisor.wait_ready(web, http_ready(self.web_port, "/readyz"))

    def discard(self) -> None:
        """Once everything has stopped: the data too."""
        self.postgres.discard()
        shutil.rmtree(self._root, ignore_errors=True)

    def _start_stores(self) -> None:
        database = self.postgres.start()
        self._supervisor.adopt(database, self.postgres.stop)
        self.postgres.bootstrap_roles()
        valkey = self.valkey.start()
        self._supervisor.adopt(valkey, self.valkey.stop)
        self.pids |= {"postgres": database.pid, "valkey": valkey.pid}
        self.environment = _settings(self, os.environ)

    def _start_stand_ins(self) -> None:
        mailbox = self._supervisor.start("mailbox", self._mailbox_command(), self.environment)
        stripe = self._supervisor.start("stripe", self._stripe_command(), self.environment)
        self._supervisor.wait_ready(mailbox, http_ready(self._ports.mailbox, "/"))
        self._supervisor.wait_ready(stripe, http_ready(self.stripe_port, "/assets/page.css"))

    def _start(self, name: str, command: list[str]) -> Process:
        process = self._supervisor.start(name, command, self.environment)
        self.pids[name] = process.pid
        return process

    def _mailbox_command(self) -> list[str]:
        return _module(
            "src.sandbox.mailbox",
            f"--smtp-port={self._state.smtp_port}",
            f"--http-port={self._ports.mailbox}",
            f"--data-dir={self._root / 'mailbox'}",
        )

    def _stripe_command(self) -> list[str]:
        return _module(
            "src.sandbox.stripe",
            f"--port={self.stripe_port}",
            f"--data-dir={self._root / 'stripe'}",
            f"--secret-key={self._state.stripe_secret_key}",
            f"--platform-webhook-url={address(self.web_port)}{PLATFORM_WEBHOOK_PATH}",
            f"--platform-webhook-secret={self._state.platform_webhook_secret}",
            f"--connect-webhook-url={address(self.web_port)}{CONNECT_WEBHOOK_PATH}",
            f"--connect-webhook-secret={self._state.connect_webhook_secret}",
        )

    def settings_of_demo(self, environ: Mapping[str, str]) -> dict[str, str]:
        settings = demo_settings(
            root=self._root,
            ports=self._ports,
            state=self._state,
            postgres=self.postgres.address,
            redis_url=self.valkey.url(),
        )
        return {**environ, **settings}


def _settings(stage: Stage, environ: Mapping[str, str]) -> dict[str, str]:
    """As in production where it costs time: logs as JSON. The load's own address is a proxy, so
    that guests can come from many addresses; a cancellation starts without its undo window.
    """
    return {
        **stage.settings_of_demo(environ),
        "LOG_FORMAT": "json",
        "TRUSTED_PROXIES": "127.0.0.1",
        "UNDO_WINDOW_SECONDS": "0",
    }


def make_root() -> Path:
    """A folder that PostgreSQL's own user may pass through."""
    root = Path(tempfile.mkdtemp(prefix="seatline-bench-", dir="/var/tmp"))
    root.chmod(0o711)
    return root


def _module(name: str, *options: str) -> list[str]:
    return [sys.executable, "-m", name, *options]


def _web_command(port: int) -> list[str]:
    return _module(
        "granian",
        "--interface=asgi",
        "--factory",
        "--host=127.0.0.1",
        f"--port={port}",
        "--workers=1",
        "--loop=uvloop",
        "--workers-kill-timeout=5",
        "src.app:create_app",
    )
