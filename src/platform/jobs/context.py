"""What a consumer is given: its tenant, the time, and transactions of its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import text

from src.platform.clock import Clock
from src.platform.db.uow import UnitOfWork, UowFactory
from src.platform.outbox.writer import FollowUp

_FINISH = text(
    "DELETE FROM outbox WHERE tenant_id = :tenant_id AND id = ANY(:outbox_ids) RETURNING id"
)


class GivenUp(Exception):
    """Trying again would do harm: the row is parked for a person at once."""


class AlreadyDone(Exception):
    """Another run of the same row finished first; this one must leave no trace."""


@dataclass(frozen=True, slots=True)
class JobContext:
    """Carried into every consumer. `services` are the running program's.

    `follow_ups` is what its transactions left to be done by the same worker; `carried` is what the
    job that left this one had at hand, None when it comes from the relay.
    """

    tenant_id: UUID
    outbox_id: UUID
    attempt: int
    clock: Clock
    uow_factory: UowFactory
    services: Any
    follow_ups: list[FollowUp] = field(default_factory=list)
    carried: Any = None

    @asynccontextmanager
    async def unit_of_work(self, *, done: bool = False) -> AsyncIterator[UnitOfWork]:
        """A transaction of this tenant; with `done`, the one that finishes the outbox row.

        Raises: AlreadyDone when another run has finished the row; nothing is written then.
        """
        uow = self.uow_factory(self.tenant_id)
        uow.followed = self.follow_ups
        async with uow:
            if done:
                await _finish(uow, [self.outbox_id])
            yield uow


@dataclass(frozen=True, slots=True)
class JobsTogether:
    """Jobs of one tenant and consumer that a worker does in one go, for what costs little more for
    several than for one.

    When the consumer raises, each job is tried again by itself. One that failed although the others
    went well is put into `failed`.
    """

    jobs: Sequence[JobContext]
    failed: list[tuple[JobContext, Exception]] = field(default_factory=list)
    follow_ups: list[FollowUp] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        return self.jobs[0].clock

    @property
    def services(self) -> Any:
        return self.jobs[0].services

    @asynccontextmanager
    async def unit_of_work(self, *, done: Sequence[JobContext]) -> AsyncIterator[UnitOfWork]:
        """The transaction that finishes the rows of `done`.

        Raises: AlreadyDone when another run has finished one of them; nothing is written then.
        """
        uow = self.jobs[0].uow_factory(self.jobs[0].tenant_id)
        uow.followed = self.follow_ups
        async with uow:
            await _finish(uow, [job.outbox_id for job in done])
            yield uow


async def _finish(uow: UnitOfWork, outbox_ids: list[UUID]) -> None:
    """Rows are deleted first, so that a second run waits here and then finds them gone."""
    found = await uow.session.execute(_FINISH, {"tenant_id": uow.tenant, "outbox_ids": outbox_ids})
    gone = len(found.all())
    if gone < len(outbox_ids):
        raise AlreadyDone(", ".join(str(one) for one in outbox_ids))
