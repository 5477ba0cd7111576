"""`check-config --connect`: what the settings name is asked, and each trouble is a sentence."""

from collections.abc import AsyncIterator, Mapping

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from src.platform.config import Settings
from src.preflight import problems_found
from src.sandbox.postgres import Role
from src.sandbox.processes import free_port
from tests.architecture.test_migrations import alembic
from tests.support.servers import test_servers
from tests.support.settings import settings_for

pytestmark = pytest.mark.anyio


@pytest.fixture
async def smtp_url() -> AsyncIterator[str]:
    """A mail server that agrees to everything."""

    async def agree(stream: SocketStream) -> None:
        async with stream:
            await stream.send(b"220 here\r\n")
            async for _line in stream:
                await stream.send(b"250 fine\r\n")

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, agree)
        yield f"smtp://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
        group.cancel_scope.cancel()
    await listener.aclose()


def settings_with(urls: Mapping[Role, str], **changes: str) -> Settings:
    return settings_for(urls, test_servers().valkey_url, **changes)


async def test_all_is_well(database: Mapping[Role, str], smtp_url: str) -> None:
    assert await problems_found(settings_with(database, SMTP_URL=smtp_url)) == []


async def test_each_server_that_is_not_there_is_named(database: Mapping[Role, str]) -> None:
    port = free_port()
    nowhere = {
        "DATABASE_URL": f"postgresql://a:b@127.0.0.1:{port}/d",
        "RELAY_DATABASE_URL": f"postgresql://a:b@127.0.0.1:{port}/d",
        "MIGRATOR_DATABASE_URL": f"postgresql://a:b@127.0.0.1:{port}/d",
        "REDIS_URL": f"redis://127.0.0.1:{port}",
        "SMTP_URL": f"smtp://127.0.0.1:{port}",
    }
    found = await problems_found(settings_with(database, **nowhere))
    assert sorted(problem.split(":")[0] for problem in found) == sorted(nowhere)


async def test_a_role_that_no_wall_holds_is_named(
    database: Mapping[Role, str], smtp_url: str
) -> None:
    changes = {"DATABASE_URL": database[Role.MIGRATOR], "SMTP_URL": smtp_url}
    found = await problems_found(settings_with(database, **changes))
    assert "seatline_migrator, whom row-level security does not bind." in found[0]
    assert "seatline_migrator has no limits of time." in found[1]
    changes = {"MIGRATOR_DATABASE_URL": database[Role.APP], "SMTP_URL": smtp_url}
    [problem] = await problems_found(settings_with(database, **changes))
    assert problem.endswith("seatline_app, who must have BYPASSRLS.")


@pytest.mark.slow
async def test_a_database_of_an_older_version_is_named(
    own_urls: Mapping[Role, str], smtp_url: str
) -> None:
    settings = settings_with(own_urls, SMTP_URL=smtp_url)
    alembic(own_urls, "downgrade", "-1")
    [older] = await problems_found(settings)
    assert "run `seatline db upgrade`" in older
    alembic(own_urls, "downgrade", "base")
    [none] = await problems_found(settings)
    assert "at revision none" in none
