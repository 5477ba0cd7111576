"""The backup of docs/operations/restoring.md, made and played back by the commands it names."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from src.booking.commands.book import book
from src.platform.db.engine import make_engine, make_sessions
from src.platform.db.uow import unit_of_work_factory
from src.sandbox.postgres import Role
from src.sandbox.server_files import find_postgres
from tests.architecture.test_migrations import alembic
from tests.booking.commands.test_book import a_wish, booked
from tests.conftest import Committing
from tests.support.builders import a_business, a_service, a_session, as_guest
from tests.support.clock import FrozenClock
from tests.support.databases import drop_database
from tests.support.servers import fresh_database

pytestmark = pytest.mark.anyio


def run(program: str, *words: str) -> None:
    done = subprocess.run(
        [find_postgres().binary(program), *words], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def plain(urls: Mapping[Role, str], role: Role) -> str:
    """The address as PostgreSQL's own programs write it."""
    return urls[role].replace("+asyncpg", "")


async def everything(urls: Mapping[Role, str]) -> dict[str, str]:
    """What each table holds, as a digest of its rows."""
    engine = create_async_engine(urls[Role.MIGRATOR])
    async with engine.connect() as connection:
        tables = await connection.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        )
        digest = "SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {} t"
        found = {name: await connection.scalar(text(digest.format(name))) for name in tables}
    await engine.dispose()
    return found


async def test_what_was_backed_up_is_there_again_with_its_walls_and_sells_on(
    committing: Committing, clock: FrozenClock, tmp_path: Path
) -> None:
    lotus = await a_business(committing.uow_factory)
    await a_business(committing.uow_factory, "rival")
    service = await a_service(committing.uow_factory, lotus.id, price_type="free")
    session = await a_session(committing.uow_factory, service, capacity=2)
    await booked(committing.uow_factory, lotus, a_wish("session", session.id))
    dump = str(tmp_path / "seatline.dump")
    run("pg_dump", "--format=custom", f"--file={dump}", plain(committing.urls, Role.MIGRATOR))
    name = f"{committing.name}_restored"
    urls = fresh_database(name)
    try:
        run("pg_restore", "--exit-on-error", f"--dbname={plain(urls, Role.MIGRATOR)}", dump)
        assert await everything(urls) == await everything(committing.urls)
        assert "No new upgrade operations" in alembic(urls, "check")
        engine = make_engine(urls[Role.APP])
        async with engine.connect() as connection:
            seen = await connection.scalar(text("SELECT count(*) FROM seats"))
            assert seen == 0, "without a tenant there is nothing to see"
        factory = unit_of_work_factory(make_sessions(engine), clock)
        async with factory(lotus.id) as uow:
            await book(
                uow, as_guest(lotus), a_wish("session", session.id, guest_email="d@x.example")
            )
        async with factory(lotus.id) as uow:
            assert await uow.session.scalar(text("SELECT seats_taken FROM sessions")) == 2
        await engine.dispose()
    finally:
        drop_database(name)
