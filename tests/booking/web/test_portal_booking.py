"""Booking while signed in, and a known address without signing in."""

from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.billing.models import Order
from src.booking.models import Session
from src.platform.errors import InvalidInput
from src.platform.services import Services
from src.tenants.commands.customers import find_or_add_customer, own_participants
from src.tenants.commands.own_people import keep_person
from src.tenants.models import Customer, Participant
from tests.booking.web.conftest import subject
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.portal import CARL, sign_in_portal
from tests.support.visitor import Form, Visitor, forms_of
from tests.support.work import work

pytestmark = pytest.mark.anyio

TYPED = {"name": "Somebody", "email": CARL, "phone": "+44 20 7946 0111", "step": "book"}


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def guest(client: AsyncClient) -> Visitor:
    return Visitor(client)


@pytest.fixture
async def session(services: Services, lotus: Business) -> Session:
    service = await a_service(services.uow_factory, lotus.id, price_type="free", slug="yoga")
    return await a_session(services.uow_factory, service, capacity=5)


@pytest.fixture
async def carl(services: Services, lotus: Business) -> UUID:
    async with services.uow_factory(lotus.id) as uow:
        now = uow.clock.now()
        return await find_or_add_customer(uow, CARL, "Carl Guest", "+442079460958", now)


async def orders(services: Services, business: Business) -> list[Order]:
    async with services.uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(Order).order_by(Order.id)))


@pytest.mark.slow
async def test_the_form_knows_who_is_signed_in(
    guest: Visitor, services: Services, lotus: Business, session: Session, carl: UUID
) -> None:
    url = subject("session", session.id)
    await guest.open(url)
    assert "Sign in by mail" in guest.text
    await sign_in_portal(guest.client, services, lotus.id, carl)
    shown = await guest.open(url)
    assert shown.headers["cache-control"] == "private, no-cache"
    assert "Not you? Sign out" in guest.text
    form = the_form(guest)
    assert form.fields["name"] == ["Carl Guest"]
    assert form.fields["email"] == [CARL]
    assert form.fields["phone"] == ["+442079460958"]
    await guest.submit({"step": "book"}, to="send=1")
    assert "You are booked" in guest.text
    [order] = await orders(services, lotus)
    assert (order.customer_id, order.guest_email) == (carl, CARL)
    await guest.open("/b/lotus/me")
    assert order.reference not in guest.text
    assert "Yoga" in guest.text


def the_form(guest: Visitor) -> Form:
    assert guest.page is not None
    [form] = [one for one in forms_of(guest.page) if "form_token" in one.fields]
    return form


async def test_it_is_booked_under_the_proved_address_whatever_is_sent(
    guest: Visitor, services: Services, lotus: Business, session: Session, carl: UUID
) -> None:
    """Of a form that was opened before signing in, as another: it is shown once more."""
    await guest.open(subject("session", session.id))
    await sign_in_portal(guest.client, services, lotus.id, carl)
    typed = {**TYPED, "email": "kim@example.com"}
    await guest.submit(typed, to="send=1", status=422)
    assert f"You are signed in as {CARL}" in guest.text
    assert "Somebody" in guest.text
    assert await orders(services, lotus) == []
    await guest.submit({"step": "book"}, to="send=1")
    [order] = await orders(services, lotus)
    assert (order.customer_id, order.guest_name) == (carl, "Somebody")


async def test_not_you_leads_back_to_the_form_as_nobody(
    guest: Visitor, services: Services, lotus: Business, session: Session, carl: UUID
) -> None:
    await sign_in_portal(guest.client, services, lotus.id, carl)
    await guest.open(subject("session", session.id))
    await guest.submit(to="/me/sign-out")
    assert guest.path == "/b/lotus/yoga/book"
    assert "Carl Guest" not in guest.text
    assert CARL not in guest.text


async def test_a_form_of_who_was_signed_out_meanwhile_asks_nothing_twice(
    guest: Visitor, services: Services, lotus: Business, session: Session, carl: UUID
) -> None:
    """What was typed stays; it is an ordinary booking then."""
    await sign_in_portal(guest.client, services, lotus.id, carl)
    await guest.open(subject("session", session.id))
    guest.client.cookies.delete(f"seatline_guest_{lotus.id.hex}")
    await guest.submit({"step": "book"}, to="send=1")
    [order] = await orders(services, lotus)
    assert order.customer_id == carl


async def test_the_language_that_a_guest_chose_is_that_of_their_booking(
    guest: Visitor, services: Services, lotus: Business, session: Session, carl: UUID
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Customer).where(Customer.id == carl).values(locale="nl"))
    await sign_in_portal(guest.client, services, lotus.id, carl)
    await guest.open(subject("session", session.id))
    assert '<html lang="nl"' in guest.text
    await guest.submit({"step": "book"}, to="send=1")
    [order] = await orders(services, lotus)
    assert order.locale == "nl"


