"""A business moves to another time zone: its sessions keep their moments or their clock times."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from src.booking.commands.leave import leave_dates
from src.booking.commands.minimum import set_minimum
from src.booking.jobs.minimum import weigh_minimums
from src.booking.models import Seat, Session
from src.platform.services import Services
from src.tenants.events import TimezoneChanged
from src.tenants.models import Due, PerformerBusy
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_sessions import AT, HOUR, created, read, times
from tests.support.appointments import a_practice, next_day_at
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.waiting import joined
from tests.support.work import waiting, work

pytestmark = pytest.mark.anyio


async def changed(services: Services, business: Business, keep: str) -> None:
    """From Amsterdam to London, an hour behind."""
    async with services.uow_factory(business.id) as uow:
        event = TimezoneChanged(old="Europe/Amsterdam", new="Europe/London", keep=keep)  # type: ignore[arg-type]  # both words are tried
        uow.record(event)
    await work(services, business.id)


async def test_instants_stay_where_they_are(services: Services) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    session_id = await created(services.uow_factory, business, service)
    await changed(services, business, "instants")
    session = await read(services.uow_factory, business, session_id)
    assert (session.starts_at, session.sequence) == (AT, 0)
    assert await waiting(services, business.id) == []


async def test_clock_times_stay_and_so_do_the_performers(services: Services) -> None:
    """Row 2-10: whoever is taken stays so in another zone."""
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    performer = await a_performer(services.uow_factory, business)
    ids = [
        await created(
            services.uow_factory,
            business,
            service,
            performer_id=performer.id,
            **times(AT + hours * HOUR),
        )
        for hours in range(3)
    ]
    await changed(services, business, "wall_clock")
    for hours, session_id in enumerate(ids):
        session = await read(services.uow_factory, business, session_id)
        assert (session.starts_at, session.sequence) == (AT + (hours + 1) * HOUR, 1)
        assert session.ends_at - session.starts_at == HOUR
    async with services.uow_factory(business.id) as uow:
        rows = await uow.session.scalars(select(PerformerBusy).order_by(PerformerBusy.during))
        starts = [row.during.lower for row in rows]
    assert starts == [AT + hours * HOUR for hours in (1, 2, 3)]


async def test_what_is_kept_free_around_an_appointment_goes_along(
    services: Services, clock: FrozenClock
) -> None:
    business = await a_business(services.uow_factory)
    terms = {"before_minutes": 10, "after_minutes": 15}
    practice = await a_practice(services.uow_factory, business, appointment=terms)
    ten, noon = (next_day_at(clock.now(), hour) for hour in (10, 12))
    await booked(services.uow_factory, business, practice.wish(ten))
    gone = await booked(services.uow_factory, business, practice.wish(noon))
    async with services.uow_factory(business.id) as uow:
        seat_id = await uow.session.scalar(select(Seat.id).where(Seat.order_id == gone.order_id))
        assert seat_id is not None
        await leave_dates(uow, business.tenant, gone.order_id, [seat_id])
    await changed(services, business, "wall_clock")
    async with services.uow_factory(business.id) as uow:
        [row] = await uow.session.scalars(select(PerformerBusy))
    assert row.during.lower == ten + HOUR - timedelta(minutes=10)
    assert row.during.upper == ten + 2 * HOUR + timedelta(minutes=15)


async def test_a_minimum_group_size_is_decided_by_the_new_start(
    services: Services, clock: FrozenClock
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    session = await a_session(services.uow_factory, service)
    await booked(services.uow_factory, business, a_wish("session", session.id))
    async with services.uow_factory(business.id) as uow:
        await set_minimum(uow, business.ctx, session.id, min_seats=3, decide_hours=24)
    clock.advance(timedelta(days=5))
    await weigh_minimums(services)
    assert (await read(services.uow_factory, business, session.id)).decision_asked_at is not None
    async with services.uow_factory(business.id) as uow:
        uow.record(TimezoneChanged(old="Europe/Amsterdam", new="Asia/Tokyo", keep="wall_clock"))
    await work(services, business.id)
    moved = await read(services.uow_factory, business, session.id)
    assert (moved.starts_at, moved.decision_asked_at) == (
        session.starts_at - timedelta(hours=8),
        None,
    )
    async with services.uow_factory(None) as uow:
        [due] = await uow.session.scalars(select(Due).where(Due.ref == session.id))
    assert due.at == clock.now(), "a day before it is decided has passed"
    clock.advance(moved.starts_at - timedelta(hours=24) - clock.now())
    await weigh_minimums(services)
    assert (await read(services.uow_factory, business, session.id)).state == "cancelling"


async def test_the_past_the_cancelled_and_the_newer_stay(
    services: Services, clock: FrozenClock
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    past = await a_session(services.uow_factory, service, in_days=-1)
    gone = await a_session(services.uow_factory, service, state="cancelled")
    async with services.uow_factory(business.id) as uow:
        uow.record(TimezoneChanged(old="Europe/Amsterdam", new="Europe/London", keep="wall_clock"))
    clock.advance(timedelta(minutes=1))
    newer = await a_session(services.uow_factory, service)
    await work(services, business.id)
    async with services.uow_factory(business.id) as uow:
        for before in (past, gone, newer):
            now = await uow.session.get_one(Session, (business.id, before.id))
            assert now.starts_at == before.starts_at


async def test_a_second_delivery_moves_nothing_again(services: Services) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    session_id = await created(services.uow_factory, business, service)
    await changed(services, business, "wall_clock")
    await work(services, business.id)
    session = await read(services.uow_factory, business, session_id)
    assert session.starts_at == AT + HOUR


async def test_whoever_waits_for_a_date_that_moves_is_told(
    services: Services, mailer: RememberingMailer
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id, price_type="free")
    session = await a_session(services.uow_factory, service, capacity=1)
    await booked(services.uow_factory, business, a_wish("session", session.id))
    await joined(services.uow_factory, business, "session", session.id, "Ann")
    await work(services, business.id)
    mailer.sent.clear()
    await changed(services, business, "wall_clock")
    told = [mail.to[0] for mail in mailer.sent if mail.subject == "Another time: Yoga"]
    assert told == ["Ann <ann@example.com>"]
