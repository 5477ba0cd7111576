"""Who exchanges a date reads before it that somebody they gave their place to loses it."""

import html
import re
from typing import Any

import pytest

from src.booking.commands.exchange import MoveSeats, move_by_staff, move_seats
from src.booking.domain.kinds import By
from src.booking.domain.leaving import LeavingTerms
from src.booking.domain.states import LIVE_SEATS
from src.booking.given_words import given_and_cancelled, given_and_moved
from src.booking.models import Seat, Session
from src.booking.place_mail_kinds import why_off
from src.booking.queries.mail_facts import SeatFacts
from src.booking.views.mails import PlaceView
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.test_guest_moving import press
from tests.booking.web.test_guest_page import own_page
from tests.booking.web.test_handing_on import BEN, page_of, send
from tests.booking.web.test_roster_bulk import press as staff_press
from tests.support.builders import a_service, a_session
from tests.support.cancelling import seats_taken_back
from tests.support.mail import RememberingMailer
from tests.support.visitor import forms_of
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio
TERMS = LeavingTerms(hand_on_before=24, moves_before=24)
STUDENT = {"key": "student", "name": "Student", "price_minor": 900}


def words_of(text: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", html.unescape(text)).split())


async def two_dates(shop: Shop, **wish: Any) -> tuple[Session, Session]:
    """The first of them is booked."""
    factory = shop.services.uow_factory
    service = await a_service(
        factory,
        shop.business.id,
        price_type="on_site",
        price_tiers=[STUDENT],
        max_party=4,
        leaving=TERMS.document(),
    )
    first, second = [await a_session(factory, service, in_days=days) for days in (7, 14)]
    await booked(factory, shop.business, a_wish("session", first.id, **wish))
    await shop.work()
    return first, second


async def test_of_a_party_it_is_said_beside_whose_place_it_is(
    shop: Shop, mailer: RememberingMailer
) -> None:
    """Who comes there is who the place is of again, not who has the old one."""
    first, second = await two_dates(shop, party=("Carl", ""), tiers=("full", "student"))
    page = await page_of(shop, first)
    seats = re.findall(r'name="seat"[^>]*value="([^"]+)"', page.text)
    assert (await send(shop, page, {**BEN, "seat": seats[1]})).status_code == 303
    await shop.work()
    move = f"{await own_page(shop)}/move?date={first.id}"
    choosing = words_of((await shop.guest.open(move)).text)
    assert "For Carl, Person 2 (Student)" in choosing
    page = await shop.guest.open(f"{move}&to={second.id}")
    said = "Ben has this place now. If you exchange it, it ends for Ben, who is told by mail."
    assert f"Person 2 (Student) {said}" in words_of(page.text)
    assert words_of(page.text).count("Ben has this place") == 1
    mailer.sent.clear()
    assert (await press(shop, page)).status_code == 303
    await shop.work()
    assert "Ben <ben@example.com>" in [mail.to[0] for mail in mailer.sent]
    leaving = await shop.guest.open(f"{await own_page(shop)}/leave?date={second.id}")
    assert "Person 2 (Student)" in words_of(leaving.text)


async def test_of_the_only_place_it_is_among_what_changes(shop: Shop) -> None:
    first, second = await two_dates(shop)
    move = f"{await own_page(shop)}/move?date={first.id}&to={second.id}"
    assert "has this place now" not in (await shop.guest.open(move)).text
    await send(shop, await page_of(shop, first), BEN)
    said = "Ben has this place now. If you exchange it, it ends for Ben, who is told by mail."
    words = words_of((await shop.guest.open(move)).text)
    assert said in words.partition("What changes")[2]


async def test_mails_say_how_many_places_moved_or_ended_and_who_had_one_of_them(
    shop: Shop, mailer: RememberingMailer
) -> None:
    first, second = await two_dates(shop, party=("Carl", "Zoe"))
    own = await own_page(shop)

    async def give(session: Session) -> None:
        page = await page_of(shop, session)
        seats = re.findall(r'name="seat"[^>]*value="([^"]+)"', page.text)
        assert (await send(shop, page, {**BEN, "seat": seats[1]})).status_code == 303
        await shop.work()
        mailer.sent.clear()

    async def news() -> str:
        await shop.work()
        [mail] = [mail for mail in mailer.sent if "carl@example.com" in mail.to[0]]
        mailer.sent.clear()
        return " ".join(mail.body.split())

    await give(first)
    page = await shop.guest.open(f"{own}/move?date={first.id}&to={second.id}")
    (form,) = [form for form in forms_of(page) if "/move" in form.action]
    seats = re.findall(r'name="seat"[^>]*value="([^"]+)"', page.text)
    await shop.guest.client.post(form.action, data={**form.fields, "seat": seats})
    body = await news()
    assert "You have exchanged a date at Lotus, for 2 places." in body
    one = "You had given one of them to Ben: it ends there, which they are told."
    assert f"{one} All new places are your own." in body
    await give(second)
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    live = [seat.id for seat in await rows(shop, Seat) if seat.state in LIVE_SEATS]
    sure = {"to_session_id": str(first.id), "seen": "0", "sure": "on", "reason": "Rain"}
    assert (await staff_press(shop.guest.client, second, "move", live, sure)).status_code == 303
    body = await news()
    assert "Lotus has moved your 2 places." in body
    assert one in body
    await give(first)
    live = [seat.id for seat in await rows(shop, Seat) if seat.state in LIVE_SEATS]
    await seats_taken_back(shop.services.uow_factory, shop.business, live)
    body = await news()
    assert "Lotus has cancelled your 2 places on this date:" in body
    assert "You had given one of these places to Ben, and they are told, too." in body


def test_of_several_places_all_of_which_were_given_away_no_one_is_spoken_of_as_it() -> None:
    ben, eve = [a_seat(person, is_handed_on=True) for person in ("Ben", "Eve")]
    own = a_seat("Zoe", is_handed_on=False)
    assert given_and_moved([ben]).startswith("You had given it to Ben: it ends there")
    assert given_and_moved([ben, eve]).startswith("You had given them to Ben, Eve: they end")
    assert given_and_moved([ben, own, ben]).startswith("You had given 2 of them to Ben: these")
    assert given_and_moved([own]) == given_and_cancelled([own]) == ""
    assert given_and_cancelled([ben]) == "You had given it to Ben, and they are told, too."


def a_seat(person: str, *, is_handed_on: bool) -> SeatFacts:
    return SeatFacts(Seat(is_handed_on=is_handed_on), Session(), None, person=person)


@pytest.mark.parametrize("by", ["guest", "staff"])
async def test_who_loses_a_place_to_another_date_reads_why_and_whose_it_is_there(
    shop: Shop, mailer: RememberingMailer, by: By
) -> None:
    first, second = await two_dates(shop)
    await send(shop, await page_of(shop, first), BEN)
    await shop.work()
    mailer.sent.clear()
    [seat] = await rows(shop, Seat)
    why = "The hall is too small." if by == "staff" else ""
    cmd = MoveSeats(
        order_id=seat.order_id, seat_ids=[seat.id], session_id=second.id, by=by, why=why
    )
    async with shop.services.uow_factory(shop.business.id) as uow:
        if by == "staff":
            await move_by_staff(uow, shop.business.ctx, cmd)
        else:
            await move_seats(uow, shop.business.ctx.here, cmd)
    await shop.work()
    [mail] = [mail for mail in mailer.sent if "ben@example.com" in mail.to[0]]
    body = " ".join(mail.body.split())
    assert "is cancelled, since Carl has it on another date now:" in body
    assert ("Why: The hall is too small." in body) is (by == "staff")
    assert "You need not come." in body


async def test_who_loses_a_place_that_is_cancelled_reads_of_no_other_date(
    shop: Shop, mailer: RememberingMailer
) -> None:
    first, _second = await two_dates(shop)
    await send(shop, await page_of(shop, first), BEN)
    await shop.work()
    [seat] = await rows(shop, Seat)
    await seats_taken_back(shop.services.uow_factory, shop.business, [seat.id])
    await shop.work()
    [mail] = [mail for mail in mailer.sent if "is cancelled" in mail.body]
    assert "Your place in Yoga on this date is cancelled:" in mail.body
    assert "another date" not in mail.body


def test_a_mail_in_the_business_s_own_words_says_of_the_other_date_with_the_reason() -> None:
    def said(*, is_moved: bool, reason: str) -> str:
        return why_off(a_place(is_moved=is_moved, reason=reason))

    assert said(is_moved=False, reason="The hall.") == "The hall."
    moved = "Carl has it on another date now."
    assert said(is_moved=True, reason="") == moved
    assert said(is_moved=True, reason="The hall.") == f"{moved} The hall."


def a_place(*, is_moved: bool, reason: str) -> PlaceView:
    return PlaceView(
        locale="en",
        from_name="Lotus",
        contact="",
        guest_name="Ben",
        news="off",
        what="Yoga",
        giver="Carl",
        taker="",
        runs=[],
        zone_name="Vienna",
        booking_url="",
        reason=reason,
        is_moved=is_moved,
    )
