import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from src.sandbox.stripe import Config, Hook, Running
from src.sandbox.stripe.serving import Port
from tests.billing.paying import PATIENCE_SECONDS

SECRET_KEY = "sk_test_for_tests"
PLATFORM_SECRET = "whsec_platform"
CONNECT_SECRET = "whsec_connect"
HASTY_SECONDS = 2


@dataclass
class Receiver(httpx.AsyncBaseTransport):
    """The receiving end of the webhooks: verifies each signature with the stripe library."""

    events: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        secret = {"/platform": PLATFORM_SECRET, "/connect": CONNECT_SECRET}[request.url.path]
        event = stripe.Webhook.construct_event(body, request.headers["stripe-signature"], secret)
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.events.append(event.to_dict())
            self.paths.append(request.url.path)
        return httpx.Response(status)

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


@dataclass(frozen=True)
class Shop:
    """A connected business that may charge, and the library pointed at the stand-in."""

    running: Running
    client: Any
    account: str
    receiver: Receiver

    @property
    def on(self) -> Any:
        return {"stripe_account": self.account}

    def order(self, **changes: Any) -> Any:
        """Parameters of a payment page over 50.00 EUR with a fee of 2.50."""
        return {
            "mode": "payment",
            "line_items": [line("Yoga for beginners", 2500, quantity=2)],
            "success_url": "http://127.0.0.1/paid?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://127.0.0.1/back",
            "allowed_payment_method_types": ["card"],
            "payment_intent_data": {"application_fee_amount": 250, "metadata": {"order": "7"}},
            "metadata": {"order": "7"},
            "client_reference_id": "order-7",
        } | changes

    async def open_page(self, **changes: Any) -> Any:
        return await self.client.v1.checkout.sessions.create_async(self.order(**changes), self.on)

    async def session(self, session_id: str, *expand: str) -> Any:
        wanted: Any = {"expand": list(expand)} if expand else None
        return await self.client.v1.checkout.sessions.retrieve_async(session_id, wanted, self.on)

    async def paid_page(self, **changes: Any) -> Any:
        """A paid session with its payment intent and charge expanded."""
        session = await self.open_page(**changes)
        await self.running.turn("pay", session=session.id)
        return await self.session(session.id, "payment_intent.latest_charge")

    async def submit(self, url: str, **typed: str) -> httpx.Response:
        """The payment page's form, as a browser without JavaScript sends it."""
        form = {"email": "guest@example.com", "number": "4242 4242 4242 4242", "method": "card"}
        return await self.running.http.post(url, data=form | typed)

    async def events(self) -> list[str]:
        """Types of the events that arrived, after everything was delivered."""
        await self.running.turn("flush")
        return self.receiver.types


def line(name: str, unit_amount: int, quantity: int = 1, currency: str = "eur") -> Any:
    product: Any = {"name": name}
    return {
        "price_data": {"currency": currency, "unit_amount": unit_amount, "product_data": product},
        "quantity": quantity,
    }


def config_for(data_dir: Path | None = None) -> Config:
    return Config(
        secret_key=SECRET_KEY,
        data_dir=data_dir,
        hooks={
            "platform": Hook("http://seatline.test/platform", PLATFORM_SECRET),
            "connect": Hook("http://seatline.test/connect", CONNECT_SECRET),
        },
        webhook_retry_base_seconds=0.01,
    )


def client_for(base_url: str, http: stripe.HTTPXClient, key: str = SECRET_KEY) -> Any:
    return stripe.StripeClient(
        key,
        base_addresses={"api": base_url, "connect": base_url},
        http_client=http,
        max_network_retries=0,
    )


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def http() -> AsyncIterator[stripe.HTTPXClient]:
    client: Any = stripe.HTTPXClient(timeout=PATIENCE_SECONDS, verify_ssl_certs=False)
    yield client
    await client.close_async()


@pytest.fixture
async def hasty() -> AsyncIterator[stripe.HTTPXClient]:
    """Gives up soon, for tests in which no answer is to come."""
    client: Any = stripe.HTTPXClient(timeout=HASTY_SECONDS, verify_ssl_certs=False)
    yield client
    await client.close_async()


@pytest.fixture
async def running(
    stripe_port: Port, receiver: Receiver, http: stripe.HTTPXClient
) -> AsyncIterator[Running]:
    """A stand-in of the test's own. No answer of any test may have been misshapen."""
    async with stripe_port.occupied(config_for(), receiver) as running:
        yield running
        closing: Any = http.close_async
        await closing()
        assert running.engine.conformance_failures == []


@pytest.fixture
def client(running: Running, http: stripe.HTTPXClient) -> stripe.StripeClient:
    found: stripe.StripeClient = client_for(running.base_url, http)
    return found


@pytest.fixture
async def shop(running: Running, client: stripe.StripeClient, receiver: Receiver) -> Shop:
    return await new_shop(running, client, receiver)


async def new_shop(running: Running, client: stripe.StripeClient, receiver: Receiver) -> Shop:
    account = await client.v1.accounts.create_async(
        {
            "type": "standard",
            "country": "DE",
            "email": "olive@example.com",
            "business_profile": {"name": "Yoga Loft"},
        }
    )
    await running.turn("account", account=account.id)
    return Shop(running, client, account.id, receiver)
