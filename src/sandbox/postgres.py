"""A real PostgreSQL server for one machine, which lives as long as the process that started it."""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg
import msgspec

from src.sandbox.folders import FolderLock, write_private
from src.sandbox.postgres_leftovers import end_leftover_server, pid_file_lines
from src.sandbox.processes import (
    LOOPBACK,
    ChildFailedError,
    Process,
    free_port,
    port_is_free,
    run_to_end,
    spawn,
)
from src.sandbox.server_files import PostgresProgram, choose_data_root, find_postgres

DATABASE = "seatline"
START_SECONDS = 60.0
STOP_SECONDS = 30.0
READY_LINE = 7
ATTEMPTS = 3

SETTINGS = {
    "listen_addresses": LOOPBACK,
    # TCP only: the path of a socket has to be short, and a checkout's may be long.
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}
# Everything is lost with the machine and nothing with the process: what a test run needs.
FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
# PostgreSQL 16 and newer: at the usual 4096 rounds, made by both sides, most of what a connection
# costs is its password, which here protects made-up rows on the loopback.
FORGETFUL_SINCE_16 = {"scram_iterations": "1"}


class Role(StrEnum):
    """The roles of docs/adr's tenancy decision, and the server's own superuser."""

    SUPERUSER = "postgres"
    MIGRATOR = "seatline_migrator"
    APP = "seatline_app"
    RELAY = "seatline_relay"
    MONITOR = "seatline_monitor"


ROLE_ATTRIBUTES = {
    Role.MIGRATOR: "NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS",
    Role.APP: "NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS",
    Role.RELAY: "NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS",
    Role.MONITOR: "NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS",
}
# What docker/init-roles.sh sets too.
TIME_LIMITS = {"statement_timeout": "20s", "idle_in_transaction_session_timeout": "30s"}


class PostgresAddress(msgspec.Struct, frozen=True):
    """How to reach a server: enough to use it from another process."""

    port: int
    passwords: dict[str, str]

    def url(self, role: str, database: str = DATABASE) -> str:
        """An address in SQLAlchemy's spelling, `postgresql+asyncpg://...`."""
        return (
            f"postgresql+asyncpg://{role}:{self.passwords[role]}@{LOOPBACK}:{self.port}/{database}"
        )

    def execute(self, database: str, *statements: str, role: str = Role.SUPERUSER) -> None:
        """Runs the statements one after the other, each in a transaction of its own."""
        _in_own_loop(self.plain_url(role, database), statements)

    def plain_url(self, role: str, database: str = DATABASE) -> str:
        """The address as psql and libpq write it."""
        return self.url(role, database).replace("+asyncpg", "")


def _in_own_loop(url: str, statements: Sequence[str]) -> list[list[asyncpg.Record]]:
    """Works whether or not the caller is inside an event loop, which may not be entered twice."""

    async def run() -> list[list[asyncpg.Record]]:
        connection = await asyncpg.connect(url)
        try:
            return [await connection.fetch(statement) for statement in statements]
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, run()).result()


