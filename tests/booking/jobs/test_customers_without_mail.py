"""Whoever has no address, or nothing left to hear of, leaves no job behind that never ends."""

from datetime import timedelta

import pytest

from src.booking.commands.cancel import cancel_session
from src.booking.place import place_by_staff
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_staff_book import for_anna
from tests.support.builders import a_business, a_service, a_session
from tests.support.cancelling import seats_taken_back
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import waiting, work, work_through
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio


async def test_a_phone_customer_is_booked_and_cancelled_without_a_mail(
    services: Services, mailer: RememberingMailer, clock: FrozenClock
) -> None:
    factory = services.uow_factory
    lotus = await a_business(factory)
    session = await a_session(factory, await a_service(factory, lotus.id, price_type="on_site"))
    anna = await a_customer(factory, lotus, email="", phone="020 555 0134")
    await place_by_staff(services, lotus.ctx, for_anna("session", session.id, anna, guest_email=""))
    await work(services, lotus.id)
    assert await waiting(services, lotus.id) == []
    async with factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, session.id, reason="Ill", undo_seconds=1)
    await work_through(services, clock, lotus.id, timedelta(minutes=1))
    assert await waiting(services, lotus.id) == []
    assert mailer.sent == []


async def test_a_booking_that_ended_before_its_confirmation_left_is_not_told_of(
    services: Services, mailer: RememberingMailer
) -> None:
    factory = services.uow_factory
    lotus = await a_business(factory)
    session = await a_session(factory, await a_service(factory, lotus.id, price_type="free"))
    await booked(factory, lotus, a_wish("session", session.id))
    [seat] = await seats_of(factory, lotus.id)
    await seats_taken_back(factory, lotus, [seat.id], why="Ill")
    await work(services, lotus.id)
    assert await waiting(services, lotus.id) == []
    assert [mail.subject for mail in mailer.sent] == ["Cancelled: Yoga"]
