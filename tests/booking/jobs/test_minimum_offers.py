"""A minimum group size is a number of people: places that are only on offer are nobody's."""

from datetime import timedelta

import pytest
from httpx import AsyncClient

from src.booking.commands.leave import leave_dates
from src.booking.commands.minimum import set_minimum
from src.booking.models import Session
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_waitlist import LEAVING
from tests.booking.jobs.test_minimum import the, turn
from tests.booking.web.pages import as_owner
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.waiting import check_places, entries, joined, offers
from tests.support.work import work, work_through

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def session(services: Services, lotus: Business, clock: FrozenClock) -> Session:
    """In a week, of two places, at least two people, decided a day before and asked now: one came,
    one has left, and Ann is offered that place for days.
    """
    factory = services.uow_factory
    waitlist = {"offer_minutes": 7 * 24 * 60, "quiet_from": 0, "quiet_until": 0}
    service = await a_service(
        factory, lotus.id, price_type="free", leaving=LEAVING, waitlist=waitlist
    )
    session = await a_session(factory, service, capacity=2)
    made = await booked(factory, lotus, a_wish("session", session.id, party=("Carl", "Kid")))
    async with factory(lotus.id) as uow:
        await set_minimum(uow, lotus.ctx, session.id, min_seats=2, decide_hours=24)
    await joined(factory, lotus, "session", session.id, "Ann")
    await work(services, lotus.id)
    clock.advance(timedelta(days=5) - timedelta(hours=1))
    [seat, _kid] = await seats_of(factory, lotus.id)
    async with factory(lotus.id) as uow:
        await leave_dates(uow, lotus.tenant, made.order_id, [seat.id])
    await work(services, lotus.id)
    assert await check_places(factory, lotus) == [2]
    clock.advance(timedelta(hours=1))
    return session


async def test_an_offer_is_nobody_when_it_is_asked_and_decided(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    mailer.sent.clear()
    await turn(services, lotus)
    [asked] = mailer.sent
    assert asked.subject == "Too few people so far: Yoga"
    assert "1 booked so far, and at least 2 are needed" in asked.body
    assert "1 place is on offer to people on the waiting list." in asked.body
    await as_owner(client, services, lotus)
    told = "1 booked so far, and at least 2 are needed"
    for path in ("/app/lotus/today", f"/app/lotus/sessions/{session.id}"):
        shown = (await client.get(path)).text
        assert told in shown
        assert "1 place is on offer to people on the waiting list." in shown
    clock.advance(timedelta(days=1))
    await turn(services, lotus)
    assert (await the(services, lotus, session)).state == "cancelling"
    await work_through(services, clock, lotus.id, timedelta(minutes=2))
    assert (await the(services, lotus, session)).state == "cancelled"
    assert await entries(services.uow_factory, lotus) == {"Ann": "closed"}
    assert await check_places(services.uow_factory, lotus) == [0]


async def test_an_offer_that_was_taken_is_somebody(
    services: Services, lotus: Business, session: Session, clock: FrozenClock
) -> None:
    [offer] = await offers(services.uow_factory, lotus)
    wish = {"guest_email": "ann@example.com", "offer_id": offer.id}
    await booked(services.uow_factory, lotus, a_wish("session", session.id, **wish))
    clock.advance(timedelta(days=1))
    await turn(services, lotus)
    now = await the(services, lotus, session)
    assert (now.state, now.decision_asked_at) == ("scheduled", None)
