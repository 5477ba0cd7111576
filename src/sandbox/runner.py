"""The whole platform on one machine, with nothing to install: what `make demo` runs.

It starts PostgreSQL, Valkey, the mailbox and the stand-in for Stripe, migrates, loads the demo
businesses, and runs web, worker and relay, until Ctrl-C. Whatever ends it, nothing stays behind.
"""

import argparse
import contextlib
import ctypes
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from src.sandbox.demo_people import LOTUS
from src.sandbox.demo_state import (
    CHECKOUT,
    CONNECT_WEBHOOK_PATH,
    DEFAULT_DATA,
    PLATFORM_WEBHOOK_PATH,
    DemoState,
    PortsTakenError,
    PublicPorts,
    address,
    demo_settings,
    load_state,
    public_ports,
    read_sign_ins,
    write_settings,
)
from src.sandbox.folders import FolderInUseError, FolderLock
from src.sandbox.launch import PR_SET_PDEATHSIG
from src.sandbox.postgres import EmbeddedPostgres
from src.sandbox.processes import ChildFailedError, StopRequested, Supervisor, http_ready
from src.sandbox.server_files import (
    PostgresProgram,
    ServerMissingError,
    choose_data_root,
    fallback_data_root,
    find_postgres,
)
from src.sandbox.valkey import EmbeddedValkey

