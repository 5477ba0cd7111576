"""A business that guests can pay, with the stand-in for Stripe behind it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import inspect, select, update

from src.billing.stripe_gateway import StripeGateway
from src.platform.services import Services
from src.sandbox.stripe.serving import Port, Running
from tests.billing.conftest import open_account
from tests.billing.paying import gateway_to
from tests.billing.support import Business as BareBusiness
from tests.booking.web.pages import as_owner
from tests.support.builders import Business, a_business
from tests.support.clock import FrozenClock
from tests.support.shared_app import app_for
from tests.support.stripe_port import stripe_at
from tests.support.visitor import Visitor, forms_of
from tests.support.work import work

ROOT = "http://testserver.local"
CARL = {"name": "Carl Guest", "email": "carl@example.com"}


@dataclass
class Shop:
    """A business on the real application, a guest's browser, and what money does."""

    business: Business
    services: Services
    stripe: Running
    guest: Visitor

    async def pay(self, payment_url: str) -> None:
        """Pays on the page that the guest was sent to; nobody tells us yet."""
        await self.stripe.turn("pay", session=payment_url.rsplit("/", 1)[-1])

    async def work(self) -> int:
        return await work(self.services, self.business.id)

    async def book(self, url: str, **typed: Any) -> httpx.Response:
        """Opens the form at the address, fills it in and sends it; the answer is not followed."""
        await self.guest.open(url)
        return await self.send(**typed)

    async def send(self, **typed: Any) -> httpx.Response:
        """Sends the form that is open; it stays open, as it does behind the back button."""
        page = self.guest.page
        assert page is not None
        (form,) = [form for form in forms_of(page) if "form_token" in form.fields]
        filled = form.filled({**CARL, "step": "book", **typed})
        return await self.guest.client.post(form.action, data=filled)


@pytest.fixture
async def lotus(client: httpx.AsyncClient, services: Services) -> Business:
    """A business whose owner is signed in."""
    business = await a_business(services.uow_factory)
    await as_owner(client, services, business)
    return business


async def rows(shop: Shop, model: type[Any]) -> list[Any]:
    """The business's rows of a table, in the order of their making where their keys tell it."""
    async with shop.services.uow_factory(shop.business.id) as uow:
        keys = inspect(model).primary_key
        return list(await uow.session.scalars(select(model).order_by(*keys)))


async def change(shop: Shop, model: type[Any], **values: Any) -> None:
    """Gives every row of the table these values, as nobody could on a page."""
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(model).values(**values))


def subject(kind: str, subject_id: UUID, service: str = "yoga") -> str:
    """The address of the form for a series or a session."""
    return f"/b/lotus/{service}/book?{kind}={subject_id}"


@pytest.fixture
async def shop(services: Services, stripe_port: Port, clock: FrozenClock) -> AsyncIterator[Shop]:
    async with stripe_at(stripe_port, clock) as stripe:
        gateway = gateway_to(stripe)
        bound = replace(services, ports={StripeGateway: gateway})
        business = await a_business(services.uow_factory, "lotus")
        await open_account(bound, stripe, BareBusiness(business.id, business.slug, business.id))
        program: Any = app_for(bound)
        transport = httpx.ASGITransport(program)
        async with httpx.AsyncClient(transport=transport, base_url=ROOT) as client:
            yield Shop(business, bound, stripe, Visitor(client))
        await gateway.close()
