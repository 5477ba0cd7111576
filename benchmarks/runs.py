"""What every scenario needs at hand, and what it hands back."""

import asyncio
import time
from dataclasses import dataclass, field

import asyncpg

from benchmarks.data import Filler
from benchmarks.meters import Cpu, middle, percentile, read_cpu
from benchmarks.pgbench import Pgbench
from benchmarks.recording import Recorder
from benchmarks.stage import Stage

DRAIN_SECONDS = 120.0
_PENDING = (
    "SELECT EXISTS (SELECT FROM outbox WHERE parked_at IS NULL"
    " AND available_at < now() + interval '1 day')"
)


@dataclass(frozen=True)
class Bench:
    """A run's stage, its data and its tools. `rounds` is how often each figure is taken, `lots` how
    many lots of credits the largest business has sold.
    """

    stage: Stage
    filler: Filler
    connection: asyncpg.Connection
    pgbench: Pgbench
    recorder: Recorder
    rounds: int
    lots: int

    def cpu(self) -> Cpu:
        return read_cpu(self.stage.pids)

    async def drain(self) -> float:
        """Waits until nothing is left to do behind the pages; returns how long that took.

        Raises: TimeoutError.
        """
        began_at = time.monotonic()
        await self.until_false(_PENDING, seconds=DRAIN_SECONDS, every_seconds=0.1)
        return time.monotonic() - began_at

    async def until_false(
        self, question: str, *given: object, seconds: float, every_seconds: float
    ) -> None:
        """Asks the database again and again. Raises: TimeoutError."""
        deadline = time.monotonic() + seconds
        while await self.connection.fetchval(question, *given):
            if time.monotonic() > deadline:
                raise TimeoutError(question)
            await asyncio.sleep(every_seconds)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One figure in the table. `baseline` is what pgbench did, in the same unit."""

    what: str
    figure: str
    goal: str = ""
    met: bool | None = None
    baseline: str = ""
    ratio: str = ""
    pretix: str = ""


@dataclass
class Report:
    """The lines of a scenario, and its details in prose or tables."""

    title: str
    lines: list[Line] = field(default_factory=list)
    details: list[str] = field(default_factory=list)


def percentiles(latencies: list[float]) -> str:
    p50, p95, p99 = (percentile(latencies, percent) for percent in (50, 95, 99))
    return f"p50 {p50:.1f} · p95 {p95:.1f} · p99 {p99:.1f} ms"


def shares(spent: list[dict[str, float]]) -> str:
    """The medians of the rounds, by program."""
    return ", ".join(f"{name} {middle([one[name] for one in spent]):.2f}" for name in spent[0])
