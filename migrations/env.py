"""Migrations run as the owner of the tables, one transaction per revision, one at a time."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from src.platform.db.base import Base
from src.wiring import import_models

import_models()
MIGRATION_LOCK = 7_205_021


def include(obj: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
    """Only our own tables are compared; the version table is alembic's."""
    return not (kind == "table" and name == "alembic_version")


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        include_object=include,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        context.run_migrations()


async def connect_and_run() -> None:
    url = context.config.attributes.get("url") or os.environ["MIGRATOR_DATABASE_URL"]
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
        await connection.commit()
    await engine.dispose()


asyncio.run(connect_and_run())
