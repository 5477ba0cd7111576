"""The unit of work: one explicit transaction for one tenant, events included."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from src.platform.clock import Clock
from src.platform.db.batch import Row, Rows, insert_together
from src.platform.db.constraints import as_domain_error
from src.platform.db.engine import SessionMaker
from src.platform.outbox.events import Event
from src.platform.outbox.writer import OUTBOX, FollowUp, Recorded, rows_of_events


class UnitOfWork:
    """Opens a transaction scoped to `tenant_id`, commits on a clean exit, else rolls back.

    With `tenant_id=None` only directories have rows. Nobody else commits.
    A job sets `followed` to a list: what it has to do itself right after is put there.
    Raises: on a violated constraint, the DomainError registered for it.
    """

    session: AsyncSession

    def __init__(self, sessions: SessionMaker, tenant_id: UUID | None, clock: Clock) -> None:
        self._sessions = sessions
        self._events: list[Recorded] = []
        self._inserts: list[Rows] = []
        self._follow_ups: list[FollowUp] = []
        self.tenant_id = tenant_id
        self.followed: list[FollowUp] | None = None
        self.clock = clock

    @property
    def tenant(self) -> UUID:
        """The tenant of this transaction; asking a tenantless one is a programming error."""
        if self.tenant_id is None:
            raise RuntimeError("This unit of work has no tenant.")
        return self.tenant_id

    def record(self, event: Event, *, delay_seconds: int = 0, carried: Any = None) -> None:
        """Lets `event` leave through the outbox if, and only if, this transaction commits.

        Where the same job delivers it right after, its consumer is given `carried`. With a delay
        below 0 it is due before what waits already.
        """
        self._events.append(Recorded(event, delay_seconds, carried))

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Writes the rows together with all others, in one statement, when this settles.

        Each row names all of its columns, the same ones; no statement sees them before.
        """
        if rows:
            self._inserts.append((table, rows))

    async def settle(self) -> None:
        """Writes pending rows and events now, so that contended claims can be the last writes."""
        await self.session.flush()
        if self._events:
            events, self._events = self._events, []
            follows = self.followed is not None
            written = rows_of_events(self.tenant, events, self.clock.now(), follows=follows)
            self._follow_ups += written.follow_ups
            self.insert(OUTBOX, written.rows)
        if self._inserts:
            inserts, self._inserts = self._inserts, []
            await insert_together(self.session, inserts)

    @asynccontextmanager
    async def attempt(self) -> AsyncIterator[None]:
        """A savepoint: when the block raises, what it wrote, recorded and locked never was.

        A row that the block changed has to be refreshed before it is read again.
        """
        await self.settle()
        kept = len(self._follow_ups)
        try:
            async with self.session.begin_nested():
                yield
        except BaseException:
            self._events, self._inserts = [], []
            del self._follow_ups[kept:]
            raise

    async def adopt(self, tenant_id: UUID) -> None:
        """Turns a tenantless transaction into `tenant_id`'s, for what begins without one.

        Raises: RuntimeError when the transaction has a tenant already.
        """
        if self.tenant_id is not None:
            raise RuntimeError("A unit of work never changes its tenant.")
        self.tenant_id = tenant_id
        self.session.info["tenant_id"] = tenant_id
        connection = await self.session.connection()
        await connection.exec_driver_sql(f"SET LOCAL app.tenant_id = '{UUID(str(tenant_id))}'")

    async def __aenter__(self) -> Self:
        self.session = self._sessions(info={"tenant_id": self.tenant_id})
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                await self.settle()
                await self.session.commit()
                if self.followed is not None:
                    self.followed += self._follow_ups
        except DBAPIError as failure:
            _raise_meaning(failure)
        finally:
            await self.session.close()
        if isinstance(error, DBAPIError):
            _raise_meaning(error)


def _raise_meaning(failure: DBAPIError) -> None:
    meaning = as_domain_error(failure)
    if meaning is None:
        raise failure
    raise meaning from failure


UowFactory = Callable[[UUID | None], UnitOfWork]


def unit_of_work_factory(sessions: SessionMaker, clock: Clock) -> UowFactory:
    """Units of work over `sessions`, told the time by `clock`."""
    return lambda tenant_id: UnitOfWork(sessions, tenant_id, clock)
