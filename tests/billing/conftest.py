"""Fixtures of billing's tests."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from src.billing import lines
from src.billing.commands.connect import _store_account
from src.billing.lines import register_line_kind
from src.billing.stripe_gateway import StripeGateway
from src.platform.db.uow import UowFactory
from src.platform.services import Services
from src.sandbox.stripe.objects import accounts
from src.sandbox.stripe.serving import Port, Running
from tests.billing.paying import gateway_to
from tests.billing.places import Places
from tests.billing.recorder import Recorder
from tests.billing.support import Business, make_business
from tests.billing.till import Till
from tests.support.clock import FrozenClock
from tests.support.stripe_port import stripe_at


@pytest.fixture
async def business(uow_factory: UowFactory, clock: FrozenClock) -> Business:
    return await make_business(uow_factory, clock.now())


@pytest.fixture
async def stripe(stripe_port: Port, clock: FrozenClock) -> AsyncIterator[Running]:
    async with stripe_at(stripe_port, clock) as running:
        yield running


@pytest.fixture
async def gateway(stripe: Running) -> AsyncIterator[StripeGateway]:
    gateway = gateway_to(stripe)
    yield gateway
    await gateway.close()


@pytest.fixture
def recorder(till: Till) -> Iterator[Recorder]:
    """What billing tells the world; asked for before the world is told."""
    recorder = Recorder(till.services.uow_factory, till.business.id)
    yield recorder
    recorder.stop()


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Places:
    """What is sold in these tests, and only in them."""
    # Orders of other tests in this process would be asked about it, too.
    monkeypatch.setattr(lines, "_kinds", dict(lines._kinds))
    places = Places(left=2)
    register_line_kind("seats", places)
    return places


@pytest.fixture
async def till(
    business: Business,
    services: Services,
    stripe: Running,
    gateway: StripeGateway,
    places: Places,
    clock: FrozenClock,
) -> Till:
    """A business that may charge, over the rolled-back transaction."""
    bound = replace(services, ports={StripeGateway: gateway})
    account_id = await open_account(bound, stripe, business)
    return Till(business, bound, stripe, places, clock, account_id)


async def open_account(services: Services, stripe: Running, business: Business) -> str:
    """A connected account that has been through onboarding, and that the business knows of."""
    with stripe.engine.work() as work:
        made = accounts.create(work, {"country": "GB"})
        accounts.finish_onboarding(work, made["id"])
    account = await services.port(StripeGateway).retrieve_account(made["id"])
    async with services.uow_factory(business.id) as uow:
        await _store_account(uow, account)
    return account.id
