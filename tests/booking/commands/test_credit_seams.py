"""Where credits meet vouchers, transfers, fees and cancelling: each share comes back once."""

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select, update

from src.billing.commands.by_staff import RefundByHand, refund_by_hand
from src.billing.commands.dispute_news import take_dispute_news
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import record_foreign_refund
from src.billing.domain.credits import Scope
from src.billing.models import CreditLot, Fee, Order, Payment, Refund
from src.billing.owed import get_owed_minor
from src.billing.processor import Dispute, ProcessorRefund, RefundStatus
from src.billing.queries.to_hand_back import get_to_hand_back_minor
from src.booking.commands.book import Booked, book
from src.booking.commands.cancel import cancel_session
from src.booking.commands.cancel_returns import NOTHING, MoneyWanted
from src.booking.commands.exchange import MoveSeats, NotMovable, move_seats
from src.booking.domain.cancelling import MoneyChoice
from src.booking.domain.drop_in import PayWay
from src.booking.domain.fees import FeeRule
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.domain.refund_policy import BuyerRule, Gives, RefundPolicy
from src.booking.queries.guest_leaving import get_leaving_page
from src.platform.errors import InvalidInput
from src.platform.services import Services
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_book_by_credit import by_credit
from tests.booking.commands.test_cancel_credits import (
    a_course_with_a_credit,
    cancels_purchase,
    lots,
)
from tests.booking.commands.test_cancel_money import UNDO, buys, cancels
from tests.booking.commands.test_leave import TERMS, leave, refunds
from tests.booking.commands.test_transfers import receive, takes_transfers
from tests.support.builders import (
    Business,
    Term,
    a_business,
    a_series,
    a_service,
    a_session,
    as_guest,
)
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot
from tests.support.policies import a_refund_package, gives_package, leaving
from tests.support.vouchers import CODE, a_voucher
from tests.support.work import work, work_through

pytestmark = pytest.mark.anyio
WHOLE = LeavingTerms(tiers=(Tier(before=24, percent=100),), whole_course=True)


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.mark.parametrize("choice", [MoneyChoice.CREDIT, MoneyChoice.TERMS])
async def test_a_cancelling_keeps_the_credits_that_it_gives(
    services: Services, clock: FrozenClock, lotus: Business, choice: MoneyChoice
) -> None:
    """And those of before, too: what they are worth does not go back as money."""
    given = await a_refund_package(services.uow_factory, lotus.id)
    _made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    await work(services, lotus.id)
    await cancels_purchase(
        services, lotus, booking_id, choice=choice, package_id=given.id, revokes_credits=True
    )
    await work_through(services, clock, lotus.id, UNDO)
    assert sum(lot.balance for lot in await lots(services, lotus)) == 3


async def test_what_credits_were_worth_goes_where_all_else_goes(
    services: Services, clock: FrozenClock, lotus: Business
) -> None:
    given = await a_refund_package(services.uow_factory, lotus.id)
    _made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    await cancels_purchase(
        services,
        lotus,
        booking_id,
        choice=MoneyChoice.FULL,
        revokes_credits=True,
        as_voucher=True,
    )
    await work_through(services, clock, lotus.id, UNDO)
    async with services.uow_factory(lotus.id) as uow:
        refunds = (await uow.session.scalars(select(Refund))).all()
    assert refunds
    assert all(refund.voucher_id is not None for refund in refunds)


@pytest.mark.parametrize("minor", [100, 2500])
async def test_a_part_of_the_price_buys_no_credit(
    services: Services, lotus: Business, minor: int
) -> None:
    given = await a_refund_package(services.uow_factory, lotus.id)
    service = await a_service(services.uow_factory, lotus.id)
    policy = leaving(course=gives_package(given))
    term = await a_series(services.uow_factory, service, price_type="on_site", leaving=policy)
    await a_voucher(services.uow_factory, lotus.id, minor=minor)
    made = await booked(services.uow_factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    [first, *_rest] = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [first])
    assert await lots(services, lotus) == []
    async with services.uow_factory(lotus.id) as uow:
        assert await get_owed_minor(uow, made.order_id) == 4000 - minor


async def test_who_transferred_too_much_gets_every_credit(
    services: Services, lotus: Business
) -> None:
    await takes_transfers(services, lotus)
    given = await a_refund_package(services.uow_factory, lotus.id)
    service = await a_service(services.uow_factory, lotus.id)
    policy = leaving(course=gives_package(given))
    term = await a_series(services.uow_factory, service, first_in_days=14, leaving=policy)
    async with services.uow_factory(lotus.id) as uow:
        wish = a_wish("series", term.series.id, way=PayWay.TRANSFER)
        made = await book(uow, as_guest(lotus), wish)
    await receive(services, lotus, made.order_id, 12_000)
    await leave(services, lotus, made, await seats_of(services.uow_factory, lotus.id))
    assert [lot.value_minor for lot in await lots(services, lotus)] == [2000] * 3


