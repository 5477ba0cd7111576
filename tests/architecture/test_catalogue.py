"""The database's own catalogue, held against the rules of tenancy (ADR 0003)."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from src.platform.ids import new_id
from src.sandbox.postgres import Role

pytestmark = pytest.mark.anyio

DIRECTORIES = {
    "bolt_on_versions",
    "bolt_ons",
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
    # A view shows what its owner may see, whom no policy binds: there is none, of no kind.
    " WHERE relkind IN ('r', 'p', 'f', 'v', 'm') AND relnamespace = 'public'::regnamespace"
    " AND relname <> 'alembic_version' ORDER BY relname"
)
POLICIES = (
    "SELECT tablename, policyname, permissive, cmd, roles::text, qual, with_check FROM pg_policies"
)
TENANT = "(tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)"
KEYS = (
    "SELECT conrelid::regclass::text AS here, confrelid::regclass::text AS there, conname,"
    " ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = conrelid AND attnum = conkey[1])"
    ' AS first FROM pg_constraint WHERE contype = cast(cast(:kind AS text) AS "char")'
    " AND connamespace = 'public'::regnamespace"
)


@pytest.fixture
async def engine(database: Mapping[Role, str]):  # type: ignore[no-untyped-def]  # a fixture that yields
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
    """Word for word, since a policy that also lets something through reads much the same."""
    tables = {name for name, *_rest in await rows(engine, TABLES)} - DIRECTORIES
    mine = ("PERMISSIVE", "ALL", "{seatline_app}", TENANT, TENANT)
    expected = {(table, "tenant", *mine) for table in tables}
    expected.add(("outbox", "relay", "PERMISSIVE", "ALL", "{seatline_relay}", "true", "true"))
    assert set(await rows(engine, POLICIES)) == expected


async def test_every_tenant_table_is_counted_before_a_new_business_has_grown_in_it(
    engine: AsyncEngine,
) -> None:
    """Else the planner takes it to have one row, and reads all of its rows for each of them."""
    late = await rows(
        engine,
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relforcerowsecurity"
        " AND relnamespace = 'public'::regnamespace"
        " AND NOT coalesce(reloptions, '{}') @> ARRAY['autovacuum_analyze_scale_factor=0.01',"
        " 'autovacuum_analyze_threshold=200']",
    )
    assert late == []


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


@dataclass
class Filled:
    """A database in which every tenant table has one row of each of two tenants."""

    app: AsyncEngine
    tenants: tuple[UUID, UUID]
    columns: dict[str, dict[str, str]]
    """Of each tenant table, the types by the names of the columns."""

    def insert(self, table: str, tenant_id: UUID) -> str:
        columns = self.columns[table]
        values = [
            f"'{tenant_id}'" if name == "tenant_id" else literal(kind)
            for name, kind in columns.items()
        ]
        names = ", ".join(f'"{name}"' for name in columns)
        return f"INSERT INTO {table} ({names}) VALUES ({', '.join(values)})"


def literal(kind: str) -> str:
    """Some value of the type; what it means is no concern of the walls."""
    if kind.endswith("[]"):
        return f"'{{}}'::{kind}"
    values = {
        "uuid": f"'{new_id()}'",
        "text": "'x'",
        "boolean": "false",
        "jsonb": "'{}'",
        "date": "'2027-03-01'",
        "timestamp with time zone": "'2027-03-01T09:00Z'",
        "time without time zone": "'09:00'",
        "tstzrange": "'empty'",
        "bytea": "'x'",
    }
    return values.get(kind, "1" if kind.startswith(("integer", "bigint", "numeric")) else "")


@pytest.fixture
async def filled(own_urls: Mapping[Role, str]) -> AsyncIterator[Filled]:
    """Rows are put in by the superuser with keys and checks asleep; the policies are awake."""
    owner = create_async_engine(own_urls[Role.SUPERUSER])
    columns: dict[str, dict[str, str]] = {}
    for table, name, kind in await rows(owner, COLUMNS):
        columns.setdefault(str(table), {})[str(name)] = str(kind)
    filled = Filled(create_async_engine(own_urls[Role.APP]), (new_id(), new_id()), columns)
    async with owner.begin() as connection:
        for table, check in (await connection.execute(text(CHECKS))).tuples():
            await connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {check}"))
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in columns:
            for tenant_id in filled.tenants:
                await connection.execute(text(filled.insert(table, tenant_id)))
    yield filled
    await filled.app.dispose()
    await owner.dispose()


COLUMNS = (
    "SELECT c.relname, attname, format_type(atttypid, atttypmod) FROM pg_attribute"
    " JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace"
    " AND relrowsecurity AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
    " ORDER BY 1, attnum"
)
CHECKS = (
    "SELECT conrelid::regclass::text, conname FROM pg_constraint"
    " WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
)


async def seen(app: AsyncEngine, tables: Iterable[str], tenant: str) -> dict[str, set[UUID]]:
    """Whose rows of each table there are for raw SQL in a transaction of `tenant`."""
    found: dict[str, set[UUID]] = {}
    async with app.begin() as connection:
        await connection.execute(text(f"SET LOCAL app.tenant_id = '{tenant}'"))
        for table in tables:
            whose = await connection.scalars(text(f"SELECT tenant_id FROM {table}"))
            found[table] = set(whose)
    return found


async def test_raw_sql_sees_the_rows_of_its_tenant_and_of_no_other(filled: Filled) -> None:
    assert (
        set(filled.columns)
        == {name for name, *_rest in await rows(filled.app, TABLES)} - DIRECTORIES
    )
    for table in filled.columns:
        assert await rows(filled.app, f"SELECT 1 FROM {table}") == [], table
    for tenant, mine in (
        ("", set()),
        (str(new_id()), set()),
        *((str(t), {t}) for t in filled.tenants),
    ):
        found = await seen(filled.app, filled.columns, tenant)
        assert found == dict.fromkeys(filled.columns, mine)


async def test_raw_sql_writes_no_row_of_another_tenant(filled: Filled) -> None:
    mine, theirs = filled.tenants
    for table in filled.columns:
        with pytest.raises(DBAPIError, match="row-level security"):
            async with filled.app.begin() as connection:
                await connection.execute(text(f"SET LOCAL app.tenant_id = '{mine}'"))
                await connection.execute(text(filled.insert(table, theirs)))
        if table in ONLY_ADDED_TO:
            continue
        async with filled.app.begin() as connection:
            await connection.execute(text(f"SET LOCAL app.tenant_id = '{mine}'"))
            for sql in (
                f"UPDATE {table} SET tenant_id = tenant_id WHERE tenant_id = '{theirs}'",
                f"DELETE FROM {table} WHERE tenant_id = '{theirs}'",
            ):
                assert (await connection.execute(text(sql))).rowcount == 0, sql


SOLD_BY_SESSION = (
    "SELECT indrelid::regclass::text FROM pg_index WHERE indpred IS NULL"
    " AND pg_get_indexdef(indexrelid) LIKE '%(tenant_id, session_id)' ORDER BY 1"
)


async def test_what_a_session_sold_and_who_waits_for_it_is_found_by_an_index(
    engine: AsyncEngine,
) -> None:
    tables = ["bookings", "seats", "waitlist_entries"]
    assert await rows(engine, SOLD_BY_SESSION) == [(table,) for table in tables]


ONLY_ADDED_TO = {
    "agreement_signatures",
    "agreement_versions",
    "audit",
    "credit_entries",
    "voucher_entries",
    "worksheet_versions",
}
ALL = {"SELECT": "*", "INSERT": "*", "UPDATE": "*", "DELETE": "*"}
APPEND = {"SELECT": "*", "INSERT": "*"}
RIGHTS: dict[str, dict[str, str]] = {
    "agreement_signatures": APPEND | {"UPDATE": "address browser customer_id name"},
    "agreement_versions": APPEND,
    "audit": APPEND,
    "bolt_on_versions": APPEND,
    "bolt_ons": {"SELECT": "*", "UPDATE": "active name summary visibility"},
    "connected_accounts": APPEND
    | {
        "UPDATE": "account_id asked_until charges_enabled details_submitted disconnected_at"
        " updated_at",
    },
    "credit_entries": APPEND | {"UPDATE": "reason"},
    "due": APPEND | {"UPDATE": "at", "DELETE": "*"},
    "members": APPEND | {"UPDATE": "role", "DELETE": "*"},
    "plan_requests": APPEND | {"UPDATE": "resolved_at resolved_by state"},
    "plan_versions": APPEND,
    "plans": APPEND | {"UPDATE": "name summary visibility"},
    "platform_audit": APPEND,
    "tenant_slugs": APPEND,
    "tenants": APPEND
    | {
        "UPDATE": "about booking_terms brand_color contact_email contact_phone country currency"
        " entitlements locale name payments_ready plan_version_id seats_told_up_to slug status"
        " timezone trial_ends_at trial_version_id",
    },
    "users": {
        "SELECT": "*",
        "INSERT": "created_at email email_confirmed_at id locale name password_hash signed_out_at",
        "UPDATE": "email email_confirmed_at locale name password_hash signed_out_at",
    },
    "voucher_entries": APPEND | {"UPDATE": "reason"},
    "worksheet_versions": APPEND,
    "webhook_inbox": {
        "SELECT": "account_id endpoint event_id handled_at id object_id outcome received_at type",
        "INSERT": "*",
        "UPDATE": "handled_at outcome",
        "DELETE": "*",
    },
}
"""What the program may do to directories and logs: to the whole row, or to these columns. Any other
table is a tenant's, and its rows are all the tenant's to change."""

GRANTED = (
    "SELECT table_name, grantee, privilege_type, coalesce(string_agg(column_name, ' '"
    " ORDER BY column_name) FILTER (WHERE NOT of_all), '*') FROM (SELECT c.table_name, c.grantee,"
    " c.privilege_type, c.column_name, t.table_name IS NOT NULL AS of_all"
    " FROM information_schema.column_privileges c LEFT JOIN information_schema.table_privileges t"
    " USING (table_schema, table_name, grantee, privilege_type)"
    " WHERE c.table_schema = 'public' UNION SELECT table_name, grantee, privilege_type, NULL, true"
    " FROM information_schema.table_privileges WHERE table_schema = 'public') x"
    " WHERE grantee IN ('PUBLIC', 'seatline_app', 'seatline_relay', 'seatline_monitor')"
    " GROUP BY table_name, grantee, privilege_type"
)


async def granted(urls: Mapping[Role, str]) -> dict[str, dict[str, dict[str, str]]]:
    """By role and table; asked as the owner, since others are not told of everybody's rights."""
    owner = create_async_engine(urls[Role.MIGRATOR])
    found: dict[str, dict[str, dict[str, str]]] = {}
    for table, role, right, columns in await rows(owner, GRANTED):
        by_table = found.setdefault(str(role), {})
        by_table.setdefault(str(table), {})[str(right)] = str(columns)
    await owner.dispose()
    return found


