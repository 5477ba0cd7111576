"""One booking, one mail, one calendar file with every date."""

from datetime import timedelta

import pytest
import recurring_ical_events
from icalendar import Calendar
from sqlalchemy import text

from src.booking.commands.attendance import mark_attendance
from src.booking.domain.kinds import SeatState
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.support.builders import a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import waiting, work, work_together

pytestmark = pytest.mark.anyio


async def test_a_series_is_told_in_one_mail_with_one_file_of_all_dates(
    services: Services, mailer: RememberingMailer
) -> None:
    lotus = await a_business(services.uow_factory, contact_email="hello@lotus.example")
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, price_type="on_site", first_in_days=20)
    await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert mail.to == ["Carl <carl@example.com>"]
    assert mail.subject == "You are booked: Yoga · Spring term"
    assert "To pay on site: €60.00" in mail.body
    assert "A calendar file with every date is attached." in mail.body
    assert "It is the same for every date of this booking." in str(mail.alternatives)
    [(filename, content, kind)] = mail.attachments
    assert (filename, kind) == ("dates.ics", "text/calendar")
    calendar = Calendar.from_ical(content)
    assert calendar["METHOD"] == "PUBLISH"
    first = term.sessions[0].starts_at
    found = recurring_ical_events.of(calendar).between(first, first + timedelta(days=30))
    starts = sorted(event["DTSTART"].dt for event in found)
    assert starts == [session.starts_at for session in term.sessions], "over the clock change too"
    uids = {str(event["UID"]) for event in calendar.walk("VEVENT")}
    seats = await seats_of(services.uow_factory, lotus.id)
    assert uids == {f"seat-{seat.id}@testserver.local" for seat in seats}


async def test_nobody_elses_data_is_in_the_mail(
    services: Services, mailer: RememberingMailer
) -> None:
    lotus = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    for guest in ("carl", "dora"):
        wish = a_wish(
            "session", session.id, guest_email=f"{guest}@example.com", guest_name=guest.title()
        )
        await booked(services.uow_factory, lotus, wish)
    await work(services, lotus.id)
    to_carl = next(mail for mail in mailer.sent if "carl" in mail.to[0])
    said = to_carl.body + str(to_carl.alternatives) + to_carl.attachments[0][1].decode()
    assert "dora" not in said.lower()


async def test_a_single_date_has_a_calendar_file(
    services: Services, mailer: RememberingMailer
) -> None:
    lotus = await a_business(services.uow_factory, contact_email="hello@lotus.example")
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert "\nA calendar file is attached.\nQuestions? Write to hello@lotus.example." in mail.body
    assert "A calendar file is attached." in str(mail.alternatives)
    assert "Show this code at the door.</p>" in str(mail.alternatives)


async def test_each_of_a_party_has_an_entry_that_says_whose_it_is(
    services: Services, mailer: RememberingMailer
) -> None:
    lotus = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    await booked(services.uow_factory, lotus, a_wish("session", session.id, party=("Dora", "")))
    await work(services, lotus.id)
    titles = sorted(
        sorted(str(event["SUMMARY"]) for event in Calendar.from_ical(content).walk("VEVENT"))
        for mail in mailer.sent
        for _name, content, _kind in mail.attachments
    )
    assert titles == [["Yoga"], ["Yoga · Dora", "Yoga · Person 2"]]
    seats = await seats_of(services.uow_factory, lotus.id)
    uids = {
        str(event["UID"])
        for mail in mailer.sent
        for event in Calendar.from_ical(mail.attachments[0][1]).walk("VEVENT")
    }
    assert uids == {f"seat-{seat.id}@testserver.local" for seat in seats}


async def test_an_online_session_gives_its_address_only_to_the_booked(
    services: Services, mailer: RememberingMailer
) -> None:
    lotus = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(
        services.uow_factory, service, mode="online", meeting_url="https://meet.example/r"
    )
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    await work(services, lotus.id)
    assert "https://meet.example/r" in mailer.sent[0].body


async def test_a_confirmed_customer_is_established(services: Services) -> None:
    lotus = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        assert await uow.session.scalar(text("SELECT is_established FROM customers"))


async def test_those_told_together_get_what_each_would_get_alone(
    services: Services, mailer: RememberingMailer
) -> None:
    lotus = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    first, second = [await a_session(services.uow_factory, service) for _number in range(2)]
    wishes = [
        a_wish("session", first.id, guest_email="carl@example.com", guest_name="Carl"),
        a_wish("session", second.id, guest_email="dora@example.com", guest_name="Dora"),
        a_wish("session", second.id, guest_email="carl@example.com", guest_name="Carl"),
    ]
    orders = [(await booked(services.uow_factory, lotus, wish)).order for wish in wishes]
    await work_together(services, lotus.id)
    mails = sorted(mailer.sent, key=lambda mail: [one.reference in mail.body for one in orders])
    mails.reverse()
    assert [mail.to for mail in mails] == [
        ["Carl <carl@example.com>"],
        ["Dora <dora@example.com>"],
        ["Carl <carl@example.com>"],
    ]
    for mail, order in zip(mails, orders, strict=True):
        assert order.reference in mail.body
        assert sum(one.reference in mail.body for one in orders) == 1
        assert len(Calendar.from_ical(mail.attachments[0][1]).walk("VEVENT")) == 1
    async with services.uow_factory(lotus.id) as uow:
        established = await uow.session.scalars(text("SELECT is_established FROM customers"))
        assert established.all() == [True, True]
    assert await waiting(services, lotus.id) == []


async def test_a_date_that_was_missed_is_one_of_those_that_were_booked(
    services: Services, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    """The mail may leave late, or once more to a corrected address."""
    lotus = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, price_type="on_site")
    await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    first = term.sessions[0]
    clock.at = first.ends_at
    seats = await seats_of(services.uow_factory, lotus.id)
    [seat_id] = [one.id for one in seats if one.session_id == first.id]
    async with services.uow_factory(lotus.id) as uow:
        await mark_attendance(uow, lotus.ctx, first.id, [seat_id], SeatState.NO_SHOW)
    await work(services, lotus.id)
    [mail] = mailer.sent
    for day in (session.starts_at for session in term.sessions):
        assert f"{day:%b} {day.day}, " in mail.body
    [(_name, content, _kind)] = mail.attachments
    assert len(Calendar.from_ical(content).walk("VEVENT")) == len(term.sessions)


async def test_who_missed_the_only_date_before_the_mail_left_is_not_told_of_being_booked(
    services: Services, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    """Another who booked with them is."""
    lotus = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    missed = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    dora = a_wish("session", session.id, guest_name="Dora", guest_email="dora@example.com")
    await booked(services.uow_factory, lotus, dora)
    clock.at = session.ends_at
    seats = await seats_of(services.uow_factory, lotus.id)
    theirs = [seat.id for seat in seats if seat.order_id == missed.order_id]
    async with services.uow_factory(lotus.id) as uow:
        await mark_attendance(uow, lotus.ctx, session.id, theirs, SeatState.NO_SHOW)
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert mail.to == ["Dora <dora@example.com>"]
