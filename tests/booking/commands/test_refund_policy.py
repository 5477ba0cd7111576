"""What a refund policy gives for a place that is left: one credit for each that was paid, once."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.domain.credits import LotSource
from src.billing.models import CreditLot, Order, Package, Payment
from src.booking.commands.book import Booked
from src.booking.commands.leave import LessComesBack, Promised, leave_dates
from src.booking.domain.drop_in import PayWay
from src.booking.domain.leaving import Tier, terms_from
from src.booking.domain.refund_policy import BuyerRule, Gives
from src.booking.models import Booking, Seat, Series, Session
from src.platform.localtime import to_local
from src.platform.services import Services
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, booked, seats_of, taken
from tests.booking.commands.test_leave import leave, paid_by_card, refunds
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot, balance_of, ledger_of
from tests.support.policies import DAY_BEFORE, a_refund_package, gives_package, leaving

pytestmark = pytest.mark.anyio
NOTHING = BuyerRule(gives=Gives.NOTHING)


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def lots_of(services: Services, tenant_id: UUID) -> list[CreditLot]:
    async with services.uow_factory(tenant_id) as uow:
        found = await uow.session.scalars(select(CreditLot).order_by(CreditLot.id))
        return list(found)


async def a_course(
    services: Services, lotus: Business, *, is_paid: bool = True, **package: object
) -> tuple[Booked, Package]:
    """Three weekly dates at EUR 60 whose policy gives a credit until a day before."""
    given = await a_refund_package(services.uow_factory, lotus.id, **package)
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(
        services.uow_factory,
        service,
        price_type="on_site",
        leaving=leaving(course=gives_package(given)),
    )
    made = await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    if is_paid:
        await paid_by_card(services, lotus, made)
    return made, given


async def test_a_course_date_left_in_time_becomes_one_credit_worth_its_share(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    made, given = await a_course(services, lotus)
    [first, *_others] = await seats_of(services.uow_factory, lotus.id)
    assert await leave(services, lotus, made, [first]) == 0
    assert await refunds(services, lotus.id) == []
    [lot] = await lots_of(services, lotus.id)
    assert (lot.source, lot.source_seat_id, lot.balance) == (LotSource.SEAT, first.id, 1)
    assert (lot.value_minor, lot.name, lot.tags) == (2000, "Beginner classes", ["beginners"])
    assert (lot.package_id, lot.order_id) == (given.id, made.order_id)
    last_on = to_local(clock.now(), lotus.tenant.zone).date() + timedelta(days=60)
    assert lot.expires_at is not None
    assert to_local(lot.expires_at, lotus.tenant.zone).date() == last_on
    [left, *_rest] = await seats_of(services.uow_factory, lotus.id)
    assert (left.state, left.returned_as, left.returned_minor) == ("cancelled", "credit", 0)
    assert await taken(services.uow_factory, lotus.id) == [0, 1, 1]
    assert await ledger_of(services.uow_factory, lotus.id) == [("grant", 1)]


async def test_a_second_press_gives_no_second_credit(services: Services, lotus: Business) -> None:
    made, _given = await a_course(services, lotus)
    [first, *_others] = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [first])
    await leave(services, lotus, made, [first])
    assert len(await lots_of(services, lotus.id)) == 1


async def test_late_nothing_comes_back(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    made, _given = await a_course(services, lotus)
    [first, *_others] = await seats_of(services.uow_factory, lotus.id)
    clock.advance(timedelta(days=6, seconds=1))
    await leave(services, lotus, made, [first])
    assert await lots_of(services, lotus.id) == []
    [left, *_rest] = await seats_of(services.uow_factory, lotus.id)
    assert (left.state, left.returned_as) == ("late_cancelled", None)


async def test_at_the_very_second_the_guest_gets_the_credit(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    made, _given = await a_course(services, lotus)
    [first, *_others] = await seats_of(services.uow_factory, lotus.id)
    clock.advance(timedelta(days=6))
    await leave(services, lotus, made, [first])
    assert len(await lots_of(services, lotus.id)) == 1


async def test_what_is_not_paid_yet_brings_no_credit_until_it_is(
    services: Services, lotus: Business
) -> None:
    made, _given = await a_course(services, lotus, is_paid=False)
    [first, second, _third] = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [first])
    assert await lots_of(services, lotus.id) == []
    async with services.uow_factory(lotus.id) as uow:
        await mark_paid_on_site(uow, lotus.ctx, made.order_id)
    await leave(services, lotus, made, [second])
    [lot] = await lots_of(services, lotus.id)
    assert lot.source_seat_id == second.id


async def test_what_went_back_by_hand_is_not_given_again_as_credits(
    services: Services, lotus: Business
) -> None:
    """60 paid and 30 given back by staff: of three dates at 20 the first is covered, the second in
    part, the third by nothing.
    """
    made, _given = await a_course(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Order).values(refunded_minor=3000))
        await uow.session.execute(update(Payment).values(refunded_minor=3000))
    seats = await seats_of(services.uow_factory, lotus.id)
    for seat in seats:
        await leave(services, lotus, made, [seat])
    assert [lot.value_minor for lot in await lots_of(services, lotus.id)] == [2000, 1000]


async def test_without_days_it_lives_60_days_past_the_last_date(
    services: Services, lotus: Business
) -> None:
    made, _given = await a_course(services, lotus, validity_days=0)
    [first, *_others] = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [first])
    [lot] = await lots_of(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        last_at = max(await uow.session.scalars(select(Session.starts_at)))
    assert lot.expires_at is not None
    zone = lotus.tenant.zone
    assert to_local(lot.expires_at, zone).date() == to_local(last_at, zone).date() + timedelta(60)


async def test_what_was_bought_keeps_its_policy_without_the_bolt_on_and_after_an_edit(
    services: Services, lotus: Business
) -> None:
    made, given = await a_course(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Series).values(leaving={}))
        await uow.session.execute(update(Package).values(name="Other", tags=["advanced"]))
    [first, *_others] = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [first])
    [lot] = await lots_of(services, lotus.id)
    assert (lot.name, lot.tags, lot.package_id) == ("Beginner classes", ["beginners"], given.id)


async def test_without_the_bolt_on_the_plain_terms_are_sold(services: Services) -> None:
    fern = await a_business(services.uow_factory, "fern", plan="growth")
    made, _given = await a_course(services, fern)
    async with services.uow_factory(fern.id) as uow:
        kept = await uow.session.scalar(
            select(Booking.leaving).where(Booking.order_id == made.order_id)
        )
    assert terms_from(kept).gives is Gives.MONEY


async def test_less_than_promised_is_not_done(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    made, _given = await a_course(services, lotus)
    [first, *_others] = await seats_of(services.uow_factory, lotus.id)
    clock.advance(timedelta(days=6, seconds=1))
    promised = Promised({first.id: 0}, 0, frozenset({first.id}))
    with pytest.raises(LessComesBack):
        async with services.uow_factory(lotus.id) as uow:
            tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
            await leave_dates(uow, tenant, made.order_id, [first.id], promised)
    assert await taken(services.uow_factory, lotus.id) == [1, 1, 1]


async def a_single(services: Services, lotus: Business, way: PayWay, **rules: BuyerRule) -> Seat:
    """One date in a week of a series with these rules, bought singly in that way, and left."""
    service = await a_service(
        services.uow_factory,
        lotus.id,
        leaving=leaving(card=BuyerRule(gives=Gives.NOTHING), on_site=rules["on_site"]),
    )
    term = await a_series(
        services.uow_factory,
        service,
        drop_in_allowed=True,
        drop_in_pays=["online", "on_site", "credit"],
        leaving=leaving(**{kind: rule for kind, rule in rules.items() if kind != "on_site"}),
    )
    more: dict[str, object] = {"way": way}
    if way is PayWay.CREDIT:
        customer_id, lot_id = await a_lot(services.uow_factory, lotus.id)
        more |= {"customer_id": customer_id, "credit_lot_id": lot_id}
    wish = a_wish("session", term.sessions[0].id, **more)
    made = await booked(services.uow_factory, lotus, wish)
    if way is PayWay.ON_SITE:
        async with services.uow_factory(lotus.id) as uow:
            await mark_paid_on_site(uow, lotus.ctx, made.order_id)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [seat])
    [left] = await seats_of(services.uow_factory, lotus.id)
    return left


async def test_the_series_rule_wins_and_the_service_speaks_where_it_is_silent(
    services: Services, lotus: Business
) -> None:
    given = await a_refund_package(services.uow_factory, lotus.id)
    left = await a_single(
        services, lotus, PayWay.ON_SITE, on_site=gives_package(given), credit=NOTHING
    )
    assert left.returned_as == "credit"
    [lot] = await lots_of(services, lotus.id)
    assert lot.source == LotSource.SEAT


async def test_a_credit_goes_back_to_its_own_lot_where_the_rule_says_so(
    services: Services, lotus: Business
) -> None:
    given = await a_refund_package(services.uow_factory, lotus.id)
    own = BuyerRule(gives=Gives.CREDIT, tiers=DAY_BEFORE)
    left = await a_single(services, lotus, PayWay.CREDIT, on_site=gives_package(given), credit=own)
    assert left.returned_as == "credit"
    [lot] = await lots_of(services, lotus.id)
    assert (lot.source, lot.balance) == (LotSource.PACKAGE, 10)


async def test_a_credit_is_lost_where_nothing_comes_back(
    services: Services, lotus: Business
) -> None:
    given = await a_refund_package(services.uow_factory, lotus.id)
    left = await a_single(
        services, lotus, PayWay.CREDIT, on_site=gives_package(given), credit=NOTHING
    )
    assert (left.state, left.returned_as) == ("cancelled", None)
    [lot] = await lots_of(services, lotus.id)
    assert lot.balance == 9
    assert await balance_of(services.uow_factory, lotus.id, lot.customer_id) == 9


async def test_money_by_the_rule_goes_back_in_part(services: Services, lotus: Business) -> None:
    half = BuyerRule(gives=Gives.MONEY, tiers=(Tier(before=24, percent=50),))
    service = await a_service(
        services.uow_factory, lotus.id, price_type="on_site", leaving=leaving(on_site=half)
    )
    session = await a_session(services.uow_factory, service)
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    await paid_by_card(services, lotus, made)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    assert await leave(services, lotus, made, [seat]) == 750
