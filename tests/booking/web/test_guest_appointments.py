"""A guest chooses a day and a time, and books it: on the page of a service by appointment."""

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select, update

from src.booking.domain.leaving import LeavingTerms
from src.booking.models import Seat, Service, Session
from src.tenants.models import Tenant
from tests.booking.web.conftest import Shop
from tests.booking.web.pages import send_again
from tests.support.appointments import Practice, a_practice, next_day_at
from tests.support.builders import a_service
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer

pytestmark = pytest.mark.anyio
PAGE = "/b/lotus/coaching"


async def practice_of(shop: Shop, *names: str, **more: Any) -> Practice:
    return await a_practice(shop.services.uow_factory, shop.business, *names, **more)


def links(page: str, part: str) -> list[str]:
    return [unescape(one) for one in re.findall(r'href="([^"]+)"', page) if part in unescape(one)]


async def open_first_time(shop: Shop) -> str:
    page = (await shop.guest.open(PAGE + "?day=2027-03-02")).text
    first = links(page, "/book?at=")[0]
    return (await shop.guest.open(first)).text


async def the_seat(shop: Shop) -> tuple[Seat, Session]:
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.execute(
            select(Seat, Session).join(Session, Session.id == Seat.session_id)
        )
        [(seat, session)] = found.all()
        return seat, session


async def test_the_page_shows_the_times_of_a_day(shop: Shop) -> None:
    await practice_of(shop)
    page = (await shop.guest.open(PAGE + "?day=2027-03-02")).text
    assert "€60.00" in page
    assert "Tuesday, March 2, 2027" in page
    assert len(links(page, "/book?at=")) == 15, "from nine to four o'clock, each half hour"
    assert page.count('aria-current="date"') == 1


async def test_a_chosen_time_is_booked_and_free_for_nobody_else(shop: Shop) -> None:
    await practice_of(shop)
    form = await open_first_time(shop)
    assert "With Nora" in form, "nobody else gives it"
    sent = await shop.send()
    assert sent.status_code == 303
    booked = (await shop.guest.open(sent.headers["location"])).text
    assert "You are booked" in booked
    assert "Nora" in booked
    seat, session = await the_seat(shop)
    assert (seat.state, session.is_slot, session.capacity) == ("confirmed", True, 1)
    page = (await shop.guest.open(PAGE + "?day=2027-03-02")).text
    assert len(links(page, "/book?at=")) == 13, "gone is its own, and the one that would meet it"


async def test_who_gives_it_alone_is_named_before_it_is_booked_and_in_its_mail(
    shop: Shop, mailer: RememberingMailer
) -> None:
    await practice_of(shop)
    assert "With Nora" in (await shop.guest.open(PAGE)).text
    await open_first_time(shop)
    assert "With Nora" in shop.guest.text
    assert "seat left" not in shop.guest.text, "a time has no seats to choose among"
    await shop.send()
    await shop.work()
    [told] = mailer.sent
    assert "with Nora" in told.body


async def test_two_tabs_for_one_time(shop: Shop) -> None:
    await practice_of(shop)
    await open_first_time(shop)
    first = shop.guest.page
    await open_first_time(shop)
    assert (await shop.send()).status_code == 303
    shop.guest.page = first
    late = await shop.send(email="late@example.com")
    assert late.status_code == 409
    assert "This time is taken. Please choose another one." in late.text


async def test_the_same_form_sent_again_has_booked_once(shop: Shop) -> None:
    await practice_of(shop, price_type="online")
    await open_first_time(shop)
    first = await shop.send()
    again = await shop.send()
    assert first.headers["location"] == again.headers["location"]
    await the_seat(shop)


