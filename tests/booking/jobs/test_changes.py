"""A session changes: each guest is told once, of what they knew and of what is so now."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import recurring_ical_events
from icalendar import Calendar, Event
from litestar_email import EmailMultiAlternatives
from sqlalchemy import select, text, update

from src.booking.commands.cancel import cancel_session, undo_cancellation
from src.booking.commands.cancel_seats import cancel_seats
from src.booking.commands.sessions import UpdateSession, update_session
from src.booking.events import CustomerAffected, SessionsChanged
from src.booking.jobs import changes
from src.booking.models import Seat, Service, Session, SessionChange
from src.platform.jobs.delivery import Delivery
from src.platform.outbox.events import registry
from src.platform.services import Services
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.commands.wordings import word_mail
from src.tenants.domain.wording import Wording
from src.tenants.events import TimezoneChanged
from tests.booking.commands.places import a_room
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_sessions import HOUR
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import CLAIM, waiting, work
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory, contact_email="hello@lotus.example")


@pytest.fixture
async def yoga(services: Services, lotus: Business) -> Service:
    return await a_service(services.uow_factory, lotus.id, price_type="free")


async def change(services: Services, business: Business, session_id: UUID, **more: Any) -> None:
    """The session as it is but for what is given; `by` moves it."""
    by = more.pop("by", timedelta(0))
    async with services.uow_factory(business.id) as uow:
        now = await uow.session.get_one(Session, (business.id, session_id))
        kept = ("title", "capacity", "mode", "meeting_url", "location_id", "performer_id")
        values = {name: getattr(now, name) for name in kept}
        values |= {"starts_at": now.starts_at + by, "ends_at": now.ends_at + by, **more}
        cmd = UpdateSession(session_id=session_id, move_guests=True, **values)
        await update_session(uow, business.ctx, cmd)


async def guests_of(
    services: Services, business: Business, session_id: UUID, *names: str, **more: Any
) -> None:
    """They book, and their confirmations have left."""
    for name in names:
        email = f"{name}@example.com"
        wish = a_wish("session", session_id, guest_email=email, guest_name=name.title(), **more)
        await booked(services.uow_factory, business, wish)
    await work(services, business.id)


def told(mailer: RememberingMailer) -> list[EmailMultiAlternatives]:
    """The mails about changes, in order; the others are those about bookings."""
    return [mail for mail in mailer.sent if mail.subject.startswith("Changed")]


def events(mail: EmailMultiAlternatives) -> list[Event]:
    [(_name, content, _kind)] = mail.attachments
    calendar = Calendar.from_ical(content)
    first = min(event["DTSTART"].dt for event in calendar.walk("VEVENT"))
    found = recurring_ical_events.of(calendar).between(first, first + timedelta(days=400))
    return sorted(found, key=lambda event: event["DTSTART"].dt)


async def test_everyone_with_a_seat_is_told_old_and_new_once(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    session = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, session.id, "carl", "dora")
    [before] = events(mailer.sent[0])
    await change(services, lotus, session.id, by=2 * HOUR, reason="The hall is taken")
    await work(services, lotus.id)
    to_carl, to_dora = told(mailer)
    assert {*to_carl.to, *to_dora.to} == {"Carl <carl@example.com>", "Dora <dora@example.com>"}
    carls = next(mail for mail in (to_carl, to_dora) if "carl" in mail.to[0])
    lines = [line.strip() for line in carls.body.splitlines()]
    assert "- Mon, Mar 8, 2027, 12:00\u202fPM\N{EN DASH}1:00\u202fPM" in lines
    assert "Before: Mon, Mar 8, 2027, 10:00\u202fAM\N{EN DASH}11:00\u202fAM" in lines
    assert "Why: The hall is taken" in lines
    assert "without any charge" in carls.body
    assert "dora" not in (carls.body + str(carls.alternatives)).lower()
    [after] = events(carls)
    assert str(after["UID"]) == str(before["UID"])
    assert int(after["SEQUENCE"]) == int(before["SEQUENCE"]) + 1
    assert after["DTSTART"].dt == before["DTSTART"].dt + 2 * HOUR
    assert after["STATUS"] == "CONFIRMED"


async def test_own_words_have_what_was_said_before(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    words = Wording(subject="Changed", body="Not {before} any more. {reason}\n\n{dates}")
    async with services.uow_factory(lotus.id) as uow:
        await word_mail(uow, lotus.ctx, "sessions_changed", "en", words)
    session = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, session.id, "carl")
    await change(services, lotus, session.id, by=2 * HOUR, reason="The hall is taken.")
    await work(services, lotus.id)
    [mail] = told(mailer)
    was = "Mon, Mar 8, 2027, 10:00 AM\N{EN DASH}11:00 AM"
    assert f"Not {was} any more. The hall is taken." in mail.body


@pytest.mark.parametrize("facet", ["title", "place", "link"])
async def test_another_title_room_or_link_is_told_too(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service, facet: str
) -> None:
    room = await a_room(services.uow_factory, lotus)
    other = await a_room(services.uow_factory, lotus, "Studio 2")
    online = {"mode": "online", "meeting_url": "https://meet.example/old"}
    begins = {"title": "Basics"} | (online if facet == "link" else {"location_id": room.id})
    session = await a_session(services.uow_factory, yoga, **begins)
    await guests_of(services, lotus, session.id, "carl")
    more = {
        "title": {"title": "Advanced"},
        "place": {"location_id": other.id},
        "link": {"meeting_url": "https://meet.example/new"},
    }[facet]
    await change(services, lotus, session.id, **more)
    await work(services, lotus.id)
    [mail] = told(mailer)
    before, now = {
        "title": ("Before: Basics", "Advanced"),
        "place": ("Before: Studio 1", "Studio 2"),
        "link": ("Before: another link to join", "https://meet.example/new"),
    }[facet]
    assert before in mail.body
    assert now in mail.body
    assert "without any charge" not in mail.body, "only a move is a way out"


async def test_more_seats_and_another_teacher_are_no_news(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    session = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, session.id, "carl")
    await change(services, lotus, session.id, capacity=30)
    assert await waiting(services, lotus.id) == []
    assert told(mailer) == []


async def test_the_same_work_twice_tells_nobody_twice(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    session = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, session.id, "carl", "dora")
    await change(services, lotus, session.id, by=HOUR)
    async with services.uow_factory(lotus.id) as uow:
        action_id = await uow.session.scalar(select(SessionChange.action_id))
        customers = (await uow.session.execute(text("SELECT id FROM customers"))).scalars()
        uow.record(SessionsChanged(action_id=action_id))
        for customer_id in customers:
            uow.record(CustomerAffected(action_id=action_id, customer_id=customer_id))
    await work(services, lotus.id)
    assert len(told(mailer)) == 2
    assert await waiting(services, lotus.id) == []


async def test_many_guests_are_gone_through_in_chunks(
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(changes, "CHUNK_BOOKINGS", 2)
    session = await a_session(services.uow_factory, yoga)
    names = ("ann", "bob", "carl", "dora", "emil")
    await guests_of(services, lotus, session.id, *names)
    await change(services, lotus, session.id, by=HOUR)
    await work(services, lotus.id)
    assert sorted(mail.to[0].split(" ")[0].lower() for mail in told(mailer)) == list(names)


async def test_two_edits_before_the_first_is_told_are_one_mail(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    session = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, session.id, "carl")
    await change(services, lotus, session.id, by=HOUR)
    await change(services, lotus, session.id, by=HOUR, title="Advanced")
    await work(services, lotus.id)
    [mail] = told(mailer)
    assert "12:00\u202fPM\N{EN DASH}1:00\u202fPM, Advanced" in mail.body
    assert "10:00\u202fAM" in mail.body, "what the guest knew, not what stood in between"
    assert "Before: Mon, Mar 8, 2027, 11:00" not in mail.body


async def test_there_and_back_before_anybody_heard_is_no_news(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    session = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, session.id, "carl")
    await change(services, lotus, session.id, by=HOUR)
    await change(services, lotus, session.id, by=-HOUR)
    await work(services, lotus.id)
    assert told(mailer) == []
    await change(services, lotus, session.id, by=HOUR)
    await work(services, lotus.id)
    assert len(told(mailer)) == 1


async def test_each_of_two_told_changes_says_what_was_told_before(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    session = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, session.id, "carl")
    for _ in range(2):
        await change(services, lotus, session.id, by=HOUR)
        await work(services, lotus.id)
    first, second = told(mailer)
    assert "Before: Mon, Mar 8, 2027, 10:00" in first.body
    assert "Before: Mon, Mar 8, 2027, 11:00" in second.body
    assert [int(events(mail)[0]["SEQUENCE"]) for mail in (first, second)] == [1, 2]


async def test_a_party_with_two_orders_gets_one_mail_and_an_entry_for_each_seat(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    session = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, session.id, "carl", party=("Carl", "Cora"))
    await guests_of(services, lotus, session.id, "carl", party=("Cleo",))
    await change(services, lotus, session.id, by=HOUR)
    await work(services, lotus.id)
    [mail] = told(mailer)
    assert mail.body.count("Before:") == 1
    seats = await seats_of(services.uow_factory, lotus.id)
    uids = {str(event["UID"]) for event in events(mail)}
    assert uids == {f"seat-{seat.id}@testserver.local" for seat in seats}
    assert {seat.told_sequence for seat in seats} == {1}


async def test_other_dates_of_a_series_are_left_alone(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    term = await a_series(services.uow_factory, yoga, price_type="free")
    await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await work(services, lotus.id)
    await change(services, lotus, term.sessions[1].id, by=HOUR)
    await work(services, lotus.id)
    [mail] = told(mailer)
    [event] = events(mail)
    assert event["DTSTART"].dt == term.sessions[1].starts_at + HOUR


async def test_another_clock_is_one_mail_however_many_dates_move(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    term = await a_series(services.uow_factory, yoga, sessions=4, price_type="free")
    await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(text("UPDATE tenants SET timezone = 'Europe/London'"))
        uow.record(TimezoneChanged(old="Europe/Amsterdam", new="Europe/London", keep="wall_clock"))
    await work(services, lotus.id)
    [mail] = told(mailer)
    assert "Before: Mon, Mar 8, 2027, 10:00\u202fAM\N{EN DASH}11:00\u202fAM (Europe/Amsterdam)" in (
        mail.body
    )
    starts = [event["DTSTART"].dt for event in events(mail)]
    assert starts == [session.starts_at + HOUR for session in term.sessions]


async def test_who_is_no_longer_coming_is_not_written_to(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    session = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, session.id, "carl", "dora")
    gone = (await seats_of(services.uow_factory, lotus.id))[0]
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Seat).where(Seat.id == gone.id).values(state="cancelled"))
    await change(services, lotus, session.id, by=HOUR)
    await work(services, lotus.id)
    assert len(told(mailer)) == 1


async def test_what_is_over_when_the_work_is_done_is_no_news(
    services: Services,
    mailer: RememberingMailer,
    clock: FrozenClock,
    lotus: Business,
    yoga: Service,
) -> None:
    session = await a_session(services.uow_factory, yoga, in_days=1)
    await guests_of(services, lotus, session.id, "carl")
    await change(services, lotus, session.id, title="Advanced")
    clock.advance(timedelta(days=2))
    await work(services, lotus.id)
    assert told(mailer) == []


async def test_a_guest_who_confirms_after_a_move_reads_of_it_in_the_confirmation(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    session = await a_session(services.uow_factory, yoga)
    wish = a_wish("session", session.id, party=("Carl", "Cora"))
    await booked(services.uow_factory, lotus, wish)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Seat).values(state="held"))
        await uow.session.execute(
            text("UPDATE outbox SET available_at = available_at + interval '1 hour'")
        )
    await change(services, lotus, session.id, by=HOUR)
    await work(services, lotus.id)
    assert mailer.sent == []
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Seat).values(state="confirmed"))
        await uow.session.execute(
            text("UPDATE outbox SET available_at = available_at - interval '1 hour'")
        )
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert mail.subject.startswith("You are booked")
    assert "11:00\u202fAM\N{EN DASH}12:00\u202fPM" in mail.body
    assert "Before: Mon, Mar 8, 2027, 10:00" in mail.body
    assert "without any charge" in mail.body
    assert {seat.told_sequence for seat in await seats_of(services.uow_factory, lotus.id)} == {1}


async def test_while_it_is_being_cancelled_nobody_is_told_and_after_an_undo_all_are(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    session = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, session.id, "carl")
    await change(services, lotus, session.id, by=HOUR)
    async with services.uow_factory(lotus.id) as uow:
        cancellation_id = await cancel_session(
            uow, lotus.ctx, session.id, reason="", undo_seconds=60
        )
    await work(services, lotus.id)
    assert told(mailer) == []
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, cancellation_id)
    await work(services, lotus.id)
    assert len(told(mailer)) == 1


async def test_who_of_a_party_is_being_cancelled_is_told_of_with_the_others_and_not_again(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    session = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, session.id, "carl", party=("Carl", "Cora"))
    await change(services, lotus, session.id, by=HOUR)
    seats = await seats_of(services.uow_factory, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        cancellation_id = await cancel_seats(
            uow, lotus.ctx, session.id, [seats[1].id], reason="", undo_seconds=60
        )
    await work(services, lotus.id)
    [mail] = told(mailer)
    assert len(events(mail)) == 2, "the calendar has it where it is if it is undone"
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, cancellation_id)
    await work(services, lotus.id)
    assert told(mailer) == [mail]
    told_of = {seat.told_sequence for seat in await seats_of(services.uow_factory, lotus.id)}
    assert told_of == {1}


async def test_two_customers_who_are_merged_meanwhile_are_told_as_one(
    services: Services, lotus: Business, yoga: Service, mailer: RememberingMailer
) -> None:
    session = await a_session(services.uow_factory, yoga)
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    kept = await a_customer(services.uow_factory, lotus, email="karl@example.com")
    await work(services, lotus.id)
    mailer.sent.clear()
    await change(services, lotus, session.id, by=HOUR)
    # Only the first of the jobs: the customer is found, and has not been told yet.
    async with services.uow_factory(lotus.id) as uow:
        [row] = (await uow.session.execute(CLAIM, {"now": services.clock.now()})).all()
    delivery = Delivery(registry, services.uow_factory, services.clock, services)
    await delivery.deliver(lotus.id, row.id, row.attempts)
    async with services.uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, made.order.customer_id, kept)
    await work(services, lotus.id)
    assert len(mailer.sent) == 1
