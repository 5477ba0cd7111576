"""Moving a session with guests: the page that says what it means, and what comes of it."""

from datetime import UTC, datetime, timedelta

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import select, text

from src.booking.models import Seat, Service, Session
from src.platform.services import Services
from tests.booking.commands.places import a_performer, a_room
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_sessions import HOUR
from tests.booking.jobs.test_changes import change
from tests.booking.web.conftest import Shop, subject
from tests.booking.web.pages import as_owner, fields_of, send, send_again
from tests.booking.web.test_guest_page import own_page
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio
AT = datetime(2027, 3, 8, 17, tzinfo=UTC)


async def a_stage(
    client: AsyncClient, services: Services, *, guests: int = 2
) -> tuple[Business, Service, Session]:
    """Olive at her dashboard, and a session on Monday the 8th of March at six with guests."""
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id, price_type="on_site")
    session = await a_session(services.uow_factory, service, starts_at=AT)
    for number in range(guests):
        wish = a_wish(
            "session",
            session.id,
            guest_email=f"g{number}@example.com",
            guest_name=f"Guest {number}",
        )
        await booked(services.uow_factory, business, wish)
    await work(services, business.id)
    await as_owner(client, services, business)
    return business, service, session


async def now_of(services: Services, session: Session) -> Session:
    async with services.uow_factory(session.tenant_id) as uow:
        return await uow.session.get_one(Session, (session.tenant_id, session.id))


def typed(start: str, hours: int = 1) -> dict[str, str]:
    starts_at = datetime.fromisoformat(start)
    ends_at = starts_at + timedelta(hours=hours)
    return {"starts_at": start, "ends_at": ends_at.isoformat(timespec="minutes")}


async def confirm(client: AsyncClient, path: str, shown: Response, **more: str) -> Response:
    return await send_again(client, path, shown, more)


async def test_what_it_means_is_said_first_and_then_done(
    client: AsyncClient, services: Services, mailer: RememberingMailer
) -> None:
    business, _service, session = await a_stage(client, services)
    path = f"/app/lotus/sessions/{session.id}/edit"
    shown = await send(client, path, {**typed("2027-03-09T19:00"), "title": "Basics"})
    assert shown.status_code == 200
    for words in (
        "Move this session and its guests?",
        "Mon, Mar 8, 2027, 6:00\u202fPM\N{EN DASH}7:00\u202fPM",
        "Tue, Mar 9, 2027, 7:00\u202fPM\N{EN DASH}8:00\u202fPM",
        "2 seats of 2 guests, kept at the same price",
        "2, one to each guest",
        "Guest 0",
        "may leave without any charge",
    ):
        assert words in shown.text
    assert "they change in between" not in shown.text
    assert (await now_of(services, session)).sequence == 0, "nothing is done yet"
    assert len(fields_of(shown, path)["_csrf_token"]) == 1
    done = await confirm(client, path, shown, reason="The hall is taken")
    assert done.headers["location"] == f"/app/lotus/sessions/{session.id}"
    moved = await now_of(services, session)
    assert (moved.starts_at, moved.title, moved.sequence) == (AT + 25 * HOUR, "Basics", 1)
    await work(services, business.id)
    told = [mail for mail in mailer.sent if mail.subject.startswith("Changed")]
    assert len(told) == 2
    assert all("Why: The hall is taken" in mail.body for mail in told)
    page = (await client.get(done.headers["location"])).text
    assert "Its guests are told by mail." in page
    assert page.count("Mon, Mar 8, 2027, 6:00\u202fPM\N{EN DASH}7:00\u202fPM") == 1, "its history"
    assert "The hall is taken" in page


async def test_a_new_place_is_said_with_the_new_time(
    client: AsyncClient, services: Services
) -> None:
    business, _service, session = await a_stage(client, services)
    garden = await a_room(services.uow_factory, business, "Garden")
    path = f"/app/lotus/sessions/{session.id}/edit"
    there = {**typed("2027-03-09T19:00"), "location_id": str(garden.id)}
    shown = await send(client, path, there)
    assert "now no place, then Garden" in shown.text
    done = await confirm(client, path, shown)
    assert "Moved: time, place" in (await client.get(done.headers["location"])).text


