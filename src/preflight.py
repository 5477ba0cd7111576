"""`check-config --connect`: whether what the settings name answers, and is as it must be."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Row, text

from src.platform.config import Settings
from src.platform.db.engine import make_engine
from src.platform.outages import make_redis

ROOT = Path(__file__).resolve().parent.parent
CHECK_SECONDS = 10.0

_ROLE = text(
    "SELECT rolname, rolsuper OR rolbypassrls AS is_unbound,"
    " current_setting('statement_timeout') = '0' OR"
    " current_setting('idle_in_transaction_session_timeout') = '0' AS is_endless"
    " FROM pg_roles WHERE rolname = current_user"
)
_IS_MIGRATED = text("SELECT to_regclass('alembic_version') IS NOT NULL")
_REVISION = text("SELECT version_num FROM alembic_version")


async def problems_found(settings: Settings) -> list[str]:
    """A sentence for each thing that does not answer or would not work; empty when all is well."""
    checks: list[tuple[str, Callable[[Settings], Awaitable[list[str]]]]] = [
        ("DATABASE_URL", _app_role),
        ("RELAY_DATABASE_URL", _relay_role),
        ("MIGRATOR_DATABASE_URL", _owner),
        ("REDIS_URL", _valkey),
        ("SMTP_URL", _mail_server),
    ]
    found = await asyncio.gather(*(_answer(name, check(settings)) for name, check in checks))
    return [problem for problems in found for problem in problems]


async def _answer(name: str, check: Awaitable[list[str]]) -> list[str]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check
    except Exception as error:  # noqa: BLE001  whatever goes wrong is what the operator must know
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        return [f"{name}: {reason}"]


async def _app_role(settings: Settings) -> list[str]:
    return _bound("DATABASE_URL", await _role_of(settings.database_url))


async def _relay_role(settings: Settings) -> list[str]:
    return _bound("RELAY_DATABASE_URL", await _role_of(settings.relay_database_url))


def _bound(name: str, role: Row[tuple[str, bool, bool]]) -> list[str]:
    """The walls between businesses are made of policies, and the roles' limits are what ends a
    statement that hangs.
    """
    problems: list[str] = []
    if role.is_unbound:
        problems.append(
            f"{name} signs in as {role.rolname}, whom row-level security does not bind."
        )
    if role.is_endless:
        problems.append(
            f"{name}: {role.rolname} has no limits of time. As its administrator: ALTER ROLE"
            f" {role.rolname} SET statement_timeout = '20s'; ALTER ROLE {role.rolname}"
            " SET idle_in_transaction_session_timeout = '30s';"
        )
    return problems


async def _role_of(address: str) -> Row[tuple[str, bool, bool]]:
    engine = make_engine(address, pool_size=1)
    try:
        async with engine.connect() as connection:
            return (await connection.execute(_ROLE)).one()
    finally:
        await engine.dispose()


async def _owner(settings: Settings) -> list[str]:
    role = await _role_of(settings.migrator_database_url)
    if not role.is_unbound:
        return [f"MIGRATOR_DATABASE_URL signs in as {role.rolname}, who must have BYPASSRLS."]
    present, wanted = await _revision(settings), _head()
    if present == wanted:
        return []
    stands = f"The database is at revision {present or 'none'} and this version needs {wanted}"
    return [f"{stands}: run `seatline db upgrade`."]


async def _revision(settings: Settings) -> str | None:
    engine = make_engine(settings.migrator_database_url, pool_size=1)
    try:
        async with engine.connect() as connection:
            if not await connection.scalar(_IS_MIGRATED):
                return None
            found: str | None = await connection.scalar(_REVISION)
            return found
    finally:
        await engine.dispose()


def _head() -> str | None:
    return ScriptDirectory.from_config(Config(str(ROOT / "alembic.ini"))).get_current_head()


async def _valkey(settings: Settings) -> list[str]:
    client = make_redis(settings.redis_url)
    try:
        await client.ping()
    finally:
        await client.aclose()
    return []


async def _mail_server(settings: Settings) -> list[str]:
    """As far as signing in; no mail is sent."""
    address = urlsplit(settings.smtp_url)
    client = SMTP(
        hostname=address.hostname,
        port=address.port or (465 if address.scheme == "smtps" else 25),
        username=unquote(address.username) if address.username else None,
        password=unquote(address.password) if address.password else None,
        use_tls=address.scheme == "smtps",
        start_tls="starttls=1" in address.query,
        timeout=CHECK_SECONDS,
    )
    async with client:
        await client.noop()
    return []
