"""Calendars that programs follow under a secret address."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import recurring_ical_events
from httpx import AsyncClient, Response
from icalendar import Calendar
from sqlalchemy import delete, select, update

from src.booking.commands.cancel import cancel_session
from src.booking.guest_links import booking_path
from src.booking.models import CalendarFeed, Seat, Session
from src.booking.web.feeds import MADE_BY_ORDER
from src.platform.services import Services
from src.tenants.domain.roles import Role
from src.tenants.models import Member
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import as_owner, send, send_again
from tests.support.builders import Business, a_business, a_member, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.work import work
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio
HOME = "/app/lotus/calendar/feeds"
AT = datetime(2027, 3, 8, 17, tzinfo=UTC)


async def made(client: AsyncClient, kind: str) -> str:
    """The path of a feed just made at the dashboard."""
    shown = await client.get(HOME)
    return path_in(await send_again(client, f"{HOME}/{kind}", shown, {}))


def path_in(shown: Response) -> str:
    assert shown.status_code == 200, shown.text
    assert shown.headers["cache-control"] == "private, no-store"
    found = re.search(r"://[^/]+(/b/lotus/feeds/[\w-]+/calendar\.ics)", shown.text)
    assert found is not None, shown.text
    return found[1]


def events(shown: Response) -> dict[str, Any]:
    assert shown.status_code == 200, shown.text
    assert shown.headers["content-type"].startswith("text/calendar")
    found = Calendar.from_ical(shown.content).walk("VEVENT")
    return {str(event["UID"]): event for event in found}


async def a_stage(services: Services) -> tuple[Business, Session, Session]:
    """Two sessions on a Monday, the first with a guest, the second led by nobody."""
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id, price_type="on_site")
    first = await a_session(services.uow_factory, service, starts_at=AT, title="Basics")
    second = await a_session(services.uow_factory, service, starts_at=AT + timedelta(hours=3))
    await booked(services.uow_factory, business, a_wish("session", first.id))
    await work(services, business.id)
    return business, first, second


async def change(services: Services, session: Session, **values: Any) -> None:
    async with services.uow_factory(session.tenant_id) as uow:
        await uow.session.execute(update(Session).where(Session.id == session.id).values(**values))


async def test_the_business_follows_all_sessions_with_counts_and_no_guests(
    client: AsyncClient, services: Services
) -> None:
    business, first, second = await a_stage(services)
    await as_owner(client, services, business)
    shown = await client.get(await made(client, "business"))
    found = events(shown)
    assert set(found) == {f"session-{one.id}@testserver.local" for one in (first, second)}
    event = found[f"session-{first.id}@testserver.local"]
    assert event["SUMMARY"] == "Yoga · Basics (1/10)"
    assert event["URL"].endswith(f"/app/lotus/sessions/{first.id}")
    assert (event["STATUS"], event["SEQUENCE"]) == ("CONFIRMED", 0)
    for guest in ("Carl", "carl@", "ATTENDEE"):
        assert guest not in shown.text
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H" in shown.text
    assert shown.text.startswith("BEGIN:VCALENDAR\r\n")
    assert shown.text.endswith("END:VEVENT\r\nEND:VCALENDAR\r\n")
    assert shown.text.count("BEGIN:VTIMEZONE") == 1


async def test_two_libraries_read_the_same_moments_from_it(
    client: AsyncClient, services: Services
) -> None:
    """Row 2-37: a calendar was off by the hours of the server's zone."""
    business, _first, _second = await a_stage(services)
    await as_owner(client, services, business)
    shown = await client.get(await made(client, "business"))
    expected = [AT, AT + timedelta(hours=3)]
    assert sorted(event["DTSTART"].dt for event in events(shown).values()) == expected
    calendar = Calendar.from_ical(shown.content)
    expanded = recurring_ical_events.of(calendar).between(AT.date(), AT.date() + timedelta(days=1))
    assert sorted(event["DTSTART"].dt for event in expanded) == expected


