"""CPU time and memory of the measured programs, with all of their child processes."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median

import psutil  # type: ignore[import-untyped]  # it ships no types


@dataclass(frozen=True)
class Cpu:
    """Seconds of CPU by program, system time included."""

    seconds: dict[str, float]

    def since(self, earlier: "Cpu") -> "Cpu":
        return Cpu({name: spent - earlier.seconds[name] for name, spent in self.seconds.items()})

    @property
    def total(self) -> float:
        return sum(self.seconds.values())

    def per(self, operations: int) -> dict[str, float]:
        """Milliseconds of each program for one operation."""
        return {name: spent * 1000 / operations for name, spent in self.seconds.items()}


def read_cpu(pids: Mapping[str, int]) -> Cpu:
    return Cpu({name: _tree_seconds(pid) for name, pid in pids.items()})


def _tree_seconds(pid: int) -> float:
    """Living processes by themselves, ended ones through the parent that reaped them."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def largest_rss_mb(pid: int) -> float:
    """Of the one process in the tree that does the work."""
    root = psutil.Process(pid)
    sizes = [process.memory_info().rss for process in (root, *root.children(recursive=True))]
    return float(max(sizes)) / 2**20


def percentile(values: Sequence[float], percent: float) -> float:
    """By nearest rank; the values need no order."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]


def middle(values: Sequence[float]) -> float:
    return median(values)


def describe_machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    gigabytes = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} cores of {model}, {gigabytes:.0f} GB, {platform.system()}"
        f" {platform.release()}, Python {platform.python_version()}"
    )


def load_average() -> float:
    return float(psutil.getloadavg()[0])
