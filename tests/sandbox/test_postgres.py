import asyncio
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from src.sandbox.folders import FolderInUseError
from src.sandbox.postgres import EmbeddedPostgres, Role
from src.sandbox.processes import ChildFailedError, free_port
from src.sandbox.server_files import find_postgres, refusal, ways_to_run
from tests.sandbox.waiting import is_alive, until

CHECKOUT = Path(__file__).resolve().parents[2]
SITE_PACKAGES = Path(asyncpg.__file__).parents[1]

PARENT = """
import pathlib, sys, time
from src.sandbox.postgres import EmbeddedPostgres
from src.sandbox.server_files import find_postgres, ways_to_run
program = find_postgres()
for other in ways_to_run(program.folder, program.version):
    program = other if other.way == sys.argv[2] else program
server = EmbeddedPostgres(pathlib.Path(sys.argv[1]), durable=True, program=program)
server.start()
print(server.process.pid, flush=True)
time.sleep(600)
"""
ORDINARY = """
import os, pathlib, sys
from src.sandbox.postgres import EmbeddedPostgres, Role
assert os.geteuid() != 0
with EmbeddedPostgres(pathlib.Path(sys.argv[1], "postgres"), durable=False) as server:
    server.bootstrap_roles()
    server.address.execute("seatline", "CREATE TABLE thing (id int)", role=Role.MIGRATOR)
    print(server.program.way)
"""


@pytest.fixture(scope="module")
def server(reachable_folder: Path) -> Iterator[EmbeddedPostgres]:
    """As `make test` has it: fast, and gone afterwards."""
    with EmbeddedPostgres(reachable_folder / "postgres", durable=False) as running:
        running.bootstrap_roles()
        yield running


@pytest.fixture(scope="module")
def durable(reachable_folder: Path) -> EmbeddedPostgres:
    """As `make demo` has it; each test starts it again on the same data."""
    return EmbeddedPostgres(reachable_folder / "durable", durable=True)


def ask(server: EmbeddedPostgres, role: Role, query: str, database: str = "seatline") -> Any:
    async def run() -> Any:
        connection = await asyncpg.connect(server.address.plain_url(role, database))
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(run())


def start_parent(data_dir: Path, way: str = "") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, str(data_dir), way],
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def first_line(parent: "subprocess.Popen[str]") -> str:
    assert parent.stdout is not None
    return parent.stdout.readline()


def test_urls_are_in_sqlalchemy_s_spelling(server: EmbeddedPostgres) -> None:
    url = server.url(Role.APP)
    assert url.startswith("postgresql+asyncpg://seatline_app:")
    assert url.endswith(f"@127.0.0.1:{server.port}/seatline")


@pytest.mark.parametrize("role", list(Role))
def test_every_role_can_connect(server: EmbeddedPostgres, role: Role) -> None:
    assert ask(server, role, "SELECT current_user") == role


@pytest.mark.parametrize(
    ("role", "bypasses"),
    [(Role.MIGRATOR, True), (Role.APP, False), (Role.RELAY, False), (Role.MONITOR, True)],
)
def test_who_sees_past_row_level_security(
    server: EmbeddedPostgres, role: Role, bypasses: bool
) -> None:
    query = "SELECT (rolsuper, rolbypassrls, rolcreaterole, rolcreatedb)::text FROM pg_roles "
    found = ask(server, role, query + "WHERE rolname = current_user")
    assert found == f"(f,{'t' if bypasses else 'f'},f,f)"


def test_a_wrong_password_is_refused(server: EmbeddedPostgres) -> None:
    url = server.address.plain_url(Role.APP).replace(server.address.passwords[Role.APP], "guess")
    with pytest.raises(asyncpg.InvalidPasswordError):
        asyncio.run(asyncpg.connect(url))
    assert (server.folder / "passwords.json").stat().st_mode & 0o777 == 0o600


