"""One port for the stand-ins of a module's tests: a server for each costs more than most tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import httpx
import pytest
from litestar import Litestar

from src.platform.i18n import DEFAULT_LOCALE, set_locale
from src.sandbox.stripe.app import create_app
from src.sandbox.stripe.config import Config
from src.sandbox.stripe.serving import Port, Running, listen
from tests.support.clock import FrozenClock


@pytest.fixture(scope="module")
async def stripe_port() -> AsyncIterator[Port]:
    """Where the stand-ins of the module's tests answer, each for as long as its test lasts.

    The event loop is the module's too, as with `rolled_back`.
    """
    async with listen(_routes()) as port:
        yield port


@lru_cache(maxsize=1)
def _routes() -> Litestar:
    """One for all modules of a worker: it keeps nothing from one stand-in to the next."""
    return create_app()


@asynccontextmanager
async def stripe_at(
    port: Port,
    clock: FrozenClock,
    webhook_transport: httpx.AsyncBaseTransport | None = None,
    **config: Any,
) -> AsyncIterator[Running]:
    """A test's own stand-in, on its clock; every answer it gave had the shape that Stripe's have.

    Whatever calls it must be closed before the block ends.
    """
    # The loop's task is the module's too, and with it what the test before spoke.
    set_locale(DEFAULT_LOCALE)
    told = Config(secret_key="sk_test_seatline", clock=lambda: clock.now().timestamp(), **config)
    async with port.occupied(told, webhook_transport) as running:
        yield running
        assert running.engine.conformance_failures == []
