"""Two credits that came for dates of one course, of whose money only one credit's worth is kept.

Whichever of them is spent and comes back, the page says what the command does, and one is left.
"""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from src.billing.commands.credit_ends import forfeit_ended
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import record_foreign_refund
from src.billing.models import CreditLot, Payment
from src.billing.processor import ProcessorRefund, RefundStatus
from src.billing.queries.uncovered import find_unpaid_seats
from src.booking.commands.book import Booked
from src.booking.commands.leave import leave_dates
from src.booking.models import Session
from src.platform.services import Services
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book_by_credit import by_credit
from tests.booking.commands.test_cancel_credits import a_course_with_a_credit
from tests.booking.commands.test_claims_last import listened
from tests.booking.commands.test_unpaid_credits import (
    date,
    leave,
    left,
    lots,
    lotus,
    of_order,
)
from tests.support.builders import Business
from tests.support.policies import a_refund_package

pytestmark = pytest.mark.anyio
__all__ = ["date", "lotus"]

EACH = 2000


async def two_credits(services: Services, lotus: Business) -> Booked:
    """Two of three dates of a course for 60.00 are left for a credit each."""
    given = await a_refund_package(services.uow_factory, lotus.id, any_service=True)
    course, _booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    stand = [one for one in await of_order(services, lotus, course) if one.state == "confirmed"]
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        await leave_dates(uow, tenant, course.order_id, [stand[0].id])
    return course


async def one_is_kept(services: Services, lotus: Business, course: Booked) -> None:
    async with services.uow_factory(lotus.id) as uow:
        order = await lock_order(uow, course.order_id)
        payment = (await uow.session.scalars(select(Payment))).one()
        news = ProcessorRefund(
            id="re_1",
            status=RefundStatus.SUCCEEDED,
            metadata={},
            failure="",
            payment_intent_id=payment.payment_intent_id,
            amount_minor=2 * EACH,
        )
        await record_foreign_refund(uow, order, payment, news)


async def leaves(services: Services, lotus: Business, made: Booked, lot: CreditLot) -> bool:
    """Whether it was said beforehand that the credit comes back; then it is asked for."""
    [seat] = await of_order(services, lotus, made)
    async with services.uow_factory(lotus.id) as uow:
        unpaid = await find_unpaid_seats(uow, {seat.id: lot.id})
    await leave(services, lotus, made, [seat])
    [seat] = await of_order(services, lotus, made)
    assert (seat.returned_as == "credit") is not unpaid
    return not unpaid


@pytest.mark.parametrize("spent", [0, 1])
async def test_the_one_that_can_be_used_is_kept_and_not_the_one_that_comes_back(
    services: Services, lotus: Business, date: Session, spent: int
) -> None:
    course = await two_credits(services, lotus)
    lot = (await lots(services, lotus))[spent]
    made = await by_credit(services, lotus, "session", date.id, (lot.customer_id, lot.id))
    await one_is_kept(services, lotus, course)
    assert await left(services, lotus) == 1
    assert not await leaves(services, lotus, made, lot)
    assert await left(services, lotus) == 1


async def test_whose_money_went_back_is_asked_once(
    services: Services, lotus: Business, date: Session
) -> None:
    course = await two_credits(services, lotus)
    lot = (await lots(services, lotus))[0]
    made = await by_credit(services, lotus, "session", date.id, (lot.customer_id, lot.id))
    await one_is_kept(services, lotus, course)
    with listened() as sent:
        await leave(services, lotus, made, await of_order(services, lotus, made))
    asked = [one for one in sent if one.startswith("SELECT DISTINCT") and "payments" in one]
    assert len(asked) == 1


async def test_one_that_was_lost_makes_room_for_the_one_that_comes_back(
    services: Services, lotus: Business, date: Session
) -> None:
    """Extending the lost one would bring a second for the money of one."""
    course = await two_credits(services, lotus)
    lost, spent = await lots(services, lotus)
    made = await by_credit(services, lotus, "session", date.id, (spent.customer_id, spent.id))
    async with services.uow_factory(lotus.id) as uow:
        ended = update(CreditLot).where(CreditLot.id == lost.id)
        await uow.session.execute(ended.values(expires_at=uow.clock.now() - timedelta(days=1)))
    async with services.uow_factory(lotus.id) as uow:
        assert await forfeit_ended(uow, 10)
    await one_is_kept(services, lotus, course)
    assert await leaves(services, lotus, made, spent)
    assert [(one.balance, one.forfeited) for one in await lots(services, lotus)] == [(0, 0), (1, 0)]
