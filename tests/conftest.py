"""Fixtures that every level shares. Nothing here starts a server until a test asks for one."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import hypothesis
import pytest
import structlog
from httpx import ASGITransport, AsyncClient
from jinja2 import FileSystemBytecodeCache
from redis.asyncio import Redis
from sqlalchemy import event, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from src.platform.config import Settings
from src.platform.db.engine import make_engine, make_sessions
from src.platform.db.uow import UowFactory, unit_of_work_factory
from src.platform.i18n import DEFAULT_LOCALE, set_locale
from src.platform.mail import templates
from src.platform.ratelimit import RateLimiter
from src.platform.services import Services
from src.platform.web import kit
from src.sandbox.postgres import Role
from src.wiring import wire
from tests.support.clock import FrozenClock
from tests.support.databases import drop_database, own_database, shared_database
from tests.support.ledgers import ledgers_that_do_not_add_up
from tests.support.mail import RememberingMailer
from tests.support.reused import POOL_NAME, ReusedDatabase
from tests.support.servers import pytest_configure, pytest_unconfigure, run_folder, test_servers
from tests.support.settings import settings_for
from tests.support.shared_app import app_for
from tests.support.shuffled import pytest_addoption, shuffle_if_asked
from tests.support.stripe_port import stripe_port

# By default an example that took 200 ms on a busy machine would fail its test: speed is for `make
# bench` alone.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

# The run's owner starts and ends with pytest itself; a fixture is found by its name.
__all__ = ["pytest_addoption", "pytest_configure", "pytest_unconfigure", "stripe_port"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return ("asyncio", {"use_uvloop": True})


@pytest.fixture(scope="session", autouse=True)
def _wired() -> None:
    """Consumers and meanings are registered once, as every process does at its start."""
    wire()


@pytest.fixture(scope="session", autouse=True)
def _shuffled(pytestconfig: pytest.Config) -> None:
    shuffle_if_asked(pytestconfig)


@pytest.fixture(scope="session", autouse=True)
def _little_collecting() -> None:
    """The program and all tests are there for good: looking through them again and again for what
    could be let go takes a sixteenth of a run.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session", autouse=True)
def _plain_tracebacks() -> None:
    """With every local variable in it, as is the default, a logged traceback takes a second."""
    *before, _renderer = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, plain])


@pytest.fixture(scope="session", autouse=True)
def _templates_compiled_once() -> None:
    """In a run by all of its workers together. A later run compiles anew: what has come of a
    template depends on the filters' code, too, of which Jinja's cache knows nothing.
    """
    folder = run_folder() / "templates"
    folder.mkdir(exist_ok=True)
    for environment in (kit._environment(kit.ROOT / "templates", False), templates._environment()):
        environment.bytecode_cache = FileSystemBytecodeCache(str(folder))


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture(scope="session")
def database() -> Mapping[Role, str]:
    """Addresses of this worker's migrated database, by role."""
    return shared_database()


@pytest.fixture
def settings(database: Mapping[Role, str]) -> Settings:
    return settings_for(database, test_servers().valkey_url)


@pytest.fixture(scope="module")
async def rolled_back(database: Mapping[Role, str]) -> AsyncIterator[AsyncEngine]:
    """What the module's tests have one connection of, whose plans outlive each of them.

    The event loop is the module's too: the connection belongs to it.
    """
    engine = _of_rolled_back(database[Role.SUPERUSER])
    yield engine
    await engine.dispose()


@lru_cache(maxsize=1)
def _of_rolled_back(url: str) -> AsyncEngine:
    """One for all modules of a worker: it remembers the statements it has put into SQL."""
    remembered = {"prepared_statement_cache_size": 1000}
    return create_async_engine(url, pool_size=1, max_overflow=0, connect_args=remembered)


@pytest.fixture
async def uow_factory(rolled_back: AsyncEngine, clock: FrozenClock) -> AsyncIterator[UowFactory]:
    """Units of work as the app role, inside one transaction that is rolled back at the end.

    The superuser signs in and becomes the app role, so that `tests.support.owner` can do in the
    same transaction what the program has no right to.
    """
    # The loop's task is the module's too, and with it what the test before spoke.
    set_locale(DEFAULT_LOCALE)
    async with rolled_back.connect() as connection:
        outer = await connection.begin()
        await connection.execute(text(f"SET SESSION AUTHORIZATION {Role.APP}"))
        sessions = make_sessions(connection, join_transaction_mode="create_savepoint")
        yield unit_of_work_factory(sessions, clock)
        await connection.execute(text("RESET SESSION AUTHORIZATION"))
        wrong = await ledgers_that_do_not_add_up(connection)
        await outer.rollback()
    assert not wrong, wrong


@pytest.fixture
async def redis() -> AsyncIterator[Redis]:
    """This worker's own Valkey database, emptied before the test."""
    client: Redis = Redis.from_url(test_servers().valkey_url)
    await client.flushdb()
    yield client
    await client.aclose()


