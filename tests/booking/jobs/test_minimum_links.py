"""A place held for a guest with a link to pay makes no number, and is not waited for."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from src.booking.models import Service, Session
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_staff_book import by_staff, for_anna
from tests.booking.jobs.test_minimum import lotus, session, the, turn
from tests.support.builders import Business
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work_through
from tests.tenants.commands.test_customer_care import a_customer

__all__ = ["lotus", "session"]
pytestmark = pytest.mark.anyio

BEFORE = timedelta(days=6) - timedelta(minutes=1)


async def sold_online(services: Services, business: Business) -> None:
    async with services.uow_factory(business.id) as uow:
        await uow.session.execute(update(Service).values(price_type="online"))


async def test_a_place_that_waits_for_a_link_lets_no_session_take_place(
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    """Two of three have paid; the third may pay for another day. All three are told in time."""
    clock.advance(BEFORE)
    await sold_online(services, lotus)
    anna = await a_customer(services.uow_factory, lotus)
    wish = for_anna("session", session.id, anna, pays="link")
    await by_staff(services.uow_factory, lotus, wish)
    clock.advance(timedelta(minutes=1))
    await turn(services, lotus)
    assert (await the(services, lotus, session)).state == "cancelling"
    mailer.sent.clear()
    await work_through(services, clock, lotus.id, timedelta(minutes=3))
    assert (await the(services, lotus, session)).state == "cancelled"
    told = {mail.to[0]: mail.body for mail in mailer.sent}
    assert len(told) == 2
    assert all("Too few people have booked this date." in body for body in told.values())


async def test_whoever_is_paying_is_waited_for_an_hour_at_most(
    services: Services, lotus: Business, session: Session, clock: FrozenClock
) -> None:
    """Nobody sweeps the hold here, as when the processor does not answer."""
    clock.advance(BEFORE)
    await sold_online(services, lotus)
    dora = a_wish("session", session.id, guest_name="Dora", guest_email="dora@example.com")
    await booked(services.uow_factory, lotus, dora)
    clock.advance(timedelta(minutes=1))
    await turn(services, lotus)
    assert (await the(services, lotus, session)).state == "scheduled"
    clock.advance(timedelta(hours=1))
    await turn(services, lotus)
    assert (await the(services, lotus, session)).state == "cancelling"
