"""One code for a whole booking leads to today's places, for members of its business alone."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import update

from src.billing.models import Order
from src.booking.check_in_codes import check_in_code
from src.booking.commands.book import Booked
from src.booking.domain.service_rules import LARGEST_PARTY
from src.booking.guest_links import booking_path
from src.booking.models import Seat, Session
from src.platform.services import Services
from src.tenants.domain.roles import Role
from src.tenants.models import Tenant
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.web.pages import as_owner, fields_of
from tests.support.builders import (
    Business,
    Term,
    a_business,
    a_member,
    a_series,
    a_service,
    a_session,
)
from tests.support.clock import FrozenClock
from tests.support.gaps import a_course
from tests.support.mail import RememberingMailer
from tests.support.work import work
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

BY_SCRIPT = {"HX-Request": "true"}


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def term(services: Services, lotus: Business) -> Term:
    """Three free weekly dates, the first in a week."""
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    return await a_series(services.uow_factory, service, price_type="free", price_minor=0)


async def a_code(services: Services, business: Business, made: Booked) -> str:
    async with services.uow_factory(business.id) as uow:
        order = await uow.session.get_one(Order, (business.id, made.order_id))
        return check_in_code(services.settings, order)


async def a_page(services: Services, business: Business, made: Booked) -> str:
    async with services.uow_factory(business.id) as uow:
        order = await uow.session.get_one(Order, (business.id, made.order_id))
        return booking_path(services.settings, business.slug, order)


@pytest.fixture
async def made(services: Services, lotus: Business, term: Term) -> Booked:
    wish = a_wish("series", term.series.id, party=("Carl", "Kid"))
    return await booked(services.uow_factory, lotus, wish)


async def states_of(services: Services, business: Business) -> list[str]:
    return [seat.state for seat in await seats_of(services.uow_factory, business.id)]


async def press(client: AsyncClient, path: str, seat_ids: list[UUID], wanted: str) -> int:
    token = fields_of(await client.get(path))["_csrf_token"]
    sent = {"_csrf_token": token, "wanted": wanted, "seat_ids": [str(one) for one in seat_ids]}
    return (await client.post(path, data=sent)).status_code


async def read_by_camera(client: AsyncClient, code: str, **headers: str) -> Response:
    token = fields_of(await client.get("/app/lotus/check-in"))["_csrf_token"]
    sent = {"_csrf_token": token, "code": code}
    return await client.post("/app/lotus/check-in", data=sent, headers=headers)


async def test_one_code_checks_in_each_date_on_its_day(
    client: AsyncClient, services: Services, lotus: Business, made: Booked, clock: FrozenClock
) -> None:
    code = await a_code(services, lotus, made)
    path = f"/app/lotus/check-in/{code}"
    for week in range(3):
        clock.advance(timedelta(days=7))
        await as_owner(client, services, lotus)
        shown = await client.get(path)
        assert "All 2 are here" in shown.text
        ids = [seat.id for seat in await seats_of(services.uow_factory, lotus.id)]
        today = ids[2 * week : 2 * week + 2]
        assert all(str(one) in shown.text for one in today)
        assert await press(client, path, today, "attended") == 303
    assert await states_of(services, lotus) == ["attended"] * 6


async def test_a_tick_by_code_is_taken_back_and_done_once(
    client: AsyncClient, services: Services, lotus: Business, made: Booked, clock: FrozenClock
) -> None:
    code = await a_code(services, lotus, made)
    path = f"/app/lotus/check-in/{code}"
    clock.advance(timedelta(days=7))
    await as_owner(client, services, lotus)
    ids = [seat.id for seat in await seats_of(services.uow_factory, lotus.id)]
    assert await press(client, path, ids[:1], "attended") == 303
    assert "1 person is checked in." in (await client.get(path)).text
    assert await press(client, path, ids[:1], "attended") == 303
    assert "That was done already." in (await client.get(path)).text
    assert await press(client, path, ids[:1], "confirmed") == 303
    assert await states_of(services, lotus) == ["confirmed"] * 6
    assert await press(client, path, ids[2:3], "attended") == 404, "next week's place"


async def test_a_party_as_large_as_can_book_is_ticked_at_once(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    many = {"price_type": "free", "max_party": LARGEST_PARTY}
    service = await a_service(services.uow_factory, lotus.id, **many)
    session = await a_session(services.uow_factory, service, in_days=0.05, capacity=LARGEST_PARTY)
    party = tuple(f"Guest {number}" for number in range(LARGEST_PARTY))
    wish = a_wish("session", session.id, party=party)
    code = await a_code(services, lotus, await booked(services.uow_factory, lotus, wish))
    path = f"/app/lotus/check-in/{code}"
    await as_owner(client, services, lotus)
    assert "All 100 are here" in (await client.get(path)).text
    ids = [seat.id for seat in await seats_of(services.uow_factory, lotus.id)]
    assert await press(client, path, ids, "attended") == 303
    assert await states_of(services, lotus) == ["attended"] * LARGEST_PARTY


async def test_people_are_called_as_on_the_roster_in_the_order_of_the_party(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    tiers = [{"key": "student", "name": "Student", "price_minor": 900}]
    service = await a_service(
        services.uow_factory, lotus.id, price_type="on_site", price_tiers=tiers
    )
    session = await a_session(services.uow_factory, service, in_days=0.05)
    wish = a_wish("session", session.id, party=("", "", "Abe"), tiers=("full", "student", "full"))
    made = await booked(services.uow_factory, lotus, wish)
    await as_owner(client, services, lotus)
    page = await client.get(f"/app/lotus/check-in/{await a_code(services, lotus, made)}")
    names = re.findall(r'aria-label="Here: ([^"]+)"', page.text)
    assert names == ["Carl", "Carl, person 2", "Abe"]
    assert page.text.count(">Student<") == 1


async def test_a_session_that_refuses_leaves_the_others_ticks_told(
    client: AsyncClient, services: Services, lotus: Business, term: Term, made: Booked
) -> None:
    soon = services.clock.now() + timedelta(hours=1)
    first, second, _third = term.sessions
    for one, state in ((first, "cancelling"), (second, "scheduled")):
        values = {"starts_at": soon, "ends_at": soon + timedelta(hours=1), "state": state}
        async with services.uow_factory(lotus.id) as uow:
            await uow.session.execute(update(Session).where(Session.id == one.id).values(**values))
    await as_owner(client, services, lotus)
    path = f"/app/lotus/check-in/{await a_code(services, lotus, made)}"
    ids = [seat.id for seat in await seats_of(services.uow_factory, lotus.id)]
    assert await press(client, path, ids[:4], "attended") == 303
    told = (await client.get(path)).text
    assert "2 people are checked in. This session is cancelled" in told
    assert (await states_of(services, lotus)).count("attended") == 2


@pytest.mark.parametrize("chosen", [[], ["no-place"]], ids=["nobody", "no place"])
async def test_a_tick_of_nobody_is_not_said_to_be_done(
    client: AsyncClient, services: Services, lotus: Business, made: Booked, chosen: list[str]
) -> None:
    path = f"/app/lotus/check-in/{await a_code(services, lotus, made)}"
    await as_owner(client, services, lotus)
    token = fields_of(await client.get("/app/lotus/check-in"))["_csrf_token"]
    sent = {"_csrf_token": token, "wanted": "attended", "seat_ids": chosen}
    told = await client.post(path, data=sent, headers=BY_SCRIPT)
    assert told.status_code == 422
    assert "Nobody was chosen, so nothing was changed." in told.text
    assert (await client.post(path, data=sent)).status_code == 303
    assert "Nobody was chosen, so nothing was changed." in (await client.get(path)).text


async def test_on_another_day_the_dates_are_told(
    client: AsyncClient, services: Services, lotus: Business, made: Booked
) -> None:
    await as_owner(client, services, lotus)
    shown = (await client.get(f"/app/lotus/check-in/{await a_code(services, lotus, made)}")).text
    assert "This booking has no place today." in shown
    assert shown.count("10:00") == 3
    assert 'value="attended"' not in shown


async def test_a_cancelled_booking_says_so(
    client: AsyncClient, services: Services, lotus: Business, made: Booked
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Seat).values(state="cancelled"))
    await as_owner(client, services, lotus)
    code = await a_code(services, lotus, made)
    assert "This booking is cancelled" in (await client.get(f"/app/lotus/check-in/{code}")).text
    assert "This booking is cancelled" in (await read_by_camera(client, code, **BY_SCRIPT)).text


@pytest.mark.parametrize(
    ("state", "why", "said"),
    [
        ("open", None, "This booking is not paid for yet"),
        ("expired", "expired", "This booking was not paid in time"),
        ("cancelled", "released", "were released before they were paid for"),
        ("cancelled", "given_up", "This booking was given up before it was paid for"),
        ("cancelled", "session", "This booking is cancelled"),
    ],
)
async def test_a_booking_without_a_place_says_once_why(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    made: Booked,
    state: str,
    why: str | None,
    said: str,
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Seat).values(state="expired"))
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
        order.state, order.closed_why = state, why
        order.hold_expires_at = services.clock.now()
    await as_owner(client, services, lotus)
    code = await a_code(services, lotus, made)
    for shown in (
        await client.get(f"/app/lotus/check-in/{code}"),
        await read_by_camera(client, code, **BY_SCRIPT),
    ):
        assert shown.text.count(said) == 1
        assert "no place today" not in shown.text


async def test_whoever_is_no_member_learns_nothing_and_members_come_to_the_door(
    client: AsyncClient, services: Services, lotus: Business, made: Booked
) -> None:
    code = await a_code(services, lotus, made)
    opened = await client.get(f"/c/lotus/{code}")
    assert opened.status_code == 200
    assert "Show this code at the door" in opened.text
    assert f"/sign-in?next=%2Fc%2Flotus%2F{code}" in opened.text
    assert "Carl" not in opened.text
    assert "/bookings/" not in opened.text, "the guest's own link"
    await as_owner(client, services, lotus)
    opened = await client.get(f"/c/lotus/{code}")
    assert opened.headers["location"] == f"/app/lotus/check-in/{code}"


async def test_while_the_business_is_suspended_the_code_stays(
    client: AsyncClient, services: Services, lotus: Business, made: Booked
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        (await uow.session.get_one(Tenant, lotus.id)).status = "suspended"
    page = await a_page(services, lotus, made)
    door = f"/c/lotus/{await a_code(services, lotus, made)}"
    for path in (page, f"{page}/code.svg", f"{page}/code.png", door):
        assert (await client.get(path)).status_code == 200, path


async def test_another_businesss_code_is_none(
    client: AsyncClient, services: Services, lotus: Business, made: Booked
) -> None:
    rival = await a_business(services.uow_factory, "rival", owner="Eve")
    code = await a_code(services, lotus, made)
    await as_owner(client, services, rival)
    for path in (f"/c/rival/{code}", f"/app/rival/check-in/{code}", f"/app/lotus/check-in/{code}"):
        assert (await client.get(path)).status_code == 404
    opened = await client.get(f"/c/lotus/{code}")
    assert "Show this code at the door" in opened.text
    await as_owner(client, services, lotus)
    for wrong in (code[:-1], code + "A", "x", "%00", "A" * 300):
        assert (await client.get(f"/app/lotus/check-in/{wrong}")).status_code == 404


async def test_a_code_is_typed_pasted_or_named_by_the_bookings_number(
    client: AsyncClient, services: Services, lotus: Business, made: Booked
) -> None:
    code = await a_code(services, lotus, made)
    async with services.uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
    await as_owner(client, services, lotus)
    assert (await client.get("/app/lotus/check-in")).status_code == 200
    for typed in (
        code,
        f"https://seatline.example/c/lotus/{code}/",
        f" {order.reference.lower()} ",
        order.reference.lower().replace("-", " "),
        order.reference.replace("-", ""),
    ):
        found = await client.get("/app/lotus/check-in", params={"code": typed})
        assert found.headers.get("location") == f"/app/lotus/check-in/{code}", typed
    none = await client.get("/app/lotus/check-in", params={"code": "<nothing>"})
    assert none.status_code == 404
    assert "There is no booking with this code." in none.text
    assert "&lt;nothing&gt;" in none.text


async def test_of_several_places_the_camera_chooses_none(
    client: AsyncClient, services: Services, lotus: Business, made: Booked, clock: FrozenClock
) -> None:
    code = await a_code(services, lotus, made)
    clock.advance(timedelta(days=7))
    await as_owner(client, services, lotus)
    shown = await read_by_camera(client, code, **BY_SCRIPT)
    assert "Choose who of them is here." in shown.text
    assert f'hx-post="/app/lotus/check-in/{code}"' in shown.text
    assert "All 2 are here" in shown.text
    assert await states_of(services, lotus) == ["confirmed"] * 6
    ids = [seat.id for seat in await seats_of(services.uow_factory, lotus.id)]
    token = fields_of(await client.get(f"/app/lotus/check-in/{code}"))["_csrf_token"]
    sent = {"_csrf_token": token, "wanted": "attended", "seat_ids": [str(one) for one in ids[:2]]}
    ticked = await client.post(f"/app/lotus/check-in/{code}", data=sent, headers=BY_SCRIPT)
    assert "2 people are checked in." in ticked.text
    assert "<html" not in ticked.text


@pytest.mark.slow
@pytest.mark.parametrize("whose", ["the course's", "the missing date's"])
async def test_either_code_of_a_course_opens_the_date_that_completes_it(
    client: AsyncClient, services: Services, lotus: Business, clock: FrozenClock, whose: str
) -> None:
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await course.free()
    made = await course.take(entry_id)
    await course.work()
    first, missing, _last = course.term.sessions
    scanned, other = (course.bought, made) if whose == "the course's" else (made, course.bought)
    path = f"/app/lotus/check-in/{await a_code(services, lotus, scanned)}"
    [seat] = await course.seats(made)
    for session, seats in ((first, await course.seats(course.bought)), (missing, [seat])):
        clock.advance(session.starts_at - clock.now())
        await as_owner(client, services, lotus)
        shown = await client.get(path)
        today = [one.id for one in seats if one.session_id == session.id]
        assert fields_of(shown)["seat_ids"] == [str(one) for one in today]
        assert shown.text.count("10:00") == 3, "today's place, and when the other two are"
        assert await press(client, path, today, "attended") == 303
    assert [one.state for one in await course.seats(made)] == ["attended"]
    owed = {made.order_id: "€20.00", course.bought.order_id: "€40.00"}
    said = (await client.get(path)).text
    assert f"Still to pay: {owed[scanned.order_id]}" in said
    assert f"Still to pay for booking {other.reference}: {owed[other.order_id]}" in said


async def test_the_camera_may_be_asked_for_on_that_page_alone(
    client: AsyncClient, services: Services, lotus: Business, made: Booked
) -> None:
    await as_owner(client, services, lotus)
    door = await client.get("/app/lotus/check-in")
    assert "camera=(self)" in door.headers["permissions-policy"]
    for path in ("/app/lotus/today", f"/app/lotus/check-in/{await a_code(services, lotus, made)}"):
        assert "camera=()" in (await client.get(path)).headers["permissions-policy"], path


async def test_an_instructor_finds_bookings_of_their_own_sessions_only(
    client: AsyncClient, services: Services, lotus: Business, made: Booked
) -> None:
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    performer = await a_performer(services.uow_factory, lotus, user_id=ivan.user_id)
    service = await a_service(services.uow_factory, lotus.id, slug="own", price_type="free")
    own = await a_session(services.uow_factory, service, in_days=0.1, performer_id=performer.id)
    wish = a_wish("session", own.id, guest_email="eva@example.com", guest_name="Eva")
    theirs = await booked(services.uow_factory, lotus, wish)
    await sign_in(client, services, ivan.user_id)
    other = await client.get(f"/app/lotus/check-in/{await a_code(services, lotus, made)}")
    assert other.status_code == 404
    shown = await client.get(f"/app/lotus/check-in/{await a_code(services, lotus, theirs)}")
    assert "Eva" in shown.text
    assert "/bookings/" not in shown.text
    for booking, status in ((made, 404), (theirs, 303)):
        async with services.uow_factory(lotus.id) as uow:
            order = await uow.session.get_one(Order, (lotus.id, booking.order_id))
        typed = await client.get("/app/lotus/check-in", params={"code": order.reference})
        assert typed.status_code == status
        assert ("no place in your sessions" in typed.text) is (booking is made)
        assert ("location" in typed.headers) is (booking is theirs)


async def test_the_picture_is_on_the_page_and_in_the_mail(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    made: Booked,
    mailer: RememberingMailer,
) -> None:
    await work(services, lotus.id)
    page = await a_page(services, lotus, made)
    [mail] = mailer.sent
    [address] = re.findall(r'src="([^"]+/code\.png)"', mail.alternatives[0][0])
    assert address.endswith(f"{page}/code.png")
    png = await client.get(f"{page}/code.png")
    assert (png.headers["content-type"], png.content[:4]) == ("image/png", b"\x89PNG")
    svg = await client.get(f"{page}/code.svg")
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert b"<svg" in svg.content
    assert (await client.get(f"{page}x/code.svg")).status_code == 404
