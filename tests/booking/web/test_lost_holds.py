"""A hold with a link to pay that ends for the sake of one date: said before, mailed, told after."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from src.billing.models import Order
from src.booking.commands.cancel import cancel_purchase, cancel_session
from src.booking.models import Seat
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_staff_book import by_staff, for_anna
from tests.booking.web.conftest import Shop
from tests.booking.web.pages import as_owner
from tests.booking.web.test_held_places import words_of
from tests.booking.web.test_readdress import link_in
from tests.support.builders import a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work_through
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio


async def test_one_date_called_off_ends_a_hold_and_nobody_is_left_without_a_word(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    term = await a_series(factory, await a_service(factory, business.id))
    anna = await a_customer(factory, business)
    made = await by_staff(factory, business, for_anna("series", term.series.id, anna, pays="link"))
    await shop.work()
    link, client, gone = link_in(mailer.sent.pop().body), shop.guest.client, term.sessions[1]
    mailer.sent.clear()
    await as_owner(client, shop.services, business)
    asked = words_of(await client.get(f"/app/lotus/sessions/{gone.id}/cancel"))
    assert "Mails 1, with your reason" in asked
    assert "seats held until" in asked
    assert "all of them are freed, on every date" in asked
    assert "told by mail" in asked
    async with factory(business.id) as uow:
        await cancel_session(uow, business.ctx, gone.id, reason="Flooded.", undo_seconds=0)
    await work_through(shop.services, clock, business.id, timedelta(minutes=5))
    [mail] = mailer.sent
    assert "anna@example.com" in mail.to[0]
    assert mail.subject.startswith("Not held any more: ")
    assert "Why: Flooded." in mail.body
    assert mail.body.count("\n- ") == 1, "the date that was cancelled, not those that stand"
    assert "The other dates of" in mail.body
    async with factory(business.id) as uow:
        order = await uow.session.get_one(Order, (business.id, made.order_id))
        assert (order.state, order.closed_why) == ("cancelled", "cancelled")
        assert set(await uow.session.scalars(select(Seat.state))) == {"expired"}
    assert "Cancelled before you had paid" in words_of(await shop.guest.open(link))
    told = words_of(await client.get(f"/app/lotus/orders/{made.order_id}"))
    assert "Cancelled by the business before it was paid" in told


async def test_a_purchase_that_is_cancelled_unpaid_is_told_of_and_one_in_checkout_is_not(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    session = await a_session(factory, await a_service(factory, business.id))
    anna = await a_customer(factory, business)
    wish = for_anna("session", session.id, anna, pays="link")
    made = [await by_staff(factory, business, wish)]
    made.append(await booked(factory, business, a_wish("session", session.id)))
    await shop.work()
    mailer.sent.clear()
    for one in made:
        async with factory(business.id) as uow:
            await cancel_purchase(uow, business.ctx, one.booking_id, reason="", undo_seconds=0)
    await work_through(shop.services, clock, business.id, timedelta(minutes=5))
    [mail] = mailer.sent
    assert "anna@example.com" in mail.to[0]
    assert "Nothing is held for you any more." in mail.body
