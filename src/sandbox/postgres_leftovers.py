"""What a PostgreSQL server leaves behind when its parent was killed before it could be stopped."""

import contextlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from src.sandbox.processes import ChildFailedError

STOP_SECONDS = 30.0


def end_leftover_server(cluster: Path) -> None:
    """Ends a server on this cluster which outlived its parent, and removes a stale pid file.

    PostgreSQL itself refuses to start when the number in its pid file is some living process's,
    which after a restart of the machine may be anybody's.
    Raises: ChildFailedError when processes of the leftover server do not go away.
    """
    lines = pid_file_lines(cluster)
    if not lines:
        return
    deadline = time.monotonic() + STOP_SECONDS
    asked = False
    while leftovers := _server_processes(cluster, int(lines[0])):
        if not asked and int(lines[0]) in leftovers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(lines[0]), signal.SIGINT)
            asked = True
        if time.monotonic() > deadline:
            raise ChildFailedError(f"A server left on {cluster} does not end: {sorted(leftovers)}.")
        time.sleep(0.02)
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def pid_file_lines(cluster: Path) -> list[str]:
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []
    return lines if lines and re.fullmatch(r"-?\d+", lines[0].strip()) else []


def _server_processes(cluster: Path, pid: int) -> set[int]:
    """Every process of a server works inside its cluster's folder, its backends included."""
    if Path("/proc/self").exists():
        return {
            int(process.name)
            for process in Path("/proc").iterdir()
            if process.name.isdigit() and _works_in(process, cluster)
        }
    command = ["ps", "-p", str(pid), "-o", "command="]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return {pid} if str(cluster) in found else set()


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").samefile(folder)
    except OSError:
        return False
