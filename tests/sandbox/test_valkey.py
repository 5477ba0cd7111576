import os
import signal
from pathlib import Path

import pytest
import redis

from src.sandbox.folders import FolderInUseError
from src.sandbox.processes import ChildFailedError
from src.sandbox.server_files import find_valkey
from src.sandbox.valkey import DATABASES, EmbeddedValkey
from tests.sandbox.waiting import is_alive


def connect(server: EmbeddedValkey, database: int = 0) -> "redis.Redis[str]":
    return redis.Redis.from_url(server.url(database), decode_responses=True)


def pid_of(server: EmbeddedValkey) -> int:
    assert server.process is not None
    return server.process.pid


def test_it_answers_once_started_and_is_gone_once_stopped(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "valkey", durable=False) as server:
        pid = pid_of(server)
        with connect(server, DATABASES - 1) as client:
            assert client.ping()
    assert not is_alive(pid)


def test_strangers_are_refused(tmp_path: Path) -> None:
    with (
        EmbeddedValkey(tmp_path / "valkey", durable=False) as server,
        redis.Redis(port=server.port) as stranger,
        pytest.raises(redis.AuthenticationError),
    ):
        stranger.ping()
    assert (tmp_path / "valkey" / "password").stat().st_mode & 0o777 == 0o600


@pytest.mark.faults
@pytest.mark.parametrize(("durable", "kept"), [(True, "olive"), (False, None)])
def test_what_a_killed_server_keeps(tmp_path: Path, durable: bool, kept: str | None) -> None:
    server = EmbeddedValkey(tmp_path / "valkey", durable=durable)
    with server:
        with connect(server) as client:
            client.set("session", "olive")
            client.execute_command("WAITAOF", int(durable), 0, 5000)
        os.kill(pid_of(server), signal.SIGKILL)
    with server, connect(server) as client:
        assert client.get("session") == kept


def test_a_folder_serves_one_server(tmp_path: Path) -> None:
    with (
        EmbeddedValkey(tmp_path / "valkey", durable=False),
        pytest.raises(FolderInUseError, match=str(os.getpid())),
    ):
        EmbeddedValkey(tmp_path / "valkey", durable=False).start()


def test_a_port_that_was_asked_for_is_used_or_refused(tmp_path: Path) -> None:
    with EmbeddedValkey(tmp_path / "first", durable=False) as first:
        second = EmbeddedValkey(tmp_path / "second", first.port, durable=False)
        with pytest.raises(ChildFailedError, match="Address already in use"):
            second.start()


def test_a_server_of_ones_own_choice_goes_first(tmp_path: Path) -> None:
    program = tmp_path / "valkey-server"
    program.touch(mode=0o755)
    assert find_valkey({"SEATLINE_VALKEY_BIN": str(program)}) == program
