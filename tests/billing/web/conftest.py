"""Billing's pages over the stand-in, with events delivered straight into it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from uuid import UUID

import httpx
import pytest

from src.billing.stripe_gateway import StripeGateway
from src.platform.db.uow import UowFactory
from src.platform.services import Services
from src.sandbox.stripe.config import Hook
from src.sandbox.stripe.serving import Port, Running
from tests.billing.conftest import open_account
from tests.billing.paying import gateway_to
from tests.billing.places import Places
from tests.billing.support import Business, a_customer, make_business
from tests.billing.till import Till
from tests.conftest import Committing
from tests.support.builders import Business as FullBusiness
from tests.support.builders import a_business
from tests.support.clock import FrozenClock
from tests.support.shared_app import app_for
from tests.support.stripe_port import stripe_at
from tests.support.visitor import Visitor
from tests.tenants.web.signed_in import sign_in

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


@pytest.fixture
async def wired(
    committing: Committing, stripe_port: Port, places: Places, clock: FrozenClock
) -> AsyncIterator[Wired]:
    hooks = {
        "platform": Hook(f"{ROOT}/hooks/stripe/platform", "whsec_platform"),
        "connect": Hook(f"{ROOT}/hooks/stripe/connect", "whsec_connect"),
    }
    late, soon = LateTransport(), {"webhook_retry_base_seconds": 0.01}
    async with stripe_at(stripe_port, clock, late, hooks=hooks, **soon) as stripe:
        gateway = gateway_to(stripe)
        bound = replace(committing.services, ports={StripeGateway: gateway})
        business = await make_business(bound.uow_factory, clock.now())
        late.inner = httpx.ASGITransport(app_for(bound))
        account_id = await open_account(bound, stripe, business)
        till = Till(business, bound, stripe, places, clock, account_id)
        async with httpx.AsyncClient(transport=late.inner, base_url=ROOT) as browser:
            yield Wired(till, browser)
        await gateway.close()


class LateTransport(httpx.AsyncBaseTransport):
    """Leads to a program that is built after the stand-in, whose address it needs."""

    inner: httpx.ASGITransport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.inner.handle_async_request(request)


@dataclass
class Desk:
    """A business's dashboard, with olive (owner), mia (manager) and ivan (instructor)."""

    till: Till
    business: FullBusiness
    visitor: Visitor

    async def enter(self, user_id: UUID) -> None:
        await sign_in(self.visitor.client, self.till.services, user_id)


@pytest.fixture
async def desk(
    services: Services,
    uow_factory: UowFactory,
    stripe: Running,
    gateway: StripeGateway,
    places: Places,
    clock: FrozenClock,
) -> AsyncIterator[Desk]:
    bound = replace(services, ports={StripeGateway: gateway})
    made = await a_business(uow_factory, "harbour", currency="GBP", locale="en")
    customer_id = await a_customer(uow_factory, made.id)
    business = Business(made.id, made.slug, customer_id)
    account_id = await open_account(bound, stripe, business)
    till = Till(business, bound, stripe, places, clock, account_id)
    transport = httpx.ASGITransport(app_for(bound))
    async with httpx.AsyncClient(transport=transport, base_url=ROOT) as client:
        desk = Desk(till, made, Visitor(client))
        await desk.enter(made.owner.id)
        yield desk