async def test_the_program_has_these_rights_and_no_more(
    engine: AsyncEngine, database: Mapping[Role, str]
) -> None:
    tables = {str(name) for name, *_rest in await rows(engine, TABLES)}
    rights = await granted(database)
    assert rights.pop("seatline_app") == {table: RIGHTS.get(table, ALL) for table in tables}
    assert rights.pop("seatline_monitor") == {table: {"SELECT": "*"} for table in tables}
    kept = "attempts available_at failures last_error parked_at"
    [(relayed, mine)] = rights.pop("seatline_relay").items()
    assert relayed == "outbox"
    assert mine["SELECT"] == "*"
    assert set(mine["UPDATE"].split()) <= set(kept.split())
    assert set(mine) == {"SELECT", "UPDATE"}
    assert rights == {}


async def test_an_event_is_read_by_the_business_that_it_is_about(filled: Filled) -> None:
    """Its payload has guests' names and addresses; without a tenant nobody reads any."""
    mine, theirs = filled.tenants
    event, account = new_id(), "acct_mine"
    async with filled.app.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO connected_accounts VALUES (:account, :tenant, true, true, NULL,"
                " now(), now())"
            ),
            {"account": account, "tenant": mine},
        )
        await connection.execute(
            text(
                "INSERT INTO webhook_inbox (id, event_id, endpoint, type, account_id, payload,"
                " received_at) VALUES (:id, 'evt_1', 'connect', 'x', :account,"
                ' \'{"who": "Carl"}\', now())'
            ),
            {"id": event, "account": account},
        )
    for tenant, read in (("", None), (str(theirs), None), (str(mine), {"who": "Carl"})):
        async with filled.app.begin() as connection:
            await connection.execute(text(f"SET LOCAL app.tenant_id = '{tenant}'"))
            asked = await connection.scalar(select(func.webhook_payload(event, type_=JSONB)))
            assert asked == read
    with pytest.raises(DBAPIError, match="permission denied"):
        await rows(filled.app, "SELECT payload FROM webhook_inbox")
