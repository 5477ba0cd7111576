"""The pages about series: put together, put on sale, and who bought them."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.billing.commands.ending import cancel_open_order
from src.billing.models import OpenItem, Order
from src.booking.models import Seat, Series, Session
from src.booking.queries.buyers import list_buyers
from src.booking.queries.series import get_series_overview, list_series
from src.platform.localtime import to_local
from src.platform.services import Services
from src.tenants.domain.roles import Role
from tests.booking.commands.test_book import a_wish, booked
from tests.support.builders import (
    Business,
    Term,
    a_business,
    a_member,
    a_series,
    a_service,
    a_session,
)
from tests.support.clock import FrozenClock
from tests.support.visitor import Visitor
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def owner(client: AsyncClient, services: Services, lotus: Business) -> Visitor:
    await sign_in(client, services, lotus.owner.id)
    return Visitor(client)


async def send(visitor: Visitor, typed: dict[str, Any] | None = None, status: int = 200) -> None:
    """Sends the form of the page, not the one in its menu that signs out."""
    await visitor.submit(typed, to=visitor.path, status=status)


async def three_dates(services: Services, business: Business) -> tuple[UUID, list[str]]:
    service = await a_service(services.uow_factory, business.id)
    runs = [await a_session(services.uow_factory, service, in_days=day) for day in (7, 14, 21)]
    return service.id, [str(run.id) for run in runs]


async def the_only_series(services: Services, business: Business) -> Series:
    async with services.uow_factory(business.id) as uow:
        return (await uow.session.scalars(select(Series))).one()


async def a_sold_term(services: Services, business: Business, *guests: str) -> Term:
    service = await a_service(services.uow_factory, business.id)
    term = await a_series(services.uow_factory, service, price_type="on_site")
    for guest in guests:
        wish = a_wish(
            "series",
            term.series.id,
            guest_name=guest,
            guest_email=f"{guest.lower()}@example.com",
        )
        await booked(services.uow_factory, business, wish)
    return term


@pytest.mark.slow
async def test_from_nothing_to_a_series_on_sale(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    service_id, dates = await three_dates(services, lotus)
    await owner.open(f"/app/lotus/services/{service_id}/series")
    assert "No series yet" in owner.text
    await owner.open(f"/app/lotus/services/{service_id}/series/new")
    typed = {"title": "Spring term", "price": "60", "price_type": "on_site", "session_ids": dates}
    await send(owner, typed)
    assert "It is not on sale yet" in owner.text
    await owner.submit(to="/publish")
    assert "It is on sale." in owner.text
    series = await the_only_series(services, lotus)
    assert (series.active, series.base_sessions, series.price_minor) == (True, 3, 6000)
    await owner.open("/app/lotus/series")
    assert "Spring term" in owner.text
    await owner.open("/b/lotus/yoga")
    assert "Spring term" in owner.text
    await owner.open(f"/app/lotus/series/{series.id}")
    await owner.submit(to="/unpublish")
    assert not (await the_only_series(services, lotus)).active


async def test_all_dates_of_one_weekday_and_time_are_ticked_by_one_button(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    service_id, dates = await three_dates(services, lotus)
    await owner.open(f"/app/lotus/services/{service_id}/series/new")
    typed = {"title": "Typed already", "price": "not yet"}
    await send(owner, {**typed, "tick": "0-10:00"})
    assert "Typed already" in owner.text
    assert owner.text.count(" checked") >= len(dates)
    await send(owner, {"price": "60", "tick": ""})
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(select(Session.id).where(Session.series_id.is_not(None)))
        attached = {str(one) for one in found}
    # The last date is after the clocks change, at another time of day in UTC terms only.
    assert attached <= set(dates)
    assert len(attached) >= 2


async def test_the_same_form_sent_twice_makes_one_series(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    service_id, _dates = await three_dates(services, lotus)
    await owner.open(f"/app/lotus/services/{service_id}/series/new")
    form = owner.page
    for _ in range(2):
        owner.page = form
        await send(owner, {"title": "Once", "price_type": "free"})
    await the_only_series(services, lotus)


async def test_a_date_that_was_sold_alone_is_free_to_stay_out_of_a_new_series(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    service_id, dates = await three_dates(services, lotus)
    wish = a_wish("session", UUID(dates[1]))
    await booked(services.uow_factory, lotus, wish)
    await owner.open(f"/app/lotus/services/{service_id}/series/new")
    assert "sold, so it stays" not in owner.text
    two = {"title": "Two of three", "price_type": "free", "session_ids": [dates[0], dates[2]]}
    await send(owner, two)
    series = await the_only_series(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        held = await uow.session.scalars(
            select(Session.id).where(Session.series_id == series.id).order_by(Session.starts_at)
        )
        assert [str(one) for one in held] == [dates[0], dates[2]]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"title": ""}, "Please fill this in."),
        ({"price": "-5"}, "An amount cannot be below zero."),
        ({"price": "twelve"}, "This is not an amount."),
        ({"price": ""}, "Please say what the series costs"),
        ({"drop_in_price": "1.2345"}, "more decimals"),
        ({"join_policy": "until"}, "Please say until which day"),
        ({"join_policy": "never"}, "Please choose one of the given ones."),
        ({"session_ids": "018f0000-0000-7000-8000-000000000000"}, "in another series"),
    ],
)
async def test_what_cannot_be_used_is_said_and_what_was_typed_stays(
    services: Services, lotus: Business, owner: Visitor, typed: dict[str, Any], sentence: str
) -> None:
    service_id, _dates = await three_dates(services, lotus)
    await owner.open(f"/app/lotus/services/{service_id}/series/new")
    good = {"title": "Spring", "description": "Kept words", "price_type": "on_site", "price": "60"}
    await send(owner, {**good, **typed}, status=422)
    assert sentence in owner.text
    assert "Kept words" in owner.text


async def test_a_series_without_dates_says_why_it_cannot_go_on_sale(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, sessions=0, active=False, base_sessions=1)
    await owner.open(f"/app/lotus/series/{term.series.id}")
    assert "Choose at least one date that is to come." in owner.text
    assert "/publish" not in owner.text


async def test_an_active_series_that_nobody_can_buy_says_so(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    service = await a_service(services.uow_factory, lotus.id, sales_mode="single")
    term = await a_series(services.uow_factory, service, first_in_days=-30)
    await owner.open(f"/app/lotus/series/{term.series.id}")
    assert "Guests do not see it." in owner.text
    assert "The service is sold" in owner.text


async def test_buyers_show_what_they_paid_attended_and_have_left(
    services: Services, lotus: Business, owner: Visitor, clock: FrozenClock
) -> None:
    term = await a_sold_term(services, lotus, "Carl", "Dora")
    clock.advance(timedelta(days=8))
    async with services.uow_factory(lotus.id) as uow:
        first = await uow.session.scalars(
            select(Seat).where(Seat.session_id == term.sessions[0].id)
        )
        for seat in first:
            seat.state = "attended"
    await owner.open(f"/app/lotus/series/{term.series.id}/buyers")
    for words in ("Carl", "dora@example.com", "2 dates to come", "1 seat attended", "€120.00"):
        assert words in owner.text, words
    assert owner.text.count("Cancel purchase") == 2


async def test_seats_of_a_party_are_not_counted_as_dates(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    term = await a_sold_term(services, lotus, "Carl")
    wish = a_wish("series", term.series.id, party=("Dora", "Dot"), guest_email="dora@example.com")
    sold = await booked(services.uow_factory, lotus, wish)
    await owner.open(f"/app/lotus/series/{term.series.id}/buyers")
    shown = " ".join(owner.text.split())
    assert "3 dates to come</span>" in shown
    assert "3 dates to come · 6 seats</span>" in shown
    await owner.open(f"/app/lotus/customers/{sold.order.customer_id}")
    assert "3 dates to come · 6 seats" in " ".join(owner.text.split())


async def test_sold_in_checkout_and_cancelled_are_all_purchases(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    """Every number about purchases has one meaning; a hold that was given up is in none."""
    term = await a_sold_term(services, lotus, "Carl", "Dora")
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Series).values(price_type="online"))
    wish = {"guest_name": "Hanna", "guest_email": "hanna@example.com"}
    held = await booked(services.uow_factory, lotus, a_wish("series", term.series.id, **wish))
    wish = {"guest_name": "Gus", "guest_email": "gus@example.com"}
    left = await booked(services.uow_factory, lotus, a_wish("series", term.series.id, **wish))
    assert held.needs_payment
    async with services.uow_factory(lotus.id) as uow:
        assert await cancel_open_order(uow, left.order_id, "given_up", uow.clock.now())
        carls = await uow.session.scalar(select(Order.id).where(Order.guest_name == "Carl"))
        await uow.session.execute(
            update(Seat).where(Seat.order_id == carls).values(state="cancelled")
        )
    async with services.uow_factory(lotus.id) as uow:
        now = uow.clock.now()
        head = (await get_series_overview(uow, term.series.id, now)).head
        (row,) = await list_series(uow, now)
        buyers = await list_buyers(uow, term.series.id, now)
    assert (head.sold, head.in_checkout, head.cancelled) == (1, 1, 1)
    assert row.sold == head.sold
    assert buyers.total == len(buyers.rows) == head.sold + head.in_checkout + head.cancelled
    await owner.open(f"/app/lotus/series/{term.series.id}/buyers")
    for words in ("1 held · 1 cancelled", "All purchases"):
        assert words in owner.text, words
    assert "Gus" not in owner.text


async def test_a_purchase_whose_rest_was_cancelled_is_not_merely_over(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    """It stays sold, for one date of it was held, and its page says what became of the others."""
    term = await a_sold_term(services, lotus, "Carl", "Dora")
    async with services.uow_factory(lotus.id) as uow:
        first = term.sessions[0].id
        past = {one: getattr(Session, one) - timedelta(days=30) for one in ("starts_at", "ends_at")}
        await uow.session.execute(update(Session).where(Session.id == first).values(past))
        doras = await uow.session.scalar(select(Order.id).where(Order.guest_name == "Dora"))
        hers = update(Seat).where(Seat.order_id == doras)
        await uow.session.execute(hers.values(state="attended"))
        await uow.session.execute(hers.where(Seat.session_id != first).values(state="cancelled"))
        assert doras is not None
        uow.session.add(
            OpenItem(
                tenant_id=lotus.id,
                kind="hand_back",
                subject_id=doras,
                order_id=doras,
                facts={"guest": "Dora", "reference": "R", "amount_minor": 7436, "currency": "EUR"},
                created_at=uow.clock.now(),
            )
        )
    async with services.uow_factory(lotus.id) as uow:
        head = (await get_series_overview(uow, term.series.id, uow.clock.now())).head
    assert (head.sold, head.cut_short, head.cancelled) == (2, 1, 0)
    await owner.open(f"/app/lotus/series/{term.series.id}/buyers")
    assert "all later dates of 1 of them are cancelled" in owner.text
    assert owner.text.count("Rest cancelled") == 1
    assert owner.text.count("€74.36 to give back by hand") == 1
    await owner.open("/app/lotus/orders?state=attention")
    assert owner.text.count("Give back by hand") == 1


async def test_a_sold_date_stays_and_the_rest_can_be_changed(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    term = await a_sold_term(services, lotus, "Carl")
    await owner.open(f"/app/lotus/series/{term.series.id}/edit")
    assert "sold, so it stays" in owner.text
    await send(owner, {"title": "Renamed", "price": "70"})
    series = await the_only_series(services, lotus)
    assert (series.title, series.price_minor) == ("Renamed", 7000)


async def test_a_smaller_plan_sees_its_series_but_sells_none(
    client: AsyncClient, services: Services
) -> None:
    small = await a_business(services.uow_factory, "lotus", plan="starter")
    await sign_in(client, services, small.owner.id)
    owner = Visitor(client)
    service = await a_service(services.uow_factory, small.id)
    term = await a_series(services.uow_factory, service)
    await owner.open(f"/app/lotus/series/{term.series.id}")
    await owner.open(f"/app/lotus/services/{service.id}/series/new", status=402)
    await owner.open(f"/app/lotus/series/{term.series.id}/edit", status=402)


@pytest.mark.parametrize("path", ["", "/buyers", "/edit"])
async def test_another_business_finds_nothing(
    services: Services, lotus: Business, client: AsyncClient, path: str
) -> None:
    term = await a_sold_term(services, lotus, "Carl")
    eves = await a_business(services.uow_factory, "rival", owner="Eve")
    await sign_in(client, services, eves.owner.id)
    visitor = Visitor(client)
    await visitor.open(f"/app/rival/series/{term.series.id}{path}", status=404)
    await visitor.open(f"/app/lotus/series/{term.series.id}{path}", status=404)


async def test_an_instructor_neither_sees_nor_sells(
    services: Services, lotus: Business, client: AsyncClient
) -> None:
    term = await a_sold_term(services, lotus)
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    await sign_in(client, services, ivan.user_id)
    visitor = Visitor(client)
    for path in ("series", f"series/{term.series.id}", f"series/{term.series.id}/edit"):
        await visitor.open(f"/app/lotus/{path}", status=403)


async def test_a_cancelled_date_is_marked_and_counts_nowhere(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, sessions=3)
    late = await a_session(services.uow_factory, service, in_days=60)
    async with services.uow_factory(lotus.id) as uow:
        first, session = term.sessions[0].id, update(Session)
        await uow.session.execute(session.where(Session.id == first).values(state="cancelled"))
        joined = {"series_id": term.series.id, "in_term": False}
        await uow.session.execute(session.where(Session.id == late.id).values(**joined))
    here = f"/app/lotus/series/{term.series.id}"
    await owner.open(here)
    assert "worked out by the 2 dates of then that take place" in owner.text
    tab = owner.text.split(f'href="{here}"')[-1].split("</a>")[0]
    assert "3" in tab
    assert "4" not in tab
    await owner.open(f"{here}/edit")
    assert owner.text.count("cancelled</span>") == 1


async def test_a_cancelled_series_counts_no_dates_and_offers_no_booking(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service)
    here = f"/app/lotus/series/{term.series.id}"
    await owner.open(here)
    assert "Book for a guest" in owner.text
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Session).values(state="cancelled"))
    await owner.open(here)
    assert "Book for a guest" not in owner.text
    tab = owner.text.split('class="tabs-line"')[1].split("</a>")[0]
    assert "Dates" in tab
    assert "num" not in tab


async def test_a_full_series_is_called_sold_out(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, price_type="on_site")
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Session).values(seats_taken=Session.capacity))
    await owner.open(f"/app/lotus/series/{term.series.id}")
    assert "Sold out" in owner.text
    assert "Guests do not see it" not in owner.text


async def test_an_early_bird_that_is_over_is_no_price_any_more(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    today = to_local(services.clock.now(), lotus.tenant.zone).date()
    tiers = [
        {"key": name.lower(), "name": name, "price_minor": 5000, "until_on": day.isoformat()}
        for name, day in (("Lark", today - timedelta(days=1)), ("Robin", today))
    ]
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, price_tiers=tiers)
    await owner.open(f"/app/lotus/series/{term.series.id}")
    assert "Robin €50.00" in owner.text
    assert "Lark" not in owner.text


async def test_a_price_whose_last_day_has_passed_is_kept_but_not_made(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    today = to_local(services.clock.now(), lotus.tenant.zone).date()
    gone, last = today - timedelta(days=1), today - timedelta(days=2)
    lark = {"key": "lark", "name": "Lark", "price_minor": 500, "until_on": gone.isoformat()}
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, price_tiers=[lark])
    path = f"/app/lotus/series/{term.series.id}/edit"
    await owner.open(path)
    await owner.submit({"prices.0.until_on": last.isoformat()}, to=path, status=422)
    assert "Its last day has passed." in owner.text
    await owner.open(path)
    await owner.submit({"title": "Renamed"}, to=path)
    assert "Its last day has passed." not in owner.text
    kept = await the_only_series(services, lotus)
    assert (kept.title, kept.price_tiers) == ("Renamed", [lark])