async def test_a_session_nobody_booked_moves_at_once(
    client: AsyncClient, services: Services, mailer: RememberingMailer
) -> None:
    business, _service, session = await a_stage(client, services, guests=0)
    path = f"/app/lotus/sessions/{session.id}/edit"
    assert (await send(client, path, typed("2027-03-09T19:00"))).status_code == 303
    assert (await now_of(services, session)).starts_at == AT + 25 * HOUR
    await work(services, business.id)
    assert mailer.sent == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (typed("2027-02-20T18:00"), "This start has passed"),
        (typed("2027-03-09T18:00", hours=-1), "The end must come after the start."),
        (typed("2027-03-10T18:00", hours=2), "Already taken then by"),
    ],
)
async def test_where_it_cannot_go_is_said_before_anything_is_asked(
    client: AsyncClient, services: Services, changes: dict[str, str], sentence: str
) -> None:
    business, service, session = await a_stage(client, services)
    performer = await a_performer(services.uow_factory, business)
    other = f"/app/lotus/services/{service.id}/sessions/new"
    await send(client, other, {**typed("2027-03-10T19:00"), "performer_id": str(performer.id)})
    path = f"/app/lotus/sessions/{session.id}/edit"
    answer = await send(client, path, {**changes, "performer_id": str(performer.id)})
    assert answer.status_code == 422
    assert sentence in answer.text
    now = await now_of(services, session)
    assert (now.starts_at, now.performer_id, now.sequence) == (AT, None, 0)


async def test_a_time_that_does_not_exist_is_said_before_the_move(
    client: AsyncClient, services: Services
) -> None:
    _business, _service, session = await a_stage(client, services)
    path = f"/app/lotus/sessions/{session.id}/edit"
    shown = await send(client, path, typed("2027-03-28T02:30", hours=2))
    assert "The clocks skip 02:30 that day, so it was moved forward" in shown.text
    assert "they change in between, from CET to CEST" in shown.text
    await confirm(client, path, shown)
    moved = await now_of(services, session)
    assert moved.starts_at == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)


async def test_its_place_in_the_series_and_the_deadlines_are_said(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id, min_notice_minutes=60)
    term = await a_series(services.uow_factory, service, price_type="on_site")
    await booked(services.uow_factory, business, a_wish("series", term.series.id))
    await as_owner(client, services, business)
    path = f"/app/lotus/sessions/{term.sessions[0].id}/edit"
    shown = await send(client, path, typed("2027-03-16T18:00"))
    assert "date 1 of 3 in “Spring term”; it becomes date 2" in shown.text
    assert "The series can be joined until" in shown.text
    assert "Mon, Mar 15, 2027, 10:00\u202fAM" in shown.text
    assert "Bookable until" in shown.text
    assert "Tue, Mar 16, 2027, 5:00\u202fPM" in shown.text


async def test_what_changed_while_the_page_was_open_is_looked_at_again(
    client: AsyncClient, services: Services
) -> None:
    _business, _service, session = await a_stage(client, services)
    path = f"/app/lotus/sessions/{session.id}/edit"
    shown = await send(client, path, typed("2027-03-09T19:00"))
    await send(client, path, {"title": "Basics"})
    answer = await confirm(client, path, shown)
    assert answer.status_code == 409
    assert "This session has just changed." in answer.text
    assert fields_of(answer, path)["starts_at"] == ["2027-03-09T19:00"], "what was typed is kept"
    now = await now_of(services, session)
    assert (now.starts_at, now.title) == (AT, "Basics")


