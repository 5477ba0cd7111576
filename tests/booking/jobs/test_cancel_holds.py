"""Cancelling while people are paying: nobody waits for the processor, nobody is counted twice."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from src.billing.checkout import ensure_payment_page
from src.billing.processor import Uncertain
from src.billing.stripe_gateway import StripeGateway
from src.booking.commands.cancel import cancel_session
from src.booking.jobs.cancel import _free_chunk
from src.booking.models import Cancellation, Seat
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, taken
from tests.booking.web.conftest import ROOT, Shop, shop
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.locks import until_somebody_waits
from tests.support.work import work, work_through

__all__ = ["shop"]
pytestmark = pytest.mark.anyio


class SlowProcessor:
    """Takes half a minute to say nothing."""

    def __init__(self, clock: FrozenClock) -> None:
        self._clock = clock

    async def retrieve_checkout_page(self, account_id: str, page_id: str) -> Any:
        self._clock.advance(timedelta(seconds=30))
        raise Uncertain("No answer.")


async def requested(services: Services, business: Business, session_id: UUID) -> UUID:
    async with services.uow_factory(business.id) as uow:
        return await cancel_session(uow, business.ctx, session_id, reason="Flood", undo_seconds=0)


async def the(services: Services, business: Business, cancellation_id: UUID) -> Cancellation:
    async with services.uow_factory(business.id) as uow:
        return await uow.session.get_one(Cancellation, (business.id, cancellation_id))


async def a_hold_and_a_seat(shop: Shop) -> UUID:
    """A date with one guest who pays on site and one who is at the payment page."""
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id)
    term = await a_series(factory, service, price_type="on_site", drop_in_allowed=True)
    wish = a_wish("series", term.series.id, guest_email="dora@example.com")
    await booked(factory, shop.business, wish)
    hold = await booked(factory, shop.business, a_wish("session", term.sessions[0].id))
    await ensure_payment_page(
        shop.services,
        shop.business.id,
        hold.order_id,
        success_url=f"{ROOT}/",
        cancel_url=f"{ROOT}/",
    )
    return term.sessions[0].id


async def test_a_slow_processor_keeps_nobody_waiting_but_those_at_its_pages(
    shop: Shop, clock: FrozenClock
) -> None:
    session_id = await a_hold_and_a_seat(shop)
    slow = replace(shop.services, ports={StripeGateway: SlowProcessor(clock)})
    cancellation_id = await requested(slow, shop.business, session_id)
    await work(slow, shop.business.id)
    found = await the(slow, shop.business, cancellation_id)
    assert (found.state, found.total, found.done, found.seats_freed) == ("running", 1, 1, 1)
    await work_through(shop.services, clock, shop.business.id, timedelta(seconds=60))
    found = await the(shop.services, shop.business, cancellation_id)
    assert (found.state, found.total, found.done, found.seats_freed) == ("done", 1, 1, 1)
    assert (await taken(shop.services.uow_factory, shop.business.id))[0] == 0


async def test_a_processor_that_does_not_answer_is_left_in_time(
    shop: Shop, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src.booking.jobs.cancel.HOLDS_SECONDS", 0.2)
    session_id = await a_hold_and_a_seat(shop)
    await shop.stripe.turn("api_faults", kind="delay", times=1, seconds=15)
    cancellation_id = await requested(shop.services, shop.business, session_id)
    began = asyncio.get_running_loop().time()
    await work(shop.services, shop.business.id)
    assert asyncio.get_running_loop().time() - began < 10
    assert (await the(shop.services, shop.business, cancellation_id)).done == 1


async def test_two_runs_at_once_count_each_customer_once(committing: Committing) -> None:
    factory = committing.uow_factory
    lotus = await a_business(factory)
    session = await a_session(factory, await a_service(factory, lotus.id, price_type="free"))
    await booked(factory, lotus, a_wish("session", session.id))
    cancellation_id = await requested(committing.services, lotus, session.id)
    cancellation = await the(committing.services, lotus, cancellation_id)

    async def second_run() -> None:
        async with factory(lotus.id) as uow:
            assert await _free_chunk(uow, cancellation)

    async with factory(lotus.id) as uow:
        assert await _free_chunk(uow, cancellation)
        second = asyncio.create_task(second_run())
        await until_somebody_waits(factory)
    await second
    found = await the(committing.services, lotus, cancellation_id)
    assert (found.total, found.done, found.seats_freed) == (1, 1, 1)
    async with factory(lotus.id) as uow:
        told = text("SELECT count(*) FROM outbox WHERE topic = 'booking.seats_cancelled'")
        assert await uow.session.scalar(told) == 1
        assert await uow.session.scalar(select(Seat.state)) == "cancelled"
