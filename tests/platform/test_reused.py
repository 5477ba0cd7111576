"""A committing test finds the database as the template is, whatever the test before did to it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text

from src.sandbox.postgres import Role
from tests.conftest import Committing, all_reset
from tests.support.databases import own_database
from tests.support.reused import POOL_NAME, ReusedDatabase
from tests.support.servers import test_servers

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

# Straight in the catalogue: to drop a thousand constraints one by one takes ten seconds.
NOTHING_REFUSED = """
SET allow_system_table_mods = on;
UPDATE pg_class SET relchecks = 0 WHERE relnamespace = 'public'::regnamespace;
DELETE FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace;
UPDATE pg_attribute SET attnotnull = false FROM pg_stat_user_tables
  WHERE attrelid = relid AND attnum > 0 AND attidentity = ''
"""
# No migration makes one yet.
A_SEQUENCE = "CREATE SEQUENCE numbers; SELECT setval('numbers', 5)"
SPOIL = """
DO $$
DECLARE found record;
BEGIN
  SET LOCAL session_replication_role = replica;
  FOR found IN SELECT relid::regclass AS name FROM pg_stat_user_tables LOOP
    EXECUTE format('DELETE FROM %s', found.name);
    EXECUTE format('INSERT INTO %s DEFAULT VALUES', found.name);
  END LOOP;
  PERFORM nextval(format('%I.%I', schemaname, sequencename)) FROM pg_sequences;
END $$
"""
NAMES = """
SELECT relid::regclass::text FROM pg_stat_user_tables
UNION ALL SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences
"""


@pytest.fixture
async def reused() -> AsyncIterator[ReusedDatabase]:
    database = ReusedDatabase()
    yield database
    database.discard()


async def connected(name: str, application: str = "a test") -> asyncpg.Connection:
    url = test_servers().postgres.plain_url(Role.SUPERUSER, name)
    return await asyncpg.connect(url, server_settings={"application_name": application})


async def everything(connection: asyncpg.Connection) -> dict[str, list[str]]:
    """Every row of every table, and where every sequence stands."""
    found = {}
    for (name,) in await connection.fetch(NAMES):
        # A sequence writes ahead in its log, which shows in no number it gives.
        row = f"SELECT (to_jsonb(t) - 'log_cnt')::text FROM (SELECT * FROM {name}) t ORDER BY 1"
        found[name] = [each[0] for each in await connection.fetch(row)]
    return found


async def test_every_row_of_every_table_is_the_template_s_again(reused: ReusedDatabase) -> None:
    name, urls = own_database()
    connection = await connected(name, POOL_NAME)
    await connection.execute(NOTHING_REFUSED)
    await connection.execute(A_SEQUENCE)
    await reused.adopt(name, urls)
    before = await everything(connection)
    assert any(before.values()), "migrations have put something there"
    await connection.execute(SPOIL)
    spoiled = await everything(connection)
    assert [table for table in before if spoiled[table] == before[table]] == []
    assert await reused.take_back(clean=True)
    assert await everything(connection) == before
    assert (await reused.hand_out())[0] == name
    await connection.close()


async def test_whatever_changed_the_catalogue_gives_the_next_test_a_new_copy(
    reused: ReusedDatabase,
) -> None:
    for change in (
        "ALTER TABLE seats DROP CONSTRAINT pk_seats CASCADE",
        "ALTER TABLE seats DISABLE TRIGGER ALL",
        "ALTER TABLE seats NO FORCE ROW LEVEL SECURITY",
        f"REVOKE SELECT ON seats FROM {Role.APP}",
        "ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'",
        f"ALTER ROLE {Role.APP} IN DATABASE {{name}} SET work_mem = '1MB'",
        f"REVOKE CONNECT ON DATABASE {{name}} FROM {Role.MONITOR}",
        "SELECT lo_create(0)",
        "CREATE TEMPORARY TABLE own (id int)",
        "ANALYZE plans",
    ):
        name, _urls = await reused.hand_out()
        connection = await connected(name, POOL_NAME)
        await connection.execute(change.format(name=name))
        assert not await reused.take_back(clean=True), change
        assert (await reused.hand_out())[0] != name
        connection.terminate()


async def test_what_is_left_open_gives_the_next_test_a_new_copy(reused: ReusedDatabase) -> None:
    for left in ("BEGIN; SELECT 1", "SELECT pg_advisory_lock(1)"):
        name, _urls = await reused.hand_out()
        connection = await connected(name, POOL_NAME)
        await connection.execute(left)
        assert not await reused.take_back(clean=True), left
        connection.terminate()


async def test_an_idle_stranger_is_ended_and_the_database_handed_on(
    reused: ReusedDatabase,
) -> None:
    name, _urls = await reused.hand_out()
    connection = await connected(name)
    assert await reused.take_back(clean=True)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await connection.execute("SELECT 1")
    connection.terminate()


async def test_what_was_set_for_a_session_is_unset(committing: Committing) -> None:
    async with committing.engine.connect() as connection:
        await connection.execute(text("SET app.tenant_id = 'somebody'"))
        await connection.commit()
    assert await all_reset(committing.engine, 1)
    async with committing.engine.connect() as connection:
        assert not await connection.scalar(text("SHOW app.tenant_id"))
