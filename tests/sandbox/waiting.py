"""What the tests of real processes share: waiting for a fact, and seeing who is alive."""

import time
from collections.abc import Callable

import psutil

SECONDS = 30.0


def until(condition: Callable[[], bool]) -> None:
    """Returns as soon as the condition holds; fails when it does not within half a minute."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """A zombie that nobody has waited for is dead."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
