"""Jobs that began before two customers became one, and end after it."""

import pytest

from src.booking.commands.cancel import cancel_session
from src.booking.events import SeatsCancelled
from src.platform.services import Services
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.models import Customer
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.support.builders import a_business, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.work import work
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio


async def test_a_confirmation_under_way_establishes_who_is_left(
    services: Services, mailer: RememberingMailer
) -> None:
    factory = services.uow_factory
    lotus = await a_business(factory)
    session = await a_session(factory, await a_service(factory, lotus.id, price_type="free"))
    made = await booked(factory, lotus, a_wish("session", session.id))
    kept = await a_customer(factory, lotus, email="karl@example.com")
    async with factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, made.order.customer_id, kept)
    await work(services, lotus.id)
    async with factory(lotus.id) as uow:
        left = await uow.session.get_one(Customer, (lotus.id, kept))
        assert left.is_established
    [mail] = mailer.sent
    assert "carl@example.com" in str(mail.to), "the mail goes where the guest asked for it"


async def test_both_are_told_of_a_cancellation_that_was_on_its_way(
    services: Services, mailer: RememberingMailer
) -> None:
    """Each had a mail to come when they were two; neither is taken for a double of the other."""
    factory = services.uow_factory
    lotus = await a_business(factory)
    session = await a_session(factory, await a_service(factory, lotus.id, price_type="free"))
    made = [
        await booked(factory, lotus, a_wish("session", session.id, guest_email=address))
        for address in ("carl@example.com", "karl@example.com")
    ]
    await work(services, lotus.id)
    mailer.sent.clear()
    seats = await seats_of(factory, lotus.id)
    async with factory(lotus.id) as uow:
        cancellation_id = await cancel_session(
            uow, lotus.ctx, session.id, reason="Flooded", undo_seconds=600
        )
        for one in made:
            own = [seat.id for seat in seats if seat.order_id == one.order_id]
            told = SeatsCancelled(
                cancellation_id=cancellation_id, customer_id=one.order.customer_id, seat_ids=own
            )
            uow.record(told)
    async with factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, *(one.order.customer_id for one in made))
    await work(services, lotus.id)
    assert sorted(str(mail.to) for mail in mailer.sent) == sorted({str(m.to) for m in mailer.sent})
    assert len(mailer.sent) == 2
