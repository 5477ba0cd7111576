import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from src.sandbox.processes import (
    ChildFailedError,
    StopRequested,
    Supervisor,
    free_port,
    http_ready,
    port_is_free,
    run_to_end,
    spawn,
    tcp_ready,
)
from tests.sandbox.waiting import is_alive, until

CHECKOUT = Path(__file__).resolve().parents[2]
SLEEPER = ["/bin/sh", "-c", "sleep 600 & echo $! > pid; wait"]
ENVIRONMENT = dict(os.environ)

PARENT = """
import pathlib, sys, time
from src.sandbox.processes import spawn
log = pathlib.Path("child.log")
command = ["/bin/sleep", "600"]
watched = sys.argv[1] == "watched"
child = spawn("child", command, log_path=log, watched=watched, grace_seconds=0.2)
pathlib.Path("pids.new").write_text(str(child.pid))
pathlib.Path("pids.new").rename("pids")
time.sleep(600)
"""
SUPERVISED = """
import pathlib, sys
from src.sandbox.processes import ChildFailedError, Supervisor
with Supervisor(pathlib.Path("logs")) as supervisor:
    first = supervisor.start("first", ["/bin/sleep", "600"], {})
    second = supervisor.start("second", ["/bin/sh", "-c", sys.argv[1]], {})
    pathlib.Path("pids.new").write_text(f"{first.pid} {second.pid}")
    pathlib.Path("pids.new").rename("pids")
    try:
        supervisor.wait()
    except ChildFailedError as error:
        sys.exit(str(error))
"""