async def test_lengths_and_people_are_chosen_by_links(shop: Shop) -> None:
    lengths = [{"minutes": 30, "price_minor": 3500}, {"minutes": 90, "price_minor": 8000}]
    practice = await practice_of(shop, "Nora", "Ben", appointment={"lengths": lengths})
    page = (await shop.guest.open(PAGE)).text
    assert "From €35.00" in page
    assert "With Nora" not in page + await open_first_time(shop), "nobody was asked for"
    page = (await shop.guest.open(PAGE)).text
    [long] = [one for one in links(page, "minutes=90") if "day=" not in one and "month=" in one][:1]
    page = (await shop.guest.open(long)).text
    with_ben = next(one for one in links(page, f"with={practice.performer_ids[1]}"))
    assert "minutes=90" in with_ben
    page = (await shop.guest.open(with_ben)).text
    time = links(page, "/book?at=")[0]
    form = (await shop.guest.open(time)).text
    assert "With Ben" in form
    assert "€80.00" in form
    sent = await shop.send()
    assert sent.status_code == 303
    _seat, session = await the_seat(shop)
    assert session.performer_id == practice.performer_ids[1]
    assert session.ends_at - session.starts_at == timedelta(minutes=90)


async def test_a_month_without_a_free_time_says_when_the_next_one_is(
    shop: Shop, clock: FrozenClock
) -> None:
    await practice_of(shop, min_notice_minutes=40 * 24 * 60)
    page = (await shop.guest.open(PAGE + "?month=2027-03")).text
    assert "No free time in this month." in page
    assert "The next one is on Monday, April 12, 2027" in page


@pytest.mark.parametrize(
    "address",
    [
        "at=20270302T1000Z&minutes=45",
        "at=20270302T1000Z&minutes=60&with=00000000-0000-0000-0000-000000000001",
        "at=nonsense&minutes=60",
        "at=20271399T1000Z&minutes=60",
        "minutes=60",
    ],
)
async def test_an_address_of_no_offered_time_is_none(shop: Shop, address: str) -> None:
    await practice_of(shop)
    assert (await shop.guest.client.get(f"{PAGE}/book?{address}")).status_code == 404


async def test_a_time_out_of_hours_is_taken(shop: Shop, clock: FrozenClock) -> None:
    await practice_of(shop)
    at = next_day_at(clock.now(), 22)
    page = await shop.guest.open(f"{PAGE}/book?{address_of(at)}")
    assert "This time is taken. Please choose another one." in page.text
    assert "waiting list" not in page.text


def address_of(at: datetime) -> str:
    return f"at={at:%Y%m%dT%H%MZ}&minutes=60"


async def test_somebodys_appointment_has_no_form_of_its_own(shop: Shop) -> None:
    await practice_of(shop)
    await open_first_time(shop)
    await shop.send()
    _seat, session = await the_seat(shop)
    for page in ("book", "waitlist"):
        found = await shop.guest.client.get(f"{PAGE}/{page}?session={session.id}")
        assert found.status_code == 404, page


async def test_the_overview_has_both_kinds_of_services(shop: Shop) -> None:
    await practice_of(shop)
    await a_service(shop.services.uow_factory, shop.business.id, name="Yoga", slug="yoga")
    page = (await shop.guest.open("/b/lotus")).text
    assert page.index("Coaching") < page.index("By appointment") < page.index("Yoga")
    found = (await shop.guest.open("/b/lotus?q=coach")).text
    assert "Coaching" in found
    assert ">Yoga<" not in found


async def test_nothing_is_shown_that_cannot_be_had(shop: Shop) -> None:
    await practice_of(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Service).values(active=False))
    page = (await shop.guest.open(PAGE)).text
    assert links(page, "/book?at=") == []
    assert "not" in page.lower()
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Service).values(active=True, visibility="hidden"))
    assert (await shop.guest.client.get(PAGE)).status_code == 404


async def test_terms_and_questions_hold_as_for_every_booking(shop: Shop) -> None:
    await practice_of(shop)
    async with shop.services.uow_factory(None) as uow:
        await uow.session.execute(update(Tenant).values(booking_terms="Be on time."))
    await open_first_time(shop)
    refused = await shop.send(terms=[])
    assert refused.status_code == 422
    assert "Please accept the terms to book." in refused.text
    assert (await shop.send(terms="on")).status_code == 303


