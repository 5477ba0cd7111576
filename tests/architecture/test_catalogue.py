"""The database's own catalogue, held against the rules of tenancy (ADR 0003)."""

from collections.abc import Mapping

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from src.platform.ids import new_id
from src.sandbox.postgres import Role
from tests.support.databases import own_database

pytestmark = pytest.mark.anyio

DIRECTORIES = {
    "connected_accounts",
    "due",
    "members",
    "plan_requests",
    "plan_versions",
    "plans",
    "platform_audit",
    "sign_ups",
    "tenant_slugs",
    "tenants",
    "users",
    "webhook_inbox",
}
"""Read before a tenant is known; listed in ADR 0003, and nowhere else."""

TABLES = (
    "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class"
    " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    " AND relname <> 'alembic_version' ORDER BY relname"
)
POLICIES = (
    "SELECT tablename, policyname, roles::text, qual, with_check FROM pg_policies"
    " WHERE schemaname = 'public'"
)
KEYS = (
    "SELECT conrelid::regclass::text AS here, confrelid::regclass::text AS there, conname,"
    " ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1])"
    ' AS first FROM pg_constraint WHERE contype = cast(cast(:kind AS text) AS "char")'
    " AND connamespace = 'public'::regnamespace"
)


@pytest.fixture
async def engine(database: Mapping[Role, str]):  # type: ignore[no-untyped-def]
    engine = create_async_engine(database[Role.MONITOR])
    yield engine
    await engine.dispose()


async def rows(engine: AsyncEngine, sql: str, **values: object) -> list[tuple[object, ...]]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(sql), values)]


async def test_every_table_is_a_directory_or_forces_its_tenants_rows(engine: AsyncEngine) -> None:
    tables = await rows(engine, TABLES)
    open_tables = {name for name, enabled, forced in tables if not (enabled and forced)}
    assert open_tables == DIRECTORIES


async def test_every_tenant_table_has_the_one_policy(engine: AsyncEngine) -> None:
    tables = {name for name, *_rest in await rows(engine, TABLES)} - DIRECTORIES
    policies = await rows(engine, POLICIES)
    for table in tables:
        [mine] = [row for row in policies if row[0] == table and row[1] == "tenant"]
        assert mine[2] == "{seatline_app}"
        for expression in mine[3:5]:
            assert "current_setting('app.tenant_id'::text, true)" in str(expression)
    others = {(row[0], row[1]) for row in policies if row[1] != "tenant"}
    assert others == {("outbox", "relay")}


async def test_the_tenant_leads_every_key_of_a_tenant_table(engine: AsyncEngine) -> None:
    for kind in ("p", "u", "x"):
        for here, _there, name, first in await rows(engine, KEYS, kind=kind):
            if here not in DIRECTORIES | {"alembic_version"}:
                assert first == ["tenant_id"], f"{name} of {here}"


async def test_foreign_keys_never_cross_tenants(engine: AsyncEngine) -> None:
    """A plain foreign key ignores row-level security; directories have none into tenant tables."""
    for here, there, name, first in await rows(engine, KEYS, kind="f"):
        if here in DIRECTORIES:
            assert there in DIRECTORIES, name
        else:
            assert there not in DIRECTORIES, name
            assert first == ["tenant_id"], name


async def test_the_program_has_no_power_over_the_rules(engine: AsyncEngine) -> None:
    found = await rows(
        engine,
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles"
        " WHERE rolname IN ('seatline_app', 'seatline_relay')",
    )
    assert sorted(found) == [
        ("seatline_app", False, False, False),
        ("seatline_relay", False, False, False),
    ]
    owners = await rows(
        engine,
        "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'",
    )
    assert owners == [("seatline_migrator",)]


async def test_raw_sql_without_a_tenant_sees_no_row_of_any_tenant_table() -> None:
    """Every tenant table gets a row, as its owner; the program without a tenant sees none."""
    _name, urls = own_database()
    owner = create_async_engine(urls[Role.MIGRATOR])
    app = create_async_engine(urls[Role.APP])
    tables = [str(row[0]) for row in await rows(owner, TABLES) if row[0] not in DIRECTORIES]
    async with owner.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO customers (tenant_id, id, email, name, phone, is_established,"
                " created_at) VALUES (:tenant, :id, 'a@b.c', 'A', '', false, now())"
            ),
            {"tenant": new_id(), "id": new_id()},
        )
    for table in tables:
        assert await rows(app, f"SELECT 1 FROM {table}") == [], table
    assert len(await rows(owner, "SELECT 1 FROM customers")) == 1
    with pytest.raises(DBAPIError, match="row-level security"):
        async with app.begin() as connection:
            await connection.execute(text(f"SET LOCAL app.tenant_id = '{new_id()}'"))
            await connection.execute(
                text(
                    "INSERT INTO customers (tenant_id, id, email, name, phone, is_established,"
                    " created_at) VALUES (:tenant, :id, 'x@b.c', 'A', '', false, now())"
                ),
                {"tenant": new_id(), "id": new_id()},
            )
    await owner.dispose()
    await app.dispose()


SOLD_BY_SESSION = (
    "SELECT indrelid::regclass::text FROM pg_index WHERE indpred IS NULL"
    " AND pg_get_indexdef(indexrelid) LIKE '%(tenant_id, session_id)' ORDER BY 1"
)


async def test_what_a_session_sold_is_found_by_an_index(engine: AsyncEngine) -> None:
    assert await rows(engine, SOLD_BY_SESSION) == [("bookings",), ("seats",)]
