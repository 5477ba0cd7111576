"""Which unspent credits of a purchase go with it, by what goes back."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from src.billing.models import Package, Payment
from src.booking.domain.cancelling import MoneyChoice
from src.booking.domain.drop_in import PayWay
from src.platform.errors import InvalidInput
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_cancel_credits import (
    a_course_with_a_credit,
    cancels_purchase,
    given,
    lots,
    lotus,
)
from tests.booking.commands.test_cancel_money import UNDO
from tests.booking.commands.test_leave import TERMS, leave, refunds
from tests.support.builders import Business, a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work_through

pytestmark = pytest.mark.anyio

__all__ = ["given", "lotus"]


@pytest.mark.parametrize("minor", [2001, 3999, 4000, 5000])
async def test_an_amount_for_a_part_of_the_unspent_credits_is_refused_at_its_field(
    services: Services, lotus: Business, given: Package, minor: int
) -> None:
    made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    [_left, second, _third] = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [second])
    with pytest.raises(InvalidInput) as refused:
        await cancels_purchase(
            services, lotus, booking_id, own={made.order_id: minor}, revokes_credits=True
        )
    [sentence] = refused.value.fields.values()
    assert "Give at most €20.00, or all of €60.00." in sentence
    assert await refunds(services, lotus.id) == []


@pytest.mark.parametrize(("minor", "kept"), [(2000, 2), (6000, 0)])
async def test_credits_go_with_the_whole_of_their_worth(
    services: Services,
    lotus: Business,
    given: Package,
    clock: FrozenClock,
    mailer: RememberingMailer,
    minor: int,
    kept: int,
) -> None:
    """One place of 20 is cancelled, and two credits worth 20 each are unspent."""
    made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    [_left, second, _third] = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [second])
    await cancels_purchase(
        services, lotus, booking_id, own={made.order_id: minor}, revokes_credits=True
    )
    await work_through(services, clock, lotus.id, UNDO)
    found = await lots(services, lotus)
    assert sum(lot.balance for lot in found) == kept
    assert [lot.value_minor for lot in found if lot.balance] == [2000] * kept
    assert sum(await refunds(services, lotus.id)) == minor
    assert sum("taken off" in mail.body for mail in mailer.sent) == (kept < 2)


async def test_all_that_is_left_takes_a_credit_where_a_part_had_gone_back_before(
    services: Services, lotus: Business, given: Package, clock: FrozenClock
) -> None:
    """Of 60 that were paid 40 are left, 20 of them in the credit."""
    _made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    async with services.uow_factory(lotus.id) as uow:
        payment = (await uow.session.scalars(select(Payment))).one()
        payment.refunded_minor = 2000
    await cancels_purchase(
        services, lotus, booking_id, choice=MoneyChoice.FULL, revokes_credits=True
    )
    await work_through(services, clock, lotus.id, UNDO)
    assert await refunds(services, lotus.id) == [2000, 2000]
    assert [(lot.balance, lot.value_minor) for lot in await lots(services, lotus)] == [(0, 0)]


async def test_a_credit_that_was_spent_when_staff_asked_stays_when_it_comes_back(
    services: Services, lotus: Business, given: Package, clock: FrozenClock
) -> None:
    made, booking_id, lot_id = await a_course_with_a_credit(services, lotus, given)
    [lot] = await lots(services, lotus)
    other = await a_series(
        services.uow_factory,
        await a_service(services.uow_factory, lotus.id, slug="pilates"),
        drop_in_allowed=True,
        tags=["beginners"],
        leaving=TERMS,
    )
    wish = a_wish(
        "session",
        other.sessions[0].id,
        way=PayWay.CREDIT,
        customer_id=lot.customer_id,
        credit_lot_id=lot_id,
    )
    spent = await booked(services.uow_factory, lotus, wish)
    first, second, _third = [
        seat for seat in await seats_of(services.uow_factory, lotus.id) if not seat.credit_lot_id
    ]
    assert first.state == "cancelled"
    await leave(services, lotus, made, [second])
    await cancels_purchase(
        services, lotus, booking_id, choice=MoneyChoice.FULL, revokes_credits=True
    )
    clock.advance(timedelta(seconds=1))
    [by_credit] = [
        seat for seat in await seats_of(services.uow_factory, lotus.id) if seat.credit_lot_id
    ]
    await leave(services, lotus, spent, [by_credit])
    await work_through(services, clock, lotus.id, UNDO)
    found = {lot.id: lot.balance for lot in await lots(services, lotus)}
    assert found.pop(lot_id) == 1
    assert list(found.values()) == [0]
    assert sum(await refunds(services, lotus.id)) == 4000
