"""What staff read of those who have a guest's place, before they move the guest or write."""

import html
import re

import pytest

from src.booking.domain.leaving import LeavingTerms
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import Seat
from src.booking.web.toll_words import holders_words
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.conftest import Shop, rows, subject
from tests.booking.web.test_guest_page import own_page
from tests.booking.web.test_handing_on import BEN, a_course_of_one, page_of, send
from tests.booking.web.test_roster_bulk import press
from tests.support.builders import a_service, a_session
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


async def test_moving_a_guest_whose_place_somebody_has_says_that_they_lose_it(shop: Shop) -> None:
    """They are mailed, too, that the date is off."""
    factory, terms = shop.services.uow_factory, LeavingTerms(hand_on_before=24).document()
    service = await a_service(factory, shop.business.id, price_type="on_site", leaving=terms)
    first, other = [await a_session(factory, service) for _date in range(2)]
    await shop.book(subject("session", first.id))
    await send(shop, await page_of(shop, first), BEN)
    await shop.work()
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    [seat] = await rows(shop, Seat)
    to = {"to_session_id": str(other.id)}
    page = await press(shop.guest.client, first, "move", [seat.id], to)
    words = " ".join(re.sub("<[^>]+>", " ", html.unescape(page.text)).split())
    assert "1, with the calendar entry moved; 1 to who has a guest's place" in words
    assert "Ben has the place of a guest. It ends." in words
    assert "all that it cost comes back" in words


def test_two_of_one_name_are_two_and_one_of_two_places_is_one() -> None:
    ben, other = ("Ben", "ben@example.com"), ("Ben", "b@example.com")
    assert holders_words([ben, other]) == "Ben, Ben have the places of guests"
    assert holders_words([ben, ben]) == "Ben has the place of a guest"


async def test_who_has_a_place_of_their_own_is_not_called_unwritten(shop: Shop) -> None:
    """It brings them the mail."""
    term = await a_course_of_one(shop)
    first = term.sessions[0]
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    form = {"to": f"session:{first.id}", "subject": "Mats", "body": "Bring one."}

    async def looked() -> str:
        await shop.guest.open(f"/app/lotus/broadcasts/new?to=session:{first.id}")
        sent = await shop.guest.submit({**form, "about": "service"}, to="/broadcasts/new")
        return sent.text

    assert "Ben (ben@example.com)" in await looked()
    ben = {"party": ("Ben",), "guest_name": "Ben", "guest_email": "BEN@example.com"}
    await booked(
        shop.services.uow_factory,
        shop.business,
        a_wish("series", term.series.id, **ben),
    )
    assert "Not written to" not in await looked()


async def test_a_party_is_not_larger_once_it_was_moved_and_has_left(shop: Shop) -> None:
    """Ben had one of two places until staff moved both, and both have left since."""
    factory, terms = shop.services.uow_factory, LeavingTerms(hand_on_before=24).document()
    service = await a_service(
        factory, shop.business.id, price_type="on_site", leaving=terms, max_party=4
    )
    first, other = [await a_session(factory, service) for _date in range(2)]
    await booked(factory, shop.business, a_wish("session", first.id, party=("Carl", "Zoe")))
    await shop.work()
    own = await own_page(shop)
    (seat, _other) = await rows(shop, Seat)
    page = await page_of(shop, first)
    await send(shop, page, {**BEN, "seat": str(seat.id)})
    assert [seat.is_handed_on for seat in await rows(shop, Seat)].count(True) == 1
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    seats = [seat.id for seat in await rows(shop, Seat)]
    sure = {"to_session_id": str(other.id), "seen": "0", "sure": "on", "reason": "Rain"}
    assert (await press(shop.guest.client, first, "move", seats, sure)).status_code == 303
    await shop.work()
    await shop.guest.open(f"{own}/leave?date={other.id}")
    left = await shop.guest.submit(to=f"/leave?date={other.id}")
    assert left.status_code == 200
    live = [seat for seat in await rows(shop, Seat) if seat.state in LIVE_SEATS]
    assert live == []
    page = " ".join(re.sub("<[^>]+>", " ", (await shop.guest.open(own)).text).split())
    assert "2 people" in page
    assert "Ben" not in page
