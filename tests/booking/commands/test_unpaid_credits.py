"""What was paid for credits has gone back while they paid for places: it comes back once.

Credits that are unused then leave with the money; those that come back from places leave as they
come.
"""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from src.billing.commands.buy_package import BuyCommand, buy_package
from src.billing.commands.by_staff import RefundByHand, refund_by_hand
from src.billing.commands.dispute_news import take_dispute_news
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import record_foreign_refund
from src.billing.models import CreditEntry, CreditLot, Payment
from src.billing.processor import Dispute, ProcessorRefund, RefundStatus
from src.booking.commands.book import Booked
from src.booking.commands.leave import LessComesBack, Promised, leave_dates, lock_own_seats
from src.booking.models import Seat, Session
from src.booking.queries.cancellations import toll_of_session
from src.booking.queries.credits_back import find_credits_to_come
from src.booking.queries.guest_leaving import get_leaving_page
from src.booking.queries.seat_answers import get_guest_may
from src.booking.web.toll_words import toll_facts
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import use_locale
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import seats_of
from tests.booking.commands.test_book_by_credit import by_credit
from tests.booking.commands.test_cancel_credits import a_course_with_a_credit
from tests.booking.commands.test_leave import TERMS
from tests.support.builders import Business, a_business, a_service, a_session, as_guest
from tests.support.cancelling import seats_taken_back
from tests.support.credits import a_package
from tests.support.policies import a_refund_package
from tests.support.vouchers import CODE, a_voucher

pytestmark = pytest.mark.anyio

PRICE = 3000


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def date(services: Services, lotus: Business) -> Session:
    service = await a_service(services.uow_factory, lotus.id, slug="pilates", leaving=TERMS)
    return await a_session(services.uow_factory, service, capacity=10)


async def two_used(services: Services, lotus: Business, date: Session, **more: object) -> Booked:
    """A package of two for 30.00, paid by voucher, both used for one date."""
    await a_voucher(services.uow_factory, lotus.id, minor=PRICE)
    package = await a_package(services.uow_factory, lotus.id, credits=2, price_minor=PRICE, **more)
    async with services.uow_factory(lotus.id) as uow:
        cmd = BuyCommand(
            package_id=package.id,
            guest_name="Carl",
            guest_email="carl@example.com",
            form_token=str(new_id()),
            coupon=CODE,
            single_minor=PRICE,
        )
        await buy_package(uow, as_guest(lotus), cmd)
    [lot] = await lots(services, lotus)
    return await by_credit(
        services, lotus, "session", date.id, (lot.customer_id, lot.id), party=("Carl", "Kim")
    )


async def lots(services: Services, lotus: Business) -> list[CreditLot]:
    async with services.uow_factory(lotus.id) as uow:
        return list(await uow.session.scalars(select(CreditLot).order_by(CreditLot.id)))


async def left(services: Services, lotus: Business) -> int:
    return sum(lot.balance for lot in await lots(services, lotus))


async def paid_back(services: Services, lotus: Business, minor: int) -> None:
    """By staff, from the order's page: no credit is unused that would have to leave with it."""
    async with services.uow_factory(lotus.id) as uow:
        await pay_back(uow, lotus, minor)


async def pay_back(uow: UnitOfWork, lotus: Business, minor: int) -> None:
    payment = (await uow.session.scalars(select(Payment))).one()
    cmd = RefundByHand(
        order_id=payment.order_id, payment_id=payment.id, amount_minor=minor, token="once"
    )
    await refund_by_hand(uow, lotus.ctx, cmd)


async def leave(services: Services, lotus: Business, made: Booked, seats: list[Seat]) -> None:
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        await leave_dates(uow, tenant, made.order_id, [seat.id for seat in seats])


async def of_order(services: Services, lotus: Business, made: Booked) -> list[Seat]:
    seats = await seats_of(services.uow_factory, lotus.id)
    return [seat for seat in seats if seat.order_id == made.order_id]


async def came_as(services: Services, lotus: Business, made: Booked) -> list[str | None]:
    """What has come back for each of the order's places."""
    return [seat.returned_as for seat in await of_order(services, lotus, made)]