async def test_where_nothing_comes_back_who_is_late_still_owes(
    services: Services, clock: FrozenClock, lotus: Business
) -> None:
    terms = LeavingTerms(
        tiers=(Tier(before=24, percent=100),),
        late_fee=FeeRule(amount_minor=500, currency="EUR"),
        policy=RefundPolicy(on_site=BuyerRule(gives=Gives.NOTHING)),
    )
    service = await a_service(
        services.uow_factory, lotus.id, price_type="on_site", leaving=terms.document()
    )
    session = await a_session(services.uow_factory, service)
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    clock.at = session.starts_at - timedelta(minutes=10)
    await leave(services, lotus, made, await seats_of(services.uow_factory, lotus.id))
    async with services.uow_factory(lotus.id) as uow:
        assert await get_owed_minor(uow, made.order_id) == 1500
        assert list(await uow.session.scalars(select(Fee.amount_minor))) == [500]


async def test_what_is_called_off_costs_no_fee_either(
    services: Services, clock: FrozenClock, lotus: Business
) -> None:
    terms = LeavingTerms(
        tiers=(Tier(before=24, percent=100),),
        late_fee=FeeRule(amount_minor=500, currency="EUR"),
    )
    service = await a_service(
        services.uow_factory, lotus.id, price_type="on_site", leaving=terms.document()
    )
    session = await a_session(services.uow_factory, service)
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    clock.at = session.starts_at - timedelta(hours=12)
    await leave(services, lotus, made, await seats_of(services.uow_factory, lotus.id))
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(
            uow, lotus.ctx, session.id, reason="Ill", undo_seconds=10, money=NOTHING
        )
    await work_through(services, clock, lotus.id, UNDO)
    async with services.uow_factory(lotus.id) as uow:
        assert list(await uow.session.scalars(select(Fee.state))) == ["dropped"]
        assert await get_owed_minor(uow, made.order_id) == 0


@pytest.mark.parametrize(
    ("in_days", "tags", "why"),
    [
        (50, ["beginners"], "credits_starts_after_expiry"),
        (9, ["advanced"], "credits_out_of_scope"),
    ],
    ids=["past their end", "over their tags"],
)
async def test_an_exchange_takes_credits_nowhere_that_they_would_not_go(
    services: Services,
    clock: FrozenClock,
    lotus: Business,
    in_days: int,
    tags: list[str],
    why: str,
) -> None:
    """Staff may all the same."""
    terms = LeavingTerms(tiers=(Tier(before=24, percent=100),), moves_before=12)
    service = await a_service(services.uow_factory, lotus.id, leaving=terms.document())
    first = await a_session(services.uow_factory, service, in_days=7, tags=["beginners"])
    second = await a_session(services.uow_factory, service, in_days=in_days, tags=tags)
    lot = await a_lot(
        services.uow_factory,
        lotus.id,
        scope=Scope(tags=frozenset({"beginners"})),
        expires_at=clock.now() + timedelta(days=10),
    )
    made = await by_credit(services, lotus, "session", first.id, lot)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    move = MoveSeats(order_id=made.order_id, seat_ids=[seat.id], session_id=second.id)
    with pytest.raises(NotMovable) as refused:
        await moved(services, lotus, move)
    assert refused.value.code == why
    await moved(services, lotus, msgspec.structs.replace(move, by="staff"))


async def moved(services: Services, lotus: Business, move: MoveSeats) -> None:
    async with services.uow_factory(lotus.id) as uow:
        await move_seats(uow, await tenant_snapshot(uow, lotus.id, uow.clock.now()), move)


async def test_what_lies_in_a_credit_is_not_refunded_as_well(
    services: Services, clock: FrozenClock, lotus: Business
) -> None:
    """Neither by hand nor by a cancelling: EUR 60 were paid, and 20 of them are in the credit."""
    given = await a_refund_package(services.uow_factory, lotus.id)
    made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    with pytest.raises(InvalidInput) as refused:
        await refunded(services, lotus, made.order_id, 4001)
    assert "€40.00" in refused.value.fields["amount"]
    await refunded(services, lotus, made.order_id, 2500)
    await cancels_purchase(
        services, lotus, booking_id, choice=MoneyChoice.FULL, revokes_credits=False
    )
    await work_through(services, clock, lotus.id, UNDO)
    assert sum(await refunds(services, lotus.id)) == 4000


async def refunded(services: Services, lotus: Business, order_id: UUID, minor: int) -> None:
    async with services.uow_factory(lotus.id) as uow:
        payment = (await uow.session.scalars(select(Payment))).one()
        cmd = RefundByHand(
            order_id=order_id, payment_id=payment.id, amount_minor=minor, token=str(minor)
        )
        await refund_by_hand(uow, lotus.ctx, cmd)


