"""A place held for a guest with a link to pay makes no number, and is not waited for."""

from datetime import timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import update

from src.booking.models import Service, Session
from src.platform.services import Services
from src.platform.web.formats import datetime_local
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_staff_book import by_staff, for_anna
from tests.booking.jobs.test_minimum import lotus, session, the, turn
from tests.booking.web.pages import as_owner
from tests.support.builders import Business
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work, work_through
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
    assert "It needed 3 people" in told.pop("Olive <olive@lotus.example>")
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


async def test_the_question_counts_as_the_decision_does(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    """Two of three have paid, and a third place waits for a link: the question stays."""
    await work(services, lotus.id)
    clock.advance(timedelta(days=5))
    await sold_online(services, lotus)
    anna = await a_customer(services.uow_factory, lotus)
    wish = for_anna("session", session.id, anna, pays="link")
    await by_staff(services.uow_factory, lotus, wish)
    await turn(services, lotus)
    [link] = [mail for mail in mailer.sent if mail.to == ["Anna <anna@example.com>"]]
    assert "if too few people have booked by then" not in link.body, "it is over before that"
    assert "Lotus holds a place for you: Yoga. It is yours once you have paid." in link.body
    held = "1 place is held until it is paid, and does not count yet."
    [asked] = [mail for mail in mailer.sent if mail.subject == "Too few people so far: Yoga"]
    assert f"2 booked so far, and at least 3 are needed. {held}" in asked.body
    await as_owner(client, services, lotus)
    for path in ("/app/lotus/today", f"/app/lotus/sessions/{session.id}"):
        shown = (await client.get(path)).text
        assert "2 booked so far, and at least 3 are needed." in shown
        assert held in shown
    assert "It takes place" in shown


async def test_a_hold_that_may_end_with_the_decision_is_not_promised_for_longer(
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    clock.advance(BEFORE - timedelta(hours=1))
    await sold_online(services, lotus)
    anna = await a_customer(services.uow_factory, lotus)
    wish = for_anna("session", session.id, anna, pays="link")
    await by_staff(services.uow_factory, lotus, wish)
    await work(services, lotus.id)
    [link] = [mail for mail in mailer.sent if mail.to == ["Anna <anna@example.com>"]]
    decided = datetime_local(session.starts_at - timedelta(hours=24), lotus.tenant.zone)
    assert f"; only until {decided} if too few people have booked by then" in link.body
