import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from src.sandbox.demo_state import PublicPorts, load_state
from src.sandbox.folders import FolderLock
from src.sandbox.processes import free_port
from src.sandbox.runner import Demo, main
from src.sandbox.server_files import fallback_data_root, find_postgres
from tests.sandbox.waiting import is_alive, until

CHECKOUT = Path(__file__).resolve().parents[2]
SECONDS = 120.0
PORTS = ("SEATLINE_PORT", "SEATLINE_MAILBOX_PORT", "SEATLINE_STRIPE_PORT")


@pytest.fixture
def data(reachable_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's demo keeps everything, and ports that nobody uses."""
    folder = reachable_folder / "demo"
    monkeypatch.chdir(CHECKOUT)
    monkeypatch.setenv("SEATLINE_DATA_DIR", str(folder))
    for variable in PORTS:
        monkeypatch.setenv(variable, str(free_port()))
    return folder


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_one_sentence_and_nothing_starts(
    data: Path,
    taken_port: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SEATLINE_PORT", str(taken_port))
    assert main([]) == 1
    sentence = f"Port {taken_port} is already in use: set SEATLINE_PORT to another one.\n"
    assert capsys.readouterr() == ("", sentence)
    assert not (data / "postgres").exists()


@pytest.mark.parametrize("arguments", [[], ["--reset"]])
def test_a_second_demo_in_the_same_folder_is_refused(
    data: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    data.mkdir(exist_ok=True)
    first = FolderLock(data)
    first.acquire()
    assert main(arguments) == 1
    first.release()
    said = capsys.readouterr().err
    assert said.startswith("The demo is running already:")
    assert str(os.getpid()) in said


def test_reset_removes_the_data_wherever_it_lies(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for root in (data, fallback_data_root(data)):
        (root / "postgres").mkdir(parents=True)
    assert main(["--reset"]) == 0
    assert not data.exists()
    assert not fallback_data_root(data).exists()
    assert f"Removed {data}." in capsys.readouterr().out


def test_reset_of_nothing_is_no_error(data: Path) -> None:
    assert main(["--reset"]) == 0


def test_what_there_is_to_open_and_who_can_sign_in_is_told(tmp_path: Path) -> None:
    ports = PublicPorts(web=8000, mailbox=8025, stripe=8026)
    (tmp_path / "sign-ins.json").write_text(
        '[{"who": "Olive, owner", "where": "http://127.0.0.1:8000/app/yoga",'
        ' "email": "olive@x.example", "password": "demo"},'
        ' {"who": "Ada", "where": "http://127.0.0.1:8000/admin",'
        ' "email": "ada@x.example", "password": "demo"}]'
    )
    told = Demo(tmp_path, ports, load_state(tmp_path, ports), find_postgres()).summary(6.44)
    assert "  Seatline        http://127.0.0.1:8000\n" in told
    assert "  As a guest      http://127.0.0.1:8000/b/lotus-yoga\n" in told
    assert "  Mailbox         http://127.0.0.1:8025\n" in told
    assert "    Olive, owner  http://127.0.0.1:8000/app/yoga  olive@x.example  demo\n" in told
    assert "    Ada           http://127.0.0.1:8000/admin     ada@x.example    demo\n" in told
    assert told.endswith("ready in 6.4 s")


def start() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "src.sandbox.runner"],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def read_until_ready(demo: "subprocess.Popen[str]") -> str:
    assert demo.stdout is not None
    lines: list[str] = []
    for line in demo.stdout:
        lines.append(line)
        if line.startswith("ready in"):
            return "".join(lines)
    raise AssertionError("".join(lines))


def everything_under(demo: "subprocess.Popen[str]") -> list[int]:
    return [process.pid for process in psutil.Process(demo.pid).children(recursive=True)]


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_demo_works_and_leaves_no_process(data: Path, number: signal.Signals) -> None:
    began_at = time.monotonic()
    with start() as demo:
        told = read_until_ready(demo)
        assert time.monotonic() - began_at < SECONDS, told
        family = everything_under(demo)
        for variable in PORTS[:2]:
            address = f"http://127.0.0.1:{os.environ[variable]}"
            assert address in told
            assert httpx.get(f"{address}/", trust_env=False).status_code == 200
        assert "Sign in as" in told
        os.killpg(demo.pid, number)
        demo.communicate(timeout=SECONDS)
    assert demo.returncode == (0 if number == signal.SIGINT else -number)
    until(lambda: not any(is_alive(pid) for pid in family))
