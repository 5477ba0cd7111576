"""Engines and sessions; each transaction is told its tenant before its first statement."""

from typing import Any
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import Session, SessionTransaction

CONNECT_SECONDS = 5
POOL_SECONDS = 10
COMMAND_SECONDS = 25
"""The last one is for a server that is gone: one that lives ends a statement before, by what is set
for the role (docs/operations/running.md). Here nothing is set for a session, see `make_engine`."""

PREPARED = 300
"""Statements that a connection remembers: the way from the hub to a place that is paid, cancelled
and offered to the next in line has 300 of its own. With fewer kept, each pushes out the one that
comes next round, and is parsed and planned anew every time."""

SessionMaker = async_sessionmaker[AsyncSession]


class TenantConnection(asyncpg.Connection):  # type: ignore[misc]  # it is untyped
    """Says BEGIN and whose transaction it is in one breath: two round trips would be one too many
    for each of the short transactions that everything consists of.

    It goes as plain text, for a prepared statement would be another one for every tenant.
    """

    opening: str | None = None

    async def execute(self, query: str, *args: Any, **options: Any) -> str:
        if self.opening is not None and query == "BEGIN;":
            query, self.opening = f"BEGIN; {self.opening}", None
        status: str = await super().execute(query, *args, **options)
        return status


class TenantSession(Session):
    """A session whose transactions carry `info["tenant_id"]` as `app.tenant_id`."""


@event.listens_for(TenantSession, "after_begin")
def _tell_tenant(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    """SET LOCAL is literal, since Citus hands it on and not set_config().

    It is said even when there is no tenant: in tests several units of work share a transaction.
    """
    if transaction.nested:
        return
    tenant_id = session.info.get("tenant_id")
    literal = "" if tenant_id is None else str(UUID(str(tenant_id)))
    told = f"SET LOCAL app.tenant_id = '{literal}'"
    driver = connection.connection.driver_connection
    if isinstance(driver, TenantConnection) and not driver.is_in_transaction():
        driver.opening = told
    else:
        connection.exec_driver_sql(told)


def make_engine(url: str, *, pool_size: int = 10, **options: Any) -> AsyncEngine:
    """An engine that also works behind PgBouncer in transaction mode.

    It never has more than `pool_size` connections: one that is opened for a rush and closed after
    it costs more than the wait for a free one, in the handshake and in plans made anew.
    A connection is waited for, made and listened to for so long and no longer (`*_SECONDS`).
    """
    return create_async_engine(
        url,
        **{
            "pool_size": pool_size,
            "max_overflow": 0,
            "pool_timeout": POOL_SECONDS,
            "pool_use_lifo": True,
            "pool_pre_ping": False,
            "connect_args": {
                "connection_class": TenantConnection,
                "timeout": CONNECT_SECONDS,
                "command_timeout": COMMAND_SECONDS,
                "prepared_statement_name_func": _statement_name,
                "statement_cache_size": 0,
                "prepared_statement_cache_size": PREPARED,
            },
            **options,
        },
    )


def _statement_name() -> str:
    """No two processes use the same: the driver counts from one in each, and where a pooler hands
    one server connection to both, the one's number would run the other's statement.
    """
    return f"seatline_{uuid4().hex}"


def make_sessions(bind: Any, **options: Any) -> SessionMaker:
    """A factory of tenant sessions over an engine or, in tests, one connection."""
    return async_sessionmaker(
        bind, sync_session_class=TenantSession, expire_on_commit=False, **options
    )
