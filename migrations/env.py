"""Migrations run as the owner of the tables, one transaction per revision, one at a time."""

import asyncio
import os
import sys

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from src.platform.config_checks import database_address, database_problems
from src.platform.db.base import Base
from src.wiring import import_models

import_models()
MIGRATION_LOCK = 7_205_021


def include(obj: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
    """Only our own tables are compared; the version table is alembic's."""
    return not (kind == "table" and name == "alembic_version")


def run(connection: Connection) -> None:
    """Lock and limit are the session's: each revision commits, and what is set for a transaction
    would be over with the first. The owner goes past any pooler (docs/operations/running.md).
    """
    connection.execute(text(f"SELECT pg_advisory_lock({MIGRATION_LOCK})"))
    connection.execute(text("SET lock_timeout = '10s'"))
    connection.commit()
    try:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_type=True,
            include_object=include,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text(f"SELECT pg_advisory_unlock({MIGRATION_LOCK})"))
        connection.commit()


def owners_address() -> str:
    """In any usual spelling: `seatline db` hands on a settled one, `alembic` by hand what is set."""
    address = os.environ.get("MIGRATOR_DATABASE_URL", "")
    problems = database_problems("MIGRATOR_DATABASE_URL", address)
    if not address or problems:
        sys.exit("\n".join(problems) or "MIGRATOR_DATABASE_URL is not set.")
    return database_address(address)


async def connect_and_run() -> None:
    engine = create_async_engine(owners_address(), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


asyncio.run(connect_and_run())
