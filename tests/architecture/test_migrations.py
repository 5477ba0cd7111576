"""Migrations go forward, back and forward again, and leave what the models say."""

import os
import subprocess
import sys
from collections.abc import Mapping
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from src.platform.db.engine import make_engine, make_sessions
from src.platform.db.uow import unit_of_work_factory
from src.sandbox.postgres import Role
from tests.architecture.sizes import ROOT
from tests.support.builders import a_business, a_service
from tests.support.clock import FrozenClock


def alembic(urls: Mapping[Role, str], *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "alembic", *words],
        check=False,
        cwd=ROOT,
        env={**os.environ, "MIGRATOR_DATABASE_URL": urls[Role.MIGRATOR]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_up_down_and_up_again_without_drift(own_urls: Mapping[Role, str]) -> None:
    alembic(own_urls, "check")
    alembic(own_urls, "downgrade", "base")
    alembic(own_urls, "upgrade", "head")
    assert "No new upgrade operations" in alembic(own_urls, "check")


@pytest.mark.anyio
async def test_a_backfill_by_the_owner_reaches_every_tenant(own_urls: Mapping[Role, str]) -> None:
    """A forced policy would turn it into UPDATE 0: the owner of the tables bypasses it."""
    app = make_engine(own_urls[Role.APP])
    factory = unit_of_work_factory(make_sessions(app), FrozenClock())
    tenants: list[UUID] = []
    for slug, owner in (("lotus", "Olive"), ("rival", "Eve")):
        business = await a_business(factory, slug, owner=owner)
        await a_service(factory, business.id)
        tenants.append(business.id)
    migrator = create_async_engine(own_urls[Role.MIGRATOR])
    async with migrator.begin() as connection:
        done = await connection.execute(text("UPDATE services SET description = 'filled'"))
        assert done.rowcount == 2
    await migrator.dispose()
    for tenant_id in tenants:
        async with factory(tenant_id) as uow:
            assert await uow.session.scalar(text("SELECT description FROM services")) == "filled"
    await app.dispose()
