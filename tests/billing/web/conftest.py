"""Billing's pages over the stand-in, with events delivered straight into it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide
from litestar.plugins.htmx import HTMXPlugin

from src.billing.stripe_gateway import StripeGateway
from src.billing.web import install, route_handlers
from src.platform.services import Services
from src.platform.web.kit import WebKit
from src.sandbox.stripe.config import Config, Hook
from src.sandbox.stripe.serving import serve
from src.tenants.web.middleware import ContextMiddleware, provide_context
from tests.billing.conftest import open_account
from tests.billing.places import Places
from tests.billing.support import make_business
from tests.billing.till import Till
from tests.conftest import Committing
from tests.support.clock import FrozenClock

ROOT = "http://testserver.local"


@dataclass
class Wired:
    """A till whose processor reaches the program, and a browser for it."""

    till: Till
    http: httpx.AsyncClient

    async def flush(self) -> None:
        """Delivers every event, then does the work that it leads to."""
        await self.till.stripe.turn("flush")
        await self.till.work()


def billing_app(services: Services) -> Litestar:
    """Billing's pages and endpoints behind the middleware of the whole program."""
    kit = WebKit.from_settings(services.settings, redis=services.redis, clock=services.clock)
    install(kit, services)
    app = Litestar(
        route_handlers=[*route_handlers, *kit.route_handlers],
        middleware=[*kit.middleware, ContextMiddleware(services)],
        exception_handlers=kit.exception_handlers,
        dependencies={
            "services": Provide(lambda: services, sync_to_thread=False),
            "ctx": Provide(provide_context, sync_to_thread=False),
        },
        plugins=[HTMXPlugin()],
        logging_config=None,
        openapi_config=None,
    )
    kit.attach(app)
    return app


@pytest.fixture
async def wired(committing: Committing, places: Places, clock: FrozenClock) -> AsyncIterator[Wired]:
    config = Config(
        secret_key="sk_test_seatline",
        clock=lambda: clock.now().timestamp(),
        hooks={
            "platform": Hook(f"{ROOT}/hooks/stripe/platform", "whsec_platform"),
            "connect": Hook(f"{ROOT}/hooks/stripe/connect", "whsec_connect"),
        },
        webhook_retry_base_seconds=0.01,
    )
    late = LateTransport()
    async with serve(config, webhook_transport=late) as stripe:
        gateway = StripeGateway("sk_test_seatline", stripe.base_url, call_seconds=2, retries=0)
        bound = replace(committing.services, ports={StripeGateway: gateway})
        business = await make_business(bound.uow_factory, clock.now())
        late.inner = httpx.ASGITransport(billing_app(bound))
        account_id = await open_account(bound, stripe, business)
        till = Till(business, bound, stripe, places, clock, account_id)
        async with httpx.AsyncClient(transport=late.inner, base_url=ROOT) as browser:
            yield Wired(till, browser)
        await gateway.close()
        assert stripe.engine.conformance_failures == []


class LateTransport(httpx.AsyncBaseTransport):
    """Leads to a program that is built after the stand-in, whose address it needs."""

    inner: httpx.ASGITransport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.inner.handle_async_request(request)
