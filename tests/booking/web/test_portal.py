"""A guest's own pages: bookings, payments, and nobody else's."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select, text, update

from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.models import Order
from src.booking.commands.cancel import cancel_session
from src.booking.models import Seat, Session
from src.booking.queries import portal
from src.platform.services import Services
from src.platform.web.formats import datetime_local
from src.tenants.models import Customer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.jobs.test_changes import change
from tests.booking.web.conftest import Shop
from tests.support.builders import Business, Term, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.portal import CARL, sign_in_portal
from tests.support.visitor import Visitor
from tests.support.vouchers import sells_vouchers
from tests.support.work import work

pytestmark = pytest.mark.anyio
ME = "/b/lotus/me"
EVE = "eve@example.com"


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def guest(client: AsyncClient) -> Visitor:
    return Visitor(client)


async def enter(guest: Visitor, services: Services, business: Business, email: str = CARL) -> UUID:
    async with services.uow_factory(business.id) as uow:
        found = await uow.session.scalar(select(Customer.id).where(Customer.email == email))
    assert found is not None
    await sign_in_portal(guest.client, services, business.id, found, email)
    return found


async def sold(services: Services, business: Business, slug: str, **more: Any) -> Session:
    """A booking of its own session."""
    email, days = more.pop("email", CARL), more.pop("in_days", 7)
    service = await a_service(
        services.uow_factory, business.id, name=slug.title(), slug=slug, **more
    )
    session = await a_session(services.uow_factory, service, in_days=days)
    wish = a_wish("session", session.id, guest_email=email)
    await booked(services.uow_factory, business, wish)
    return session


async def a_booked_course(guest: Visitor, services: Services, lotus: Business) -> Term:
    """A free one, whose guest has signed in."""
    service = await a_service(services.uow_factory, lotus.id, price_type="free", slug="yoga")
    term = await a_series(services.uow_factory, service, price_type="free", price_minor=0)
    await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await enter(guest, services, lotus)
    return term


@pytest.mark.slow
async def test_who_has_no_bookings_is_led_to_some(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    await sold(services, lotus, "yoga", price_type="free", email=EVE)
    await sold(services, lotus, "pilates", price_type="free", in_days=8)
    await enter(guest, services, lotus)
    await guest.open(ME)
    assert "Pilates" in guest.text
    assert "Yoga" not in guest.text, "somebody else's"
    await guest.open(f"{ME}/receipts")
    assert "Nothing paid yet" in guest.text


async def test_it_leads_to_gift_vouchers_while_they_can_be_bought(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    await sold(services, lotus, "yoga", price_type="free")
    await enter(guest, services, lotus)
    await guest.open(ME)
    assert "Gift vouchers" not in guest.text
    await sells_vouchers(services.uow_factory, lotus.id)
    await guest.open(ME)
    assert "Buy a gift voucher" in guest.text


async def test_bookings_stand_by_their_next_date_and_lead_to_their_pages(
    guest: Visitor, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    await sold(services, lotus, "yoga", price_type="on_site", price_minor=1500, in_days=9)
    dance = await a_service(
        services.uow_factory, lotus.id, name="Dance", slug="dance", price_type="free"
    )
    term = await a_series(services.uow_factory, dance, price_type="free", price_minor=0)
    await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await sold(services, lotus, "swim", price_type="free", in_days=1)
    await enter(guest, services, lotus)
    await guest.open(ME)
    names = ("Swim", "Dance", "Yoga")
    assert sorted(names, key=guest.text.index) == list(names)
    assert "and 2 more dates" in guest.text
    assert "£15.00 to pay on site" in guest.text or "15.00 to pay on site" in guest.text
    clock.advance(timedelta(days=2))
    await guest.open(ME)
    assert "Past bookings" in guest.text
    assert guest.text.index("Swim") > guest.text.index("Yoga")
    link = guest.text.split('href="/b/lotus/bookings/')[1].split('"')[0]
    await guest.open(f"/b/lotus/bookings/{link}")
    assert f'href="{ME}"' in guest.text


@pytest.mark.slow
async def test_a_cancelled_date_is_not_coming_up(
    guest: Visitor, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    session = await sold(services, lotus, "yoga", price_type="free")
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, session.id, reason="", undo_seconds=0)
    clock.advance(timedelta(minutes=30))
    await work(services, lotus.id)
    await enter(guest, services, lotus)
    await guest.open(ME)
    assert "Nothing booked" in guest.text
    _ahead, off = guest.text.split("Cancelled or exchanged")
    assert datetime_local(session.starts_at, lotus.ctx.here.zone) in off
    assert '<span class="pill">Cancelled</span>' in off
    assert "Past bookings" not in guest.text, "it would be still to come"
    await guest.open(f"{ME}/past")
    assert "No past bookings yet" in guest.text
    clock.at = session.ends_at
    await guest.open(ME)
    assert "Cancelled or exchanged" not in guest.text
    assert (
        datetime_local(session.starts_at, lotus.ctx.here.zone)
        in guest.text.split("Past bookings")[1]
    )


@pytest.mark.parametrize("had", [0, 1])
async def test_what_was_had_of_a_course_that_was_left_is_past(
    guest: Visitor, services: Services, lotus: Business, clock: FrozenClock, had: int
) -> None:
    """Of a course that was left before its first date nothing is past before it would be over."""
    term = await a_booked_course(guest, services, lotus)
    left = [one.id for one in term.sessions[had:]]
    async with services.uow_factory(lotus.id) as uow:
        seats = update(Seat).where(Seat.session_id.in_(left))
        await uow.session.execute(seats.values(state="swapped"))
    clock.at = term.sessions[0].ends_at
    await guest.open(ME)
    starts = [datetime_local(one.starts_at, lotus.ctx.here.zone) for one in term.sessions]
    if had:
        past = guest.text.split("Past bookings")[1]
        assert starts[0] in past
        assert starts[-1] not in past
        assert "Exchanged" not in guest.text
    else:
        off = guest.text.split("Cancelled or exchanged")[1]
        assert "Past bookings" not in off
        assert starts[0] not in off
        assert starts[1] in off
        assert "and 1 more date" in off
        assert '<span class="pill">Exchanged</span>' in off


@pytest.mark.slow
async def test_what_was_exchanged_and_cancelled_then_is_told_of_once(
    guest: Visitor, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    """By the date that was cancelled, before it and after it."""
    term = await a_booked_course(guest, services, lotus)
    first, second, third = (one.id for one in term.sessions)
    async with services.uow_factory(lotus.id) as uow:
        for state, ids in (("swapped", (first, third)), ("cancelled", (second,))):
            seats = update(Seat).where(Seat.session_id.in_(ids))
            await uow.session.execute(seats.values(state=state))
    starts = [datetime_local(one.starts_at, lotus.ctx.here.zone) for one in term.sessions]
    await guest.open(ME)
    off = guest.text.split("Cancelled or exchanged")[1]
    assert starts[1] in off
    assert "more date" not in off
    assert starts[0] not in off
    assert '<span class="pill">Cancelled</span>' in off
    clock.at = term.sessions[1].ends_at
    await enter(guest, services, lotus)
    await guest.open(ME)
    past = guest.text.split("Past bookings")[1]
    assert starts[1] in past
    assert starts[2] not in past
    assert "Cancelled or exchanged" not in guest.text


async def test_more_is_said_to_be_left_out_only_where_it_is(
    guest: Visitor, services: Services, lotus: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portal, "MOST_OFF", 1)
    for slug, more in (("yoga", False), ("pilates", True)):
        session = await sold(services, lotus, slug, price_type="free")
        await enter(guest, services, lotus)
        async with services.uow_factory(lotus.id) as uow:
            seats = update(Seat).where(Seat.session_id == session.id)
            await uow.session.execute(seats.values(state="cancelled"))
        await guest.open(ME)
        assert ("even more" in guest.text) is more


async def test_what_a_date_that_was_left_late_still_costs_stands_beside_it(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site", slug="yoga")
    session = await a_session(services.uow_factory, service, in_days=3)
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    await enter(guest, services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        seats = update(Seat).where(Seat.session_id == session.id)
        await uow.session.execute(seats.values(state="late_cancelled"))
    await guest.open(ME)
    off = guest.text.split("Cancelled or exchanged")[1]
    assert "to pay" in off


@pytest.mark.slow
async def test_dates_that_are_over_of_a_course_that_goes_on_are_past(
    guest: Visitor, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    term = await a_booked_course(guest, services, lotus)
    await guest.open(ME)
    assert "Past bookings" not in guest.text
    async with services.uow_factory(lotus.id) as uow:
        missed = Seat.session_id == term.sessions[0].id
        await uow.session.execute(update(Seat).where(missed).values(state="no_show"))
    for over, said in ((1, "1 date so far"), (2, "2 dates so far")):
        clock.at = term.sessions[over - 1].ends_at
        await guest.open(ME)
        ahead, past = guest.text.split("Past bookings")
        assert said in past
        assert "Not attended" not in past, "one date is not the course"
        assert datetime_local(term.sessions[over - 1].starts_at, lotus.ctx.here.zone) in past
        assert datetime_local(term.sessions[over].starts_at, lotus.ctx.here.zone) not in past
        assert "Yoga" in ahead
    clock.at = term.sessions[-1].ends_at
    await guest.open(ME)
    assert "3 dates" in guest.text
    assert "so far" not in guest.text


@pytest.mark.slow
async def test_past_bookings_come_a_page_at_a_time(
    guest: Visitor, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free", slug="yoga")
    for day in range(1, 24):
        session = await a_session(services.uow_factory, service, in_days=day, title=f"No {day}")
        await booked(services.uow_factory, lotus, a_wish("session", session.id))
    clock.advance(timedelta(days=30))
    await enter(guest, services, lotus)
    await guest.open(ME)
    assert guest.text.count("/b/lotus/bookings/") == 5
    await guest.open(f"{ME}/past")
    assert guest.text.count("/b/lotus/bookings/") == 20
    await guest.open(f"{ME}/past?page=2")
    assert guest.text.count("/b/lotus/bookings/") == 3
    for nonsense in ("0", "-1", "x", "99999999", "3"):
        await guest.open(f"{ME}/past?page={nonsense}")


async def test_what_waits_for_payment_is_on_top(shop: Shop) -> None:
    lotus, services, guest = shop.business, shop.services, shop.guest
    await sold(services, lotus, "yoga", price_minor=1500)
    await enter(guest, services, lotus)
    await guest.open(ME)
    assert guest.text.index("Waiting for your payment") < guest.text.index("Coming up")
    assert "1 place is held for you until" in guest.text
    assert "Nothing booked" in guest.text, "it is not booked yet"


async def test_each_payment_has_a_receipt_for_its_guest_alone(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    for slug, email in (("yoga", CARL), ("swim", EVE)):
        await sold(
            services, lotus, slug, price_type="on_site", price_minor=1500, email=email,
            tax_rate_bp=2000,
        )  # fmt: skip
    async with services.uow_factory(lotus.id) as uow:
        rows = {one.guest_email: one for one in await uow.session.scalars(select(Order))}
        await mark_paid_on_site(uow, lotus.ctx, rows[CARL].id)
    await enter(guest, services, lotus)
    await guest.open(f"{ME}/receipts")
    assert rows[CARL].reference in guest.text
    assert rows[EVE].reference not in guest.text
    await guest.open(f"{ME}/receipts/{rows[CARL].id}")
    for words in ("Receipt", rows[CARL].reference, "Yoga", "15.00", "Tax inside, 20%", "On site"):
        assert words in guest.text, words
    assert "Still to pay" not in guest.text
    await guest.open(f"{ME}/receipts/{rows[EVE].id}", 404)
    guest.client.cookies.clear()
    await guest.open(f"{ME}/receipts/{rows[CARL].id}")
    assert guest.path == f"{ME}/sign-in"


async def test_a_receipt_says_what_was_sold_and_when_it_is_by_now(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    session = await sold(services, lotus, "yoga", price_type="on_site", price_minor=1500)
    await enter(guest, services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        order = (await uow.session.scalars(select(Order))).one()
    pages = (f"{ME}/receipts", f"{ME}/receipts/{order.id}")
    for page in pages:
        await guest.open(page)
        assert "By now" not in guest.text
    await change(services, lotus, session.id, by=timedelta(hours=2))
    then, now = "10:00", "12:00"
    for page in pages:
        await guest.open(page)
        sold_as, by_now = guest.text.split("By now: Yoga")
        assert then in sold_as.rpartition("Yoga")[2]
        assert now in by_now.partition("<")[0]


@pytest.mark.parametrize("page", ["", "/past", "/receipts", "/profile", "/erase"])
async def test_no_page_is_for_strangers_or_for_caches(
    guest: Visitor, services: Services, lotus: Business, page: str
) -> None:
    await sold(services, lotus, "yoga", price_type="free")
    await guest.open(ME + page)
    assert guest.path == f"{ME}/sign-in"
    assert CARL not in guest.text
    await enter(guest, services, lotus)
    shown = await guest.open(ME + page)
    assert guest.path == ME + page
    assert shown.headers["cache-control"] == "private, no-store"
    assert shown.headers["x-robots-tag"] == "noindex"
    assert "noindex" in guest.text


async def test_another_business_knows_nobody(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    rose = await a_business(services.uow_factory, "rose", name="Rose", owner="Eve")
    await sold(services, lotus, "yoga", price_type="free")
    await sold(services, rose, "swim", price_type="free")
    await enter(guest, services, lotus)
    await guest.open("/b/rose/me")
    assert guest.path == "/b/rose/me/sign-in"


async def test_a_suspended_business_still_shows_what_is_booked(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    await sold(services, lotus, "yoga", price_type="free")
    async with services.uow_factory(None) as uow:
        await uow.session.execute(text("UPDATE tenants SET status = 'suspended'"))
    await enter(guest, services, lotus)
    await guest.open(ME)
    assert "Yoga" in guest.text


async def test_who_is_signed_in_as_a_guest_is_nobody_in_the_dashboard(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    await sold(services, lotus, "yoga", price_type="free")
    await enter(guest, services, lotus)
    cookie = guest.client.cookies[f"seatline_guest_{lotus.id.hex}"]
    guest.client.cookies.set("seatline_session", cookie, domain="testserver.local")
    await guest.open("/app/lotus/today")
    assert guest.path == "/sign-in"


async def test_the_pages_speak_the_language_that_was_chosen(
    guest: Visitor, services: Services, lotus: Business
) -> None:
    await sold(services, lotus, "yoga", price_type="free")
    carl = await enter(guest, services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Customer).where(Customer.id == carl).values(locale="de"))
    await guest.open(ME)
    assert '<html lang="de"' in guest.text


@pytest.mark.parametrize(("number", "folded"), [(8, ""), (9, "3 later bookings")])
async def test_many_dates_do_not_push_the_rest_of_the_page_away(
    guest: Visitor, services: Services, lotus: Business, number: int, folded: str
) -> None:
    for day in range(number):
        await sold(services, lotus, f"yoga-{day}", in_days=1 + day, price_type="on_site")
    await enter(guest, services, lotus)
    page = (await guest.open(ME)).text
    open_part, _summary, rest = page.partition(folded) if folded else (page, "", "")
    assert open_part.count("/bookings/") == number - (3 if folded else 0)
    assert rest.count("/bookings/") == (3 if folded else 0)
    assert ("later booking" in page) is bool(folded)