async def test_who_has_no_address_is_to_be_called(client: AsyncClient, services: Services) -> None:
    business, _service, session = await a_stage(client, services)
    async with services.uow_factory(business.id) as uow:
        await uow.session.execute(
            text("UPDATE orders SET guest_email = '' WHERE guest_name = 'Guest 0'")
        )
    path = f"/app/lotus/sessions/{session.id}/edit"
    shown = await send(client, path, typed("2027-03-09T19:00"))
    assert "1 guest has no address and must be called" in shown.text


async def test_a_guest_in_checkout_is_named_in_what_it_means(
    client: AsyncClient, services: Services
) -> None:
    business, _service, session = await a_stage(client, services)
    async with services.uow_factory(business.id) as uow:
        seat = await uow.session.scalar(select(Seat).limit(1))
        assert seat is not None
        seat.state = "held"
    path = f"/app/lotus/sessions/{session.id}/edit"
    shown = await send(client, path, typed("2027-03-09T19:00"))
    assert "1 seat of 1 guest, kept at the same price" in shown.text
    assert "1 seat is held and not paid yet" in shown.text


@pytest.mark.slow
async def test_who_pays_after_the_move_reads_both_times_and_may_leave(
    shop: Shop, mailer: RememberingMailer
) -> None:
    service = await a_service(shop.services.uow_factory, shop.business.id)
    session = await a_session(shop.services.uow_factory, service, starts_at=AT)
    sent = await shop.book(subject("session", session.id))
    await change(shop.services, shop.business, session.id, by=25 * HOUR)
    await shop.work()
    assert mailer.sent == []
    own = await own_page(shop)
    held = await shop.guest.open(own)
    assert "Moved from Mon, Mar 8, 2027, 6:00\u202fPM" in held.text
    await shop.pay(sent.headers["location"])
    paid = await shop.guest.open(f"{own}?paid=1")
    assert "You are booked" in paid.text
    assert "without any charge" in paid.text
    await shop.work()
    [mail] = mailer.sent
    assert "Tue, Mar 9, 2027, 7:00\u202fPM" in mail.body
    assert "Before: Mon, Mar 8, 2027, 6:00\u202fPM" in mail.body


@pytest.mark.slow
async def test_the_guests_own_page_says_what_was_booked(shop: Shop, client: AsyncClient) -> None:
    uow_factory = shop.services.uow_factory
    service = await a_service(uow_factory, shop.business.id, price_type="free")
    session = await a_session(uow_factory, service, starts_at=AT, title="Basics")
    await shop.book(subject("session", session.id))
    own = await own_page(shop)
    before = await shop.guest.open(own)
    assert "Moved from" not in before.text
    assert "without any charge" not in before.text
    await as_owner(client, shop.services, shop.business)
    path = f"/app/lotus/sessions/{session.id}/edit"
    await send(client, path, {"title": "Advanced"})
    changed = await shop.guest.open(own)
    assert "When you booked: Basics" in changed.text
    assert "without any charge" not in changed.text
    await confirm(client, path, await send(client, path, typed("2027-03-09T19:00")))
    moved = await shop.guest.open(own)
    assert "Moved from Mon, Mar 8, 2027, 6:00\u202fPM\N{EN DASH}7:00\u202fPM · Basics" in moved.text
    assert "without any charge" in moved.text


async def test_nobody_buys_a_date_that_moved_while_the_form_was_open(shop: Shop) -> None:
    uow_factory = shop.services.uow_factory
    service = await a_service(uow_factory, shop.business.id, price_type="free")
    session = await a_session(uow_factory, service, starts_at=AT)
    await shop.guest.open(subject("session", session.id))
    await change(shop.services, shop.business, session.id, by=25 * HOUR)
    refused = await shop.send()
    assert refused.status_code == 409
    assert "The dates have just changed." in refused.text
    assert "Tue, Mar 9, 2027, 7:00\u202fPM" in refused.text
    async with uow_factory(shop.business.id) as uow:
        assert (await uow.session.scalars(select(Seat))).all() == []
    shop.guest.page = refused
    assert (await shop.send()).status_code == 303
    page = await shop.guest.open(await own_page(shop))
    assert "Moved from" not in page.text
    assert "without any charge" not in page.text
