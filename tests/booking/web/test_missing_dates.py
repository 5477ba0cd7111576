"""A course that is sold without a full date: its buyer waits for it from the booking's own page."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from src.billing.models import Order, OrderLine
from src.booking.commands.leave import leave_dates
from src.booking.guest_links import booking_path
from src.booking.models import Booking, Seat, Service, Session
from src.platform.web.formats import date_short
from tests.booking.web.conftest import Shop, subject
from tests.booking.web.pages import as_owner
from tests.booking.web.test_waitlist import own_page, press
from tests.support.builders import Term, a_series, a_service
from tests.support.mail import RememberingMailer
from tests.support.visitor import forms_of
from tests.support.waiting import check_places

pytestmark = pytest.mark.anyio

ANN = {"name": "Ann", "email": "ann@example.com"}
LEFT_OUT = "Not included and not paid for."
CAN_WAIT = f"{LEFT_OUT} After booking you can ask to be told when a place gets free."
WAS_FULL = "It was full: not included and not paid for."


async def a_gap(shop: Shop, price_type: str, **more: Any) -> Term:
    """Three dates at EUR 60, of which Dora has filled the second."""
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, price_type="free", **more)
    rules = {"drop_in_allowed": True, "gap_policy": "sell_with_gaps", "price_type": price_type}
    term = await a_series(factory, service, capacity=1, **rules)
    dora = {"name": "Dora", "email": "dora@example.com"}
    await shop.book(subject("session", term.sessions[1].id), **dora)
    await shop.work()
    return term


async def buys(shop: Shop, mailer: RememberingMailer, term: Term) -> str:
    """Ann books the course and pays where she has to. The page that her mail leads to."""
    answer = await shop.book(subject("series", term.series.id), **ANN)
    await settles(shop, answer.headers["location"])
    return (await own_page(shop, mailer)).removesuffix("#missing")


async def settles(shop: Shop, location: str) -> None:
    if "/bookings/" not in location:
        await shop.pay(location)
        async with shop.services.uow_factory(shop.business.id) as uow:
            [order] = await uow.session.scalars(select(Order).where(Order.state == "open"))
        path = booking_path(shop.services.settings, "lotus", order)
        await shop.guest.open(f"{path}?paid=1")
    await shop.work()


async def dora_leaves(shop: Shop) -> None:
    async with shop.services.uow_factory(shop.business.id) as uow:
        [seat] = await uow.session.scalars(
            select(Seat)
            .join(Order, Order.id == Seat.order_id)
            .where(Order.guest_email == "dora@example.com")
        )
        await leave_dates(uow, shop.business.tenant, seat.order_id, [seat.id])
    await shop.work()


async def completing(shop: Shop) -> list[tuple[str, int]]:
    """The state and the share of each seat of bookings that complete another."""
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.execute(
            select(Seat.state, Seat.share_minor)
            .join(Booking, Booking.id == Seat.booking_id)
            .where(Booking.completes_id.is_not(None))
        )
        return [(state, minor) for state, minor in found]


@pytest.mark.slow
@pytest.mark.parametrize("pays", ["on_site", "online"])
async def test_from_a_full_date_that_was_left_out_to_a_place_in_it(
    shop: Shop, mailer: RememberingMailer, pays: str
) -> None:
    term = await a_gap(shop, pays)
    missing = term.sessions[1].id
    for path in ("/b/lotus/yoga?how=series", subject("series", term.series.id)):
        assert CAN_WAIT in (await shop.guest.open(path)).text, path
    assert "See all 3 dates" in (await shop.guest.open(subject("series", term.series.id))).text
    own = await buys(shop, mailer, term)
    assert WAS_FULL in str(mailer.sent[-1].body)
    assert f"{own}#missing" in str(mailer.sent[-1].body)
    waits = await press(shop, own, f"missing/{missing}")
    assert "You are waiting for it. Price, if you get it: €20.00" in waits.text
    await shop.work()
    place = await own_page(shop, mailer)
    assert place in waits.text
    await as_owner(shop.guest.client, shop.services, shop.business)
    owners = await shop.guest.open(f"/app/lotus/sessions/{missing}/waitlist")
    assert "Completes Spring term · €20.00" in owners.text
    await dora_leaves(shop)
    day = date_short(term.sessions[1].starts_at, shop.business.tenant.zone)
    assert mailer.sent[-1].subject == f"There is a place for you: Yoga · Spring term · {day}"
    assert "Price: €20.00" in str(mailer.sent[-1].body)
    assert "There is a place for you." in (await shop.guest.open(own)).text
    offer = await shop.guest.open(place)
    assert "It is a date that your booking was made without." in offer.text
    await takes(shop, place)
    assert await completing(shop) == [("confirmed", 2000)]
    assert mailer.sent[-1].subject == f"You are booked: Yoga · Spring term · {day}"
    async with shop.services.uow_factory(shop.business.id) as uow:
        lines = set(await uow.session.scalars(select(OrderLine.description)))
    assert f"Yoga · Spring term · {day}" in lines, "the payment page names it too"
    assert await check_places(shop.services.uow_factory, shop.business) == [1, 1, 1]
    had = (await shop.guest.open(own)).text
    assert "You have got a place since, by a booking of its own" in had
    leaving = await shop.guest.open(f"{own}/leave")
    assert "If the business agrees, it goes with the course." in leaving.text
    later = await shop.guest.open(await own_page(shop, mailer))
    assert own in later.text
    assert "It is a date that an earlier booking of yours was made without." in later.text


async def takes(shop: Shop, place: str) -> None:
    """Pressed twice it is taken once."""
    page = await shop.guest.open(place)
    [form] = [one for one in forms_of(page) if one.action.endswith("/take")]
    answers = [await shop.guest.client.post(form.action, data=form.fields) for _time in range(2)]
    [location] = {answer.headers["location"] for answer in answers}
    is_paid_first = "/bookings/" not in location
    assert ("yours once it is paid" in (await shop.guest.open(place)).text) == is_paid_first
    await settles(shop, location)


@pytest.mark.slow
async def test_who_waits_may_leave_the_list_and_wait_again(
    shop: Shop, mailer: RememberingMailer
) -> None:
    term = await a_gap(shop, "on_site")
    own = await buys(shop, mailer, term)
    await press(shop, own, f"missing/{term.sessions[1].id}")
    await shop.work()
    place = await own_page(shop, mailer)
    left = await press(shop, place, "leave")
    assert "You are not on the list any more." in left.text
    assert "Join the waiting list" in (await shop.guest.open(own)).text
    again = await press(shop, place, "again")
    assert "You are at position 1 of 1." in again.text
    assert "You are waiting for it." in (await shop.guest.open(own)).text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shown", "words"),
    [
        ({"quoted_dates": "others"}, "The dates have just changed"),
        ({"quoted_minor": "4000"}, "The price has changed to €20.00"),
    ],
)
async def test_what_changed_meanwhile_is_shown_before_it_is_taken(
    shop: Shop, mailer: RememberingMailer, shown: dict[str, str], words: str
) -> None:
    term = await a_gap(shop, "on_site")
    own = await buys(shop, mailer, term)
    await press(shop, own, f"missing/{term.sessions[1].id}")
    await shop.work()
    place = await own_page(shop, mailer)
    await dora_leaves(shop)
    [form] = [one for one in forms_of(await shop.guest.open(place)) if "/take" in one.action]
    sent = form.filled(shown)
    answer = await shop.guest.client.post(form.action, data=sent, follow_redirects=True)
    assert words in answer.text
    assert await completing(shop) == []


async def test_without_lists_a_date_is_left_out_and_nothing_more(
    shop: Shop, mailer: RememberingMailer
) -> None:
    term = await a_gap(shop, "on_site", waitlist={"is_on": False})
    for path in ("/b/lotus/yoga?how=series", subject("series", term.series.id)):
        page = (await shop.guest.open(path)).text
        assert LEFT_OUT in page, path
        assert CAN_WAIT not in page, path
    own = await buys(shop, mailer, term)
    assert WAS_FULL in str(mailer.sent[-1].body)
    page = await shop.guest.open(own)
    assert WAS_FULL in page.text
    for shown in (page.text, str(mailer.sent[-1].body)):
        assert "waiting list" not in shown
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Service).values(waitlist={"is_on": True}))
    assert "Join the waiting list" in (await shop.guest.open(own)).text


async def test_the_price_of_a_party_is_worked_out_person_by_person(shop: Shop) -> None:
    service = await a_service(shop.services.uow_factory, shop.business.id)
    rules = {"gap_policy": "sell_with_gaps", "join_policy": "any_time", "price_type": "on_site"}
    term = await a_series(shop.services.uow_factory, service, first_in_days=-1, **rules)
    async with shop.services.uow_factory(shop.business.id) as uow:
        full = update(Session).where(Session.id == term.sessions[1].id)
        await uow.session.execute(full.values(seats_taken=10))
    await shop.guest.open(subject("series", term.series.id))
    page = " ".join((await shop.send(step="update", size="2")).text.split())
    assert "1 date is over, 1 date is full" in page
    lines = [part.split("<dd", 1)[0] for part in page.split("<dt>")[1:]]
    names = [line.split("<")[0].strip() for line in lines]
    assert names[:5] == [
        "The whole series",
        "Less what you miss",
        "Per person",
        "2 people",
        "Total",
    ]
    assert page.count("€20.00") >= 1
    assert "€40.00" in page


async def test_to_be_told_is_promised_of_no_date_that_starts_too_soon_for_it(shop: Shop) -> None:
    term = await a_gap(shop, "on_site")
    async with shop.services.uow_factory(shop.business.id) as uow:
        at = uow.clock.now() + timedelta(minutes=90)
        values = {"starts_at": at, "ends_at": at + timedelta(hours=1)}
        one = update(Session).where(Session.id == term.sessions[1].id).values(values)
        await uow.session.execute(one)
    for path in ("/b/lotus/yoga?how=series", subject("series", term.series.id)):
        page = (await shop.guest.open(path)).text
        assert LEFT_OUT in page, path
        assert CAN_WAIT not in page, path