def test_only_the_migrator_makes_tables(server: EmbeddedPostgres) -> None:
    server.address.execute("seatline", "CREATE TABLE made (id int)", role=Role.MIGRATOR)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        server.address.execute("seatline", "CREATE TABLE unmade (id int)", role=Role.APP)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        ask(server, Role.APP, "SELECT count(*) FROM made")


def test_the_monitor_cannot_write_even_by_mistake(server: EmbeddedPostgres) -> None:
    server.address.execute(
        "seatline",
        "CREATE TABLE watched (id int)",
        f"GRANT ALL ON watched TO {Role.MONITOR}",
        role=Role.MIGRATOR,
    )
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        server.address.execute("seatline", "INSERT INTO watched VALUES (1)", role=Role.MONITOR)


def test_the_migrator_can_install_what_exclusion_constraints_need(server: EmbeddedPostgres) -> None:
    server.address.execute("seatline", "CREATE EXTENSION btree_gist", role=Role.MIGRATOR)


def test_bootstrapping_again_changes_nothing(server: EmbeddedPostgres) -> None:
    server.address.execute("seatline", "CREATE TABLE kept (id int)", role=Role.MIGRATOR)
    server.bootstrap_roles()
    assert ask(server, Role.MIGRATOR, "SELECT count(*) FROM kept") == 0


def test_a_copy_has_the_template_s_tables_and_its_own_rows(server: EmbeddedPostgres) -> None:
    server.create_database("pattern")
    server.address.execute("pattern", "CREATE TABLE thing (id int)", role=Role.MIGRATOR)
    for name in ("copy_1", "copy_2"):
        server.create_database(name, "pattern")
    server.address.execute("copy_1", "INSERT INTO thing VALUES (1)", role=Role.MIGRATOR)
    assert ask(server, Role.MIGRATOR, "SELECT count(*) FROM thing", "copy_1") == 1
    assert ask(server, Role.MIGRATOR, "SELECT count(*) FROM thing", "copy_2") == 0


def test_statements_run_inside_an_event_loop_too(server: EmbeddedPostgres) -> None:
    async def inside() -> None:
        server.address.execute("seatline", "SELECT 1")

    asyncio.run(inside())


@pytest.mark.slow
def test_only_a_test_server_forgets(server: EmbeddedPostgres, durable: EmbeddedPostgres) -> None:
    assert ask(server, Role.SUPERUSER, "SHOW fsync") == "off"
    with durable:
        assert ask(durable, Role.SUPERUSER, "SHOW fsync", "postgres") == "on"


def test_a_folder_serves_one_server(server: EmbeddedPostgres) -> None:
    with pytest.raises(FolderInUseError, match=str(os.getpid())):
        EmbeddedPostgres(server.folder, durable=False).start()


def test_a_taken_port_is_named(server: EmbeddedPostgres, durable: EmbeddedPostgres) -> None:
    second = EmbeddedPostgres(durable.folder, server.port, durable=True)
    with pytest.raises(ChildFailedError, match=r"PostgreSQL stopped[\s\S]*Address already in use"):
        second.start()


def test_data_of_another_version_is_not_touched(reachable_folder: Path) -> None:
    server = EmbeddedPostgres(reachable_folder / "old", durable=False)
    cluster = server.folder / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("9\n")
    with pytest.raises(ChildFailedError, match="was made by PostgreSQL 9"):
        server.start()
    assert sorted(path.name for path in cluster.iterdir()) == ["PG_VERSION"]


@pytest.mark.slow
def test_half_a_cluster_is_made_anew(reachable_folder: Path) -> None:
    server = EmbeddedPostgres(reachable_folder / "half", durable=False)
    half = server.folder / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("17\n")
    with server:
        assert ask(server, Role.SUPERUSER, "SELECT 1", "postgres") == 1
    server.discard()
    assert not server.folder.exists()


