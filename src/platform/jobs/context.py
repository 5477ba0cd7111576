"""What a consumer is given: its tenant, the time, and transactions of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text

from src.platform.clock import Clock
from src.platform.db.uow import UnitOfWork, UowFactory
from src.platform.outbox.writer import FollowUp

_FINISH = text("DELETE FROM outbox WHERE tenant_id = :tenant_id AND id = :outbox_id RETURNING id")


class AlreadyDone(Exception):
    """Another run of the same row finished first; this one must leave no trace."""


@dataclass(frozen=True, slots=True)
class JobContext:
    """Carried into every consumer. `services` are the running program's.

    `follow_ups` is what its transactions left to be done by the same worker.
    """

    tenant_id: UUID
    outbox_id: UUID
    attempt: int
    clock: Clock
    uow_factory: UowFactory
    services: Any
    follow_ups: list[FollowUp] = field(default_factory=list)

    @asynccontextmanager
    async def unit_of_work(self, *, done: bool = False) -> AsyncIterator[UnitOfWork]:
        """A transaction of this tenant; with `done`, the one that finishes the outbox row.

        Raises: AlreadyDone when another run has finished the row; nothing is written then.
        """
        uow = self.uow_factory(self.tenant_id)
        uow.followed = self.follow_ups
        async with uow:
            if done:
                await self._finish(uow)
            yield uow

    async def _finish(self, uow: UnitOfWork) -> None:
        """The row is deleted first, so that a second run waits here and then finds it gone."""
        gone = await uow.session.execute(
            _FINISH, {"tenant_id": self.tenant_id, "outbox_id": self.outbox_id}
        )
        if gone.first() is None:
            raise AlreadyDone(str(self.outbox_id))
