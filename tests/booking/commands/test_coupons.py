"""A coupon in an order: once, off the total, with the hold, and back when the hold dies."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from src.billing.commands.ending import cancel_open_order, expire_order
from src.billing.commands.settle import apply_page
from src.billing.models import CouponUse, Order, OrderLine, Refund
from src.booking.commands.book import ask_quote, book
from src.booking.errors import PriceChanged
from src.platform.db.uow import UowFactory
from src.platform.errors import InvalidInput
from src.tenants.commands.merge_customers import merge_customers
from tests.booking.commands.test_book import a_wish, booked, month_count, seats_of, taken
from tests.booking.commands.test_claims_last import (
    CLAIMS,
    a_page,
    after_the_first_claim,
    as_found,
    its_hold_ended,
    listened,
)
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
from tests.support.coupons import a_coupon, change_coupon, lose_coupons, uses

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


@pytest.fixture
async def term(uow_factory: UowFactory, lotus: Business) -> Term:
    """Three dates for EUR 60."""
    return await a_series(uow_factory, await a_service(uow_factory, lotus.id, tax_rate_bp=2100))


async def only_line(uow_factory: UowFactory, business: Business) -> OrderLine:
    async with uow_factory(business.id) as uow:
        return (await uow.session.scalars(select(OrderLine))).one()


async def orders_of(uow_factory: UowFactory, business: Business) -> list[Order]:
    async with uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(Order)))


async def test_it_comes_off_the_total_once_before_the_seats_share_it(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    """I3, and row 2-50: a use was counted per ticket instead of per order."""
    await a_coupon(uow_factory, lotus.id, amount_minor=1001)
    wish = a_wish("series", term.series.id, party=("Carl", "Dora"), coupon=" spring ")
    made = await booked(uow_factory, lotus, wish)
    assert (made.total_minor, made.order.discount_minor) == (10999, 1001)
    shares = [seat.share_minor for seat in await seats_of(uow_factory, lotus.id)]
    assert sum(shares) == 10999
    assert max(shares) - min(shares) == 1
    line = await only_line(uow_factory, lotus)
    assert (line.unit_minor, line.quantity) == (6000, 2)
    assert (line.discount_minor, line.total_minor) == (1001, 10999)
    assert line.tax_minor == 1909, "the tax within what is really asked"
    assert await uses(uow_factory, lotus.id) == 1


async def test_it_takes_its_part_of_a_price_that_was_worked_out_for_who_joins_late(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    """Row 2-54: a course could not be joined late, nor with a code."""
    service = await a_service(uow_factory, lotus.id)
    term = await a_series(uow_factory, service, join_policy="any_time")
    await a_coupon(uow_factory, lotus.id, percent=50)
    clock.advance(timedelta(days=8))
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    assert made.total_minor == 2000, "half of two dates of three"


async def test_a_whole_discount_needs_no_payment_page(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    """Row 2-52: a code for everything failed at the card."""
    await a_coupon(uow_factory, lotus.id, percent=100)
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    assert not made.needs_payment
    assert (made.order.state, made.order.payment_mode) == ("confirmed", "free")
    assert {seat.state for seat in await seats_of(uow_factory, lotus.id)} == {"confirmed"}
    assert await uses(uow_factory, lotus.id) == 1


@pytest.mark.parametrize(
    "rules",
    [
        {"active": False},
        {"max_uses": 1, "used": 1},
        {"ends_on": date(2020, 1, 1)},
        {"starts_on": date(2099, 1, 1)},
        {"min_spend_minor": 6001},
        {"scope": "series", "scope_ids": []},
    ],
)
async def test_one_that_does_not_apply_books_nothing_and_says_so_at_its_field(
    uow_factory: UowFactory, lotus: Business, term: Term, rules: dict[str, object]
) -> None:
    """Row 2-49: the order was saved before the counter was looked at."""
    await a_coupon(uow_factory, lotus.id, **rules)
    with pytest.raises(InvalidInput) as refused:
        await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    assert set(refused.value.fields) == {"coupon"}
    assert await orders_of(uow_factory, lotus) == []
    assert await taken(uow_factory, lotus.id) == [0, 0, 0]


async def test_who_mistypes_a_code_reads_of_that_and_of_a_spent_one_nothing_more(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_coupon(uow_factory, lotus.id, max_uses=1, used=1)
    said = {}
    for code in ("SPRING", "NOSUCH"):
        with pytest.raises(InvalidInput) as refused:
            await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon=code))
        said[code] = refused.value.message
    assert said == {
        "SPRING": "This code cannot be used for this booking.",
        "NOSUCH": "We do not know this code. Check it for typing mistakes.",
    }


async def test_another_businesss_code_is_unknown_here(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    rival = await a_business(uow_factory, "rival", owner="Eve")
    await a_coupon(uow_factory, rival.id)
    with pytest.raises(InvalidInput):
        await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))


async def test_who_was_shown_the_price_without_it_pays_nothing_else_unseen(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_coupon(uow_factory, lotus.id)
    wish = a_wish("series", term.series.id, coupon="SPRING", quoted_minor=6000)
    with pytest.raises(PriceChanged) as changed:
        await booked(uow_factory, lotus, wish)
    assert changed.value.total_minor == 5400


async def test_a_customer_uses_it_as_often_as_they_may_however_they_write_their_address(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_coupon(uow_factory, lotus.id, max_per_customer=1)
    await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    again = a_wish("series", term.series.id, coupon="SPRING", guest_email=" Carl@Example.com ")
    with pytest.raises(InvalidInput):
        await booked(uow_factory, lotus, again)
    other = a_wish("series", term.series.id, coupon="SPRING", guest_email="dora@example.com")
    await booked(uow_factory, lotus, other)
    assert await uses(uow_factory, lotus.id) == 2


async def test_one_for_the_first_order_is_refused_to_who_has_ordered(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    service = await a_service(uow_factory, lotus.id, slug="free", price_type="free")
    session = await a_session(uow_factory, service)
    await booked(uow_factory, lotus, a_wish("session", session.id))
    await a_coupon(uow_factory, lotus.id, first_order_only=True)
    with pytest.raises(InvalidInput):
        await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))


async def test_two_coupons_for_the_first_order_are_not_held_side_by_side(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_coupon(uow_factory, lotus.id, first_order_only=True)
    wish = a_wish("series", term.series.id, coupon="SPRING")
    first = await booked(uow_factory, lotus, wish)
    second = a_wish("series", term.series.id, coupon="SPRING")
    with pytest.raises(InvalidInput) as refused:
        await booked(uow_factory, lotus, second)
    assert set(refused.value.fields) == {"coupon"}
    async with uow_factory(lotus.id) as uow:
        assert await expire_order(uow, first.order_id, "not_paid", uow.clock.now())
    await booked(uow_factory, lotus, second)
    assert await uses(uow_factory, lotus.id) == 1


async def test_a_plan_without_coupons_stops_new_uses_and_breaks_no_hold(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_coupon(uow_factory, lotus.id)
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    await lose_coupons(uow_factory, lotus.id)
    with pytest.raises(InvalidInput):
        await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    page = await a_page(uow_factory, lotus, made.order)
    async with uow_factory(lotus.id) as uow:
        applied = await apply_page(uow, page.id, as_found(page, made.order))
    assert applied.order_state == "confirmed"


@pytest.mark.parametrize("end", [expire_order, cancel_open_order])
async def test_a_dead_hold_gives_it_back(
    uow_factory: UowFactory, lotus: Business, term: Term, end: Callable[..., Awaitable[object]]
) -> None:
    """Row 2-50: a code stayed used after its order was gone."""
    await a_coupon(uow_factory, lotus.id, max_uses=1, max_per_customer=1, first_order_only=True)
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    assert await uses(uow_factory, lotus.id) == 1
    with listened() as sent:
        async with uow_factory(lotus.id) as uow:
            await end(uow, made.order_id, "not_paid", uow.clock.now())
    assert after_the_first_claim(sent) == []
    assert await uses(uow_factory, lotus.id) == 0
    await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))


async def test_its_rules_are_judged_with_the_hold_and_honoured_until_it_ends(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_coupon(uow_factory, lotus.id)
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    await change_coupon(uow_factory, lotus.id, active=False, ends_on=date(2020, 1, 1))
    page = await a_page(uow_factory, lotus, made.order)
    async with uow_factory(lotus.id) as uow:
        await apply_page(uow, page.id, as_found(page, made.order))
    (order,) = await orders_of(uow_factory, lotus)
    assert (order.state, order.paid_minor, order.total_minor) == ("confirmed", 5400, 5400)


async def test_who_pays_late_keeps_it_past_every_limit(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_coupon(uow_factory, lotus.id, max_uses=1, first_order_only=True)
    late = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    page = await a_page(uow_factory, lotus, late.order)
    await its_hold_ended(uow_factory, lotus, term, late)
    await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    with listened() as sent:
        async with uow_factory(lotus.id) as uow:
            applied = await apply_page(uow, page.id, as_found(page, late.order))
    assert applied.order_state == "confirmed"
    assert after_the_first_claim(sent) == []
    assert await uses(uow_factory, lotus.id) == 2
    async with uow_factory(lotus.id) as uow:
        assert (await uow.session.scalars(select(Refund.id))).all() == []
    assert await month_count(uow_factory, lotus.id) == 2


async def test_it_is_claimed_after_the_sessions_and_before_the_months_counter(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_coupon(uow_factory, lotus.id)
    with listened() as sent:
        await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    assert after_the_first_claim(sent) == []
    claimed = [next(c for c in CLAIMS if c in one) for one in sent if any(c in one for c in CLAIMS)]
    assert claimed == [
        "SELECT id FROM sessions",
        "UPDATE sessions",
        "UPDATE coupons",
        "INSERT INTO coupon_customers",
        "INSERT INTO booking_counters",
    ]


async def test_a_form_that_changes_may_keep_the_last_use_that_it_holds(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_coupon(uow_factory, lotus.id, max_uses=1, max_per_customer=1)
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    wider = a_wish("series", term.series.id, party=("Carl", "Dora"), coupon="SPRING")
    async with uow_factory(lotus.id) as uow:
        await ask_quote(uow, as_guest(lotus), wider, instead_of=made.order_id)
        with pytest.raises(InvalidInput):
            await book(uow, as_guest(lotus), wider)


async def test_what_two_customers_used_is_one_number_once_they_are_one(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_coupon(uow_factory, lotus.id, first_order_only=True)
    gone = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    wish = a_wish("series", term.series.id, coupon="SPRING", guest_email="dora@example.com")
    kept = await booked(uow_factory, lotus, wish)
    async with uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, gone.order.customer_id, kept.order.customer_id)
    assert await uses(uow_factory, lotus.id) == 2
    async with uow_factory(lotus.id) as uow:
        owners = set(await uow.session.scalars(select(CouponUse.customer_id)))
    assert owners == {kept.order.customer_id}
    async with uow_factory(lotus.id) as uow:
        assert await expire_order(uow, gone.order_id, "not_paid", uow.clock.now())
    assert await uses(uow_factory, lotus.id) == 1


async def test_late_money_that_gets_no_seat_gets_no_coupon_either(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    term = await a_series(uow_factory, service, capacity=1)
    await a_coupon(uow_factory, lotus.id)
    late = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon="SPRING"))
    page = await a_page(uow_factory, lotus, late.order)
    await its_hold_ended(uow_factory, lotus, term, late)
    await booked(uow_factory, lotus, a_wish("series", term.series.id))
    async with uow_factory(lotus.id) as uow:
        applied = await apply_page(uow, page.id, as_found(page, late.order))
    assert applied.order_state == "expired"
    assert await uses(uow_factory, lotus.id) == 0
    async with uow_factory(lotus.id) as uow:
        back = (await uow.session.scalars(select(Refund.amount_minor))).all()
    assert back == [5400], "what was really paid"
