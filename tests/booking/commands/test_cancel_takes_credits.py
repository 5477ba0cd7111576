"""Which unspent credits of a purchase go with it, by what goes back."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import record_foreign_refund
from src.billing.models import Package, Payment
from src.billing.processor import ProcessorRefund, RefundStatus
from src.booking.domain.cancelling import MoneyChoice
from src.booking.domain.drop_in import PayWay
from src.booking.models import Seat
from src.booking.queries.cancellation_money import list_returnable
from src.booking.queries.returns import get_money_back
from src.booking.views.returns import MoneyBack
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
from tests.booking.commands.test_cancel_money import UNDO, buys
from tests.booking.commands.test_leave import TERMS, leave, refunds
from tests.support.builders import Business, a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work_through

pytestmark = pytest.mark.anyio

__all__ = ["given", "lotus"]


@pytest.mark.parametrize(
    ("minor", "said"),
    [
        (2001, "Give at most €20.00, or €40.00."),
        (3999, "Give at most €20.00, or €40.00."),
        (4001, "Give €40.00 or €60.00."),
        (5999, "Give €40.00 or €60.00."),
        (6001, "At most €60.00 can go back here."),
    ],
)
async def test_an_amount_for_a_part_of_the_unspent_credits_is_refused_at_its_field(
    services: Services, lotus: Business, given: Package, minor: int, said: str
) -> None:
    made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    [_left, second, _third] = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [second])
    with pytest.raises(InvalidInput) as refused:
        await cancels_purchase(
            services, lotus, booking_id, own={made.order_id: minor}, revokes_credits=True
        )
    [sentence] = refused.value.fields.values()
    assert said in sentence
    assert await refunds(services, lotus.id) == []


@pytest.mark.parametrize(("minor", "kept"), [(2000, 2), (4000, 1), (6000, 0)])
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


async def by_the_dashboard(services: Services, lotus: Business, minor: int) -> None:
    """So much of what was paid goes back in the processor's own dashboard."""
    async with services.uow_factory(lotus.id) as uow:
        payment = (await uow.session.scalars(select(Payment))).one()
        order = await lock_order(uow, payment.order_id)
        assert payment.payment_intent_id is not None
        news = ProcessorRefund(
            id="re_dashboard",
            payment_intent_id=payment.payment_intent_id,
            amount_minor=minor,
            status=RefundStatus.SUCCEEDED,
            failure="",
            metadata={},
        )
        await record_foreign_refund(uow, order, payment, news)


async def returns(services: Services, lotus: Business, cancellation_id: UUID) -> MoneyBack:
    async with services.uow_factory(lotus.id) as uow:
        found = await get_money_back(uow, lotus.tenant, cancellation_id)
    assert found is not None
    return found


async def test_all_that_is_left_goes_back_where_it_is_less_than_the_credit_is_worth(
    services: Services, lotus: Business, given: Package, clock: FrozenClock
) -> None:
    """Of 60 that were paid 15 are left, all of it in a credit worth 20."""
    made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    await by_the_dashboard(services, lotus, 4500)
    assert [lot.balance for lot in await lots(services, lotus)] == [1]
    with pytest.raises(InvalidInput):
        await cancels_purchase(
            services, lotus, booking_id, own={made.order_id: 1400}, revokes_credits=True
        )
    cancellation_id = await cancels_purchase(
        services, lotus, booking_id, choice=MoneyChoice.FULL, revokes_credits=True
    )
    assert (await returns(services, lotus, cancellation_id)).goes_back_minor == 1500
    await work_through(services, clock, lotus.id, UNDO)
    assert sorted(await refunds(services, lotus.id)) == [1500, 4500]
    assert [(lot.balance, lot.value_minor) for lot in await lots(services, lotus)] == [(0, 0)]
    assert (await returns(services, lotus, cancellation_id)).goes_back_minor == 1500


async def test_what_went_back_while_it_could_be_undone_is_not_told_as_given_by_it(
    services: Services, lotus: Business, given: Package, clock: FrozenClock
) -> None:
    _made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    cancellation_id = await cancels_purchase(
        services, lotus, booking_id, choice=MoneyChoice.FULL, revokes_credits=True
    )
    assert (await returns(services, lotus, cancellation_id)).goes_back_minor == 6000
    await by_the_dashboard(services, lotus, 4500)
    await work_through(services, clock, lotus.id, UNDO)
    assert sorted(await refunds(services, lotus.id)) == [1500, 4500]
    assert [(lot.balance, lot.value_minor) for lot in await lots(services, lotus)] == [(0, 0)]
    back = await returns(services, lotus, cancellation_id)
    assert (back.people, back.goes_back_minor, back.elsewhere_minor) == (1, 1500, 4500)


async def test_an_amount_above_all_that_is_left_by_then_takes_all_credits_for_that(
    services: Services, lotus: Business, given: Package, clock: FrozenClock
) -> None:
    """A place and one of two credits were chosen, and then more went back elsewhere."""
    made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    [_left, second, _third] = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [second])
    cancellation_id = await cancels_purchase(
        services, lotus, booking_id, own={made.order_id: 4000}, revokes_credits=True
    )
    async with services.uow_factory(lotus.id) as uow:
        payment = (await uow.session.scalars(select(Payment))).one()
        # Of 60, 35 are left: nothing for the place, and less than is in the credits.
        payment.refunded_minor = 2500
    await work_through(services, clock, lotus.id, UNDO)
    found = [(lot.balance, lot.value_minor) for lot in await lots(services, lotus)]
    back = (await returns(services, lotus, cancellation_id)).goes_back_minor
    assert (sum(await refunds(services, lotus.id)), back) == (3500, 3500)
    assert found == [(0, 0), (0, 0)], "nothing pays for a credit that stayed"


async def test_what_was_promised_by_hand_is_not_promised_again(
    services: Services, lotus: Business, given: Package, clock: FrozenClock
) -> None:
    """Of 60 that were paid on site 40 were given back, and 20 are to be handed back."""
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, price_type="on_site", leaving=TERMS)
    made = await buys(services, lotus, term, "carl", by_card=False)
    [first, *_rest] = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [first])
    async with services.uow_factory(lotus.id) as uow:
        payment = (await uow.session.scalars(select(Payment))).one()
        payment.refunded_minor = 2500
    async with services.uow_factory(lotus.id) as uow:
        which = [Seat.order_id == made.order_id, Seat.state == "confirmed"]
        [one] = await list_returnable(uow, lotus.tenant, which)
    assert (one.full_minor, one.by_hand_minor) == (1500, 1500)
    cancellation_id = await cancels_purchase(
        services, lotus, made.booking_id, choice=MoneyChoice.FULL
    )
    await work_through(services, clock, lotus.id, UNDO)
    assert (await returns(services, lotus, cancellation_id)).still_by_hand_minor == 1500


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
