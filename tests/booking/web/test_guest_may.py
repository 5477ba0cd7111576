"""The owner reads what a guest may do with their places, as the guest's own pages say it."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select, update

from src.billing.domain.credits import Scope
from src.booking.commands.book import Booked
from src.booking.domain.drop_in import PayWay
from src.booking.domain.fees import FeeRule
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.guest_links import booking_path
from src.booking.models import Booking, Session
from src.booking.queries.seat_answers import get_guest_may
from src.booking.views.seat_answers import GuestMay
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.conftest import Shop, change, subject
from tests.booking.web.pages import as_owner
from tests.booking.web.test_guest_leaving import TERMS, a_paid_course
from tests.booking.web.test_guest_page import own_page
from tests.support.builders import a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot

pytestmark = pytest.mark.anyio

MOVABLE = msgspec.structs.replace(TERMS, moves_before=24)
FIXED = LeavingTerms(may_cancel=False)
COSTLY = msgspec.structs.replace(
    TERMS, hand_on_before=2, late_fee=FeeRule(amount_minor=450, currency="EUR")
)


async def booking_page(shop: Shop) -> str:
    """What the owner sees of the newest booking."""
    async with shop.services.uow_factory(shop.business.id) as uow:
        booking_id = await uow.session.scalar(
            select(Booking.id).order_by(Booking.id.desc()).limit(1)
        )
    await as_owner(shop.guest.client, shop.services, shop.business)
    page = await shop.guest.client.get(f"/app/lotus/bookings/{booking_id}")
    assert page.status_code == 200
    return page.text


@pytest.mark.slow
async def test_what_comes_back_until_when_is_what_the_guest_reads(
    shop: Shop, clock: FrozenClock
) -> None:
    term = await a_paid_course(shop, MOVABLE)
    shown = await booking_page(shop)
    for run in term.sessions:
        until = run.starts_at - timedelta(hours=48)
        assert f"{until:%b} {until.day}, {until:%Y}" in shown
    assert shown.count("and gets back €20.00.") == 3
    assert "do not let guests leave a whole course" in shown
    async with shop.services.uow_factory(shop.business.id) as uow:
        booking_id = await uow.session.scalar(select(Booking.id))
    assert f'href="/app/lotus/bookings/{booking_id}/cancel"' in shown
    clock.at = term.sessions[0].starts_at - timedelta(hours=30)
    half = await booking_page(shop)
    assert half.count("and gets back €10.00.") == 1
    assert half.count("and gets back €20.00.") == 2
    guest = await shop.guest.open(f"{await own_page(shop)}/leave?date={term.sessions[0].id}")
    assert "€10.00" in guest.text
    clock.at = term.sessions[0].starts_at - timedelta(hours=2)
    late = await booking_page(shop)
    assert "May leave until it starts, but gets nothing back." in late
    assert "The time to exchange this date is over." in late
    assert f'href="/app/lotus/sessions/{term.sessions[0].id}"' in late
    clock.at = term.sessions[-1].starts_at + timedelta(minutes=1)
    assert "What the guest may do" not in await booking_page(shop)


async def test_the_fee_for_leaving_late_and_until_when_a_place_may_be_given_away(
    shop: Shop, clock: FrozenClock
) -> None:
    term = await a_paid_course(shop, COSTLY)
    shown = await booking_page(shop)
    assert shown.count(" a fee of €4.50 is asked.") == 3
    last_step = term.sessions[0].starts_at - timedelta(hours=24)
    assert f"After {last_step:%a}, {last_step:%b} {last_step.day}, {last_step:%Y}" in shown
    clock.at = term.sessions[0].starts_at - timedelta(hours=1)
    shown = await booking_page(shop)
    assert shown.count("It is late: a fee of €4.50 is asked of them.") == 1
    assert shown.count(" a fee of €4.50 is asked.") == 2
    assert shown.count("May give the place to somebody else until") == 2


async def test_who_may_not_leave_may_still_give_the_place_away_where_their_own_page_offers_it(
    shop: Shop, clock: FrozenClock
) -> None:
    term = await a_paid_course(
        shop, msgspec.structs.replace(TERMS, hand_on_before=2, may_cancel=False)
    )
    clock.at = term.sessions[0].starts_at - timedelta(hours=1)
    shown = await booking_page(shop)
    own = await shop.guest.open(await own_page(shop))
    assert own.text.count("/hand-on?date=") == 2
    assert shown.count("May give the place to somebody else until") == 2


async def test_which_dates_they_may_exchange_it_for(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service = await a_service(
        factory, shop.business.id, price_type="on_site", leaving=MOVABLE.document()
    )
    first = await a_session(factory, service)
    other = await a_session(factory, service, in_days=14, capacity=1)
    await a_session(factory, service, in_days=15, capacity=1, seats_taken=1)
    await shop.book(subject("session", first.id))
    shown = await booking_page(shop)
    until = first.starts_at - timedelta(hours=24)
    assert f"May leave until {until:%a}, {until:%b} {until.day}, {until:%Y}" in shown
    assert "and owes nothing." in shown
    assert "May exchange it for:" in shown
    assert "Mon, Mar 15, 2027" in shown
    assert "Tue, Mar 16, 2027" not in shown, "it is full"
    await change(shop, Session, seats_taken=Session.capacity)
    assert "No other date of the service has room." in await booking_page(shop)
    await change(shop, Session, seats_taken=1, capacity=9)
    await change(shop, type(service), active=False)
    off = await booking_page(shop)
    assert "The session is not on offer to guests who booked like this one." in off
    assert "Move the seat yourself, from the session&#39;s roster." in off
    assert str(other.id) not in off


async def test_a_place_paid_by_credit_goes_where_its_credit_is_good_for(
    shop: Shop, clock: FrozenClock
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    service = await a_service(factory, business.id, leaving=MOVABLE.document())
    dates = [
        await a_session(factory, service, in_days=days, tags=[tag])
        for days, tag in ((7, "beginners"), (8, "advanced"), (9, "beginners"), (40, "beginners"))
    ]
    customer_id, lot_id = await a_lot(
        factory,
        business.id,
        scope=Scope(tags=frozenset({"beginners"})),
        expires_at=clock.now() + timedelta(days=30),
    )
    wish = a_wish(
        "session", dates[0].id, way=PayWay.CREDIT, customer_id=customer_id, credit_lot_id=lot_id
    )
    made = await booked(factory, business, wish)
    path = booking_path(shop.services.settings, "lotus", made.order)
    offered = await shop.guest.open(f"{path}/move?date={dates[0].id}")
    [answer] = (await guest_may(shop, made)).seats
    assert [starts_at for starts_at, _ends_at in answer.dates] == [dates[2].starts_at]
    assert [f"to={one.id}" in offered.text for one in dates] == [False, False, True, False]
    async with factory(business.id) as uow:
        await uow.session.execute(
            update(Session).where(Session.id == dates[2].id).values(tags=["advanced"])
        )
    [answer] = (await guest_may(shop, made)).seats
    assert answer.dates == []
    [why] = answer.why_not_exchange
    assert "no tag of it is on this" in why.sentence
    shown = await booking_page(shop)
    assert "May not exchange it:" in shown
    share = shown.split('data-label="Share of the price"')[1].split("</td>")[0]
    assert "With credits" in share


async def guest_may(shop: Shop, made: Booked) -> GuestMay:
    async with shop.services.uow_factory(shop.business.id) as uow:
        return await get_guest_may(uow, shop.business.tenant, made.order_id)


async def test_terms_that_let_nobody_leave_and_how_it_is_mended(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service = await a_service(
        factory, shop.business.id, price_type="on_site", leaving=FIXED.document()
    )
    session = await a_session(factory, service)
    await shop.book(subject("session", session.id))
    shown = await booking_page(shop)
    assert "do not let guests cancel by themselves." in shown
    assert "do not let guests exchange dates." in shown
    assert f'href="/app/lotus/sessions/{session.id}"' in shown
    assert "May leave" not in shown


async def test_what_stays_due_of_a_place_left_late(shop: Shop, clock: FrozenClock) -> None:
    factory = shop.services.uow_factory
    terms = LeavingTerms(tiers=(Tier(before=48, percent=100),))
    service = await a_service(
        factory, shop.business.id, price_type="on_site", leaving=terms.document()
    )
    session = await a_session(factory, service)
    await shop.book(subject("session", session.id))
    clock.at = session.starts_at - timedelta(hours=4)
    assert "May leave until it starts, but still owes €15.00." in await booking_page(shop)
    free = await a_service(factory, shop.business.id, slug="free", price_type="free")
    await shop.book(subject("session", (await a_session(factory, free)).id, "free"))
    assert "May leave until it starts." in await booking_page(shop)
