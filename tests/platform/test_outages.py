"""Servers that are gone, full or silent: nobody waits for ever, and it is said in words."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from litestar import get
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from src.platform import outages
from src.platform.db import engine as engine_module
from src.platform.db.engine import make_engine
from src.platform.outages import as_unavailable, make_redis
from src.sandbox.postgres import TIME_LIMITS, Role
from src.sandbox.processes import free_port
from tests.architecture.sizes import ROOT
from tests.platform.web.conftest import Serve, kit, make_kit, serve, static_folder, template_folder
from tests.support.servers import test_servers

__all__ = ["kit", "make_kit", "serve", "static_folder", "template_folder"]
pytestmark = pytest.mark.anyio


@pytest.fixture
async def silent_port() -> AsyncIterator[int]:
    """Where somebody takes every connection and never says a word."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")

    async def hold(stream: SocketStream) -> None:
        async with stream:
            await anyio.sleep_forever()

    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, hold)
        yield listener.extra(SocketAttribute.local_port)
        group.cancel_scope.cancel()
    await listener.aclose()


async def failure_of(work: Callable[[], Any]) -> Exception:
    with anyio.fail_after(10), pytest.raises(Exception) as raised:
        await work()
    assert isinstance(raised.value, Exception)
    return raised.value


def trying(engine: Any, sql: str = "SELECT 1") -> Callable[[], Any]:
    async def work() -> None:
        async with engine.begin() as connection:
            await connection.execute(text(sql))

    return work


async def test_all_connections_taken(database: Mapping[Role, str]) -> None:
    engine = make_engine(database[Role.APP], pool_size=1, pool_timeout=0.05)
    async with engine.connect():
        assert as_unavailable(await failure_of(trying(engine))) is not None
    await engine.dispose()


async def test_a_server_that_is_not_there() -> None:
    engine = make_engine(f"postgresql+asyncpg://a:b@127.0.0.1:{free_port()}/d")
    assert as_unavailable(await failure_of(trying(engine))) is not None


async def test_a_server_that_says_nothing(
    silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "CONNECT_SECONDS", 0.1)
    engine = make_engine(f"postgresql+asyncpg://a:b@127.0.0.1:{silent_port}/d")
    assert as_unavailable(await failure_of(trying(engine))) is not None


async def test_a_server_that_ends_in_the_middle(database: Mapping[Role, str]) -> None:
    engine = make_engine(database[Role.APP])

    async def work() -> None:
        async with engine.connect() as connection:
            pid = await connection.scalar(text("SELECT pg_backend_pid()"))
            test_servers().postgres.execute("postgres", f"SELECT pg_terminate_backend({pid})")
            await connection.execute(text("SELECT 1"))

    assert as_unavailable(await failure_of(work)) is not None
    await engine.dispose()


async def test_a_statement_without_end(
    database: Mapping[Role, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(database[Role.APP])
    cut = "DO $$ BEGIN PERFORM set_config('statement_timeout', '50', true); END $$"
    async with engine.connect() as connection:
        await connection.execute(text(cut))

        async def work() -> None:
            await connection.execute(text("SELECT pg_sleep(30)"))

        assert as_unavailable(await failure_of(work)) is not None
    await engine.dispose()
    monkeypatch.setattr(engine_module, "COMMAND_SECONDS", 0.1)
    engine = make_engine(database[Role.APP])
    assert as_unavailable(await failure_of(trying(engine, "SELECT pg_sleep(30)"))) is not None
    await engine.dispose()


async def test_the_programs_roles_have_limits_of_time(database: Mapping[Role, str]) -> None:
    """Of the role, not of the session: so they hold behind a pooler; in production as here."""
    script = (ROOT / "docker/init-roles.sh").read_text()
    for role in (Role.APP, Role.RELAY):
        engine = make_engine(database[role])
        async with engine.connect() as connection:
            for name, value in TIME_LIMITS.items():
                assert await connection.scalar(text(f"SHOW {name}")) == value
                assert f"ALTER ROLE {role} SET {name} = '{value}';" in script
        await engine.dispose()


async def test_valkey_that_says_nothing(silent_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "REDIS_SECONDS", 0.1)
    client = make_redis(f"redis://127.0.0.1:{silent_port}")
    assert as_unavailable(await failure_of(client.ping)) is not None
    await client.aclose()


async def test_a_fault_of_ours_is_no_outage(database: Mapping[Role, str]) -> None:
    assert as_unavailable(ZeroDivisionError()) is None
    engine = make_engine(database[Role.APP])
    error = await failure_of(trying(engine, "SELECT 1 / 0"))
    assert isinstance(error, DBAPIError)
    assert as_unavailable(error) is None
    await engine.dispose()


async def test_the_reader_is_asked_to_come_back(serve: Serve) -> None:
    @get("/rows", opt={"public": True})
    async def rows() -> None:
        engine = make_engine(f"postgresql+asyncpg://a:b@127.0.0.1:{free_port()}/d")
        await trying(engine)()

    client = await serve(rows)
    page = await client.get("/rows", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "Please try again in a moment." in page.text
    document = (await client.get("/rows", headers={"accept": "application/json"})).json()
    assert document["code"] == "unavailable"
