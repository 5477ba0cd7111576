"""A real Valkey server for one machine, which lives as long as the process that started it."""

import secrets
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from src.sandbox.folders import FolderLock, write_private
from src.sandbox.processes import (
    LOOPBACK,
    ChildFailedError,
    Process,
    free_port,
    port_is_free,
    spawn,
)
from src.sandbox.server_files import find_valkey

START_SECONDS = 30.0
ATTEMPTS = 3
DATABASES = 64


class EmbeddedValkey:
    """One server with its data, its password and its log in one folder.

    With `durable=True` what was written a second ago survives any end of the process; else nothing
    is kept. Port 0 means any free one.
    """

    def __init__(self, data_dir: Path, port: int = 0, *, durable: bool) -> None:
        self.folder = data_dir.absolute()
        self.port = port
        self.process: Process | None = None
        self._program = find_valkey()
        self._wanted_port = port
        self._durable = durable
        self._password = ""
        self._lock = FolderLock(self.folder)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def url(self, database: int = 0) -> str:
        """`redis://...`, with the password; `database` is below DATABASES."""
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/{database}"

    def start(self) -> Process:
        """Returns when commands are accepted, kept data loaded.

        Raises: FolderInUseError when a living process uses the folder; ChildFailedError with the
        end of its log.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock.acquire()
        try:
            self._password = self._stored_password()
            return self._start_on_some_port()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop()
            self.process = None
        self._lock.release()

    def _stored_password(self) -> str:
        path = self.folder / "password"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(24).encode())
        return path.read_text()

    def _start_on_some_port(self) -> Process:
        """A free port may be taken by another between the choice and the start: chosen again."""
        attempts = 1 if self._wanted_port else ATTEMPTS
        for attempt in range(1, attempts + 1):
            self.port = self._wanted_port or free_port()
            self.process = spawn(
                "Valkey",
                # The configuration goes through stdin: the password shows in no list of processes.
                [self._program, "-"],
                log_path=self.folder / "valkey.log",
                stdin=self._configuration().encode(),
                folder=self.folder,
            )
            try:
                self.process.wait_ready(self._answers, START_SECONDS)
            except ChildFailedError:
                if attempt == attempts or port_is_free(self.port):
                    raise
            else:
                return self.process
        raise AssertionError("the last attempt either returns or raises")

    def _configuration(self) -> str:
        lines = [
            f"bind {LOOPBACK}",
            f"port {self.port}",
            f"requirepass {self._password}",
            f"databases {DATABASES}",
            f'dir "{self.folder}"',
            "save ''",
            f"appendonly {'yes' if self._durable else 'no'}",
        ]
        return "\n".join(lines) + "\n"

    def _answers(self) -> bool:
        """True once PING is answered, which is refused while kept data is being loaded."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=5) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\nQUIT\r\n".encode())
                answer = b"".join(iter(lambda: connection.recv(4096), b""))
        except OSError:
            return False
        return b"+PONG" in answer