async def half_paid_back(services: Services, lotus: Business, date: Session) -> Booked:
    """15.00 of 30.00 went back: what the business keeps pays for one of the two credits."""
    made = await two_used(services, lotus, date)
    await paid_back(services, lotus, PRICE // 2)
    return made


@pytest.mark.parametrize(
    ("back_minor", "said"),
    [
        (0, "2 seats were paid with credits, which come back"),
        (
            PRICE // 2,
            (
                "1 seat was paid with a credit, which comes back; 1 seat was paid with a credit"
                " that does not come back, as the money for it went back already"
            ),
        ),
        (
            PRICE,
            (
                "2 seats were paid with credits that do not come back, as the money for them"
                " went back already"
            ),
        ),
    ],
)
async def test_who_cancels_reads_which_credits_come_back(
    services: Services, lotus: Business, date: Session, back_minor: int, said: str
) -> None:
    made = await two_used(services, lotus, date)
    if back_minor:
        await paid_back(services, lotus, back_minor)
    async with services.uow_factory(lotus.id) as uow:
        with use_locale("en"):
            facts = dict(toll_facts(await toll_of_session(uow, date.id), "EUR"))
    assert facts["Credits"] == said
    seats = await of_order(services, lotus, made)
    await seats_taken_back(services.uow_factory, lotus, [seat.id for seat in seats])
    assert (await came_as(services, lotus, made)).count(None) == back_minor // (PRICE // 2)


@pytest.mark.parametrize("by", ["guest", "business"])
async def test_a_place_gives_no_credit_back_that_was_paid_back(
    services: Services, lotus: Business, date: Session, by: str
) -> None:
    made = await two_used(services, lotus, date)
    await paid_back(services, lotus, PRICE)
    seats = await of_order(services, lotus, made)
    if by == "guest":
        await leave(services, lotus, made, seats)
    else:
        await seats_taken_back(services.uow_factory, lotus, [seat.id for seat in seats])
    assert await left(services, lotus) == 0
    assert await came_as(services, lotus, made) == [None, None]
    async with services.uow_factory(lotus.id) as uow:
        reasons = set(await uow.session.scalars(select(CreditEntry.reason)))
    assert "What was paid for it had gone back." in reasons


async def test_what_is_kept_pays_for_so_many_as_are_left_one_by_one(
    services: Services, lotus: Business, date: Session
) -> None:
    made = await half_paid_back(services, lotus, date)
    for seat in await of_order(services, lotus, made):
        await leave(services, lotus, made, [seat])
        assert await left(services, lotus) == 1
    assert await came_as(services, lotus, made) == ["credit", None]


async def test_the_pages_say_so_and_who_was_promised_one_looks_again(
    services: Services, lotus: Business, date: Session
) -> None:
    made = await two_used(services, lotus, date)
    seats = await of_order(services, lotus, made)

    async def told() -> tuple[list[str], str, list[str]]:
        async with services.uow_factory(lotus.id) as uow:
            tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
            shown = await get_leaving_page(uow, tenant, services.settings, made.order_id, date.id)
            may = await get_guest_may(uow, tenant, made.order_id)
        assert may is not None
        return shown.credits, shown.no_credit_why, [one.leaving for one in may.seats]

    credits_back, _why, leaving = await told()
    assert credits_back
    assert all("gets the credit back" in one for one in leaving)
    await paid_back(services, lotus, PRICE)
    credits_back, why, leaving = await told()
    assert credits_back == []
    assert why == "What you had paid for your credit has gone back, so the credit does not."
    assert all("gets no credit back" in one for one in leaving)
    promised = Promised({}, 0, credits=frozenset(seat.id for seat in seats))
    with pytest.raises(LessComesBack):
        async with services.uow_factory(lotus.id) as uow:
            tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
            own = [seat.id for seat in seats]
            await leave_dates(uow, tenant, made.order_id, own, promised)


async def test_no_new_credit_comes_for_an_ended_one_that_was_paid_back(
    services: Services, lotus: Business, date: Session
) -> None:
    made = await two_used(services, lotus, date)
    await paid_back(services, lotus, PRICE)
    await it_has_ended(services, lotus)
    seats = await of_order(services, lotus, made)
    await seats_taken_back(services.uow_factory, lotus, [seat.id for seat in seats])
    assert await left(services, lotus) == 0


async def it_has_ended(services: Services, lotus: Business) -> None:
    """The lot, and not what comes instead of its credits."""
    async with services.uow_factory(lotus.id) as uow:
        ended = uow.clock.now() - timedelta(days=1)
        await uow.session.execute(
            update(CreditLot).where(CreditLot.source == "package").values(expires_at=ended)
        )


async def one_came_instead(services: Services, lotus: Business, date: Session) -> None:
    """Of two places by credits of a lot that has ended, one is called off."""
    made = await two_used(services, lotus, date)
    await it_has_ended(services, lotus)
    [first, _second] = await of_order(services, lotus, made)
    await seats_taken_back(services.uow_factory, lotus, [first.id])


async def test_one_that_came_instead_of_an_ended_one_leaves_with_the_money(
    services: Services, lotus: Business, date: Session
) -> None:
    await one_came_instead(services, lotus, date)
    assert await left(services, lotus) == 1
    await paid_back(services, lotus, PRICE)
    assert await left(services, lotus) == 0


@pytest.mark.parametrize("how", ["one by one", "together"])
async def test_what_is_kept_pays_for_no_more_new_ones_than_old(
    services: Services, lotus: Business, date: Session, how: str
) -> None:
    """One of the two, ended or not."""
    made = await half_paid_back(services, lotus, date)
    await it_has_ended(services, lotus)
    ids = [seat.id for seat in await of_order(services, lotus, made)]
    for called_off in [ids] if how == "together" else [[one] for one in ids]:
        await seats_taken_back(services.uow_factory, lotus, called_off)
    old, new = await lots(services, lotus)
    assert (old.balance, old.forfeited, new.balance) == (0, 0, 1)
    assert await came_as(services, lotus, made) == ["credit", None]


@pytest.mark.parametrize("moved", [0, 1])
async def test_what_is_promised_for_several_places_is_what_comes(
    services: Services, lotus: Business, date: Session, moved: int
) -> None:
    """Of two, one of which may be left free of all terms, for what is kept pays for one."""
    made = await half_paid_back(services, lotus, date)
    await it_has_ended(services, lotus)
    seats = await of_order(services, lotus, made)
    async with services.uow_factory(lotus.id) as uow:
        free = update(Seat).where(Seat.id == seats[moved].id).values(may_leave_free=True)
        await uow.session.execute(free)
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        own = await lock_own_seats(uow, made.order_id)
        to_come = await find_credits_to_come(uow, tenant, own)
    promised = Promised({}, 0, credits=frozenset(to_come))
    async with services.uow_factory(lotus.id) as uow:
        await leave_dates(uow, tenant, made.order_id, [seat.id for seat in seats], promised)
    back = [seat.id for seat in await of_order(services, lotus, made) if seat.returned_as]
    assert back == list(to_come)
    assert len(back) == 1


async def test_one_that_came_instead_and_was_used_is_not_paid_twice_either(
    services: Services, lotus: Business, date: Session
) -> None:
    """What comes back to the new lot is judged by what was paid for the old one."""
    await one_came_instead(services, lotus, date)
    _old, new = await lots(services, lotus)
    again = await by_credit(services, lotus, "session", date.id, (new.customer_id, new.id))
    await paid_back(services, lotus, PRICE)
    await leave(services, lotus, again, await of_order(services, lotus, again))
    assert await left(services, lotus) == 0


@pytest.mark.parametrize("why", ["dashboard", "dispute"])
async def test_nor_does_one_that_was_given_for_a_place_and_spent(
    services: Services, lotus: Business, date: Session, why: str
) -> None:
    """A date of a course paid with 60.00 became a credit, which paid the place elsewhere."""
    given = await a_refund_package(services.uow_factory, lotus.id, any_service=True)
    course, _booking_id, lot_id = await a_course_with_a_credit(services, lotus, given)
    [lot] = await lots(services, lotus)
    made = await by_credit(services, lotus, "session", date.id, (lot.customer_id, lot_id))
    await all_is_lost(services, lotus, course.order_id, why)
    await leave(services, lotus, made, await of_order(services, lotus, made))
    assert await left(services, lotus) == 0


async def all_is_lost(services: Services, lotus: Business, order_id: UUID, why: str) -> None:
    async with services.uow_factory(lotus.id) as uow:
        payment = (await uow.session.scalars(select(Payment))).one()
        about = {"payment_intent_id": payment.payment_intent_id, "amount_minor": 6000}
        if why == "dispute":
            lost = Dispute(id="dp_1", currency="EUR", outcome="lost", **about)
            await take_dispute_news(uow, payment.id, order_id, "R", lost)
            return
        order = await lock_order(uow, order_id)
        news = ProcessorRefund(
            id="re_1", status=RefundStatus.SUCCEEDED, metadata={}, failure="", **about
        )
        await record_foreign_refund(uow, order, payment, news)
