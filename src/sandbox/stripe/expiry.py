"""Sessions end by themselves when their time passes, whether anybody looks or not."""

import asyncio
import contextlib

from src.sandbox.stripe.engine import Engine
from src.sandbox.stripe.objects import checkout_sessions

_POLL_SECONDS = 0.5


def expire_due(engine: Engine) -> int:
    """Ends all open sessions whose time has passed; gives their number."""
    due = engine.store.expired_sessions(engine.clock.now())
    for account, session in due:
        with engine.work(account) as work:
            checkout_sessions.end(work, session)
    return len(due)


class ExpiryTask:
    """Looks twice a second, since both the base clock and the knob may jump."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            expire_due(self._engine)
            await asyncio.sleep(_POLL_SECONDS)
