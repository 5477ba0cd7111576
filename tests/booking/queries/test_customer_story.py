"""A customer's page says of money and of seats what every other page says."""

import pytest

from src.billing.models import Order, Payment, Refund
from src.billing.owed import get_owed_minor
from src.booking.queries.customer_story import get_customer_story
from src.platform.ids import new_id
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.support.builders import a_business, a_service, a_session
from tests.support.cancelling import seats_taken_back
from tests.support.vouchers import a_voucher

pytestmark = pytest.mark.anyio


async def test_nothing_is_owed_for_what_was_cancelled(services: Services) -> None:
    factory = services.uow_factory
    lotus = await a_business(factory)
    service = await a_service(factory, lotus.id, price_type="on_site", price_minor=1000)
    session = await a_session(factory, service)
    made = await booked(factory, lotus, a_wish("session", session.id, party=("Carl", "Kid")))
    [first, _second] = await seats_of(factory, lotus.id)
    await seats_taken_back(factory, lotus, [first.id], why="Ill")
    async with factory(lotus.id) as uow:
        owed = await get_owed_minor(uow, made.order_id)
        story = await get_customer_story(uow, lotus.tenant, made.order.customer_id, uow.clock.now())
    assert owed == 1000
    assert [seat.participant for seat in story.upcoming] == ["Kid"]
    assert [seat.participant for seat in story.past] == ["Carl"], "given up, so nothing to come"
    assert [row.owed_minor for row in story.orders] == [owed]
    assert [row.owed_minor for row in story.money] == [owed]


async def test_what_only_moves_between_an_order_and_a_voucher_is_not_counted(
    services: Services,
) -> None:
    factory = services.uow_factory
    lotus = await a_business(factory)
    service = await a_service(factory, lotus.id, price_type="on_site", price_minor=1000)
    session = await a_session(factory, service)
    made = await booked(factory, lotus, a_wish("session", session.id))
    voucher = await a_voucher(factory, lotus.id)
    async with factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
        order.paid_minor, order.refunded_minor = 5000, 1500
        for minor, back, kept_on in ((2000, 1500, voucher.id), (3000, 0, None)):
            payment = Payment(
                tenant_id=lotus.id,
                id=new_id(),
                order_id=order.id,
                account_id="",
                payment_intent_id=f"pi_{minor}",
                amount_minor=minor,
                refunded_minor=back,
                currency=order.currency,
                method="card" if kept_on is None else "voucher",
                voucher_id=kept_on,
                received_at=uow.clock.now(),
            )
            uow.session.add(payment)
            await uow.session.flush()
            if back:
                uow.session.add(
                    Refund(
                        tenant_id=lotus.id,
                        order_id=order.id,
                        payment_id=payment.id,
                        voucher_id=kept_on,
                        amount_minor=back,
                        cause="staff",
                        cause_key="k",
                        state="succeeded",
                        body={},
                        created_at=uow.clock.now(),
                    )
                )
    async with factory(lotus.id) as uow:
        story = await get_customer_story(uow, lotus.tenant, made.order.customer_id, uow.clock.now())
    [money] = story.money
    assert (money.paid_minor, money.refunded_minor, money.by_voucher_minor) == (3000, 0, 500)
    assert money.is_on_voucher, "and the page says where it is counted"
