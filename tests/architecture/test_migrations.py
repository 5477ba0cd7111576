"""Migrations go forward, back and forward again, and leave what the models say."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from src.billing.events import CreditsChanged, PackageLapsed
from src.booking.events import WorksheetsGiven, WorksheetsUnasked, WorksheetsWanted
from src.booking.jobs import worksheets
from src.booking.models import Cancellation
from src.platform.db.engine import make_engine, make_sessions
from src.platform.db.uow import unit_of_work_factory
from src.platform.ids import new_id
from src.platform.outbox.events import Registry
from src.platform.outbox.models import OutboxRow
from src.sandbox.postgres import Role
from tests.architecture.sizes import ROOT
from tests.booking.commands.test_book import a_wish, booked
from tests.support.builders import a_business, a_service, a_session
from tests.support.clock import FrozenClock

BEFORE_QUESTIONS_WERE_KEPT = "0027"
BEFORE_UNDONE_REASONS_WERE_EMPTIED = "0040"
BEFORE_WORKSHEETS = "0099"


def alembic(urls: Mapping[Role, str], *words: str) -> str:
    done = run_alembic(urls, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_alembic(urls: Mapping[Role, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alembic", *words],
        check=False,
        cwd=ROOT,
        env={**os.environ, "MIGRATOR_DATABASE_URL": urls[Role.MIGRATOR]},
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_up_down_and_up_again_without_drift(own_urls: Mapping[Role, str]) -> None:
    alembic(own_urls, "check")
    alembic(own_urls, "downgrade", "base")
    alembic(own_urls, "upgrade", "head")
    assert "No new upgrade operations" in alembic(own_urls, "check")


REVISION = """
from alembic import op
revision, down_revision = {revision!r}, {down!r}
branch_labels = depends_on = None
def upgrade() -> None:
    op.execute({sql!r})
def downgrade() -> None:
    pass
