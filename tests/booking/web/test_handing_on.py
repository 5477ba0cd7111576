"""Giving a place away by the booking's link and from the roster."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from src.booking.commands.exchange import MoveSeats, NotMovable, move_by_staff
from src.booking.domain.leaving import LeavingTerms
from src.booking.models import Seat, Service, Session
from tests.booking.web.conftest import Shop, subject
from tests.booking.web.test_guest_page import own_page
from tests.booking.web.test_roster_bulk import press, words_in
from tests.support.builders import Term, a_series, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.visitor import forms_of
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio
BEN = {"name": "Ben", "address": "ben@example.com"}


async def a_date(shop: Shop, terms: LeavingTerms, **typed: Any) -> Session:
    service = await a_service(
        shop.services.uow_factory,
        shop.business.id,
        price_type="on_site",
        leaving=terms.document(),
    )
    session = await a_session(shop.services.uow_factory, service)
    await shop.book(subject("session", session.id), **typed)
    return session


async def page_of(shop: Shop, session: Session) -> httpx.Response:
    return await shop.guest.open(f"{await own_page(shop)}/hand-on?date={session.id}")


async def send(shop: Shop, page: httpx.Response, fields: Mapping[str, Any]) -> httpx.Response:
    form = [form for form in forms_of(page) if "address" in form.fields][-1]
    return await shop.guest.client.post(
        form.action or str(page.url), data={**form.fields, **fields}
    )


async def test_a_guest_gives_their_place_away_and_the_booking_says_who_comes(shop: Shop) -> None:
    session = await a_date(shop, LeavingTerms(hand_on_before=24))
    booking = await shop.guest.open(await own_page(shop))
    assert f"/hand-on?date={session.id}" in booking.text
    page = await page_of(shop, session)
    assert "You can do this until Sun, Mar 7, 2027" in page.text
    sent = await send(shop, page, BEN)
    assert sent.status_code == 303
    shown = await shop.guest.open(sent.headers["location"])
    assert "Done. Ben has a mail with the date." in shown.text
    assert "You gave your place away" in shown.text
    assert "Coming instead of you: Ben." in shown.text
    assert "Given to Ben" in shown.text
    assert "You are booked" not in shown.text
    assert "calendar.ics" not in shown.text, "it is in no calendar of theirs"


async def test_who_still_comes_themselves_stays_booked(shop: Shop) -> None:
    two = {"size": "2", "quoted_size": "2", "quoted_minor": "3000"}
    session = await a_date(shop, LeavingTerms(hand_on_before=24), **two)
    page = await page_of(shop, session)
    seat_ids = re.findall(r'name="seat"[^>]*value="([^"]+)"', page.text)
    assert len(seat_ids) == 2
    sent = await send(shop, page, {**BEN, "seat": seat_ids[1]})
    shown = await shop.guest.open(sent.headers["location"])
    assert "You are booked" in shown.text
    assert "You gave your place" not in shown.text
    assert "Given to Ben" in shown.text


async def a_course_of_one(shop: Shop) -> Term:
    """Carl has a place on its dates, and Ben has that of the first one now."""
    terms = LeavingTerms(hand_on_before=24).document()
    service = await a_service(shop.services.uow_factory, shop.business.id, leaving=terms)
    term = await a_series(
        shop.services.uow_factory, service, leaving=terms, price_type="on_site", sessions=2
    )
    await shop.book(subject("series", term.series.id))
    await send(shop, await page_of(shop, term.sessions[0]), BEN)
    await shop.work()
    return term


async def test_one_place_of_a_course_that_was_given_away_makes_no_party_of_two(shop: Shop) -> None:
    await a_course_of_one(shop)
    shown = await shop.guest.open(await own_page(shop))
    assert "Given to Ben" in shown.text
    assert "1 person" in shown.text
    assert "2 people" not in shown.text
    assert "1 of 2 seats" not in shown.text


async def test_a_place_that_is_moved_is_its_guests_own_again(
    shop: Shop, mailer: RememberingMailer
) -> None:
    """Who had it on the old date was told that they need not come."""
    await a_course_of_one(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        service = (await uow.session.scalars(select(Service))).one()
    other = await a_session(shop.services.uow_factory, service, in_days=30)
    mailer.sent.clear()
    async with shop.services.uow_factory(shop.business.id) as uow:
        given = (await uow.session.scalars(select(Seat).where(Seat.is_handed_on.is_(True)))).one()
        cmd = MoveSeats(
            order_id=given.order_id, seat_ids=[given.id], session_id=other.id, by="staff"
        )
        await move_by_staff(uow, shop.business.ctx, cmd)
    await shop.work()
    await shop.guest.open(await own_page(shop))
    shown = (await shop.guest.open(await own_page(shop))).text
    assert "Ben" not in shown, "also once what was done before is no news any more"
    assert "2 people" not in shown
    assert "1 of 2 seats" not in shown
    news = {mail.to[0]: mail for mail in mailer.sent}
    assert "Ben <ben@example.com>" in news
    [own] = [mail for to, mail in news.items() if not to.startswith("Ben")]
    assert "You had given it to Ben: it ends there, which they are told." in own.body


async def test_a_place_that_went_through_two_hands_comes_back_to_who_booked(shop: Shop) -> None:
    term = await a_course_of_one(shop)
    eve = {"name": "Eve", "address": "eve@example.com"}
    await send(shop, await page_of(shop, term.sessions[0]), eve)
    async with shop.services.uow_factory(shop.business.id) as uow:
        given = (await uow.session.scalars(select(Seat).where(Seat.is_handed_on.is_(True)))).one()
        there = MoveSeats(
            order_id=given.order_id,
            seat_ids=[given.id],
            session_id=term.sessions[1].id,
            by="staff",
        )
        with pytest.raises(NotMovable, match="has a place on that date already"):
            await move_by_staff(uow, shop.business.ctx, there)


async def test_both_dates_given_to_different_people_make_no_party_of_two(shop: Shop) -> None:
    term = await a_course_of_one(shop)
    eve = {"name": "Eve", "address": "eve@example.com"}
    await send(shop, await page_of(shop, term.sessions[1]), eve)
    await shop.work()
    shown = await shop.guest.open(await own_page(shop))
    assert ("Given to Ben" in shown.text, "Given to Eve" in shown.text) == (True, True)
    assert "2 people" not in shown.text
    assert "1 of 2 seats" not in shown.text


async def test_staff_read_who_comes_instead_before_they_cancel_move_or_write(shop: Shop) -> None:
    """Each of them has a mail of what becomes of the date, and none of a letter to the guests."""
    term = await a_course_of_one(shop)
    first = term.sessions[0]
    client = shop.guest.client
    await sign_in(client, shop.services, shop.business.owner.id)
    page = await client.get(f"/app/lotus/sessions/{first.id}/cancel")
    assert "1, with your reason; 1 to who has a guest" in page.text
    assert "Ben has the place of a guest" in page.text
    course = await client.get(f"/app/lotus/series/{term.series.id}/cancel")
    assert "1, with your reason; 1 to who has a guest" in course.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        seats = list(await uow.session.scalars(select(Seat.id).where(Seat.session_id == first.id)))
    letter = await press(client, first, "message", seats, {})
    assert "Not written to, for a guest gave them a place: Ben (ben@example.com)" in (
        words_in(letter)
    )
    form = {
        "to": f"session:{first.id}",
        "subject": "Mats",
        "body": "Bring one.",
        "about": "service",
    }
    await shop.guest.open(f"/app/lotus/broadcasts/new?to=session:{first.id}")
    written = await shop.guest.submit(form, to="/broadcasts/new")
    assert "Not written to, for a guest gave them a place" in written.text
    assert "Ben (ben@example.com)" in written.text


@pytest.mark.parametrize("name", ["", "\u200b \u2060"])
async def test_bad_input_is_said_at_its_field_and_kept(shop: Shop, name: str) -> None:
    session = await a_date(shop, LeavingTerms(hand_on_before=24))
    page = await page_of(shop, session)
    sent = await send(shop, page, {"name": name, "address": "nobody"})
    assert sent.status_code == 422
    assert 'id="f-name-error"' in sent.text
    assert 'id="f-address-error"' in sent.text
    assert 'value="nobody"' in sent.text
    own = await send(shop, page, {"name": "Ben", "address": "carl@example.com"})
    assert own.status_code == 422
    assert "That is the address of the booking itself." in own.text


async def test_where_the_terms_do_not_allow_it_there_is_a_sentence_and_no_way_to_it(
    shop: Shop,
) -> None:
    session = await a_date(shop, LeavingTerms())
    booking = await shop.guest.open(await own_page(shop))
    assert "/hand-on?" not in booking.text
    page = await page_of(shop, session)
    assert "This place cannot be handed on here." in page.text
    assert 'name="address"' not in page.text


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (LeavingTerms(), "This place cannot be handed on here."),
        (
            LeavingTerms(hand_on_before=24),
            "Please choose the date whose place you want to give away.",
        ),
    ],
)
async def test_without_a_date_the_booking_says_why_it_is_shown(
    shop: Shop, terms: LeavingTerms, said: str
) -> None:
    await a_date(shop, terms)
    own = await own_page(shop)
    shown = await shop.guest.open(f"{own}/hand-on")
    assert shop.guest.path == own
    assert said in shown.text


async def test_of_a_party_it_is_asked_whose_place_it_is(shop: Shop) -> None:
    both = {"size": "2", "names.2": "Kid"}
    session = await a_date(
        shop, LeavingTerms(hand_on_before=24), **both, quoted_size="2", quoted_minor="3000"
    )
    page = await page_of(shop, session)
    assert "Whose place is it?" in page.text
    sent = await send(shop, page, BEN)
    assert sent.status_code == 422, "nobody was chosen"
    assert 'id="f-seat-error"' in sent.text


async def test_who_cannot_come_reads_of_it_and_before_booking_too(shop: Shop) -> None:
    session = await a_date(shop, LeavingTerms(hand_on_before=24))
    leaving = await shop.guest.open(f"{await own_page(shop)}/leave?date={session.id}")
    assert "Give your place to somebody else" in leaving.text
    form = await shop.guest.open(subject("session", session.id))
    assert "You can give your place to somebody else until Sun, Mar 7, 2027" in form.text


async def test_the_booking_of_a_place_given_away_names_who_comes(shop: Shop) -> None:
    session = await a_date(shop, LeavingTerms(hand_on_before=24))
    await send(shop, await page_of(shop, session), BEN)
    shown = await shop.guest.open(await own_page(shop))
    assert "1 person: Ben" in " ".join(shown.text.split())


async def test_who_gives_it_away_again_reads_who_has_it_now(shop: Shop) -> None:
    session = await a_date(shop, LeavingTerms(hand_on_before=24))
    page = await page_of(shop, session)
    assert "has this place now" not in page.text
    await send(shop, page, BEN)
    assert "Ben has this place now." in (await page_of(shop, session)).text