class EmbeddedPostgres:
    """One server with its data, its passwords and its log in one folder.

    `durable=False` gives up safety against a crash of the machine for speed. Port 0 means any free
    one. The folder moves below /var/tmp where the server's user cannot enter it (see `folder`).
    """

    def __init__(
        self,
        data_dir: Path,
        port: int = 0,
        *,
        durable: bool,
        program: PostgresProgram | None = None,
    ) -> None:
        self.program = program or find_postgres()
        self._wanted_folder = data_dir.absolute()
        root = choose_data_root(self._wanted_folder.parent, self.program.identity)
        self.folder = root / self._wanted_folder.name
        self.log_path = self.folder / "postgres.log"
        self.process: Process | None = None
        self._cluster = self.folder / "cluster"
        self._wanted_port = port
        self._durable = durable
        self._lock = FolderLock(self.folder)
        self._address: PostgresAddress | None = None

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

    @property
    def address(self) -> PostgresAddress:
        """Raises: RuntimeError before the start."""
        if self._address is None:
            raise RuntimeError("PostgreSQL has not been started.")
        return self._address

    @property
    def port(self) -> int:
        return self.address.port

    def url(self, role: str, database: str = DATABASE) -> str:
        return self.address.url(role, database)

    def start(self) -> Process:
        """Returns when connections are accepted. A server left by a killed run is ended first.

        Raises: FolderInUseError when a living process uses the folder; ChildFailedError with the
        end of its log.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)
        self._lock.acquire()
        try:
            passwords = self._passwords()
            self._make_cluster(passwords)
            self._own_cluster()
            end_leftover_server(self._cluster)
            return self._start_on_some_port(passwords)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the server, open connections included; the data stays."""
        if self.process is not None:
            self.process.stop(signal.SIGINT, STOP_SECONDS)
            self.process = None
        self._lock.release()

    def discard(self) -> None:
        """Stops the server and removes its data for good."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.parent != self._wanted_folder.parent:
            with contextlib.suppress(OSError):
                self.folder.parent.rmdir()

    def bootstrap_roles(self) -> None:
        """The platform's database and its roles; changes nothing that is right already.

        Rights on tables are not given here: migrations do that, in the revision of the table.
        """
        roles = [_role_sql(role, self.address.passwords[role]) for role in ROLE_ATTRIBUTES]
        self.address.execute("postgres", *roles)
        existing = _in_own_loop(
            self.address.plain_url(Role.SUPERUSER, "postgres"),
            ["SELECT datname FROM pg_database"],
        )
        if DATABASE not in {row["datname"] for row in existing[0]}:
            self.create_database(DATABASE)
        self.address.execute("postgres", *_database_rights(DATABASE))

    def create_database(self, name: str, template: str | None = None) -> None:
        """A database owned by the migrator, which the platform's other roles may connect to."""
        create_database(self.address, name, template)

    def _passwords(self) -> dict[str, str]:
        """One for each role, generated once and kept readable by the owner only."""
        path = self.folder / "passwords.json"
        if path.exists():
            return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        passwords = {role.value: secrets.token_urlsafe(24) for role in Role}
        write_private(path, msgspec.json.encode(passwords))
        return passwords

    def _make_cluster(self, passwords: dict[str, str]) -> None:
        """Made beside its place and moved there, so that half a cluster is never taken for one."""
        if self._cluster.exists():
            self._check_version()
            return
        fresh = self.folder / "cluster.new"
        password_file = self.folder / "superuser.password"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        write_private(password_file, passwords[Role.SUPERUSER].encode())
        self._give(fresh)
        self._give(password_file)
        try:
            run_to_end(
                "PostgreSQL's initdb",
                self._initdb(fresh, password_file),
                log_path=self.folder / "initdb.log",
                environment=self._environment(fresh),
                identity=self.program.identity,
            )
        finally:
            password_file.unlink()
        fresh.replace(self._cluster)

    def _initdb(self, cluster: Path, password_file: Path) -> list[str | Path]:
        command: list[str | Path] = [self.program.binary("initdb"), "-D", cluster]
        command += ["-U", Role.SUPERUSER, "-A", "scram-sha-256", "--pwfile", password_file]
        command += ["-E", "UTF8"]
        if self.program.major_version >= 17:
            command += ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        else:
            command += ["--locale=C" if sys.platform == "darwin" else "--locale=C.UTF-8"]
        if self._durable:
            return command
        # The superuser's password is hashed here, before any setting of the running server.
        return [*command, "--no-sync", *_options(self._hashing())]

    def _hashing(self) -> dict[str, str]:
        """How passwords are kept, where it is not left to the server."""
        return {} if self._durable or self.program.major_version < 16 else FORGETFUL_SINCE_16

    def _check_version(self) -> None:
        made_by = (self._cluster / "PG_VERSION").read_text().strip()
        if made_by != str(self.program.major_version):
            raise ChildFailedError(
                f"{self._cluster} was made by PostgreSQL {made_by} and here is "
                f"{self.program.major_version}: remove {self.folder}, or install the former."
            )

    def _own_cluster(self) -> None:
        """The way PostgreSQL is run may have changed since the cluster was made."""
        if self._cluster.stat().st_uid == self._owner():
            return
        for folder, _folders, files in os.walk(self._cluster):
            for name in (".", *files):
                self._give(Path(folder, name))

    def _owner(self) -> int:
        identity = self.program.identity
        return os.geteuid() if identity.uid is None or identity.mapped else identity.uid

    def _give(self, path: Path) -> None:
        if os.geteuid() == 0:
            group = self.program.identity.gid if self._owner() else 0
            os.chown(path, self._owner(), group or 0, follow_symlinks=False)

    def _environment(self, cluster: Path) -> dict[str, str]:
        """Little of the caller's: libpq inside the server would read what lies in its HOME."""
        return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(cluster), "LC_ALL": "C"}

    def _start_on_some_port(self, passwords: dict[str, str]) -> Process:
        """A free port may be taken by another between the choice and the start: chosen again."""
        attempts = 1 if self._wanted_port else ATTEMPTS
        for attempt in range(1, attempts + 1):
            port = self._wanted_port or free_port()
            try:
                process = self._start_process(port)
            except ChildFailedError:
                if attempt == attempts or port_is_free(port):
                    raise
            else:
                self._address = PostgresAddress(port, passwords)
                return process
        raise AssertionError("the last attempt either returns or raises")

    def _start_process(self, port: int) -> Process:
        settings = SETTINGS | {"port": str(port)} | ({} if self._durable else FORGETFUL)
        options = _options(settings | self._hashing())
        self.process = spawn(
            "PostgreSQL",
            [self.program.binary("postgres"), "-D", self._cluster, *options],
            log_path=self.log_path,
            environment=self._environment(self._cluster),
            death_signal=signal.SIGINT,
            identity=self.program.identity,
        )
        self.process.wait_ready(self._is_ready, START_SECONDS)
        return self.process

    def _is_ready(self) -> bool:
        """What pg_ctl looks at; a port that is open says nothing about recovery."""
        lines = pid_file_lines(self._cluster)
        return len(lines) > READY_LINE and lines[READY_LINE].strip() == "ready"


