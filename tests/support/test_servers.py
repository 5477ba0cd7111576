"""The plugin is driven as people use it: by pytest runs of their own, with and without xdist."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[2]
SECONDS = 60

# Each test leaves a note of where its servers were, so that the runs can be compared afterwards.
SUITE = """
import asyncio, json, os, pathlib
import asyncpg, pytest, redis
from src.sandbox.postgres import Role
from tests.support import servers

NOTES = pathlib.Path(__file__).parent / "notes"

def migrate(url):
    with (NOTES / "migrations").open("a") as file:
        file.write("once\\n")
    async def run():
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        await connection.execute("CREATE TABLE thing (id int); GRANT ALL ON thing TO seatline_app")
        await connection.close()
    asyncio.run(run())

async def insert_and_count(url):
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute("INSERT INTO thing VALUES (1)")
    count = await connection.fetchval("SELECT count(*) FROM thing")
    await connection.close()
    return count

@pytest.mark.parametrize("number", range(6))
def test_servers_are_shared_and_databases_are_not(number):
    template = servers.make_template(migrate)
    urls = servers.fresh_database("own_" + servers.worker_name(), template)
    assert asyncio.run(insert_and_count(urls[Role.APP])) == 1
    found = servers.test_servers()
    store = redis.from_url(found.valkey_url)
    store.set("worker", servers.worker_name())
    assert store.get("worker").decode() == servers.worker_name()
    store.close()
    assert found.valkey_url.endswith(f"/{servers.worker_number()}")
    (NOTES / f"{servers.worker_name()}-{number}").write_text(json.dumps({
        "port": found.postgres.port, "valkey": found.valkey_base_url.rsplit(":", 1)[1],
        "folder": str(servers.run_folder())}))
"""
PURE_SUITE = """
import os
from tests.support import servers

def test_pure():
    assert not (servers.run_folder() / "keeper.log").exists()
"""
WAITING_SUITE = """
import pathlib, time
from tests.support import servers

def test_never_ends():
    servers.test_servers()
    pathlib.Path(__file__).with_name("folder").write_text(str(servers.run_folder()))
    time.sleep(600)
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def start_pytest(folder: Path, content: str, *options: str) -> "subprocess.Popen[bytes]":
    (folder / "test_suite.py").write_text(content)
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "SEATLINE"))
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "xdist", "-p", "tests.support.servers"]
    # A file and not a pipe, which xdist's workers would keep open after their controller's end.
    with (folder / "output").open("w") as output:
        return subprocess.Popen(
            [*command, *options, "-p", "no:cacheprovider", str(folder)],
            cwd=folder,
            env=environment | {"PYTHONPATH": str(CHECKOUT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def run_pytest(folder: Path, content: str, *options: str) -> None:
    with start_pytest(folder, content, *options) as process:
        process.wait(SECONDS)
    assert process.returncode == 0, (folder / "output").read_text()


def notes(folder: Path) -> list[dict[str, str]]:
    paths = [path for path in (folder / "notes").iterdir() if path.name != "migrations"]
    return [json.loads(path.read_text()) for path in paths]


def processes_of(run_folder: str) -> list[psutil.Process]:
    """Whatever runs from, or was started for, this test run's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if run_folder in " ".join(process.cmdline()) or run_folder in process.cwd():
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_one_pair_of_servers_serves_a_run_and_leaves_nothing(
    suite: Path, options: tuple[str, ...]
) -> None:
    run_pytest(suite, SUITE, *options)
    found = notes(suite)
    assert len(found) == 6
    assert len({(note["port"], note["valkey"], note["folder"]) for note in found}) == 1
    assert (suite / "notes" / "migrations").read_text() == "once\n"
    assert processes_of(found[0]["folder"]) == []
    assert not Path(found[0]["folder"]).exists()


def test_pure_tests_start_no_server(suite: Path) -> None:
    run_pytest(suite, PURE_SUITE)


@pytest.mark.faults
def test_servers_do_not_outlive_a_killed_run(suite: Path) -> None:
    with start_pytest(suite, WAITING_SUITE, "-n", "1") as process:
        note = suite / "folder"
        until(lambda: note.exists() and note.read_text() != "")
        assert len(processes_of(note.read_text())) >= 3
        process.send_signal(signal.SIGKILL)
    until(lambda: processes_of(note.read_text()) == [])
    until(lambda: not Path(note.read_text()).exists())


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