async def twenty_back_and_twenty_in_a_credit(
    services: Services, clock: FrozenClock, lotus: Business, *, called_off: int
) -> tuple[Term, Booked, int]:
    """A series paid with 60: 20 given back by hand, one date called off for a credit of 20."""
    given = await a_refund_package(services.uow_factory, lotus.id)
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, price_type="on_site", leaving=TERMS)
    made = await buys(services, lotus, term, "carl")
    await refunded(services, lotus, made.order_id, 2000)
    money = MoneyWanted(choice=MoneyChoice.CREDIT, package_id=given.id)
    await cancels(services, lotus, term, money, date=called_off)
    await work_through(services, clock, lotus.id, UNDO)
    in_credits = sum(lot.value_minor for lot in await lots(services, lotus))
    return term, made, in_credits


async def test_what_lies_in_a_credit_does_not_come_back_to_who_leaves(
    services: Services, clock: FrozenClock, lotus: Business
) -> None:
    """60 were paid: 20 went back by hand, 20 lie in a credit, so 20 are left for two dates."""
    _term, made, in_credits = await twenty_back_and_twenty_in_a_credit(
        services, clock, lotus, called_off=1
    )
    assert in_credits == 2000
    seats = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [one for one in seats if one.state == "confirmed"])
    assert sum(await refunds(services, lotus.id)) + in_credits == 6000


async def test_the_pages_say_no_more_than_the_business_hands_back_beside_a_credit(
    services: Services, clock: FrozenClock, lotus: Business
) -> None:
    """Of 60 paid on site 20 went back, and 20 lie in a credit: two dates for 40 bring 20 more."""
    given = await a_refund_package(services.uow_factory, lotus.id)
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(
        services.uow_factory, service, price_type="on_site", leaving=WHOLE.document()
    )
    made = await buys(services, lotus, term, "carl", by_card=False)
    money = MoneyWanted(choice=MoneyChoice.CREDIT, package_id=given.id)
    await cancels(services, lotus, term, money, date=2)
    await work_through(services, clock, lotus.id, UNDO)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Payment).values(refunded_minor=2000))
        await uow.session.execute(update(Order).values(refunded_minor=2000))
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        page = await get_leaving_page(uow, tenant, services.settings, made.order_id, None)
    assert (page.back_minor, page.by_hand_minor) == (0, 2000)
    seats = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [one for one in seats if one.state == "confirmed"])
    async with services.uow_factory(lotus.id) as uow:
        assert await get_to_hand_back_minor(uow, made.order_id) == 2000


async def test_nor_to_whom_the_business_gives_back(
    services: Services, clock: FrozenClock, lotus: Business
) -> None:
    """The same, where too few come and the clock cancels the other two dates."""
    term, _made, in_credits = await twenty_back_and_twenty_in_a_credit(
        services, clock, lotus, called_off=0
    )
    for date in (1, 2):
        async with services.uow_factory(lotus.id) as uow:
            await cancel_session(
                uow,
                lotus.ctx,
                term.sessions[date].id,
                reason="",
                undo_seconds=10,
                gives_back=True,
            )
        await work_through(services, clock, lotus.id, UNDO)
    assert sum(await refunds(services, lotus.id)) + in_credits == 6000


async def test_a_credit_of_a_place_leaves_with_a_refund_in_the_dashboard(
    services: Services, lotus: Business
) -> None:
    """All 60 go back, the 20 of the credit among them."""
    given = await a_refund_package(services.uow_factory, lotus.id)
    made, _booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    async with services.uow_factory(lotus.id) as uow:
        order = await lock_order(uow, made.order_id)
        payment = (await uow.session.scalars(select(Payment))).one()
        news = ProcessorRefund(
            id="re_1",
            status=RefundStatus.SUCCEEDED,
            amount_minor=6000,
            payment_intent_id=payment.payment_intent_id,
            metadata={},
            failure="",
        )
        await record_foreign_refund(uow, order, payment, news)
    assert await left(services, lotus) == 0


async def test_a_credit_of_a_place_leaves_with_a_lost_dispute(
    services: Services, lotus: Business
) -> None:
    given = await a_refund_package(services.uow_factory, lotus.id)
    made, _booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    async with services.uow_factory(lotus.id) as uow:
        payment = (await uow.session.scalars(select(Payment))).one()
        news = Dispute(
            id="dp_1",
            payment_intent_id=payment.payment_intent_id,
            amount_minor=6000,
            currency="EUR",
            outcome="lost",
        )
        await take_dispute_news(uow, payment.id, made.order_id, "R", news)
    assert await left(services, lotus) == 0


async def left(services: Services, lotus: Business) -> int:
    async with services.uow_factory(lotus.id) as uow:
        return sum(await uow.session.scalars(select(CreditLot.balance)))