"""
SEEN = """CREATE TABLE {name} AS SELECT current_setting('lock_timeout') AS waits, array(
SELECT objid::int FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory') AS locks"""


def further(folder: Path, *statements: str) -> Path:
    """An alembic.ini with revisions after the newest, one for each statement."""
    down = ScriptDirectory(str(ROOT / "migrations")).get_current_head()
    for number, sql in enumerate(statements):
        revision = f"further{number}"
        content = REVISION.format(revision=revision, down=down, sql=sql)
        (folder / f"{revision}.py").write_text(content)
        down = revision
    folder.joinpath("alembic.ini").write_text(
        f"[alembic]\nscript_location = {ROOT}/migrations\nprepend_sys_path = {ROOT}\n"
        f"path_separator = newline\nversion_locations = {ROOT}/migrations/versions\n  {folder}\n"
    )
    return folder / "alembic.ini"


async def owners(urls: Mapping[Role, str], sql: str) -> list[tuple[object, ...]]:
    engine = create_async_engine(urls[Role.MIGRATOR])
    async with engine.connect() as connection:
        found = [tuple(row) for row in await connection.execute(text(sql))]
    await engine.dispose()
    return found


MIGRATION_LOCK = 7_205_021
HELD = (
    "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
    " WHERE locktype = 'advisory' AND datname = current_database()"
)


@pytest.mark.slow
@pytest.mark.anyio
async def test_lock_and_limit_hold_for_every_revision(
    own_urls: Mapping[Role, str], tmp_path: Path
) -> None:
    """Two that migrate at once would otherwise run the second revision together."""
    ini = further(tmp_path, SEEN.format(name="seen_first"), SEEN.format(name="seen_second"))
    alembic(own_urls, "-c", str(ini), "upgrade", "head")
    for table in ("seen_first", "seen_second"):
        assert await owners(own_urls, f"SELECT * FROM {table}") == [("10s", [MIGRATION_LOCK])]
    assert await owners(own_urls, HELD) == [(0,)]


@pytest.mark.anyio
async def test_a_revision_that_fails_undoes_itself_alone(
    own_urls: Mapping[Role, str], tmp_path: Path
) -> None:
    ini = further(tmp_path, SEEN.format(name="seen"), "CREATE TABLE half AS SELECT 1 / 0")
    done = run_alembic(own_urls, "-c", str(ini), "upgrade", "head")
    assert "division by zero" in done.stderr
    assert await owners(own_urls, "SELECT to_regclass('seen') IS NULL, to_regclass('half')") == [
        (False, None)
    ]
    assert await owners(own_urls, "SELECT version_num FROM alembic_version") == [("further0",)]
    assert await owners(own_urls, HELD) == [(0,)]


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


@pytest.mark.slow
@pytest.mark.anyio
async def test_answers_of_before_keep_the_question_that_they_were_given_to(
    own_urls: Mapping[Role, str],
) -> None:
    """There and back: the answer of a question that is gone keeps its key."""
    app = make_engine(own_urls[Role.APP])
    factory = unit_of_work_factory(make_sessions(app), FrozenClock())
    business = await a_business(factory)
    questions = [
        {"key": "b", "label": "Injuries?", "kind": "text"},
        {"key": "a", "label": "First time?", "kind": "checkbox"},
    ]
    service = await a_service(factory, business.id, price_type="free", questions=questions)
    session = await a_session(factory, service)
    wish = a_wish("session", session.id, answers={"a": "on", "b": "Knee"})
    await booked(factory, business, wish)
    await app.dispose()
    alembic(own_urls, "downgrade", BEFORE_QUESTIONS_WERE_KEPT)
    found = await owners(own_urls, "SELECT answers FROM bookings")
    assert found == [({"a": "on", "b": "Knee"},)]
    migrator = create_async_engine(own_urls[Role.MIGRATOR])
    async with migrator.begin() as connection:
        gone = """UPDATE bookings SET answers = answers || '{"gone": "Yes"}'"""
        await connection.execute(text(gone))
    await migrator.dispose()
    alembic(own_urls, "upgrade", "head")
    [(kept,)] = await owners(own_urls, "SELECT answers FROM bookings")
    assert kept == [
        {"key": "b", "label": "Injuries?", "kind": "text", "answer": "Knee"},
        {"key": "a", "label": "First time?", "kind": "checkbox", "answer": "on"},
        {"key": "gone", "label": "gone", "kind": "text", "answer": "Yes"},
    ]


@pytest.mark.slow
@pytest.mark.anyio
async def test_reasons_of_before_go_of_places_whose_cancelling_was_undone_alone(
    own_urls: Mapping[Role, str],
) -> None:
    app, clock = make_engine(own_urls[Role.APP]), FrozenClock()
    factory = unit_of_work_factory(make_sessions(app), clock)
    for slug, owner in (("lotus", "Olive"), ("rival", "Eve")):
        business = await a_business(factory, slug, owner=owner)
        async with factory(business.id) as uow:
            for scope, state in (("seats", "undone"), ("seats", "done"), ("session", "undone")):
                uow.session.add(
                    Cancellation(
                        tenant_id=business.id,
                        id=new_id(),
                        scope=scope,
                        state=state,
                        subject_id=new_id(),
                        reason=f"{scope} {state}",
                        total=0,
                        requested_at=clock.now(),
                        starts_at=clock.now(),
                    )
                )
    await app.dispose()
    alembic(own_urls, "downgrade", BEFORE_UNDONE_REASONS_WERE_EMPTIED)
    alembic(own_urls, "upgrade", "head")
    found = await owners(own_urls, "SELECT reason FROM cancellations ORDER BY reason")
    assert [reason for (reason,) in found] == [
        *["", ""],
        *["seats done", "seats done"],
        *["session undone", "session undone"],
    ]


@pytest.mark.slow
@pytest.mark.anyio
async def test_what_waits_about_worksheets_goes_with_them_and_nothing_else(
    own_urls: Mapping[Role, str],
) -> None:
    """A job that nobody does any more would wait for an operator for good."""
    of_worksheets = Registry()
    worksheets.register(of_worksheets)
    heard = (WorksheetsWanted, WorksheetsGiven, WorksheetsUnasked, PackageLapsed, CreditsChanged)
    consumers = [name for event in heard for name in of_worksheets.names(event.topic)]
    assert len(consumers) == len(heard)
    app, clock = make_engine(own_urls[Role.APP]), FrozenClock()
    business = await a_business(unit_of_work_factory(make_sessions(app), clock))
    async with unit_of_work_factory(make_sessions(app), clock)(business.id) as uow:
        for consumer in [*consumers, "booking.tell_package_lapsed"]:
            uow.session.add(
                OutboxRow(
                    tenant_id=business.id,
                    id=new_id(),
                    topic="any",
                    consumer=consumer,
                    payload={},
                    created_at=clock.now(),
                    available_at=clock.now(),
                )
            )
    await app.dispose()
    alembic(own_urls, "downgrade", BEFORE_WORKSHEETS)
    assert await owners(own_urls, "SELECT consumer FROM outbox") == [
        ("booking.tell_package_lapsed",)
    ]
