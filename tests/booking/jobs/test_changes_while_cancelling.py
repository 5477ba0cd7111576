"""A session changes while a booking of it is being cancelled, which may still be undone."""

import pytest

from src.booking.commands.cancel import cancel_purchase, undo_cancellation
from src.booking.guest_links import booking_path
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_sessions import HOUR
from tests.booking.jobs.test_changes import change, events, told
from tests.support.builders import a_business, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio


async def test_who_keeps_one_of_two_bookings_is_written_to_about_the_one_that_stays(
    services: Services, mailer: RememberingMailer
) -> None:
    """The older is being cancelled. It has its entry in the calendar file, should it be undone."""
    lotus = await a_business(services.uow_factory)
    yoga = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, yoga)
    older = a_wish("session", session.id, guest_name="Carl", party=("Carl",))
    going = await booked(services.uow_factory, lotus, older)
    newer = a_wish("session", session.id, guest_name="Carla", party=("Cora",))
    staying = await booked(services.uow_factory, lotus, newer)
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        cancellation_id = await cancel_purchase(
            uow, lotus.ctx, going.booking_id, reason="", undo_seconds=60
        )
    await change(services, lotus, session.id, by=HOUR)
    await work(services, lotus.id)
    [mail] = told(mailer)
    assert "Hello Carla," in mail.body
    assert booking_path(services.settings, "lotus", staying.order) in mail.body
    assert booking_path(services.settings, "lotus", going.order) not in mail.body
    assert len(events(mail)) == 2
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, cancellation_id)
    await work(services, lotus.id)
    assert told(mailer) == [mail]
    told_of = {seat.told_sequence for seat in await seats_of(services.uow_factory, lotus.id)}
    assert told_of == {1}
