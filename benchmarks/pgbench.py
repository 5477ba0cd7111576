"""pgbench on the measured server: what the same statements cost without a program around them."""

import asyncio
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from benchmarks.stage import Stage

SQL = Path(__file__).with_name("sql")
ROWS_OF_A_RUN = 1_000_000_000
_PER_SECOND = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: ([1-9]\d*)", re.MULTILINE)


@dataclass(frozen=True)
class Pgbench:
    """Runs scripts as the program's own role, so that the same policies hold."""

    stage: Stage
    _runs: "count[int]" = field(default_factory=lambda: count(1))

    async def per_second(self, script: str, *, clients: int, seconds: int, most: int = 1) -> float:
        """Runs of the script per second, each with numbers of its own.

        Raises: RuntimeError when pgbench or one of the runs failed.
        """
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
            file.write(script)
            file.flush()
            said = await _run(
                [
                    *(str(self._binary("pgbench")), "--no-vacuum", "--protocol=prepared"),
                    *(f"--client={clients}", "--jobs=1", f"--time={seconds}"),
                    *(f"--define=run={next(self._runs) * ROWS_OF_A_RUN}", "--define=n=0"),
                    *(f"--define=most={most}", f"--file={file.name}"),
                    self.stage.app_database_url,
                ]
            )
        found = _PER_SECOND.search(said)
        if found is None or _FAILED.search(said):
            raise RuntimeError(f"pgbench said:\n{said}")
        return float(found[1])

    async def psql(self, script: str, variables: Mapping[str, object], *, times: int) -> None:
        """Runs a file of `sql/` so many times. Raises: RuntimeError when a statement failed."""
        command = [str(self._binary("psql")), "-X", "-q", "-t", "-v", "ON_ERROR_STOP=1"]
        command += [f"--set={name}={value}" for name, value in variables.items()]
        command += [f"--file={SQL / script}"] * times
        await _run([*command, self.stage.app_database_url])

    def _binary(self, name: str) -> Path:
        return self.stage.postgres.program.binary(name)


async def _run(command: list[str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "PGCLIENTENCODING": "UTF8"},
    )
    try:
        said, _errors = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} failed:\n{said.decode()}")
    return said.decode()