@pytest.mark.slow
async def test_it_is_moved_by_its_link(shop: Shop) -> None:
    practice = await practice_of(
        shop, "Nora", "Ben", leaving=LeavingTerms(moves_before=2).document()
    )
    await open_first_time(shop)
    sent = await shop.send()
    booked = (await shop.guest.open(sent.headers["location"])).text
    assert "Choose another time" in booked
    assert "Come on another date" not in booked
    [times] = links(booked, "/time?date=")
    page = (await shop.guest.open(times)).text
    assert "How long?" not in page
    _seat, session = await the_seat(shop)
    other = next(one for one in practice.performer_ids if one != session.performer_id)
    assert f"with={other}" not in " ".join(links(page, "&at=")), "it stays with whoever gives it"
    anyone = next(one for one in links(page, "with=anyone"))
    assert all("with=anyone" in one for one in links((await shop.guest.open(anyone)).text, "&at="))
    to = next(one for one in links(page, "&at=") if "T1500Z" in one)
    page = (await shop.guest.open(to)).text
    assert "The old time is freed for others." in page
    done = await shop.guest.submit()
    assert "Done. Your new time is below" in done.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        live = select(Session.starts_at).where(Session.state == "scheduled")
        assert f"{await uow.session.scalar(live):%H:%M}" == "15:00"
    assert "Where" not in done.text
    gone = (await shop.guest.open(to)).text
    assert "freed for others" not in gone, "what it was moved from is over"
    assert "You have exchanged this date for another one." in gone


async def test_it_is_neither_offered_nor_moved_to_its_own_time(shop: Shop) -> None:
    practice = await practice_of(
        shop, "Nora", "Ben", leaving=LeavingTerms(moves_before=2).document()
    )
    await open_first_time(shop)
    sent = await shop.send()
    booked = (await shop.guest.open(sent.headers["location"])).text
    [times] = links(booked, "/time?date=")
    _seat, session = await the_seat(shop)
    now = f"&at={session.starts_at:%Y%m%dT%H%MZ}"
    day = f"&day={session.starts_at:%Y-%m-%d}"
    page = (await shop.guest.open(times + day)).text
    found = links(page, "&at=")
    assert found
    assert not [one for one in found if now in one]
    anyone = (await shop.guest.open(f"{times}{day}&with=anyone")).text
    assert not [one for one in links(anyone, "&at=") if now in one]
    # Somebody else who gives it at that time is another appointment.
    other = next(one for one in practice.performer_ids if one != session.performer_id)
    by_other = (await shop.guest.open(f"{times}{day}&with={other}")).text
    assert [one for one in links(by_other, "&at=") if now in one]
    for who in (session.performer_id, "anyone"):
        page = (await shop.guest.open(f"{times}{now}&with={who}")).text
        assert "This is the time that you have now." in page
        assert "freed for others" not in page
    # A page left open from before it was moved there.
    away = next(one for one in found if "T1500Z" in one)
    sure = await shop.guest.open(away)
    assert "freed for others" in sure.text
    to = f"{times}{now}&with=anyone"
    refused = await send_again(shop.guest.client, to, sure, {})
    assert refused.status_code == 409
    assert "This is the time that you have now." in refused.text
    _seat, still = await the_seat(shop)
    assert still.id == session.id


async def test_it_cannot_be_moved_where_the_terms_do_not_let_guests(shop: Shop) -> None:
    await practice_of(shop)
    await open_first_time(shop)
    sent = await shop.send()
    booked = (await shop.guest.open(sent.headers["location"])).text
    assert "Choose another time" not in booked
    _seat, session = await the_seat(shop)
    path = sent.headers["location"].split("?")[0]
    page = (await shop.guest.open(f"{path}/time?date={session.id}")).text
    assert "do not" in page or "cannot" in page
    assert links(page, "&at=") == []
