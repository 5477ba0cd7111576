"""What the engine may leave behind in a connection that others use after it."""

import re
from collections.abc import Mapping

import pytest
from sqlalchemy import text

from src.platform.db.engine import make_engine
from src.sandbox.postgres import Role

pytestmark = pytest.mark.anyio

NAMES = text("SELECT name FROM pg_prepared_statements")


async def test_no_statement_has_a_name_that_another_process_may_use(
    database: Mapping[Role, str],
) -> None:
    """The driver's own names count from one in every process. Where a pooler lets two of them use
    one server connection, number seven of the one would run what is number seven of the other.
    """
    names: list[str] = []
    for _process in range(2):
        engine = make_engine(database[Role.APP], pool_size=1)
        async with engine.begin() as connection:
            await connection.execute(text("SELECT '{}'::jsonb, ARRAY['a'], 1.5::numeric"))
            names += (await connection.scalars(NAMES)).all()
        await engine.dispose()
    assert len(names) == len(set(names)) >= 4
    for name in names:
        assert re.fullmatch(r"seatline_[0-9a-f]{32}", name), name


async def test_nothing_is_set_for_a_session(database: Mapping[Role, str]) -> None:
    """What is set in a session stays with the server's connection, and a pooler hands it on."""
    engine = make_engine(database[Role.APP], pool_size=1)
    changed = text("SELECT name FROM pg_settings WHERE source = 'session' ORDER BY name")
    async with engine.begin() as connection:
        assert (await connection.scalars(changed)).all() == []
        await connection.execute(text("SELECT '{}'::jsonb"))
    async with engine.begin() as connection:
        assert (await connection.scalars(changed)).all() == []
    await engine.dispose()
