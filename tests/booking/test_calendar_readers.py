"""Our mails' files and all four feeds in calendar software that did not write them."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.booking.calendar_links import calendar_url, customer_behind
from src.booking.commands.cancel import cancel_session
from src.booking.commands.feeds import make_booking_feed, make_customer_feed, make_member_feed
from src.booking.domain.kinds import FeedKind
from src.booking.models import Seat, Session
from src.platform.services import Services
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.jobs.test_changes import change
from tests.support.builders import Business, Term, a_business, a_series, a_service
from tests.support.calendar_readers import Khal, OwnCalendar, Reader, Shown, by_ics, by_vobject
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio

NAME = "Yöga, Klänge; und \\ alles, was länger ist als eine Zeile von fünfundsiebzig Bytes"
# At 10:00 in Amsterdam, before and after its clocks change on March 28.
FIRST = datetime(2027, 3, 15, 9, tzinfo=UTC)
MOVED_TO = datetime(2027, 3, 15, 11, tzinfo=UTC)
SECOND = datetime(2027, 3, 22, 9, tzinfo=UTC)
THIRD = datetime(2027, 3, 29, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Story:
    """What a guest was sent, in order, and what their feeds and staff's say in the end."""

    mails: list[bytes]
    seats: dict[datetime, str]
    guests_feeds: list[bytes]
    staffs_feeds: list[bytes]


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def a_term(services: Services, lotus: Business) -> Term:
    """Three Mondays at 10:00 that the owner leads."""
    service = await a_service(services.uow_factory, lotus.id, name=NAME)
    leader = await a_performer(services.uow_factory, lotus, user_id=lotus.owner.id)
    term = await a_series(services.uow_factory, service, price_type="free", price_minor=0)
    async with services.uow_factory(lotus.id) as uow:
        for session, at in zip(term.sessions, (FIRST, SECOND, THIRD), strict=True):
            values = {"starts_at": at, "ends_at": at + timedelta(hours=1)}
            await uow.session.execute(
                update(Session)
                .where(Session.id == session.id)
                .values(performer_id=leader.id, **values)
            )
    return term


@pytest.fixture
async def story(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    mailer: RememberingMailer,
    clock: FrozenClock,
) -> Story:
    """A guest books three dates; the first moves, the second is cancelled."""
    term = await a_term(services, lotus)
    made = await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await work(services, lotus.id)
    await change(services, lotus, term.sessions[0].id, by=MOVED_TO - FIRST)
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, term.sessions[1].id, reason="", undo_seconds=0)
    clock.advance(timedelta(minutes=2))
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        held = (await uow.session.execute(select(Seat.session_id, Seat.id))).all()
        address = calendar_url(
            services.settings, lotus.tenant, made.order.customer_id, "carl@example.com", clock.now()
        )
        token = address.rpartition("/")[2]
        linked = customer_behind(services.settings, token, lotus.id, clock.now())
        one_booking = await make_booking_feed(uow, made.order_id)
        all_of_theirs = await make_customer_feed(uow, linked)
        own = await make_member_feed(uow, lotus.ctx, FeedKind.OWN)
        business = await make_member_feed(uow, lotus.ctx, FeedKind.BUSINESS)
    times = dict(zip([one.id for one in term.sessions], (MOVED_TO, SECOND, THIRD), strict=True))
    return Story(
        mails=[file for mail in mailer.sent for _name, file, _kind in mail.attachments],
        seats={times[session]: f"seat-{seat}@testserver.local" for session, seat in held},
        guests_feeds=[await fed(client, key) for key in (one_booking, all_of_theirs)],
        staffs_feeds=[await fed(client, key) for key in (own, business)],
    )


async def fed(client: AsyncClient, key: str) -> bytes:
    shown = await client.get(f"/b/lotus/feeds/{key}/calendar.ics")
    assert shown.status_code == 200, shown.text
    return shown.content


def standing(dates: list[Shown]) -> dict[str, Shown]:
    return {date.uid: date for date in dates if date.status == "CONFIRMED"}


def check(story: Story, read: Reader) -> None:
    """By its mails a guest's calendar comes to what the feeds say."""
    own = OwnCalendar(read)
    confirmed, moved, cancelled = story.mails
    own.take(confirmed)
    assert {date.starts_at for date in own.kept.values()} == {FIRST, SECOND, THIRD}
    own.take(moved)
    assert {date.starts_at for date in own.kept.values()} == {MOVED_TO, SECOND, THIRD}
    own.take(cancelled)
    assert {date.uid: date.starts_at for date in own.kept.values()} == {
        story.seats[at]: at for at in (MOVED_TO, THIRD)
    }
    assert all(NAME in date.title for date in own.kept.values())
    assert all(date.ends_at - date.starts_at == timedelta(hours=1) for date in own.kept.values())
    for feed in story.guests_feeds:
        _method, dates = read(feed)
        assert standing(dates) == own.kept, "a mail and a feed are the same date"
        [gone] = [date for date in dates if date.status == "CANCELLED"]
        assert (gone.uid, gone.starts_at) == (story.seats[SECOND], SECOND)
    for feed in story.staffs_feeds:
        _method, dates = read(feed)
        assert {date.starts_at: date.status for date in dates} == {
            MOVED_TO: "CONFIRMED",
            SECOND: "CANCELLED",
            THIRD: "CONFIRMED",
        }


@pytest.mark.slow
async def test_two_parsers_of_their_own_keep_what_we_say(story: Story) -> None:
    for read in (by_vobject, by_ics):
        check(story, read)


@pytest.mark.slow
async def test_a_calendar_program_has_each_date_once(story: Story, tmp_path: Path) -> None:
    """It takes a date's UID for the date, and shows what is cancelled as cancelled."""
    expected = {
        (story.seats[MOVED_TO], MOVED_TO, "CONFIRMED"),
        (story.seats[SECOND], SECOND, "CANCELLED"),
        (story.seats[THIRD], THIRD, "CONFIRMED"),
    }
    khal = Khal(tmp_path / "guest")
    for mail in story.mails:
        await asyncio.to_thread(khal.take, mail)
    assert await asyncio.to_thread(khal.shown) == expected
    for feed in story.guests_feeds:
        await asyncio.to_thread(khal.take, feed)
    assert await asyncio.to_thread(khal.shown) == expected, "nothing is there twice"
    for place, feed in enumerate(story.staffs_feeds):
        staff = Khal(tmp_path / f"staff-{place}")
        await asyncio.to_thread(staff.take, feed)
        shown = await asyncio.to_thread(staff.shown)
        assert {(at, status) for _uid, at, status in shown} == {row[1:] for row in expected}
