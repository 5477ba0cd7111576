"""Child processes that end with their parent, whatever ends it, and a supervisor over several.

Everything here is meant for one main thread: on Linux the kernel ties a child to the *thread* that
started it, and signal handlers can only be set there.
"""

import contextlib
import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

LAUNCHER = Path(__file__).with_name("launch.py")
LOOPBACK = "127.0.0.1"
TAIL_LINES = 15
STOP_SECONDS = 10.0
READY_SECONDS = 60.0

Ready = Callable[[], bool]


class ChildFailedError(Exception):
    """A child could not start, ended when it should not, or never became ready."""


class StopRequested(Exception):
    """Somebody asked for the end (Ctrl-C, SIGTERM, or the terminal was closed)."""


@dataclass(frozen=True)
class Identity:
    """As whom a child runs. `mapped` keeps one's own files but appears as `uid` (Linux only)."""

    uid: int | None = None
    gid: int | None = None
    mapped: bool = False

    def launcher_options(self) -> list[str]:
        if self.uid is None:
            return []
        if self.mapped:
            return [f"--map-user={self.uid}"]
        return [f"--user={self.uid}:{self.gid}"]


ONESELF = Identity()


class Process:
    """One running child; made by `spawn`."""

    def __init__(
        self, name: str, popen: subprocess.Popen[bytes], log_path: Path, lifeline: int | None
    ) -> None:
        self.name = name
        self.log_path = log_path
        self._popen = popen
        self._lifeline = lifeline

    @property
    def pid(self) -> int:
        return self._popen.pid

    def returncode(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._popen.poll()

    def wait(self, seconds: float) -> int | None:
        """Its return code, as soon as it ends within the time; else None."""
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, number: int = signal.SIGTERM, seconds: float = STOP_SECONDS) -> None:
        """Asks by the signal, then insists; afterwards nothing of its process group is left."""
        if self.returncode() is None:
            self._popen.send_signal(number)
            self.wait(seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    def log_tail(self) -> str:
        lines = self.log_path.read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-TAIL_LINES:]) or "    (it said nothing)"

    def failure(self, what: str) -> ChildFailedError:
        return ChildFailedError(
            f"{self.name} {what}. The end of {self.log_path}:\n{self.log_tail()}"
        )

    def ended(self) -> ChildFailedError:
        return self.failure(f"stopped ({_describe(self.returncode())})")

    def wait_ready(self, ready: Ready, seconds: float = READY_SECONDS) -> None:
        """Returns once `ready()` holds. Raises: ChildFailedError when it ends or takes longer."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.wait(0.01) is not None:
                raise self.ended()
            if time.monotonic() > deadline:
                raise self.failure(f"was not ready after {seconds:.0f} s")


def _describe(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return f"by signal {signal.Signals(-returncode).name}"
    return f"exit status {returncode}"


def spawn(
    name: str,
    command: Sequence[str | Path],
    *,
    log_path: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    death_signal: int = signal.SIGTERM,
    identity: Identity = ONESELF,
    stdin: bytes | None = None,
    watched: bool = sys.platform != "linux",
    grace_seconds: float = STOP_SECONDS,
) -> Process:
    """Starts the command with its output in `log_path` (the one before is kept as `.previous`).

    The child gets `death_signal` when this process ends in any way, SIGKILL included. It has a
    process group of its own, so that Ctrl-C in a terminal reaches only the parent.
    `watched` puts a small process in between, which does what only Linux's kernel does and, should
    the child not heed the signal within `grace_seconds`, kills it.
    """
    lifeline: tuple[int, int] | None = os.pipe() if watched else None
    options = [f"--parent={os.getpid()}", f"--signal={int(death_signal)}"]
    options += identity.launcher_options()
    options += [f"--watch={lifeline[0]}", f"--grace={grace_seconds}"] if lifeline else []
    try:
        with _open_log(log_path) as log:
            popen = subprocess.Popen(
                [sys.executable, "-IS", str(LAUNCHER), *options, "--", *map(str, command)],
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
                start_new_session=True,
                pass_fds=[lifeline[0]] if lifeline else [],
            )
    finally:
        if lifeline:
            os.close(lifeline[0])
    if stdin is not None and popen.stdin is not None:
        _feed(popen.stdin, stdin)
    return Process(name, popen, log_path, lifeline[1] if lifeline else None)


def _open_log(path: Path) -> IO[bytes]:
    if path.exists():
        path.replace(path.with_suffix(".previous" + path.suffix))
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb")


def _feed(pipe: IO[bytes], content: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), pipe:
        pipe.write(content)


def run_to_end(
    name: str,
    command: Sequence[str | Path],
    *,
    log_path: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    identity: Identity = ONESELF,
    seconds: float = 300.0,
) -> None:
    """Runs the command to its end. Raises: ChildFailedError unless that is in time and well."""
    process = spawn(
        name,
        command,
        log_path=log_path,
        environment=environment,
        folder=folder,
        identity=identity,
    )
    returncode = process.wait(seconds)
    process.stop()
    if returncode is None:
        raise process.failure(f"had not ended after {seconds:.0f} s")
    if returncode != 0:
        raise process.ended()


def tcp_ready(port: int) -> Ready:
    """True once something listens on the port of this machine."""

    def ready() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, port)) == 0

    return ready


def http_ready(port: int, path: str) -> Ready:
    """True once a GET is answered by anything but a server error."""

    def ready() -> bool:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ready


_given: set[int] = set()


def free_port() -> int:
    """A TCP port of this machine that nobody listens on now, and another each time a process asks:
    what is to listen on the last one may not have begun.
    """
    while True:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port: int = probe.getsockname()[1]
        if port not in _given:
            _given.add(port)
            return port


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        # What every server does: ports of connections that are merely closing count as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


@dataclass
class _Supervised:
    process: Process
    stop: Callable[[], None]


@dataclass
class Supervisor:
    """Holds several children: they stop in reverse order when the `with` block is left.

    Inside the block SIGINT, SIGTERM and SIGHUP raise nothing by themselves; they make the next
    waiting method raise StopRequested, so that no stop is ever cut in half by an impatient Ctrl-C.
    """

    logs: Path
    _children: list[_Supervised] = field(default_factory=list)
    _stopping: bool = False
    _woken: int = -1
    _waker: int = -1
    _handlers: dict[int, object] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        os.set_blocking(self._woken, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, self._request_stop)
        self._handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        signal.set_wakeup_fd(-1)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # as signal() returned it
        os.close(self._woken)
        os.close(self._waker)

    def start(
        self, name: str, command: Sequence[str | Path], environment: Mapping[str, str]
    ) -> Process:
        """Starts a child and watches it from now on; does not wait for it to be ready."""
        process = spawn(
            name,
            command,
            log_path=self.logs / f"{name}.log",
            environment=environment,
            watched=True,
        )
        self.adopt(process, process.stop)
        return process

    def adopt(self, process: Process, stop: Callable[[], None]) -> None:
        """Watches a child that was started elsewhere; `stop` is how it is ended in its turn."""
        self._children.append(_Supervised(process, stop))

    def run(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
        """Runs a command to its end, with status 0, while the others are watched.

        Raises: ChildFailedError, StopRequested.
        """
        process = spawn(name, command, log_path=self.logs / f"{name}.log", environment=environment)
        try:
            while process.returncode() is None:
                self._pause(None)
        finally:
            process.stop()
        if process.returncode() != 0:
            raise process.ended()

    def wait_ready(self, process: Process, ready: Ready, seconds: float = READY_SECONDS) -> None:
        """Raises: ChildFailedError when any child ends, or this one takes longer; StopRequested."""
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                raise process.failure(f"was not ready after {seconds:.0f} s")
            self._pause(0.02)

    def wait(self) -> None:
        """Returns when a stop is asked for. Raises: ChildFailedError when a child just ends."""
        with contextlib.suppress(StopRequested):
            while True:
                self._pause(None)

    def stop(self) -> None:
        """Stops every child, the latest first; safe to call again."""
        while self._children:
            self._children.pop().stop()

    def _pause(self, seconds: float | None) -> None:
        """Waits for a signal, which the end of a child is too, or for the time to pass."""
        self._check()
        select.select([self._woken], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 512)
        self._check()

    def _check(self) -> None:
        if self._stopping:
            raise StopRequested
        for child in self._children:
            if child.process.returncode() is not None:
                raise child.process.ended()

    def _request_stop(self, _number: int, _frame: object) -> None:
        self._stopping = True
