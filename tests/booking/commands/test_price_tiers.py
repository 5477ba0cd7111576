"""Several prices on one pool of seats."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from src.billing.models import OrderLine
from src.booking.commands.book import book
from src.booking.commands.claims import SeatsGone
from src.booking.commands.exchange import MoveSeats, move_seats
from src.booking.commands.series import get_series_command
from src.booking.commands.term_copy import CopyTerm, copy_term
from src.booking.domain.price_tiers import read_tiers
from src.booking.errors import NotBookable, PriceChanged
from src.booking.models import Series
from src.booking.queries.roster import get_roster
from src.platform.db.uow import UowFactory
from src.platform.errors import InvalidInput
from src.platform.ids import new_id
from src.platform.localtime import to_local
from tests.booking.commands.test_book import a_wish, booked, seats_of, taken
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio

CHILD = {"key": "child", "name": "Child", "price_minor": 800}
MEMBER = {"key": "member", "name": "Member", "price_minor": 1000, "audience": "staff"}


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


def early(until_on: str) -> dict[str, Any]:
    return {"key": "early", "name": "Early bird", "price_minor": 5000, "until_on": until_on}


async def lines(uow_factory: UowFactory, business: Business) -> list[tuple[str, int, int, int]]:
    async with uow_factory(business.id) as uow:
        found = await uow.session.scalars(select(OrderLine).order_by(OrderLine.tier))
        return [(one.tier, one.unit_minor, one.quantity, one.total_minor) for one in found]


def a_family(**more: Any) -> dict[str, Any]:
    return {"party": ("Carl", "Dora", "Emil"), "tiers": ("full", "child", "child"), **more}


async def test_a_party_is_one_order_with_a_line_for_each_price(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id, price_tiers=[CHILD])
    session = await a_session(uow_factory, service)
    made = await booked(uow_factory, lotus, a_wish("session", session.id, **a_family()))
    assert made.total_minor == 3100
    assert await lines(uow_factory, lotus) == [("", 1500, 1, 1500), ("Child", 800, 2, 1600)]
    seats = await seats_of(uow_factory, lotus.id)
    assert sorted((seat.tier, seat.share_minor) for seat in seats) == [
        ("", 1500),
        ("Child", 800),
        ("Child", 800),
    ]
    assert await taken(uow_factory, lotus.id) == [3]
    async with uow_factory(lotus.id) as uow:
        roster = await get_roster(uow, session.id)
    assert {seat.name: seat.tier for seat in roster.coming} == {
        "Carl": "",
        "Dora": "Child",
        "Emil": "Child",
    }


async def test_all_prices_share_the_seats(uow_factory: UowFactory, lotus: Business) -> None:
    service = await a_service(uow_factory, lotus.id, price_tiers=[CHILD])
    session = await a_session(uow_factory, service, capacity=3)
    await booked(uow_factory, lotus, a_wish("session", session.id))
    with pytest.raises((NotBookable, SeatsGone)):
        await booked(uow_factory, lotus, a_wish("session", session.id, **a_family()))
    assert await taken(uow_factory, lotus.id) == [1]


async def test_who_joins_late_pays_each_price_in_proportion(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id)
    child = {**CHILD, "price_minor": 4000}
    term = await a_series(uow_factory, service, join_policy="any_time", price_tiers=[child])
    clock.advance(timedelta(days=8))
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id, **a_family()))
    assert made.total_minor == 4000 + 2 * 2667
    assert await lines(uow_factory, lotus) == [("", 4000, 1, 4000), ("Child", 2667, 2, 5334)]
    seats = await seats_of(uow_factory, lotus.id)
    assert sum(seat.share_minor for seat in seats if seat.tier) == 5334
    assert len(seats) == 6


async def test_an_early_bird_is_judged_when_the_seats_are_held(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id)
    today = to_local(clock.now(), lotus.tenant.zone).date()
    term = await a_series(uow_factory, service, price_tiers=[early(today.isoformat())])
    wish = a_wish("series", term.series.id, tiers=("early",))
    made = await booked(uow_factory, lotus, wish)
    assert made.total_minor == 5000
    clock.advance(timedelta(days=1))
    late = a_wish("series", term.series.id, tiers=("early",), guest_email="dora@example.com")
    with pytest.raises(InvalidInput) as refused:
        await booked(uow_factory, lotus, late)
    assert list(refused.value.fields) == ["tiers"]
    assert len(await seats_of(uow_factory, lotus.id)) == 3


@pytest.mark.parametrize(
    "tiers", [("student",), ("member",), ("full", "full"), ("",)], ids=["unknown", "staff", "2", ""]
)
async def test_a_price_that_is_not_offered_books_nothing(
    uow_factory: UowFactory, lotus: Business, tiers: tuple[str, ...]
) -> None:
    service = await a_service(uow_factory, lotus.id, price_tiers=[CHILD, MEMBER])
    session = await a_session(uow_factory, service)
    with pytest.raises(InvalidInput) as refused:
        await booked(uow_factory, lotus, a_wish("session", session.id, tiers=tiers))
    assert list(refused.value.fields) == ["tiers"]
    assert await seats_of(uow_factory, lotus.id) == []


async def test_staff_choose_what_guests_cannot(uow_factory: UowFactory, lotus: Business) -> None:
    service = await a_service(uow_factory, lotus.id, price_tiers=[CHILD, MEMBER])
    session = await a_session(uow_factory, service)
    async with uow_factory(lotus.id) as uow:
        wish = a_wish("session", session.id, tiers=("member",), pays="on_site", source="staff")
        made = await book(uow, lotus.ctx, wish)
    assert made.total_minor == 1000
    async with uow_factory(lotus.id) as uow:
        given = a_wish(
            "session", session.id, tiers=("member",), pays="free", guest_email="d@example.com"
        )
        assert (await book(uow, lotus.ctx, given)).total_minor == 0


async def test_a_price_that_changed_while_the_form_was_filled_in_is_shown_first(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id, price_tiers=[{**CHILD, "price_minor": 900}])
    session = await a_session(uow_factory, service)
    with pytest.raises(PriceChanged) as refused:
        wish = a_wish("session", session.id, **a_family(quoted_minor=3100))
        await booked(uow_factory, lotus, wish)
    assert refused.value.total_minor == 3300


async def test_a_single_date_with_a_price_of_its_series_has_no_other(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id, price_tiers=[CHILD])
    term = await a_series(uow_factory, service, drop_in_allowed=True, drop_in_price_minor=2200)
    with pytest.raises(InvalidInput):
        await booked(uow_factory, lotus, a_wish("session", term.sessions[0].id, **a_family()))
    async with uow_factory(lotus.id) as uow:
        series = await uow.session.get_one(Series, (lotus.id, term.series.id))
        series.drop_in_price_minor = None
    made = await booked(uow_factory, lotus, a_wish("session", term.sessions[0].id, **a_family()))
    assert made.total_minor == 3100


async def test_a_seat_keeps_its_price_on_another_date(
    uow_factory: UowFactory, lotus: Business
) -> None:
    leaving = {"moves_before": 1, "moves_unit": "hours"}
    service = await a_service(
        uow_factory, lotus.id, price_type="on_site", price_tiers=[CHILD], leaving=leaving
    )
    first, second = [await a_session(uow_factory, service, in_days=day) for day in (7, 8)]
    made = await booked(uow_factory, lotus, a_wish("session", first.id, tiers=("child",)))
    [seat] = await seats_of(uow_factory, lotus.id)
    async with uow_factory(lotus.id) as uow:
        cmd = MoveSeats(order_id=made.order_id, seat_ids=[seat.id], session_id=second.id)
        await move_seats(uow, lotus.tenant, cmd)
    moved = [seat for seat in await seats_of(uow_factory, lotus.id) if seat.state == "confirmed"]
    assert [(seat.tier, seat.share_minor) for seat in moved] == [("Child", 800)]


async def test_a_copied_term_has_its_early_bird_as_long_before(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id)
    first_on = to_local(clock.now() + timedelta(days=7), lotus.tenant.zone).date()
    until_on = first_on - timedelta(days=3)
    term = await a_series(uow_factory, service, price_tiers=[early(until_on.isoformat())])
    copy_id, later = new_id(), timedelta(days=70)
    async with uow_factory(lotus.id) as uow:
        cmd = CopyTerm(
            series_id=term.series.id, new_id=copy_id, title="Again", first_on=first_on + later
        )
        await copy_term(uow, lotus.ctx, cmd)
    async with uow_factory(lotus.id) as uow:
        copied = await get_series_command(uow, copy_id)
    [tier] = read_tiers([early((until_on + later).isoformat())])
    assert copied.price_tiers == (tier,)