async def test_a_known_address_without_signing_in_attaches_and_reveals_nothing(
    guest: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    session: Session,
    carl: UUID,
) -> None:
    """No second customer, nothing of the first one shown or changed; and the same to a stranger's
    eyes as for an address that nobody has.
    """
    for email in (CARL, "unknown@example.com"):
        await guest.open(subject("session", session.id))
        await guest.submit({**TYPED, "email": email}, to="send=1")
        booking = guest.text
        assert "Carl Guest" not in booking
        assert "7946 0958" not in booking
        await guest.open("/b/lotus/me")
        assert guest.path == "/b/lotus/me/sign-in", "a booking signs nobody in"
    known, unknown = await orders(services, lotus)
    assert known.customer_id == carl
    assert unknown.customer_id != carl
    async with services.uow_factory(lotus.id) as uow:
        stored = await uow.session.get_one(Customer, (lotus.id, carl))
        assert (stored.name, stored.phone) == ("Carl Guest", "+442079460958")
        assert len((await uow.session.scalars(select(Customer))).all()) == 2
        names = await uow.session.scalars(
            select(Participant.name).where(Participant.customer_id == carl)
        )
        assert list(names) == ["Somebody"], "an unproved checkout makes its own"
    await work(services, lotus.id)
    assert all("Carl Guest" not in mail.body for mail in mailer.sent)


TWICE = "This name stands here twice."


async def test_a_child_that_is_kept_gets_no_second_seat_on_one_date(
    guest: Visitor, services: Services, lotus: Business, session: Session, carl: UUID
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        await keep_person(uow, carl, "Tim New", "")
    await sign_in_portal(guest.client, services, lotus.id, carl)
    for second in ("Tim New", "tim  new"):
        await guest.open(subject("session", session.id))
        typed = {"first": "Tim New", "size": "2", "names.2": second, "quoted_size": "2"}
        await guest.submit({**typed, "step": "book"}, to="send=1", status=422)
        assert TWICE in guest.text
        assert the_form(guest).fields["names.2"] == [second]
        assert await orders(services, lotus) == []
    await guest.submit({"names.2": "Tom New", "step": "book"}, to="send=1")
    [order] = await orders(services, lotus)
    assert order.customer_id == carl


async def test_a_stranger_who_names_one_person_twice_is_asked_to_tell_them_apart(
    guest: Visitor, services: Services, lotus: Business, session: Session
) -> None:
    await guest.open(subject("session", session.id))
    typed = {**TYPED, "size": "2", "names.2": "somebody", "quoted_size": "2"}
    await guest.submit(typed, to="send=1", status=422)
    assert TWICE in guest.text
    assert await orders(services, lotus) == []


async def test_the_command_seats_nobody_whom_the_guest_keeps_twice(
    services: Services, lotus: Business, carl: UUID
) -> None:
    """However it is sent; friends who have no name, or one unknown here, are different people."""
    async with services.uow_factory(lotus.id) as uow:
        await keep_person(uow, carl, "Tim New", "")
    async with services.uow_factory(lotus.id) as uow:
        with pytest.raises(InvalidInput) as refusal:
            await own_participants(uow, carl, ["Carl", "Tim New", "TIM  New"])
        assert set(refusal.value.fields) == {"names.3"}
        assert len(set(await own_participants(uow, carl, ["Tim New", "", ""]))) == 3


async def test_the_kept_front_page_is_the_same_for_who_is_signed_in(
    guest: Visitor, services: Services, lotus: Business, session: Session, carl: UUID
) -> None:
    await sign_in_portal(guest.client, services, lotus.id, carl)
    own = await guest.open("/b/lotus")
    asked = await services.redis.keys("guest-session:*")
    assert len(asked) == 1
    guest.client.cookies.clear()
    anybodys = await guest.open("/b/lotus")
    assert own.text == anybodys.text
    assert 'href="/b/lotus/me"' in own.text
    assert CARL not in own.text
    assert not own.headers.get_list("set-cookie"), "and nothing is asked of the session"


async def test_nobody_books_themselves_twice_but_others_they_may(
    guest: Visitor, services: Services, lotus: Business, session: Session, carl: UUID
) -> None:
    """The second form was opened before the first was sent."""
    await sign_in_portal(guest.client, services, lotus.id, carl)
    url, said = subject("session", session.id), "You have a place here already"
    await guest.open(url)
    other_tab = guest.page
    await guest.open(url)
    await guest.submit({"step": "book"}, to="send=1")
    assert "You are booked" in guest.text
    guest.page = other_tab
    assert said not in guest.text
    await guest.submit({"step": "book"}, to="send=1", status=422)
    assert said in guest.text
    assert 'id="f-first-error"' in guest.text, "where who comes instead is said"
    assert "<details open>" in guest.text
    assert len(await orders(services, lotus)) == 1
    await guest.submit({"step": "book", "first": "Dora"}, to="send=1")
    assert "You are booked" in guest.text
    await guest.open(url)
    assert said in guest.text, "before anything is sent"
    again = {"step": "book", "first": "dora "}
    await guest.submit(again, to="send=1", status=422)
    assert "has a place here already, by another booking of yours" in guest.text
    assert len(await orders(services, lotus)) == 2
    await guest.submit({"step": "book", "name": "Ben Friend", "first": ""}, to="send=1")
    home = (await guest.open("/b/lotus/me")).text
    assert "For Dora" in home
    assert "For Ben Friend" in home, "not the same as the first row"


async def test_a_stranger_learns_nothing_of_what_an_address_has_booked(
    guest: Visitor, services: Services, lotus: Business, session: Session, carl: UUID
) -> None:
    for _time in range(2):
        await guest.open(subject("session", session.id))
        assert "already" not in guest.text
        await guest.submit({**TYPED, "name": "Carl Guest"}, to="send=1")
        assert "You are booked" in guest.text
    assert {order.customer_id for order in await orders(services, lotus)} == {carl}
