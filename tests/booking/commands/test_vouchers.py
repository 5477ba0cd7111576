"""A voucher pays a part of an order: taken with the hold, back when it dies, money that came in."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select

from src.billing.commands.by_staff import mark_paid_on_site, take_held_on_site
from src.billing.commands.ending import cancel_open_order, expire_order
from src.billing.commands.settle import apply_page
from src.billing.models import Order, Payment, Refund
from src.billing.owed import get_owed_minor
from src.billing.queries.refundable import list_refundable_minor
from src.booking.commands.book import ask_quote, book
from src.booking.commands.leave import leave_dates
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.errors import PriceChanged
from src.platform.db.uow import UowFactory
from src.platform.errors import InvalidInput
from src.platform.services import Services
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, booked, seats_of, taken
from tests.booking.commands.test_claims_last import (
    CLAIMS,
    a_page,
    after_the_first_claim,
    as_found,
    its_hold_ended,
    listened,
)
from tests.support.builders import Business, Term, a_business, a_series, a_service, as_guest
from tests.support.clock import FrozenClock
from tests.support.vouchers import CODE, a_voucher, change_voucher, ledger, on_it
from tests.support.work import work

pytestmark = pytest.mark.anyio
TERMS = msgspec.to_builtins(LeavingTerms(tiers=(Tier(before=24, percent=100),)))


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


@pytest.fixture
async def term(uow_factory: UowFactory, lotus: Business) -> Term:
    """Three dates for EUR 60, of which all comes back until a day before each."""
    service = await a_service(uow_factory, lotus.id)
    return await a_series(uow_factory, service, leaving=TERMS)


async def the_order(uow_factory: UowFactory, business: Business) -> Order:
    async with uow_factory(business.id) as uow:
        return (await uow.session.scalars(select(Order))).one()


async def payments(uow_factory: UowFactory, business: Business) -> list[tuple[str, int, int]]:
    """Method, amount and what went back of each payment, by voucher first."""
    async with uow_factory(business.id) as uow:
        found = await uow.session.scalars(select(Payment).order_by(Payment.method.desc()))
        return [(one.method, one.amount_minor, one.refunded_minor) for one in found]


async def leave(services: Services, business: Business, order: Order, seats: int) -> int:
    async with services.uow_factory(business.id) as uow:
        tenant = await tenant_snapshot(uow, business.id, uow.clock.now())
        found = (await seats_of(services.uow_factory, business.id))[:seats]
        came = await leave_dates(uow, tenant, order.id, [seat.id for seat in found])
        return came.back_minor


async def test_one_that_is_enough_confirms_at_once_and_is_a_payment(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_voucher(uow_factory, lotus.id, minor=10000)
    wish = a_wish("series", term.series.id, coupon=f" {CODE.lower().replace('-', ' ')} ")
    made = await booked(uow_factory, lotus, wish)
    assert not made.needs_payment
    order = await the_order(uow_factory, lotus)
    assert (order.state, order.payment_mode) == ("confirmed", "online")
    assert (order.total_minor, order.voucher_minor, order.paid_minor) == (6000, 6000, 6000)
    assert order.discount_minor == 0, "it is no discount"
    assert [seat.share_minor for seat in await seats_of(uow_factory, lotus.id)] == [2000] * 3
    assert await payments(uow_factory, lotus) == [("voucher", 6000, 0)]
    assert await on_it(uow_factory, lotus.id) == 4000


async def test_the_rest_is_paid_by_card_and_nothing_but_the_rest(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_voucher(uow_factory, lotus.id, minor=2500)
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    assert made.needs_payment
    assert await on_it(uow_factory, lotus.id) == 0, "taken with the hold"
    assert await payments(uow_factory, lotus) == [], "nothing has come in yet"
    page = await a_page(uow_factory, lotus, made.order)
    async with uow_factory(lotus.id) as uow:
        await apply_page(uow, page.id, as_found(page, made.order))
    order = await the_order(uow_factory, lotus)
    assert (order.state, order.paid_minor) == ("confirmed", 6000)
    assert await payments(uow_factory, lotus) == [("voucher", 2500, 0), ("card", 3500, 0)]


async def test_the_price_by_card_is_a_mismatch_where_a_voucher_pays_a_part(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_voucher(uow_factory, lotus.id, minor=2500)
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    page = await a_page(uow_factory, lotus, made.order)
    found = msgspec.structs.replace(as_found(page, made.order), amount_minor=6000)
    async with uow_factory(lotus.id) as uow:
        applied = await apply_page(uow, page.id, found)
    assert applied.order_state == "open"


async def test_it_leaves_no_rest_that_nobody_can_pay_online(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_voucher(uow_factory, lotus.id, minor=5980)
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    assert made.order.to_pay_minor == 50
    assert await on_it(uow_factory, lotus.id) == 30


@pytest.mark.parametrize(
    "is_so",
    [
        {"state": "pending"},
        {"state": "blocked"},
        {"minor": 1, "spent": True},
        {"expired": True},
        {"currency": "GBP"},
    ],
)
async def test_one_that_cannot_pay_is_refused_without_a_word_why(
    uow_factory: UowFactory, lotus: Business, term: Term, is_so: dict[str, object]
) -> None:
    more = {key: value for key, value in is_so.items() if key in ("state", "currency")}
    if "expired" in is_so:
        async with uow_factory(lotus.id) as uow:
            more["expires_at"] = uow.clock.now() - timedelta(seconds=1)
    await a_voucher(uow_factory, lotus.id, **more)
    if "spent" in is_so:
        other = a_wish("series", term.series.id, coupon=CODE, guest_email="dora@example.com")
        await booked(uow_factory, lotus, other)
    said = {}
    for code in (CODE, "NOSUCH", "K7QF-2M9X-3456-ZZZZ"):
        with pytest.raises(InvalidInput) as refused:
            await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon=code))
        assert set(refused.value.fields) == {"coupon"}
        said[code] = refused.value.message
    unknown = "We do not know this code. Check it for typing mistakes."
    assert said == {
        CODE: "This code cannot be used for this booking.",
        "NOSUCH": unknown,
        "K7QF-2M9X-3456-ZZZZ": unknown,
    }


async def test_another_businesss_voucher_is_unknown_here(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    rival = await a_business(uow_factory, "rival", owner="Eve")
    await a_voucher(uow_factory, rival.id)
    with pytest.raises(InvalidInput):
        await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    assert await on_it(uow_factory, rival.id) == 5000


async def test_at_the_second_in_which_it_expires_the_guest_wins(
    uow_factory: UowFactory, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    await a_voucher(uow_factory, lotus.id, minor=6000, expires_at=clock.now())
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    assert not made.needs_payment


async def test_who_was_shown_another_rest_pays_nothing_unseen(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_voucher(uow_factory, lotus.id)
    wish = a_wish("series", term.series.id, coupon=CODE, quoted_minor=6000)
    with pytest.raises(PriceChanged) as changed:
        await booked(uow_factory, lotus, wish)
    assert changed.value.total_minor == 1000
    await booked(uow_factory, lotus, msgspec.structs.replace(wish, quoted_minor=1000))


@pytest.mark.parametrize("end", [expire_order, cancel_open_order])
async def test_a_dead_hold_gives_it_back_last_of_all(
    uow_factory: UowFactory, lotus: Business, term: Term, end: Callable[..., Awaitable[object]]
) -> None:
    await a_voucher(uow_factory, lotus.id)
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    assert await on_it(uow_factory, lotus.id) == 0
    with listened() as sent:
        async with uow_factory(lotus.id) as uow:
            await end(uow, made.order_id, "not_paid", uow.clock.now())
    assert after_the_first_claim(sent) == []
    assert await on_it(uow_factory, lotus.id) == 5000
    assert await ledger(uow_factory, lotus.id) == [
        ("grant", 5000),
        ("spend", -5000),
        ("give_back", 5000),
    ]
    assert await payments(uow_factory, lotus) == []


async def test_it_is_claimed_after_the_sessions_and_before_the_months_counter(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_voucher(uow_factory, lotus.id)
    with listened() as sent:
        await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    assert after_the_first_claim(sent) == []
    claimed = [next(c for c in CLAIMS if c in one) for one in sent if any(c in one for c in CLAIMS)]
    assert claimed == [
        "SELECT id FROM sessions",
        "UPDATE sessions",
        "UPDATE vouchers",
        "INSERT INTO booking_counters",
    ]


async def test_who_pays_late_pays_with_it_again_though_it_has_expired_since(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_voucher(uow_factory, lotus.id)
    late = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    page = await a_page(uow_factory, lotus, late.order)
    await its_hold_ended(uow_factory, lotus, term, late)
    async with uow_factory(lotus.id) as uow:
        just_over = uow.clock.now() - timedelta(seconds=1)
    await change_voucher(uow_factory, lotus.id, expires_at=just_over)
    with listened() as sent:
        async with uow_factory(lotus.id) as uow:
            applied = await apply_page(uow, page.id, as_found(page, late.order))
    assert applied.order_state == "confirmed"
    assert after_the_first_claim(sent) == []
    assert await on_it(uow_factory, lotus.id) == 0
    assert await payments(uow_factory, lotus) == [("voucher", 5000, 0), ("card", 1000, 0)]


@pytest.mark.parametrize("meanwhile", ["spent", "blocked"])
async def test_late_money_without_its_voucher_goes_back_in_full(
    uow_factory: UowFactory, lotus: Business, term: Term, meanwhile: str
) -> None:
    await a_voucher(uow_factory, lotus.id)
    late = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    page = await a_page(uow_factory, lotus, late.order)
    await its_hold_ended(uow_factory, lotus, term, late)
    if meanwhile == "spent":
        other = a_wish("series", term.series.id, coupon=CODE, guest_email="dora@example.com")
        await booked(uow_factory, lotus, other)
    else:
        await change_voucher(uow_factory, lotus.id, state="blocked")
    before = await taken(uow_factory, lotus.id)
    async with uow_factory(lotus.id) as uow:
        applied = await apply_page(uow, page.id, as_found(page, late.order))
    assert applied.order_state == "expired"
    assert await taken(uow_factory, lotus.id) == before
    assert await payments(uow_factory, lotus) == [("card", 1000, 1000)]


async def test_a_form_that_changes_may_keep_what_its_hold_has_of_it(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_voucher(uow_factory, lotus.id)
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    wider = a_wish("series", term.series.id, party=("Carl", "Dora"), coupon=CODE)
    async with uow_factory(lotus.id) as uow:
        await ask_quote(uow, as_guest(lotus), wider, instead_of=made.order_id)
        with pytest.raises(InvalidInput):
            await book(uow, as_guest(lotus), wider)


async def test_what_comes_back_goes_to_the_voucher_first_and_the_rest_to_the_card(
    services: Services, lotus: Business, term: Term
) -> None:
    factory = services.uow_factory
    await a_voucher(factory, lotus.id, minor=2500)
    made = await booked(factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    page = await a_page(factory, lotus, made.order)
    async with factory(lotus.id) as uow:
        await apply_page(uow, page.id, as_found(page, made.order))
    assert await leave(services, lotus, made.order, 1) == 2000
    assert await payments(factory, lotus) == [("voucher", 2500, 2000), ("card", 3500, 0)]
    assert await on_it(factory, lotus.id) == 0, "a job puts it back, after the sessions' locks"
    assert await leave(services, lotus, made.order, 3) == 4000
    assert await payments(factory, lotus) == [("voucher", 2500, 2500), ("card", 3500, 3500)]
    async with factory(lotus.id) as uow:
        found = await uow.session.scalars(select(Refund).order_by(Refund.id))
        assert [one.voucher_id is not None for one in found] == [True, True, False]


async def test_a_refund_to_a_voucher_arrives_once_and_lasts_a_while(
    services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    factory = services.uow_factory
    voucher = await a_voucher(factory, lotus.id, minor=6000, expires_at=clock.now())
    made = await booked(factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    clock.advance(timedelta(days=1))
    assert await leave(services, lotus, made.order, 3) == 6000
    for _again in range(2):
        await work(services, lotus.id)
    assert await on_it(factory, lotus.id) == 6000
    async with factory(lotus.id) as uow:
        refund = (await uow.session.scalars(select(Refund))).one()
        assert (refund.state, refund.voucher_id) == ("succeeded", voucher.id)
        assert (await list_refundable_minor(uow, [made.order_id]))[made.order_id] == 0
        kept = await uow.session.scalar(select(type(voucher).expires_at))
    assert kept == clock.now() + timedelta(days=30)
    assert await ledger(factory, lotus.id) == [
        ("grant", 6000),
        ("spend", -6000),
        ("give_back", 6000),
    ]


async def test_on_site_the_rest_is_owed_and_what_went_back_pays_for_nothing_more(
    services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    service = await a_service(factory, lotus.id)
    term = await a_series(factory, service, price_type="on_site", leaving=TERMS)
    await a_voucher(factory, lotus.id, minor=2500)
    made = await booked(factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    assert (made.order.state, made.order.paid_minor) == ("confirmed", 2500)

    async def owed() -> int:
        async with factory(lotus.id) as uow:
            return await get_owed_minor(uow, made.order_id)

    assert await owed() == 3500
    assert await leave(services, lotus, made.order, 1) == 2000
    assert await owed() == 3500, "two dates at 20, of which 5 are paid"
    async with factory(lotus.id) as uow:
        assert (await mark_paid_on_site(uow, lotus.ctx, made.order_id)).amount_minor == 3500


async def test_what_is_held_can_be_taken_on_site_beside_its_voucher(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    await a_voucher(uow_factory, lotus.id, minor=2500)
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id, coupon=CODE))
    async with uow_factory(lotus.id) as uow:
        said = await take_held_on_site(uow, lotus.ctx, made.order_id)
    assert said.amount_minor == 3500
    assert await payments(uow_factory, lotus) == [("voucher", 2500, 0), ("on_site", 3500, 0)]