@pytest.mark.faults
def test_a_killed_parent_leaves_no_server_and_its_data_stays(durable: EmbeddedPostgres) -> None:
    with start_parent(durable.folder) as parent:
        pid = int(first_line(parent))
        server_processes = [pid, *(child.pid for child in psutil.Process(pid).children())]
        parent.send_signal(signal.SIGKILL)
    until(lambda: not any(is_alive(process) for process in server_processes))
    with EmbeddedPostgres(durable.folder, port := free_port(), durable=True) as again:
        assert ask(again, Role.SUPERUSER, "SELECT 1", "postgres") == 1
        assert again.port == port


@pytest.mark.faults
def test_a_server_that_outlived_its_parent_is_ended_first(durable: EmbeddedPostgres) -> None:
    durable.start()
    assert durable.process is not None
    left = durable.process.pid
    # As after a kill where the kernel does not tell children: the lock is free, the server is not.
    durable._lock.release()
    with EmbeddedPostgres(durable.folder, durable=True) as again:
        assert not is_alive(left)
        assert ask(again, Role.SUPERUSER, "SELECT 1", "postgres") == 1
    durable.stop()


@pytest.mark.faults
def test_a_pid_file_of_before_the_restart_of_the_machine_is_no_obstacle(
    durable: EmbeddedPostgres,
) -> None:
    with durable:
        pass
    stale = durable.folder / "cluster" / "postmaster.pid"
    # The number now belongs to a process that has nothing to do with it: this one.
    stale.write_text(f"{os.getpid()}\n{stale.parent}\n1\n5432\n\n127.0.0.1\n\nready   \n")
    with durable:
        assert ask(durable, Role.SUPERUSER, "SELECT 1", "postgres") == 1


@pytest.mark.slow
def test_it_runs_for_an_ordinary_user(reachable_folder: Path) -> None:
    home = reachable_folder / "home"
    home.mkdir()
    command = [*ordinary_user(home), "-c", ORDINARY, str(home)]
    environment = {"PYTHONPATH": f"{CHECKOUT}:{SITE_PACKAGES}", "PATH": os.environ["PATH"]}
    result = subprocess.run(
        command, env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    assert result.stdout == "as yourself\n", result.stderr


def ordinary_user(home: Path) -> list[str]:
    """Starts Python as somebody who is not root, by what this machine has for it."""
    if os.geteuid() != 0:
        return [sys.executable]
    launcher = [sys.executable, "-IS", str(CHECKOUT / "src" / "sandbox" / "launch.py")]
    launcher += [f"--parent={os.getpid()}", "--signal=15"]
    nobody = pwd.getpwnam("nobody")
    python = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    if Path(python).exists() and all(is_open(path) for path in (CHECKOUT, SITE_PACKAGES)):
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        return [*launcher, f"--user={nobody.pw_uid}:{nobody.pw_gid}", "--", python]
    return [*launcher, f"--map-user={nobody.pw_uid}", "--", sys.executable]


def is_open(folder: Path) -> bool:
    """Whether everybody can read what lies in it; a checkout in root's own folder they cannot."""
    return bool(folder.stat().st_mode & 0o004) and all(
        path.stat().st_mode & 0o001 for path in (folder, *folder.parents)
    )


if os.geteuid() == 0:

    @pytest.mark.slow
    @pytest.mark.faults
    def test_every_way_to_run_as_root_works_and_dies_with_its_parent(
        reachable_folder: Path,
    ) -> None:
        first = find_postgres()
        ways = list(ways_to_run(first.folder, first.version))
        # Data made in one way has to be usable in the next, so the last resort comes first here.
        for way in [program.way for program in reversed(ways) if refusal(program) is None]:
            with start_parent(reachable_folder / "ways", way) as parent:
                pid = int(first_line(parent))
                assert "CapEff:\t0000000000000000" in Path(f"/proc/{pid}/status").read_text()
                parent.send_signal(signal.SIGKILL)
            until(lambda pid=pid: not is_alive(pid))
