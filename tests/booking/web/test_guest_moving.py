"""A guest comes on another date instead: chosen from what has room, consequences first."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from src.booking.domain.kinds import SeatState
from src.booking.domain.leaving import LeavingTerms
from src.booking.domain.seat_gone import seat_gone
from src.booking.models import Booking, Service, Session
from src.tenants.models import Tenant
from tests.booking.web.conftest import Shop, change, subject
from tests.booking.web.test_guest_leaving import seats_of, taken
from tests.booking.web.test_guest_page import own_page
from tests.support.builders import a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.visitor import forms_of

pytestmark = pytest.mark.anyio
TERMS = LeavingTerms(moves_before=24)


async def a_booking(shop: Shop, **typed: str) -> tuple[Session, Session]:
    """A place in a week, to be paid on site, and a date with one seat two weeks from now."""
    factory = shop.services.uow_factory
    service = await a_service(
        factory, shop.business.id, price_type="on_site", leaving=TERMS.document()
    )
    first = await a_session(factory, service)
    second = await a_session(factory, service, in_days=14, capacity=1)
    await a_session(factory, service, in_days=15, capacity=1, seats_taken=1)
    await a_series(factory, service, drop_in_allowed=True, drop_in_price_minor=2000)
    sent = await shop.book(subject("session", first.id), **typed)
    assert sent.status_code == 303, sent.text
    return first, second


async def press(shop: Shop, page: httpx.Response) -> httpx.Response:
    (form,) = [form for form in forms_of(page) if "/move" in form.action]
    return await shop.guest.client.post(form.action, data=form.fields)


async def test_from_cannot_make_it_to_another_date(shop: Shop) -> None:
    first, second = await a_booking(shop)
    own = await own_page(shop)
    leaving = await shop.guest.open(f"{own}/leave?date={first.id}")
    assert "Come on another date instead" in leaving.text
    page = await shop.guest.open(f"{own}/move?date={first.id}")
    assert page.text.count(">Choose<") + page.text.count("Choose\n") == 1, "full, dearer, its own"
    page = await shop.guest.open(f"{own}/move?date={first.id}&to={second.id}")
    assert "Mon, Mar 15, 2027, 10:00" in page.text
    assert "Instead of Mon, Mar 8, 2027, 10:00" in page.text
    assert "You pay nothing more, and nothing comes back." in page.text
    assert sum(await taken(shop)) == 2, "looking does nothing"
    for _press in range(2):
        sent = await press(shop, page)
        assert sent.status_code == 303, sent.text
        assert [seat.state for seat in await seats_of(shop)] == ["swapped", "confirmed"]
    shown = await shop.guest.open(own)
    assert "Done. Your new date is below" in shown.text
    assert ">Moved<" in shown.text
    assert f"/leave?date={second.id}" in shown.text


async def test_the_old_page_of_an_exchanged_date_says_what_became_of_it(shop: Shop) -> None:
    """Once, also to who presses in a second tab; and cancelling it does not lead there."""
    first, second = await a_booking(shop)
    third = await a_session(shop.services.uow_factory, await the_service(shop), in_days=16)
    own = await own_page(shop)
    page = await shop.guest.open(f"{own}/move?date={first.id}&to={second.id}")
    other_tab = await shop.guest.open(f"{own}/move?date={first.id}&to={third.id}")
    assert (await press(shop, page)).status_code == 303
    said = "You have exchanged this date for another one."
    assert said in (await shop.guest.open(f"{own}/move?date={first.id}")).text
    refused = await press(shop, other_tab)
    assert refused.status_code == 409
    assert refused.text.count(said) == 1
    leaving = await shop.guest.open(f"{own}/leave?date={first.id}")
    assert "You have exchanged this date" in leaving.text
    assert "Come on another date instead" not in leaving.text
    hand_on = await shop.guest.open(f"{own}/hand-on?date={first.id}")
    assert said in hand_on.text


async def the_service(shop: Shop) -> Service:
    async with shop.services.uow_factory(shop.business.id) as uow:
        return (await uow.session.scalars(select(Service))).one()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (SeatState.SWAPPED, "You have exchanged this date for another one."),
        (SeatState.CANCELLED, "This place has been cancelled."),
        (SeatState.LATE_CANCELLED, "This place has been cancelled."),
        (SeatState.HELD, "This place has not been paid for yet."),
        (SeatState.EXPIRED, "This place was not paid for in time, so it is not yours any more."),
        (SeatState.ATTENDED, "This date is over for you: whether you came has been noted already."),
    ],
)
def test_a_seat_that_does_not_stand_is_told_by_what_it_is(state: SeatState, said: str) -> None:
    assert seat_gone(state).guest_sentence == said


async def test_the_last_place_gone_meanwhile_is_said_and_the_old_one_kept(shop: Shop) -> None:
    first, second = await a_booking(shop)
    page = await shop.guest.open(f"{await own_page(shop)}/move?date={first.id}&to={second.id}")
    await change(shop, Session, seats_taken=Session.capacity)
    await change(shop, Session, capacity=Session.capacity)
    refused = await press(shop, page)
    assert refused.status_code == 409
    assert "This date has no room any more." in refused.text
    assert "Cancel the date instead" in refused.text
    assert [seat.state for seat in await seats_of(shop)] == ["confirmed"]


async def test_only_as_many_of_a_party_as_there_is_room_for(shop: Shop) -> None:
    party = {"size": "2", "names.2": "Kid", "quoted_size": "2", "quoted_minor": "3000"}
    first, second = await a_booking(shop, **party)
    own = await own_page(shop)
    page = await shop.guest.open(f"{own}/move?date={first.id}&to={second.id}")
    assert "Who comes on the other date?" in page.text
    (form,) = [form for form in forms_of(page) if "/move" in form.action]
    everybody = [str(seat.id) for seat in await seats_of(shop)]
    both = await shop.guest.client.post(form.action, data={**form.fields, "seat": everybody})
    assert both.status_code == 409
    nobody = {name: value for name, value in form.fields.items() if name != "seat"}
    assert (await shop.guest.client.post(form.action, data=nobody)).status_code == 422
    assert (await press(shop, page)).status_code == 303
    states = sorted(seat.state for seat in await seats_of(shop))
    assert states == ["confirmed", "confirmed", "swapped"]


async def test_who_is_on_the_new_date_already_is_said_to_keep_both(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id)
    terms = TERMS.document()
    term = await a_series(factory, service, price_type="on_site", sessions=2, leaving=terms)
    party = {"size": "2", "quoted_size": "2", "quoted_minor": "12000"}
    await shop.book(subject("series", term.series.id), **party)
    first, second = term.sessions
    own = await own_page(shop)
    leaving = await shop.guest.open(f"{own}/leave?date={second.id}")
    (form,) = [form for form in forms_of(leaving) if "/leave" in form.action]
    await shop.guest.client.post(form.action, data={**form.fields, "seat": form.fields["seat"][1]})
    page = await shop.guest.open(f"{own}/move?date={first.id}&to={second.id}")
    assert "For Person 2" in page.text
    said = "Has a place on this date already, and keeps the old one too: Carl Guest"
    assert said in page.text


async def test_it_says_which_of_a_party_moves(shop: Shop, mailer: RememberingMailer) -> None:
    party = {"size": "2", "quoted_size": "2", "quoted_minor": "3000"}
    first, second = await a_booking(shop, **party)
    own = await own_page(shop)
    choosing = await shop.guest.open(f"{own}/move?date={first.id}")
    assert "For Carl Guest, Person 2" in " ".join(choosing.text.split())
    page = await shop.guest.open(f"{own}/move?date={first.id}&to={second.id}")
    (form,) = [form for form in forms_of(page) if "/move" in form.action]
    one_seat = page.text.split("Person 2", 1)[0].rsplit('value="', 1)[1].split('"', 1)[0]
    sent = await shop.guest.client.post(form.action, data={**form.fields, "seat": one_seat})
    assert sent.status_code == 303, sent.text
    await shop.work()
    body = mailer.sent[-1].body
    assert body.index("This is about Person 2.") < body.index("The new date:\n- ")
    leaving = await shop.guest.open(f"{own}/leave?date={second.id}")
    assert "Person 2" in leaving.text


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("terms", "This date cannot be exchanged for another one. Please contact the business."),
        ("late", "It is too late to exchange this date. Please contact the business."),
        ("paused", "This cannot be booked at present. Please contact the business."),
    ],
)
async def test_a_refusal_says_why_and_whom_to_ask(
    shop: Shop, clock: FrozenClock, why: str, said: str
) -> None:
    first, second = await a_booking(shop)
    await change(shop, Tenant, contact_email="hello@lotus.example")
    page = await shop.guest.open(f"{await own_page(shop)}/move?date={first.id}&to={second.id}")
    if why == "terms":
        await change(shop, Booking, leaving={})
    elif why == "late":
        clock.advance(timedelta(days=6, seconds=1))
    else:
        await change(shop, Tenant, status="paused")
    refused = await press(shop, page)
    assert refused.status_code == 409
    assert said in refused.text
    assert "hello@lotus.example" in refused.text
    assert [seat.state for seat in await seats_of(shop)] == ["confirmed"]


async def test_without_a_date_it_leads_to_the_booking(shop: Shop) -> None:
    await a_booking(shop)
    own = await own_page(shop)
    sent = await shop.guest.client.get(f"{own}/move")
    assert (sent.status_code, sent.headers["location"]) == (303, own)
    strange = await shop.guest.client.get(f"{own}x/move")
    assert strange.status_code == 404


async def test_without_another_date_nobody_is_lost(shop: Shop) -> None:
    first, second = await a_booking(shop)
    await change(shop, Session, state="cancelling")
    page = await shop.guest.open(f"{await own_page(shop)}/move?date={first.id}")
    assert "This is not possible just now." in page.text
    assert "cancelled" not in page.text
    assert "Back to your booking" in page.text
    assert second


async def test_where_there_is_room_but_no_way_it_says_what_stands_against_it(shop: Shop) -> None:
    first, second = await a_booking(shop)
    own = await own_page(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        row = await uow.session.get_one(Session, (uow.tenant, second.id))
        row.seats_taken = 1
    page = await shop.guest.open(f"{own}/move?date={first.id}")
    assert "The other dates cost more than yours" in page.text, "its single dates are dearer"
    async with shop.services.uow_factory(shop.business.id) as uow:
        for row in await uow.session.scalars(select(Session).where(Session.id != first.id)):
            row.seats_taken = row.capacity
    page = await shop.guest.open(f"{own}/move?date={first.id}")
    assert "No other date has room for you at present." in page.text
