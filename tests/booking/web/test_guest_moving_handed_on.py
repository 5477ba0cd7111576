"""Who exchanges a date reads before it that somebody they gave their place to loses it."""

import html
import re
from typing import Any

import pytest

from src.booking.domain.leaving import LeavingTerms
from src.booking.models import Session
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.conftest import Shop
from tests.booking.web.test_guest_moving import press
from tests.booking.web.test_guest_page import own_page
from tests.booking.web.test_handing_on import BEN, page_of, send
from tests.support.builders import a_service, a_session
from tests.support.mail import RememberingMailer

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
