"""Saying who may use credits, and booking for just those people."""

import re
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.models import CreditLot
from src.booking.models import Seat, Session
from src.tenants.commands.own_people import keep_person
from src.tenants.models import Participant
from tests.booking.web.conftest import Shop, subject
from tests.booking.web.test_guest_credits import a_date, carl_with, left
from tests.support.builders import a_series, a_service
from tests.support.credits import a_lot
from tests.support.lots import lot_of

pytestmark = pytest.mark.anyio


async def kept(shop: Shop, customer_id: UUID, *names: str) -> dict[str, str]:
    async with shop.services.uow_factory(shop.business.id) as uow:
        for name in names:
            await keep_person(uow, customer_id, name, "")
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.execute(select(Participant.name, Participant.id))
        return {row.name: str(row.id) for row in found}


@pytest.mark.slow
async def test_a_child_is_booked_with_credits_that_are_for_it_alone(shop: Shop) -> None:
    date = await a_date(shop)
    customer_id, lot_id = await carl_with(shop)
    ids = await kept(shop, customer_id, "Kim", "Leo")
    home = (await shop.guest.open("/b/lotus/me")).text
    assert "everyone in your bookings" in home
    here = f"/b/lotus/me/credits/{lot_id}/people"
    assert here in home
    await shop.guest.open(here)
    nobody = await shop.guest.submit({"who": "some"}, to="/people", status=422)
    assert "Please tick somebody, or let everyone use them." in nobody.text
    saved = await shop.guest.submit({"who": "some", "people": [ids["Kim"]]}, to="/people")
    assert "Kim" in saved.text

    form = await shop.guest.open(subject("session", date.id))
    assert "Use 1 of 7 left" not in form.text
    assert "are for certain people" in form.text
    sent = await shop.send(first="Leo", way=f"credit:{lot_id}")
    assert sent.status_code == 422
    assert "are for certain people" in sent.text
    updated = await shop.send(first="Kim", step="update")
    assert "Use 1 of 7 left" in updated.text
    sent = await shop.send(first="Kim", way=f"credit:{lot_id}")
    assert sent.status_code == 303
    assert await left(shop, customer_id) == 6
    async with shop.services.uow_factory(shop.business.id) as uow:
        (seat,) = (await uow.session.scalars(select(Seat))).all()
    assert str(seat.participant_id) == ids["Kim"]
    page = (await shop.guest.open(sent.headers["location"])).text
    assert "Carl Guest" in page, "whoever books is still the guest"


async def test_credits_are_chosen_once_somebody_comes_who_may_use_them(shop: Shop) -> None:
    """As they are for whoever may use them when the form opens; a choice of money stays one."""
    date = await a_date_with_two_ways(shop)
    customer_id, lot_id = await carl_with(shop)
    ids = await kept(shop, customer_id, "Kim", "Leo")
    async with shop.services.uow_factory(shop.business.id) as uow:
        lot = await uow.session.get_one(CreditLot, (shop.business.id, lot_id))
        lot.users = [ids["Kim"]]
    await shop.guest.open(subject("session", date.id))
    leo = shop.guest.page = await shop.send(first="Leo", way="online", step="update")
    assert "Use 1 of 7 left" not in leo.text
    kim = shop.guest.page = await shop.send(first="Kim", step="update")
    assert chosen_way(kim.text) == f"credit:{lot_id}"
    assert "Book with 1 credit" in kim.text
    money = shop.guest.page = await shop.send(first="Kim", way="on_site", step="update")
    assert chosen_way(money.text) == "on_site"
    again = await shop.send(first="Kim", step="update")
    assert chosen_way(again.text) == "on_site", "who was offered credits has chosen"


async def a_date_with_two_ways(shop: Shop) -> Session:
    factory = shop.services.uow_factory
    pays = ["online", "on_site", "credit"]
    service = await a_service(factory, shop.business.id)
    term = await a_series(factory, service, drop_in_allowed=True, drop_in_pays=pays)
    return term.sessions[0]


def chosen_way(text: str) -> str:
    [way] = re.findall(r'name="way"\s+value="([^"]+)"\s+checked', text)
    return str(way)


async def test_anothers_credits_are_not_there(shop: Shop) -> None:
    await carl_with(shop)
    _eve, theirs = await a_lot(shop.services.uow_factory, shop.business.id, "eve@example.com")
    here = f"/b/lotus/me/credits/{theirs}/people"
    assert (await shop.guest.client.get(here)).status_code == 404
    await shop.guest.open("/b/lotus/me")
    async with shop.services.uow_factory(shop.business.id) as uow:
        lot = await uow.session.get_one(CreditLot, (shop.business.id, theirs))
        assert lot.users == []


async def test_who_keeps_nobody_has_nobody_to_choose_and_may_say_that_they_stay_away(
    shop: Shop,
) -> None:
    date = await a_date(shop)
    await carl_with(shop)
    form = await shop.guest.open(subject("session", date.id))
    (asked,) = re.findall(r'<(\w+)[^>]*\sname="first"', form.text)
    assert asked == "input", "a name to type, and no list of those that they keep"
    assert "I am not coming myself" in form.text


async def test_a_booking_for_one_child_names_the_child(shop: Shop) -> None:
    date = await a_date(shop)
    customer_id, lot_id = await carl_with(shop)
    await kept(shop, customer_id, "Kim")
    await shop.guest.open(subject("session", date.id))
    sent = await shop.send(first="Kim", way=f"credit:{lot_id}")
    assert sent.status_code == 303
    page = await shop.guest.open(sent.headers["location"])
    assert "1 person: Kim" in " ".join(page.text.split())
    assert "For Kim" in (await shop.guest.open("/b/lotus/me")).text


async def test_what_removing_somebody_opens_to_everyone_is_said_before(shop: Shop) -> None:
    """Of credits for them alone; not of those that somebody else may use too."""
    customer_id, lot_id = await carl_with(shop)
    both = await lot_of(shop.services.uow_factory, shop.business.id, customer_id, name="For both")
    ids = await kept(shop, customer_id, "Kim", "Leo")
    for lot, people in ((lot_id, ["Kim"]), (both.id, ["Kim", "Leo"])):
        await shop.guest.open(f"/b/lotus/me/credits/{lot}/people")
        chosen = [ids[name] for name in people]
        await shop.guest.submit({"who": "some", "people": chosen}, to="/people")
    said = "Only Kim may use “10 sessions”. Without them, everyone in your bookings may."
    page = await shop.guest.open("/b/lotus/me/people")
    assert page.text.count(said) == 1
    assert "Only Leo" not in page.text
    assert "For both" not in page.text
    await shop.guest.submit({}, to=f"/people/{ids['Kim']}/remove")
    page = await shop.guest.open("/b/lotus/me/people")
    assert "Only Leo may use “For both”." in page.text
    assert ids["Kim"] not in page.text
