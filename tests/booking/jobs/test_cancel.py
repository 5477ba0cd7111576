"""A cancellation reaches every live seat it should, no other, and tells each customer once."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from icalendar import Calendar
from litestar_email import EmailMultiAlternatives
from sqlalchemy import select

from src.booking.commands.attendance import mark_attendance
from src.booking.commands.cancel import cancel_purchase, cancel_session, undo_cancellation
from src.booking.commands.leave import NotLeavable, leave_dates
from src.booking.domain.kinds import SeatState
from src.booking.events import SeatsCancelled
from src.booking.models import Booking, Cancellation, Seat, Session
from src.booking.queries.cancellations import get_progress, toll_of_purchase, toll_of_session
from src.booking.queries.lost import list_lost_dates
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, NotFound
from src.platform.outbox.models import OutboxRow
from src.platform.services import Services
from src.platform.web.formats import date_short
from tests.booking.commands.test_book import a_wish, booked, seats_of, taken
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import waiting, work, work_through

pytestmark = pytest.mark.anyio
UNDO = 10


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


async def cancel_the_session(services: Services, business: Business, session_id: UUID) -> UUID:
    async with services.uow_factory(business.id) as uow:
        return await cancel_session(
            uow, business.ctx, session_id, reason="The hall is flooded", undo_seconds=UNDO
        )


async def cancel_the_purchase(services: Services, business: Business, booking_id: UUID) -> UUID:
    async with services.uow_factory(business.id) as uow:
        return await cancel_purchase(
            uow, business.ctx, booking_id, reason="Moved away", undo_seconds=UNDO
        )


async def the(services: Services, business: Business, cancellation_id: UUID) -> Cancellation:
    async with services.uow_factory(business.id) as uow:
        return await uow.session.get_one(Cancellation, (business.id, cancellation_id))


async def test_cancelling_a_session_frees_it_and_leaves_the_rest_of_the_series(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, price_type="free", price_minor=0)
    for guest in ("carl", "dora"):
        wish = a_wish("series", term.series.id, guest_email=f"{guest}@example.com")
        await booked(services.uow_factory, lotus, wish)
    cancellation_id = await cancel_the_session(services, lotus, term.sessions[1].id)
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    assert await taken(services.uow_factory, lotus.id) == [2, 0, 2]
    states = [seat.state for seat in await seats_of(services.uow_factory, lotus.id)]
    assert states == ["confirmed"] * 2 + ["cancelled"] * 2 + ["confirmed"] * 2
    done = await the(services, lotus, cancellation_id)
    assert (done.state, done.total, done.done, done.seats_freed) == ("done", 2, 2, 2)
    async with services.uow_factory(lotus.id) as uow:
        session = await uow.session.get_one(Session, (lotus.id, term.sessions[1].id))
        assert (session.state, session.sequence) == ("cancelled", 1)


async def test_a_session_called_off_while_it_runs_frees_those_who_were_ticked_too(
    services: Services, lotus: Business, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    """I6: no live seat in a cancelled session, whatever was ticked at the door."""
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service, in_days=1)
    for guest in ("carl", "dora", "eva"):
        wish = a_wish("session", session.id, guest_email=f"{guest}@example.com")
        await booked(services.uow_factory, lotus, wish)
    clock.advance(timedelta(days=1, minutes=10))
    seats = await seats_of(services.uow_factory, lotus.id)
    for seat, wanted in zip(seats, (SeatState.ATTENDED, SeatState.NO_SHOW), strict=False):
        async with services.uow_factory(lotus.id) as uow:
            await mark_attendance(uow, lotus.ctx, session.id, [seat.id], wanted)
    await work(services, lotus.id)
    mailer.sent.clear()
    async with services.uow_factory(lotus.id) as uow:
        toll = await toll_of_session(uow, session.id)
    assert (toll.seats, toll.customers, toll.mails) == (3, 3, 3)
    cancellation_id = await cancel_the_session(services, lotus, session.id)
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    assert await taken(services.uow_factory, lotus.id) == [0]
    states = [seat.state for seat in await seats_of(services.uow_factory, lotus.id)]
    assert states == ["cancelled"] * 3
    done = await the(services, lotus, cancellation_id)
    assert (done.state, done.total, done.done, done.seats_freed) == ("done", 3, 3, 3)
    assert len(mailer.sent) == 3


async def test_each_customer_gets_one_mail_however_many_orders_and_seats(
    services: Services, lotus: Business, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    for party in (("Carl", "Kid"), ("Carl",)):
        await booked(services.uow_factory, lotus, a_wish("session", session.id, party=party))
    await work(services, lotus.id)
    mailer.sent.clear()
    await cancel_the_session(services, lotus, session.id)
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    [mail] = mailer.sent
    assert mail.subject == "Cancelled: Yoga"
    assert "The hall is flooded" in mail.body
    events = Calendar.from_ical(mail.attachments[0][1]).walk("VEVENT")
    assert [event["STATUS"] for event in events] == ["CANCELLED"] * 3
    assert await waiting(services, lotus.id) == []


@pytest.mark.slow
async def test_the_subject_names_the_dates_where_the_booking_goes_on(
    services: Services, lotus: Business, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    term = await a_series(services.uow_factory, service, price_type="free", title="Term")
    made = await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await work(services, lotus.id)
    mailer.sent.clear()
    await cancel_the_session(services, lotus, term.sessions[1].id)
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    [mail] = mailer.sent
    day = date_short(term.sessions[1].starts_at, lotus.tenant.zone)
    assert mail.subject == f"Cancelled: Yoga, {day}"
    mailer.sent.clear()
    async with services.uow_factory(lotus.id) as uow:
        await cancel_purchase(uow, lotus.ctx, made.booking_id, reason="", undo_seconds=30)
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    assert [mail.subject for mail in mailer.sent] == ["Cancelled: Yoga · Term"]


async def test_a_seat_freed_after_its_customers_others_is_told_of_once_too(
    services: Services, lotus: Business, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    """Paid for in the very moment in which the first seats were freed."""
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    for _ in range(2):
        await booked(services.uow_factory, lotus, a_wish("session", session.id))
    await work(services, lotus.id)
    mailer.sent.clear()
    cancellation_id = await cancel_the_session(services, lotus, session.id)
    first, second = sorted(seat.id for seat in await seats_of(services.uow_factory, lotus.id))
    for seat_id in (first, second, first, second):
        async with services.uow_factory(lotus.id) as uow:
            customer_id = await uow.session.scalar(select(Booking.customer_id).limit(1))
            assert customer_id is not None
            uow.record(
                SeatsCancelled(
                    cancellation_id=cancellation_id, customer_id=customer_id, seat_ids=[seat_id]
                )
            )
    await work(services, lotus.id)
    assert [mail.subject for mail in mailer.sent] == ["Cancelled: Yoga"] * 2


async def test_who_is_cancelled_is_not_told_where_the_others_meet(
    services: Services, lotus: Business, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(
        services.uow_factory, service, mode="online", meeting_url="https://meet.example/secret"
    )
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    await work(services, lotus.id)
    await cancel_the_purchase(services, lotus, made.booking_id)
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    confirmed, cancelled = (everything_in(mail) for mail in mailer.sent)
    assert confirmed.count("https://meet.example/secret") >= 3
    assert "meet.example" not in cancelled
    assert "Join online" not in cancelled


def everything_in(mail: EmailMultiAlternatives) -> str:
    """Text, HTML and the calendar file, its long lines unfolded."""
    html = "".join(str(content) for content, _type in mail.alternatives)
    files = "".join(bytes(one[1]).decode() for one in mail.attachments)
    return mail.body + html + files.replace("\r\n ", "")


async def test_within_the_undo_window_nothing_has_happened_and_undo_restores_the_sale(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    cancellation_id = await cancel_the_session(services, lotus, session.id)
    await work(services, lotus.id)
    with pytest.raises(Conflict):
        await booked(services.uow_factory, lotus, a_wish("session", session.id))
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, cancellation_id)
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    assert await taken(services.uow_factory, lotus.id) == [1]
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    assert (await the(services, lotus, cancellation_id)).state == "undone"


async def test_once_seats_are_being_freed_there_is_no_undo(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    cancellation_id = await cancel_the_session(services, lotus, session.id)
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    with pytest.raises(Conflict) as refused:
        async with services.uow_factory(lotus.id) as uow:
            await undo_cancellation(uow, lotus.ctx, cancellation_id)
    assert refused.value.code == "too_late"


async def test_a_purchase_loses_only_the_seats_that_have_not_started(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, price_type="free", price_minor=0)
    made = await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    clock.advance(timedelta(days=8))
    await cancel_the_purchase(services, lotus, made.booking_id)
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    states = [seat.state for seat in await seats_of(services.uow_factory, lotus.id)]
    assert states == ["confirmed", "cancelled", "cancelled"]
    assert await taken(services.uow_factory, lotus.id) == [1, 0, 0]


async def test_who_is_ticked_on_a_roster_stays_when_the_purchase_is_cancelled(
    services: Services,
    lotus: Business,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    """Ticked before the start: the date is as good as over for them, as it is on their own page."""
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, price_type="free", price_minor=0)
    made = await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    today, *later = term.sessions
    clock.advance(today.starts_at - clock.now() - timedelta(minutes=5))
    [first, *_rest] = await seats_of(services.uow_factory, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        await mark_attendance(uow, lotus.ctx, today.id, [first.id], SeatState.ATTENDED)
    await work(services, lotus.id)
    mailer.sent.clear()
    async with services.uow_factory(lotus.id) as uow:
        toll = await toll_of_purchase(uow, made.booking_id, clock.now())
        dates = await list_lost_dates(uow, made.booking_id, clock.now())
    assert (toll.seats, [one.starts_at for one in dates]) == (2, [one.starts_at for one in later])
    cancellation_id = await cancel_the_purchase(services, lotus, made.booking_id)
    async with services.uow_factory(lotus.id) as uow:
        assert len((await get_progress(uow, cancellation_id)).dates) == 2
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    states = [seat.state for seat in await seats_of(services.uow_factory, lotus.id)]
    assert states == ["attended", "cancelled", "cancelled"]
    async with services.uow_factory(lotus.id) as uow:
        done = await get_progress(uow, cancellation_id)
    assert (done.state, done.seats_freed, len(done.dates)) == ("done", 2, 2)
    [mail] = mailer.sent
    assert date_short(today.starts_at, lotus.tenant.zone) not in mail.body
    with pytest.raises(Conflict) as refused:
        await cancel_the_purchase(services, lotus, made.booking_id)
    assert refused.value.code == "nothing_to_cancel"


async def test_whose_date_begins_during_the_wait_is_not_counted(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    cancellation_id = await cancel_the_purchase(services, lotus, made.booking_id)
    seat_ids = [seat.id for seat in await seats_of(services.uow_factory, lotus.id)]
    with pytest.raises(NotLeavable) as refused:
        async with services.uow_factory(lotus.id) as uow:
            await leave_dates(uow, lotus.tenant, made.order_id, seat_ids)
    assert refused.value.message == "This is not possible just now. Please try again in a minute."
    clock.advance(timedelta(days=8))
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    done = await the(services, lotus, cancellation_id)
    assert (done.state, done.done, done.total) == ("done", 0, 0)


async def a_session_of(services: Services, lotus: Business, many: int) -> Session:
    """A free one with so many guests."""
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    for number in range(many):
        wish = a_wish("session", session.id, guest_email=f"g{number}@example.com")
        await booked(services.uow_factory, lotus, wish)
    return session


@pytest.mark.slow
async def test_more_customers_than_one_chunk_are_all_reached(
    services: Services, lotus: Business, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src.booking.jobs.cancel.CHUNK_CUSTOMERS", 3)
    session = await a_session_of(services, lotus, 10)
    cancellation_id = await cancel_the_session(services, lotus, session.id)
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    done = await the(services, lotus, cancellation_id)
    assert (done.done, done.seats_freed, done.state) == (10, 10, "done")
    async with services.uow_factory(lotus.id) as uow:
        live = await uow.session.scalars(select(Seat.id).where(Seat.state == "confirmed"))
        assert live.all() == []


async def test_what_is_not_free_yet_comes_before_the_mails_of_who_is(
    services: Services, lotus: Business, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the last seats of a large session wait until all others have been told."""
    monkeypatch.setattr("src.booking.jobs.cancel.CHUNK_CUSTOMERS", 2)
    monkeypatch.setattr("src.booking.jobs.cancel.RUN_SECONDS", 0)
    session = await a_session_of(services, lotus, 5)
    await work(services, lotus.id)
    cancellation_id = await cancel_the_session(services, lotus, session.id)
    clock.advance(timedelta(seconds=30))
    with suppress(AssertionError):
        await work(services, lotus.id, rounds=1)
    assert (await the(services, lotus, cancellation_id)).seats_freed == 2, "one chunk in a run"
    async with services.uow_factory(lotus.id) as uow:
        due = select(OutboxRow.consumer).order_by(OutboxRow.available_at, OutboxRow.id)
        consumers = list(await uow.session.scalars(due))
    assert consumers[0] == "booking.cancel"
    assert "booking.tell_cancelled" in consumers
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    assert (await the(services, lotus, cancellation_id)).state == "done"


async def test_a_second_request_is_refused_and_a_strangers_session_is_absent(
    services: Services, lotus: Business
) -> None:
    eves = await a_business(services.uow_factory, "rival", owner="Eve")
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service)
    await cancel_the_session(services, lotus, session.id)
    with pytest.raises(Conflict):
        await cancel_the_session(services, lotus, session.id)
    with pytest.raises(NotFound):
        await cancel_the_session(services, eves, session.id)
