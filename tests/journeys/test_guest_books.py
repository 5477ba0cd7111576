"""A guest's way through real pages, without scripts: hub, series, form, payment, booking, mail."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from icalendar import Calendar
from sqlalchemy import select

from src.billing.stripe_gateway import StripeGateway
from src.booking.models import Seat, Session
from src.platform.mail.models import MailRow
from src.platform.services import Services
from src.sandbox.stripe.config import Config, Hook
from src.sandbox.stripe.serving import Running, serve
from tests.billing.conftest import open_account
from tests.billing.paying import gateway_to
from tests.billing.support import Business as BareBusiness
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.shared_app import app_for
from tests.support.visitor import Visitor
from tests.support.work import work

pytestmark = pytest.mark.anyio

ROOT = "http://testserver.local"


class TwoSites(httpx.AsyncBaseTransport):
    """The program under its own name, and the world, of which there is only the processor."""

    def __init__(self) -> None:
        self.program: httpx.ASGITransport | None = None
        self._world = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "testserver.local":
            assert self.program is not None
            return await self.program.handle_async_request(request)
        return await self._world.handle_async_request(request)

    async def aclose(self) -> None:
        await self._world.aclose()


@dataclass
class Town:
    """A business with a program, a processor that calls it, and a guest's browser."""

    business: Business
    services: Services
    stripe: Running
    guest: Visitor

    async def settle(self) -> None:
        """Lets every event arrive and every job run."""
        await self.stripe.turn("flush")
        await work(self.services, self.business.id)

    async def rows(self, model: type[Any]) -> list[Any]:
        async with self.services.uow_factory(self.business.id) as uow:
            return list((await uow.session.scalars(select(model).order_by(model.id))).all())

    async def follow(self, beginning: str) -> httpx.Response:
        """Follows the page's first link whose address begins so."""
        page = self.guest.page
        assert page is not None
        found = page.text.split(f'href="{beginning}', 1)[1].split('"', 1)[0]
        return await self.guest.open(beginning + found.replace("&amp;", "&").split("#")[0])

    async def pay(self, card: str = "4242 4242 4242 4242", status: int = 200) -> httpx.Response:
        """Fills in the payment page that is open and sends it."""
        filled = {"number": card, "expiry": "12/34", "cvc": "123", "name": "Carl Guest"}
        return await self.guest.submit(filled, status=status)


@pytest.fixture
async def town(committing: Committing, clock: FrozenClock) -> AsyncIterator[Town]:
    config = Config(
        secret_key="sk_test_seatline",
        clock=lambda: clock.now().timestamp(),
        hooks={
            "platform": Hook(f"{ROOT}/hooks/stripe/platform", "whsec_platform"),
            "connect": Hook(f"{ROOT}/hooks/stripe/connect", "whsec_connect"),
        },
        webhook_retry_base_seconds=0.01,
    )
    sites = TwoSites()
    async with serve(config, webhook_transport=sites) as stripe:
        gateway = gateway_to(stripe)
        services = replace(committing.services, ports={StripeGateway: gateway})
        program: Any = app_for(services)
        sites.program = httpx.ASGITransport(program)
        business = await a_business(services.uow_factory, "lotus")
        bare = BareBusiness(business.id, business.slug, business.id)
        await open_account(services, stripe, bare)
        async with httpx.AsyncClient(transport=sites, base_url=ROOT) as browser:
            yield Town(business, services, stripe, Visitor(browser))
        await gateway.close()
        assert stripe.engine.conformance_failures == []


@pytest.mark.slow
async def test_a_series_is_found_paid_once_and_confirmed(town: Town) -> None:
    service = await a_service(town.services.uow_factory, town.business.id)
    await a_series(town.services.uow_factory, service)
    await town.guest.open("/b/lotus")
    await town.follow("/b/lotus/yoga?how=series")
    await town.follow("/b/lotus/yoga/book?series=")
    payment = await town.guest.submit({"name": "Carl", "email": "Carl@Example.com", "step": "book"})
    assert str(payment.url).startswith(town.stripe.base_url)
    done = await town.pay()
    assert "/b/lotus/bookings/" in str(done.url)
    assert "You are booked" in done.text
    await town.settle()
    assert [seat.state for seat in await town.rows(Seat)] == ["confirmed"] * 3
    assert [session.seats_taken for session in await town.rows(Session)] == [1, 1, 1]
    (mail,) = await town.rows(MailRow)
    assert mail.to_address.lower() == "carl@example.com"
    calendar = await town.guest.open(f"{town.guest.path}/calendar.ics")
    assert len(Calendar.from_ical(calendar.content).walk("VEVENT")) == 3


async def test_a_declined_card_can_be_followed_by_one_that_works(town: Town) -> None:
    service = await a_service(town.services.uow_factory, town.business.id)
    session = await a_session(town.services.uow_factory, service)
    await town.guest.open(f"/b/lotus/yoga/book?session={session.id}")
    await town.guest.submit({"name": "Carl", "email": "carl@example.com", "step": "book"})
    declined = await town.pay("4000 0000 0000 0002", 402)
    assert str(declined.url).startswith(town.stripe.base_url)
    done = await town.pay()
    assert "You are booked" in done.text
    await town.settle()
    assert len(await town.rows(MailRow)) == 1


async def test_leaving_the_payment_page_leads_to_the_held_booking(town: Town) -> None:
    service = await a_service(town.services.uow_factory, town.business.id)
    session = await a_session(town.services.uow_factory, service)
    await town.guest.open(f"/b/lotus/yoga/book?session={session.id}")
    payment = await town.guest.submit({"name": "Carl", "email": "carl@example.com", "step": "book"})
    back = payment.text.split('href="http://testserver.local/b/lotus/bookings/', 1)[1]
    held = await town.guest.open("/b/lotus/bookings/" + back.split('"', 1)[0])
    assert "Your place is held" in held.text
    again = await town.guest.submit(to="/pay")
    assert again.url == payment.url
    assert "You are booked" in (await town.pay()).text
