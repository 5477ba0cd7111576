"""One PostgreSQL and one Valkey for a whole test run, started when the first test asks for them.

A pytest plugin as well as a library. The process that owns the run (pytest itself, or with xdist
its controller) holds a lock from start to end. Whoever first needs the servers starts a keeper, a
process that has them as its children and waits for that lock: it gets the lock when the owner is
gone, however that happened, then stops the servers and removes their data. Tests that need no
server start none.

    pytest_plugins = ["tests.support.servers"]          # in the top conftest.py

    template = make_template(migrate)                   # migrate(url) runs once in a run
    urls = fresh_database("seatline_gw0", template)     # 20 ms; urls[Role.APP] and so on
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec

from src.sandbox.folders import write_private
from src.sandbox.postgres import EmbeddedPostgres, PostgresAddress, Role, creation
from src.sandbox.valkey import DATABASES, EmbeddedValkey

if TYPE_CHECKING:
    import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
RUN_VARIABLE = "SEATLINE_TEST_RUN"
WORKER_VARIABLE = "PYTEST_XDIST_WORKER"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
TEMPLATE = "seatline_template"


class ServersFailedError(Exception):
    """The keeper could not start the servers; the message ends with its log."""


class TestServers(msgspec.Struct, frozen=True):
    """Where this run's servers are. `valkey_url` has a database number for each xdist worker."""

    __test__: ClassVar[bool] = False

    postgres: PostgresAddress
    valkey_base_url: str

    @property
    def valkey_url(self) -> str:
        return f"{self.valkey_base_url}/{worker_number()}"

    @property
    def program_valkey_url(self) -> str:
        """For processes that run while the worker's other tests empty its own database."""
        return f"{self.valkey_base_url}/{worker_number() + DATABASES // 2}"

    @property
    def key_prefix(self) -> str:
        """For what cannot have a database of its own, such as a channel's name."""
        return f"{worker_name()}:"


class _Run:
    """What the owner of a run knows of it."""

    folder: Path | None = None
    lock: int | None = None


def pytest_configure(config: "pytest.Config") -> None:
    if WORKER_VARIABLE not in os.environ:
        own_run()


def pytest_unconfigure(config: "pytest.Config") -> None:
    if WORKER_VARIABLE not in os.environ:
        end_run()


def own_run() -> None:
    """Makes this process the owner of a run; the servers end with it."""
    folder = Path(tempfile.mkdtemp(prefix="seatline-test-"))
    # The servers' user passes through to its own folder; nobody lists what is here.
    folder.chmod(0o711)
    _Run.folder, _Run.lock = folder, _take(folder / "owner.lock")
    os.environ[RUN_VARIABLE] = str(folder)


def end_run() -> None:
    """Returns when the servers are gone, if there were any, and their data with them."""
    if _Run.folder is None or _Run.lock is None:
        return
    os.close(_Run.lock)
    _until_released(_Run.folder / "keeper.lock")
    shutil.rmtree(_Run.folder, ignore_errors=True)
    _Run.folder = _Run.lock = None
    os.environ.pop(RUN_VARIABLE, None)


def worker_name() -> str:
    """ "gw3" in xdist's fourth worker, "main" without xdist: fit for the name of a database."""
    return os.environ.get(WORKER_VARIABLE, "main")


def worker_number() -> int:
    return int(worker_name().removeprefix("gw")) if WORKER_VARIABLE in os.environ else 0


def test_servers() -> TestServers:
    """The run's servers, started now unless another worker already did."""
    folder = run_folder()
    answer = folder / "servers.json"
    if not answer.exists():
        with _exclusive(folder / "start.lock"):
            if not answer.exists():
                _start_keeper(folder)
    return msgspec.json.decode(answer.read_bytes(), type=TestServers)


test_servers.__test__ = False  # type: ignore[attr-defined]  # pytest would collect it by its name


def make_template(migrate: Callable[[str], None], name: str = TEMPLATE) -> str:
    """A database that `migrate`, given its address as the migrator, filled once in this run.

    Every worker may call it; one does the work and the others wait. Returns its name.
    """
    done = run_folder() / f"{name}.done"
    address = test_servers().postgres
    with _exclusive(run_folder() / f"{name}.lock"):
        if not done.exists():
            fresh_database(name)
            migrate(address.url(Role.MIGRATOR, name))
            # A forgotten connection would block every copy.
            address.execute(
                "postgres",
                f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
            )
            done.touch()
    return name


def fresh_database(name: str, template: str | None = None) -> dict[Role, str]:
    """Makes the database anew, as a copy of the template or empty: its address for each role."""
    address = test_servers().postgres
    gone = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
    address.execute("postgres", gone, *creation(name, template))
    return {role: address.url(role, name) for role in Role}


def drop_database(name: str) -> None:
    """Removes it together with whatever is still connected to it."""
    test_servers().postgres.execute("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def run_folder() -> Path:
    """Shared by every process of this run, and gone after it."""
    if RUN_VARIABLE not in os.environ:
        raise ServersFailedError("Load the plugin first: -p tests.support.servers")
    return Path(os.environ[RUN_VARIABLE])


def _start_keeper(folder: Path) -> None:
    log_path = folder / "keeper.log"
    with log_path.open("wb") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.support.servers", str(folder)],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # It must survive the worker that started it, and a Ctrl-C meant for pytest.
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while not (folder / "servers.json").exists():
        try:
            keeper.wait(0.01)
        except subprocess.TimeoutExpired:
            if time.monotonic() < deadline:
                continue
            keeper.kill()
            keeper.wait()
        raise ServersFailedError(f"The test servers did not start:\n{log_path.read_text()}")
    # Not waited for: it outlives this process, and ends by the owner's lock.
    keeper.returncode = 0


def keep(folder: Path) -> None:
    """Runs the servers until the owner of the run is gone."""
    keeper_lock = _take(folder / "keeper.lock")
    postgres = EmbeddedPostgres(folder / "postgres", durable=False)
    try:
        with postgres, EmbeddedValkey(folder / "valkey", durable=False) as valkey:
            postgres.bootstrap_roles()
            servers = TestServers(postgres.address, valkey.url().removesuffix("/0"))
            write_private(folder / "servers.json", msgspec.json.encode(servers))
            os.close(_take(folder / "owner.lock"))
    finally:
        postgres.discard()
        shutil.rmtree(folder, ignore_errors=True)
        os.close(keeper_lock)


def _take(path: Path) -> int:
    """Waits for the lock and holds it until the descriptor is closed, or the process ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    descriptor = _take(path)
    try:
        yield
    finally:
        os.close(descriptor)


def _until_released(path: Path) -> None:
    """The keeper holds this lock as long as it runs; without one there is nothing to wait for."""
    deadline = time.monotonic() + STOP_SECONDS
    while not _is_free(path) and time.monotonic() < deadline:
        time.sleep(0.01)


def _is_free(path: Path) -> bool:
    """So it is, too, once its holder has removed it, with all that lay beside it."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
