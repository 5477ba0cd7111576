"""One database per worker for tests that commit, put back after each instead of copied anew.

A copy is a thousand files, and every connection to it plans each statement once more. What a test
leaves is therefore taken out again: see `ReusedDatabase.take_back` for why nothing stays. Where
that cannot be said of a database it is dropped, and the next test gets a copy.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from src.sandbox.postgres import Role
from tests.support.databases import drop_database, own_database
from tests.support.servers import test_servers

POOL_NAME = "reused-pool"
"""The `application_name` of connections that may be open, and idle, while rows are taken out."""
SPACE = 512 * 1024
"""A table that takes more bytes is not worth emptying: deleted rows still take their space."""

_OWN_TABLES = """
    SELECT c.oid, c.oid::regclass::text AS name FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
"""
_CATALOGUES = """
    SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'pg_catalog'::regnamespace
    AND c.relkind = 'r' AND NOT c.relisshared ORDER BY 1
"""
# Shared by all databases: only what says something of this one, or of what its roles may do.
_SHARED = {
    "pg_authid": "true",
    "pg_auth_members": "true",
    "pg_parameter_acl": "true",
    "pg_db_role_setting": "setdatabase IN (0, (SELECT oid FROM here))",
    "pg_database": "oid = (SELECT oid FROM here)",
}
_LEFT_BEHIND = f"""
    SELECT
      (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
         AND pid <> pg_backend_pid() AND backend_type = 'client backend'
         AND (application_name <> '{POOL_NAME}' AND state <> 'idle'
              OR state NOT IN ('idle', 'active')))
      + (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
      + (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database())
"""
_STRANGERS = f"""
    SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend' AND application_name <> '{POOL_NAME}'
"""


@dataclass(frozen=True)
class _Copy:
    """A database as it was right after it had been copied from the template."""

    name: str
    urls: Mapping[Role, str]
    born: str
    """A transaction's number: what it made and what was made later is not the template's."""
    catalogue: list[int]
    putting_back: str


class ReusedDatabase:
    """The database of the worker's last committing test, as good as new."""

    def __init__(self) -> None:
        self._copy: _Copy | None = None

    async def hand_out(self) -> tuple[str, Mapping[Role, str]]:
        """Its name and addresses by role."""
        if self._copy is None:
            await self.adopt(*own_database())
        assert self._copy is not None
        return self._copy.name, self._copy.urls

    async def adopt(self, name: str, urls: Mapping[Role, str]) -> None:
        """Takes the database as it is now for what it is to be after every test."""
        connection = await _superuser(name)
        try:
            self._copy = await _look(connection, name, urls)
        finally:
            await connection.close()

    async def take_back(self, *, clean: bool) -> bool:
        """Whether the next test gets the same database; otherwise it is gone.

        It is as the template is, because: nobody is connected but idle connections of the pool (a
        stranger that does something makes it unclean, one that does nothing is ended); no
        advisory lock and no prepared transaction is left; every row of every catalogue is older
        than the copy and none is missing, so nothing is changed about tables, rights, triggers,
        policies, functions, settings, statistics or large objects; and then all rows of all tables
        are replaced by the template's, triggers asleep, and every sequence is set back.
        `clean=False` says that the caller knows of something left behind.
        """
        copy = self._copy
        if copy is None:
            return False
        if clean and await _put_back(copy):
            return True
        self.discard()
        return False

    def discard(self) -> None:
        """Drops it, whoever is connected."""
        if self._copy is not None:
            drop_database(self._copy.name)
            self._copy = None


async def _superuser(name: str) -> asyncpg.Connection:
    url = test_servers().postgres.plain_url(Role.SUPERUSER, name)
    settings = {"lock_timeout": "2s", "statement_timeout": "20s", "jit": "off"}
    return await asyncpg.connect(url, server_settings=settings)


async def _look(connection: asyncpg.Connection, name: str, urls: Mapping[Role, str]) -> _Copy:
    born = await connection.fetchval("SELECT pg_current_xact_id()::xid::text")
    catalogue = await _counts(connection, born)
    return _Copy(name, urls, born, catalogue, await _putting_back(connection))


async def _put_back(copy: _Copy) -> bool:
    try:
        connection = await _superuser(copy.name)
    except (asyncpg.PostgresError, OSError):
        return False
    try:
        if await connection.fetchval(_LEFT_BEHIND):
            return False
        await connection.execute(_STRANGERS)
        if await _counts(connection, copy.born) != copy.catalogue:
            return False
        await connection.execute(copy.putting_back)
    except asyncpg.PostgresError:
        return False
    finally:
        await connection.close()
    return True


async def _counts(connection: asyncpg.Connection, born: str) -> list[int]:
    """For each catalogue how many rows it has, and how many of them are younger than `born`.

    Whatever adds or changes a row makes a young one, and whatever removes one is missed.
    """
    names = [row["relname"] for row in await connection.fetch(_CATALOGUES)]
    conditions = dict.fromkeys(names, "true") | _SHARED
    each = [
        f"(SELECT array[count(*), count(*) FILTER (WHERE age(xmin) <= age('{born}'::xid))]"
        f" FROM pg_catalog.{name} WHERE {condition})"
        for name, condition in conditions.items()
    ]
    here = "WITH here AS (SELECT oid FROM pg_database WHERE datname = current_database())"
    counts = await connection.fetchval(f"{here} SELECT {' || '.join(each)}")
    return list(counts)


async def _putting_back(connection: asyncpg.Connection) -> str:
    """What makes every row and every sequence those that are there now."""
    tables = await connection.fetch(_OWN_TABLES)
    rows = [sql for table in tables if (sql := await _rows(connection, table)) is not None]
    sequences = await connection.fetch(
        "SELECT format('%I.%I', schemaname, sequencename)::regclass::text AS name FROM pg_sequences"
    )
    for sequence in sequences:
        last = await connection.fetchrow(f"SELECT last_value, is_called FROM {sequence['name']}")
        called = str(last["is_called"]).lower()
        rows.append(f"PERFORM setval('{sequence['name']}', {last['last_value']}, {called});")
    return f"""
    DO $reset$
    DECLARE stored record;
    BEGIN
      SET LOCAL session_replication_role = replica;
      FOR stored IN {_OWN_TABLES} AND pg_relation_size(c.oid) > 0 LOOP
        IF pg_relation_size(stored.oid) > {SPACE} THEN
          RAISE EXCEPTION '% has grown too much', stored.name;
        END IF;
        EXECUTE format('DELETE FROM %s', stored.name);
      END LOOP;
      {" ".join(rows)}
    END $reset$
    """


async def _rows(connection: asyncpg.Connection, table: asyncpg.Record) -> str | None:
    """The statement that fills an emptied table with what migrations have put there, if any."""
    name = table["name"]
    found = await connection.fetchval(f"SELECT json_agg(t)::text FROM {name} t")
    if found is None:
        return None
    columns = await connection.fetchval(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
        " WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
        table["oid"],
    )
    assert isinstance(json.loads(found), list)
    return (
        f"INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns}"
        f" FROM json_populate_recordset(NULL::{name}, $seed${found}$seed$);"
    )