HEALTH_PATH = "/readyz"
WEB_STOP_SECONDS = 5
LABEL_WIDTH = 16


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 when stopped on request, 1 with a sentence on stderr otherwise."""
    options = _options(arguments)
    if options.die_with_parent and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    os.chdir(CHECKOUT)
    preferred = Path(os.environ.get("SEATLINE_DATA_DIR") or DEFAULT_DATA).absolute()
    try:
        if options.reset:
            reset(preferred)
        else:
            run(preferred, os.environ)
    except FolderInUseError as error:
        return _refuse(f"The demo is running already: {error}")
    except PermissionError as error:
        return _refuse(
            f"{error.filename} is another user's: be that user, or set SEATLINE_DATA_DIR."
        )
    except (ChildFailedError, PortsTakenError, ServerMissingError) as error:
        return _refuse(str(error))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="seatline demo", description=__doc__)
    parser.add_argument(
        "--reset", action="store_true", help="remove the demo's data, start nothing"
    )
    parser.add_argument(
        "--die-with-parent", action="store_true", help="end when the process that started this ends"
    )
    return parser.parse_args(arguments)


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


def run(preferred: Path, environ: Mapping[str, str]) -> None:
    """Returns once everything was stopped on request.

    Raises: PortsTakenError, FolderInUseError, ServerMissingError, ChildFailedError.
    """
    began_at = time.monotonic()
    program = find_postgres(environ)
    root = choose_data_root(preferred, program.identity)
    lock = FolderLock(root)
    lock.acquire()
    try:
        ports = public_ports(environ)
        _run_in(Demo(root, ports, load_state(root, ports), program), environ, began_at)
    finally:
        lock.release()


def _run_in(demo: "Demo", environ: Mapping[str, str], began_at: float) -> None:
    with Supervisor(demo.root / "logs") as supervisor:
        with contextlib.suppress(StopRequested):
            demo.start(supervisor, environ)
            _say(demo.summary(time.monotonic() - began_at))
            supervisor.wait()
        _say("\nStopping ...")
    _say("Stopped; nothing is left running.")


class Demo:
    """One run: what is started, in which order, and what is said about it."""

    def __init__(
        self, root: Path, ports: PublicPorts, state: DemoState, program: PostgresProgram
    ) -> None:
        self.root = root
        self._ports = ports
        self._state = state
        self._program = program

    def start(self, supervisor: Supervisor, environ: Mapping[str, str]) -> None:
        """Returns when the pages answer. Raises: ChildFailedError, StopRequested."""
        environment = self._start_stores(supervisor, environ)
        self._start_stand_ins(supervisor, environment)
        _say("Migrating the database ...")
        supervisor.run("migrate", _cli("db", "upgrade"), environment)
        _say("Loading the demo businesses ...")
        supervisor.run("demo-data", _cli("demo-data", "load"), environment)
        self._start_platform(supervisor, environment)

    def _start_stores(self, supervisor: Supervisor, environ: Mapping[str, str]) -> dict[str, str]:
        _say(f"Starting PostgreSQL {self._program.version} ({self._program.way}) and Valkey ...")
        postgres = EmbeddedPostgres(
            self.root / "postgres", self._state.postgres_port, durable=True, program=self._program
        )
        supervisor.adopt(postgres.start(), postgres.stop)
        postgres.bootstrap_roles()
        valkey = EmbeddedValkey(self.root / "valkey", self._state.valkey_port, durable=True)
        supervisor.adopt(valkey.start(), valkey.stop)
        settings = demo_settings(
            root=self.root,
            ports=self._ports,
            state=self._state,
            postgres=postgres.address,
            redis_url=valkey.url(),
        )
        write_settings(self.root, settings)
        return {**environ, **settings}

    def _start_stand_ins(self, supervisor: Supervisor, environment: Mapping[str, str]) -> None:
        _say("Starting the mailbox and the stand-in for Stripe ...")
        mailbox = supervisor.start("mailbox", self._mailbox_command(), environment)
        stripe = supervisor.start("stripe", self._stripe_command(), environment)
        supervisor.wait_ready(mailbox, http_ready(self._ports.mailbox, "/"))
        supervisor.wait_ready(stripe, http_ready(self._ports.stripe, "/assets/page.css"))

    def _start_platform(self, supervisor: Supervisor, environment: Mapping[str, str]) -> None:
        _say("Starting web, worker and relay ...")
        web = supervisor.start("web", _web_command(self._ports.web), environment)
        supervisor.start("worker", _cli("worker"), environment)
        supervisor.start("relay", _cli("relay"), environment)
        supervisor.wait_ready(web, http_ready(self._ports.web, HEALTH_PATH))

    def _mailbox_command(self) -> list[str]:
        return [
            *_module("src.sandbox.mailbox"),
            f"--smtp-port={self._state.smtp_port}",
            f"--http-port={self._ports.mailbox}",
            f"--data-dir={self.root / 'mailbox'}",
        ]

    def _stripe_command(self) -> list[str]:
        web = address(self._ports.web)
        return [
            *_module("src.sandbox.stripe"),
            f"--port={self._ports.stripe}",
            f"--data-dir={self.root / 'stripe'}",
            f"--secret-key={self._state.stripe_secret_key}",
            f"--platform-webhook-url={web}{PLATFORM_WEBHOOK_PATH}",
            f"--platform-webhook-secret={self._state.platform_webhook_secret}",
            f"--connect-webhook-url={web}{CONNECT_WEBHOOK_PATH}",
            f"--connect-webhook-secret={self._state.connect_webhook_secret}",
        ]

    def summary(self, seconds: float) -> str:
        """Everything to type or click, in one block."""
        places = {
            "Seatline": address(self._ports.web),
            "As a guest": f"{address(self._ports.web)}/b/{LOTUS.slug}",
            "Mailbox": address(self._ports.mailbox),
            "Payments": f"{address(self._ports.stripe)}  (stand-in for Stripe)",
        }
        lines = ["", *(f"  {name:<{LABEL_WIDTH}}{place}" for name, place in places.items())]
        if sign_ins := read_sign_ins(self.root):
            rows = [(found.who, found.where, found.email, found.password) for found in sign_ins]
            lines += ["", "  Sign in as", *(f"    {line}" for line in _columns(rows))]
        lines += ["", f"  Data and logs in {_short(self.root)}"]
        lines += ["  Ctrl-C stops everything; make demo-reset removes the data."]
        return "\n".join([*lines, "", f"ready in {seconds:.1f} s"])


def reset(preferred: Path) -> None:
    """Removes what a demo left. Raises: FolderInUseError while it runs."""
    for root in (preferred, fallback_data_root(preferred)):
        if root.exists():
            lock = FolderLock(root)
            lock.acquire()
            shutil.rmtree(root)
            lock.release()
            _say(f"Removed {_short(root)}.")


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", name]


def _cli(*words: str) -> list[str]:
    return [*_module("src.cli"), *words]


def _web_command(port: int) -> list[str]:
    command = [*_module("granian"), "--interface", "asgi", "--factory"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--loop", "uvloop", "--workers-kill-timeout", str(WEB_STOP_SECONDS)]
    return [*command, "src.app:create_app"]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _short(path: Path) -> str:
    return str(path.relative_to(CHECKOUT) if path.is_relative_to(CHECKOUT) else path)


def _say(message: str) -> None:
    """A terminal that was closed must not keep the rest from being stopped."""
    try:
        print(message, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123  # for the rest of the process


if __name__ == "__main__":
    sys.exit(main())
