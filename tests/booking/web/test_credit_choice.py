"""Which way to pay is chosen in the booking form while a guest with credits changes their mind."""

import re
from datetime import timedelta

import pytest

from src.billing.domain.credits import LotSource
from src.billing.models import Order
from src.booking.models import Seat
from src.booking.queries.wish_credits import key_of_lot
from src.platform.ids import new_id
from tests.booking.web.conftest import Shop, rows, subject
from tests.booking.web.test_guest_credits import a_date, carl_with
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot

pytestmark = pytest.mark.anyio


def chosen(page: str) -> str | None:
    """The way to pay that is ticked."""
    ticked = [one for one in re.findall(r"<input[^>]*>", page) if 'name="way"' in one]
    found = [re.search('value="([^"]*)"', one) for one in ticked if " checked" in one]
    return found[0].group(1) if found and found[0] else None


async def resized(shop: Shop, size: int, **typed: str) -> str:
    """The form for so many, with the way that is chosen in it unless another is."""
    assert shop.guest.page is not None
    way = typed.pop("way", chosen(shop.guest.page.text))
    shop.guest.page = await shop.send(size=str(size), step="update", way=way or [])
    return shop.guest.page.text


async def test_a_party_too_large_for_the_chosen_credits_is_paid_with_others_that_are_enough(
    shop: Shop, clock: FrozenClock
) -> None:
    date = await a_date(shop)
    _carl, many = await carl_with(shop, 8)
    soon = clock.now() + timedelta(days=30)
    _carl, few = await a_lot(shop.services.uow_factory, shop.business.id, number=2, expires_at=soon)
    form = await shop.guest.open(subject("session", date.id))
    assert chosen(form.text) == key_of_lot(few)
    page = await resized(shop, 3)
    assert chosen(page) == key_of_lot(many)
    assert "Only 2 credits" in page
    assert "Book with 3 credits" in page
    page = await resized(shop, 2)
    assert chosen(page) == key_of_lot(many)
    assert "Only 2 credits" not in page


async def test_where_none_are_enough_it_is_said_and_they_are_chosen_again_once_they_are(
    shop: Shop,
) -> None:
    date = await a_date(shop)
    _carl, few = await carl_with(shop, 2)
    form = await shop.guest.open(subject("session", date.id))
    assert chosen(form.text) == key_of_lot(few)
    page = await resized(shop, 3)
    assert "Only 2 credits" in page
    assert "Pay €45.00" in page
    assert chosen(await resized(shop, 2)) == key_of_lot(few)
    assert "the first until" not in page


async def test_credits_that_came_back_one_by_one_are_one_choice_and_pay_for_two(
    shop: Shop, clock: FrozenClock
) -> None:
    """Who gave up a date together makes it up together."""
    date = await a_date(shop)
    of_place = {"source": LotSource.SEAT, "bought": 0, "paid_minor": 0}
    soon, late = clock.now() + timedelta(days=30), clock.now() + timedelta(days=31)
    _carl, second = await carl_with(shop, 1, source_seat_id=new_id(), expires_at=late, **of_place)
    _carl, first = await carl_with(shop, 1, source_seat_id=new_id(), expires_at=soon, **of_place)
    form = await shop.guest.open(subject("session", date.id))
    assert (form.text.count('value="credit:'), chosen(form.text)) == (1, key_of_lot(first))
    assert "Use 1 of 2 left" in form.text
    assert "the first until" in form.text, "one of them lasts a day longer"
    # As from a form that was opened before the first of them had come.
    page = await resized(shop, 2, way=key_of_lot(second))
    assert "Use 2 of 2 left" in page
    assert "Book with 2 credits" in page
    assert chosen(page) == key_of_lot(first)
    sent = await shop.send(size="2", way=key_of_lot(first))
    assert sent.status_code == 303
    [seat, other] = await rows(shop, Seat)
    assert {seat.credit_lot_id, other.credit_lot_id} == {first, second}


@pytest.mark.parametrize("between", [3, 1])
async def test_who_has_chosen_the_card_pays_by_card_however_many_come(
    shop: Shop, between: int
) -> None:
    """Also after a party of which no credits would have been enough."""
    date = await a_date(shop)
    await carl_with(shop, 2)
    await shop.guest.open(subject("session", date.id))
    assert chosen(await resized(shop, 1, way="online")) == "online"
    await resized(shop, between, way="online")
    assert chosen(await resized(shop, 2, way="online")) == "online"


async def test_the_last_credit_used_in_another_tab_is_told_at_the_ways_to_pay(shop: Shop) -> None:
    date = await a_date(shop)
    _carl, lot_id = await carl_with(shop, 1)
    url = subject("session", date.id)
    first, second = await shop.guest.open(url), await shop.guest.open(url)
    shop.guest.page = first
    assert (await shop.send()).status_code == 303
    shop.guest.page = second
    sent = await shop.send(way=key_of_lot(lot_id))
    assert sent.status_code == 422
    of_ways = sent.text[sent.text.index('id="f-way"') :].partition("</fieldset>")[0]
    assert 'aria-describedby="f-way-error"' in of_ways
    assert "All credits of" in of_ways.partition('id="f-way-error"')[2]
    assert 'aria-invalid="true"' in of_ways
    assert 'href="#f-way"' in sent.text
    assert len(await rows(shop, Order)) == 1