def start_python(folder: Path, program: str, *arguments: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env=ENVIRONMENT | {"PYTHONPATH": str(CHECKOUT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: (folder / "pids").exists() or process.poll() is not None)
    return process


def pids(folder: Path) -> list[int]:
    return [int(pid) for pid in (folder / "pids").read_text().split()]


def test_output_goes_to_the_log_and_the_one_before_is_kept(tmp_path: Path) -> None:
    log_path = tmp_path / "greeting.log"
    for word in ("first", "second"):
        run_to_end("greeting", ["/bin/echo", word], log_path=log_path)
    assert log_path.read_text() == "second\n"
    assert (tmp_path / "greeting.previous.log").read_text() == "first\n"


def test_log_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    run_to_end("greeting", ["/bin/echo"], log_path=tmp_path / "greeting.log")
    assert (tmp_path / "greeting.log").stat().st_mode & 0o777 == 0o600


def test_failure_names_the_child_its_status_and_its_last_words(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "seq 100; echo no space left; exit 3"]
    with pytest.raises(ChildFailedError) as caught:
        run_to_end("Copying", command, log_path=tmp_path / "copying.log")
    assert "Copying stopped (exit status 3)" in str(caught.value)
    assert "no space left" in str(caught.value)
    assert "    50\n" not in str(caught.value)


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChildFailedError, match="/no/such/program: No such file"):
        run_to_end("It", ["/no/such/program"], log_path=tmp_path / "it.log")


def test_end_by_a_signal_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(ChildFailedError, match="by signal SIGKILL"):
        run_to_end("It", ["/bin/sh", "-c", "kill -9 $$"], log_path=tmp_path / "it.log")


def test_a_run_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(ChildFailedError, match="had not ended after 0 s"):
        run_to_end("It", ["/bin/sleep", "600"], log_path=tmp_path / "it.log", seconds=0.1)


def test_input_can_be_given(tmp_path: Path) -> None:
    process = spawn("cat", ["/bin/cat"], log_path=tmp_path / "cat.log", stdin=b"a secret")
    assert process.wait(10) == 0
    assert (tmp_path / "cat.log").read_text() == "a secret"


@pytest.mark.parametrize("watched", [False, True])
def test_stop_leaves_nothing_of_the_process_group(tmp_path: Path, watched: bool) -> None:
    process = spawn("it", SLEEPER, log_path=tmp_path / "it.log", folder=tmp_path, watched=watched)
    until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
    grandchild = int((tmp_path / "pid").read_text())
    process.stop()
    assert process.returncode() is not None
    until(lambda: not is_alive(grandchild))


def test_stop_insists_when_asking_does_not_help(tmp_path: Path) -> None:
    deaf = ["/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"]
    process = spawn("deaf", deaf, log_path=tmp_path / "deaf.log")
    until(lambda: (tmp_path / "deaf.log").read_text() == "deaf\n")
    process.stop(seconds=0.1)
    assert process.returncode() == -signal.SIGKILL


def test_exit_status_passes_through_the_watching_process(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", "exit 7"]
    process = spawn("it", command, log_path=tmp_path / "it.log", watched=True)
    assert process.wait(10) == 7
    process.stop()


@pytest.mark.faults
@pytest.mark.parametrize("way", ["by-the-kernel", "watched"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_children_die_with_their_parent(tmp_path: Path, way: str, number: signal.Signals) -> None:
    with start_python(tmp_path, PARENT, way) as parent:
        (child,) = pids(tmp_path)
        family = [child, *(process.pid for process in psutil.Process(child).children())]
        assert all(is_alive(pid) for pid in family)
        parent.send_signal(number)
        parent.communicate()
    until(lambda: not any(is_alive(pid) for pid in family))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_supervisor_stops_all_when_asked(tmp_path: Path, number: signal.Signals) -> None:
    with start_python(tmp_path, SUPERVISED, "sleep 600") as parent:
        parent.send_signal(number)
        _, errors = parent.communicate()
    assert (parent.returncode, errors) == (0, "")
    assert not any(is_alive(pid) for pid in pids(tmp_path))


def test_supervisor_says_which_child_ended_and_stops_the_rest(tmp_path: Path) -> None:
    program = "read line < go; echo out of paper; exit 4"
    os.mkfifo(tmp_path / "go")
    with start_python(tmp_path, SUPERVISED, program) as parent:
        (tmp_path / "go").write_text("go\n")
        _, errors = parent.communicate()
    assert "second stopped (exit status 4)" in errors
    assert "out of paper" in errors
    assert not any(is_alive(pid) for pid in pids(tmp_path))


def test_children_stop_in_reverse_order(tmp_path: Path) -> None:
    order: list[str] = []
    with Supervisor(tmp_path / "logs") as supervisor:
        for name in ("postgres", "web"):
            process = spawn(name, ["/bin/sleep", "600"], log_path=tmp_path / f"{name}.log")
            supervisor.adopt(process, lambda n=name, p=process: (order.append(n), p.stop()))
    assert order == ["web", "postgres"]


def test_a_command_is_cut_short_when_a_stop_is_asked_for(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", f"kill -TERM {os.getpid()}; sleep 600"]
    with Supervisor(tmp_path / "logs") as supervisor, pytest.raises(StopRequested):
        supervisor.run("it", command, ENVIRONMENT)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_waiting_for_one_child_notices_the_end_of_another(tmp_path: Path) -> None:
    with (
        Supervisor(tmp_path / "logs") as supervisor,
        pytest.raises(ChildFailedError, match="hasty stopped"),
    ):
        slow = supervisor.start("slow", ["/bin/sleep", "600"], ENVIRONMENT)
        supervisor.start("hasty", ["/bin/false"], ENVIRONMENT)
        supervisor.wait_ready(slow, lambda: False)


def test_a_child_that_never_becomes_ready_is_named(tmp_path: Path) -> None:
    with (
        Supervisor(tmp_path / "logs") as supervisor,
        pytest.raises(ChildFailedError, match="slow was not ready after 0 s"),
    ):
        slow = supervisor.start("slow", ["/bin/sleep", "600"], ENVIRONMENT)
        supervisor.wait_ready(slow, tcp_ready(free_port()), seconds=0.1)


def test_ready_means_that_requests_are_answered(tmp_path: Path) -> None:
    port = free_port()
    assert not http_ready(port, "/")()
    with Supervisor(tmp_path / "logs") as supervisor:
        command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
        server = supervisor.start("server", command, ENVIRONMENT)
        supervisor.wait_ready(server, http_ready(port, "/"))
        assert tcp_ready(port)()
        assert not port_is_free(port)


def test_a_port_is_taken_while_somebody_listens() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        assert not port_is_free(listener.getsockname()[1])
    assert port_is_free(listener_port := free_port()), listener_port


@pytest.mark.faults
def test_a_deaf_child_of_a_killed_parent_is_killed_too(tmp_path: Path) -> None:
    deaf = "trap '' TERM; while :; do sleep 0.1; done"
    program = PARENT.replace('["/bin/sleep", "600"]', f'["/bin/sh", "-c", {deaf!r}]')
    with start_python(tmp_path, program, "watched") as parent:
        watcher = psutil.Process(*pids(tmp_path))
        until(lambda: bool(watcher.children(recursive=True)[1:]))
        family = [process.pid for process in (watcher, *watcher.children(recursive=True))]
        parent.send_signal(signal.SIGKILL)
        parent.communicate()
    until(lambda: not any(is_alive(pid) for pid in family))