@pytest.fixture
def mailer() -> RememberingMailer:
    return RememberingMailer()


@pytest.fixture
def services(
    settings: Settings,
    clock: FrozenClock,
    uow_factory: UowFactory,
    redis: Redis,
    mailer: RememberingMailer,
) -> Services:
    """Services over the rolled-back transaction; ports are added by the tests that need them."""
    return Services(settings, clock, uow_factory, redis, mailer, RateLimiter(redis, clock))


@dataclass
class Committing:
    """A database of the test's own, where commits are real and tasks may race."""

    name: str
    urls: Mapping[Role, str]
    engine: AsyncEngine
    uow_factory: UowFactory
    settings: Settings
    services: Services


@pytest.fixture(scope="module")
async def pooled() -> AsyncIterator[AsyncEngine]:
    """Connections of the module's committing tests, for the event loop is the module's then.

    What one of them does to a session ends with its transaction, or in `_give_back`.
    """
    engine, _address = _of_own_databases()
    yield engine
    await engine.dispose()


@pytest.fixture
async def committing(
    pooled: AsyncEngine, clock: FrozenClock, redis: Redis, mailer: RememberingMailer
) -> AsyncIterator[Committing]:
    # As in `uow_factory`.
    set_locale(DEFAULT_LOCALE)
    before = asyncio.all_tasks()
    name, urls = await _reused().hand_out()
    engine = _committing(urls[Role.APP])
    factory = unit_of_work_factory(make_sessions(engine), clock)
    settings = settings_for(urls, test_servers().valkey_url)
    limiter = RateLimiter(redis, clock)
    services = Services(settings, clock, factory, redis, mailer, limiter)
    yield Committing(name, urls, engine, factory, settings, services)
    await _assert_balanced(urls)
    await _give_back(engine, {task for task in asyncio.all_tasks() - before if not _runs(task)})


async def _assert_balanced(urls: Mapping[Role, str]) -> None:
    """As after every other test: no balance is another than its ledger's sum."""
    engine = create_async_engine(urls[Role.SUPERUSER])
    try:
        async with engine.connect() as connection:
            wrong = await ledgers_that_do_not_add_up(connection)
    finally:
        await engine.dispose()
    assert not wrong, wrong


def _runs(task: asyncio.Task[Any]) -> bool:
    """Whether it is the runner's own, which waits for the end of this very fixture."""
    return task.get_coro().__qualname__.startswith("TestRunner.")


async def _give_back(engine: AsyncEngine, left: set[asyncio.Task[Any]]) -> None:
    """Leaves neither a task of the test's nor a connection that remembers it."""
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    pool = engine.sync_engine.pool
    assert isinstance(pool, QueuePool)
    clean = not left and pool.checkedout() == 0 and await all_reset(engine, pool.checkedin())
    if not await _reused().take_back(clean=clean):
        await engine.dispose()


async def all_reset(engine: AsyncEngine, idle: int) -> bool:
    """Undoes settings, advisory locks, cursors and subscriptions; what is prepared stays."""
    async with AsyncExitStack() as stack:
        for _ in range(idle):
            connection = await stack.enter_async_context(engine.connect())
            raw = await connection.get_raw_connection()
            driver = raw.driver_connection
            if driver is None or driver.is_closed() or driver.is_in_transaction():
                return False
            await driver.reset()
    return True


@lru_cache(maxsize=1)
def _reused() -> ReusedDatabase:
    return ReusedDatabase()


def _committing(url: str) -> AsyncEngine:
    """One engine for all tests of a worker, on the database of the test that asks last."""
    engine, address = _of_own_databases()
    address["database"] = make_url(url).database
    return engine


@lru_cache(maxsize=1)
def _of_own_databases() -> tuple[AsyncEngine, dict[str, Any]]:
    url = test_servers().postgres.url(Role.APP, "postgres")
    # Many tasks share few connections on purpose, and a busy machine is slow at it.
    engine = make_engine(url, pool_size=20, pool_timeout=60)
    address: dict[str, Any] = {}

    @event.listens_for(engine.sync_engine, "do_connect")
    def say_which(dialect: Any, record: Any, cargs: Any, cparams: dict[str, Any]) -> None:
        cparams.update(address, server_settings={"application_name": POOL_NAME})

    return engine, address


@pytest.fixture
def own_urls() -> Iterator[Mapping[Role, str]]:
    """Addresses of a migrated database that the test may spoil."""
    name, urls = own_database()
    yield urls
    drop_database(name)


@pytest.fixture
async def client(services: Services) -> AsyncIterator[AsyncClient]:
    """A browser without JavaScript on the real application, in the test's own transaction."""
    transport = ASGITransport(app=app_for(services))
    async with AsyncClient(transport=transport, base_url="http://testserver.local") as browser:
        yield browser