def create_database(address: PostgresAddress, name: str, template: str | None = None) -> None:
    """A database owned by the migrator, empty or a copy (which nobody may be connected to)."""
    address.execute("postgres", *creation(name, template))


def creation(name: str, template: str | None = None) -> list[str]:
    """The statements of `create_database`, for who has more to say on the same connection."""
    copied = f" TEMPLATE {template} STRATEGY file_copy" if template else ""
    return [f"CREATE DATABASE {name} OWNER {Role.MIGRATOR}{copied}", *_database_rights(name)]


def _options(settings: Mapping[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]


def _database_rights(name: str) -> list[str]:
    return [
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {name} TO {', '.join(ROLE_ATTRIBUTES)}",
    ]


def _role_sql(role: Role, password: str) -> str:
    attributes = f"LOGIN {ROLE_ATTRIBUTES[role]} PASSWORD '{password}'"
    read_only = "on" if role is Role.MONITOR else "off"
    limits = "".join(
        f"ALTER ROLE {role} SET {name} = '{value}';"
        for name, value in TIME_LIMITS.items()
        if role in (Role.APP, Role.RELAY)
    )
    return f"""
    DO $$ BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN
        CREATE ROLE {role} {attributes};
      ELSE
        ALTER ROLE {role} {attributes};
      END IF;
      ALTER ROLE {role} SET default_transaction_read_only = {read_only};
      {limits}
    END $$
    """