async def test_a_moved_session_keeps_its_uid_and_its_sequence_rises(
    client: AsyncClient, services: Services
) -> None:
    business, first, _second = await a_stage(services)
    await as_owner(client, services, business)
    path = await made(client, "business")
    uid = f"session-{first.id}@testserver.local"
    before = events(await client.get(path))[uid]
    later = {"starts_at": AT + timedelta(hours=1), "ends_at": AT + timedelta(hours=2)}
    await change(services, first, sequence=1, **later)
    after = events(await client.get(path))[uid]
    assert (before["SEQUENCE"], after["SEQUENCE"]) == (0, 1)
    assert after["DTSTART"].dt == AT + timedelta(hours=1)
    await change(services, first, state="cancelled", seats_taken=0, cancelled_at=AT)
    cancelled = events(await client.get(path))[uid]
    assert (cancelled["STATUS"], cancelled["SEQUENCE"]) == ("CANCELLED", 2)


async def test_what_has_not_changed_is_not_sent_again(
    client: AsyncClient, services: Services, clock: FrozenClock
) -> None:
    business, first, _second = await a_stage(services)
    await as_owner(client, services, business)
    path = await made(client, "business")
    sent = await client.get(path)
    clock.advance(timedelta(hours=2))
    again = await client.get(path)
    assert again.content == sent.content, "the same content is the same file"
    etag, modified = sent.headers["etag"], sent.headers["last-modified"]
    for header in ({"if-none-match": f'"other", W/{etag}'}, {"if-modified-since": modified}):
        unchanged = await client.get(path, headers=header)
        assert (unchanged.status_code, unchanged.content) == (304, b""), header
    await change(services, first, title="Advanced", sequence=1)
    for header in ({"if-none-match": etag}, {"if-modified-since": modified}):
        changed = await client.get(path, headers=header)
        assert changed.status_code == 200, header
        assert changed.headers["last-modified"] != modified


async def test_an_instructor_follows_what_they_lead_and_nothing_else(
    client: AsyncClient, services: Services
) -> None:
    business, first, _second = await a_stage(services)
    ivan = await a_member(services.uow_factory, business, "Ivan", Role.INSTRUCTOR)
    performer = await a_performer(services.uow_factory, business, user_id=ivan.user_id)
    await change(services, first, performer_id=performer.id)
    await sign_in(client, services, ivan.user_id)
    shown = await client.get(HOME)
    assert "The whole business" not in shown.text
    path = await made(client, "own")
    assert set(events(await client.get(path))) == {f"session-{first.id}@testserver.local"}
    async with services.uow_factory(None) as uow:
        await uow.session.execute(delete(Member).where(Member.user_id == ivan.user_id))
    assert (await client.get(path)).status_code == 410, "who has left takes nothing along"


async def test_a_manager_who_becomes_an_instructor_loses_the_business(
    client: AsyncClient, services: Services
) -> None:
    business, _first, _second = await a_stage(services)
    mia = await a_member(services.uow_factory, business, "Mia", Role.MANAGER)
    await sign_in(client, services, mia.user_id)
    path = await made(client, "business")
    assert (await client.get(path)).status_code == 200
    async with services.uow_factory(None) as uow:
        await uow.session.execute(
            update(Member).where(Member.user_id == mia.user_id).values(role="instructor")
        )
    assert (await client.get(path)).status_code == 410


async def test_a_new_address_ends_the_one_before_and_it_can_be_revoked(
    client: AsyncClient, services: Services
) -> None:
    business, _first, _second = await a_stage(services)
    await as_owner(client, services, business)
    old, new = await made(client, "own"), await made(client, "own")
    assert old != new
    assert (await client.get(old)).status_code == 410
    assert (await client.get(new)).status_code == 200
    shown = await client.get(HOME)
    assert new.split("/")[4] not in shown.text, "an address is shown once"
    assert "Last read on" in shown.text
    await send_again(client, f"{HOME}/own/revoke", shown, {})
    assert (await client.get(new)).status_code == 410
    async with services.uow_factory(business.id) as uow:
        hashes = set(await uow.session.scalars(select(CalendarFeed.secret_hash)))
    assert not any(new.split("_", 1)[1].startswith(one) for one in hashes)


async def sent_twice(client: AsyncClient, page: str, action: str) -> None:
    """As who loads the page with the new address again: it holds, and is not shown twice."""
    form = await client.get(page)
    path = path_in(await send_again(client, action, form, {}))
    again = await send_again(client, action, form, {})
    assert again.status_code == 303, again.text
    shown = (await client.get(again.headers["location"])).text
    assert "This address was shown once and cannot be shown again." in shown
    assert "Shared since" in shown
    assert path.split("/")[4] not in shown
    assert (await client.get(path)).status_code == 200, "it was not ended by another one"
    assert path_in(await send(client, page, {}, to=action)) != path


async def test_a_form_that_is_sent_again_makes_no_other_address(
    client: AsyncClient, services: Services
) -> None:
    business, first, _second = await a_stage(services)
    wish = a_wish("session", first.id, guest_email="kim@example.com")
    held = await booked(services.uow_factory, business, wish)
    own = booking_path(services.settings, "lotus", held.order)
    await sent_twice(client, f"{own}/feed", f"{own}/feed")
    await as_owner(client, services, business)
    await sent_twice(client, HOME, f"{HOME}/own")


@pytest.mark.parametrize("secret", ["x", "0" * 32 + "_" + "a" * 43, "%00", "0" * 32])
async def test_a_secret_that_never_was_one_finds_nothing(
    client: AsyncClient, services: Services, secret: str
) -> None:
    await a_stage(services)
    shown = await client.get(f"/b/lotus/feeds/{secret}/calendar.ics")
    assert shown.status_code == 404


async def test_a_guest_follows_one_booking_with_its_cancelled_dates(
    client: AsyncClient, services: Services, clock: FrozenClock
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    term = await a_series(
        services.uow_factory, service, price_type="free", price_minor=0, drop_in_allowed=True
    )
    held = await booked(services.uow_factory, business, a_wish("series", term.series.id))
    other = a_wish("session", term.sessions[0].id, guest_email="kim@example.com")
    await booked(services.uow_factory, business, other)
    own = booking_path(services.settings, "lotus", held.order)
    assert f"{own}/feed" in (await client.get(own)).text
    shown = await client.get(f"{own}/feed")
    path = path_in(await send_again(client, f"{own}/feed", shown, {}))
    shown = await client.get(path)
    assert "/bookings/" not in shown.text, "whoever sees the calendar could cancel"
    before = events(shown)
    async with services.uow_factory(business.id) as uow:
        seats = set(
            await uow.session.scalars(select(Seat.id).where(Seat.order_id == held.order_id))
        )
    assert set(before) == {f"seat-{seat}@testserver.local" for seat in seats}
    async with services.uow_factory(business.id) as uow:
        await cancel_session(uow, business.ctx, term.sessions[1].id, reason="", undo_seconds=0)
    clock.advance(timedelta(minutes=2))
    await work(services, business.id)
    after = events(await client.get(path))
    states = {uid: str(event["STATUS"]) for uid, event in after.items()}
    assert sorted(states.values()) == ["CANCELLED", "CONFIRMED", "CONFIRMED"]
    (gone,) = [uid for uid, state in states.items() if state == "CANCELLED"]
    assert after[gone]["SEQUENCE"] > before[gone]["SEQUENCE"]
    page = await client.get(f"{own}/feed")
    await send_again(client, f"{own}/feed/revoke", page, {})
    assert (await client.get(path)).status_code == 410


@pytest.mark.slow
async def test_new_addresses_leave_two_rows_and_come_to_an_end(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    made = await booked(services.uow_factory, business, a_wish("session", session.id))
    own = booking_path(services.settings, "lotus", made.order)
    paths = [path_in(await send(client, f"{own}/feed", {})) for _time in range(4)]
    async with services.uow_factory(business.id) as uow:
        rows = list(await uow.session.scalars(select(CalendarFeed.revoked_at)))
    assert (len(rows), rows.count(None)) == (2, 1)
    statuses = [(await client.get(path)).status_code for path in paths]
    assert statuses == [404, 404, 410, 200]
    for _time in range(MADE_BY_ORDER.times - 4):
        assert (await send(client, f"{own}/feed", {})).status_code == 200
    assert (await send(client, f"{own}/feed", {})).status_code == 429


async def test_a_hold_has_nothing_to_follow(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    session = await a_session(services.uow_factory, service)
    held = await booked(services.uow_factory, business, a_wish("session", session.id))
    own = booking_path(services.settings, "lotus", held.order)
    shown = await client.get(f"{own}/feed")
    assert (await send_again(client, f"{own}/feed", shown, {})).status_code == 404
