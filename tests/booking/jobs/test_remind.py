"""Reminders: everybody who has a place when they are due, once, at the time that is so then."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from litestar_email import EmailMultiAlternatives
from sqlalchemy import select, text

from src.booking.commands.cancel import cancel_purchase, cancel_session, undo_cancellation
from src.booking.commands.reminders import change_reminders
from src.booking.domain.drop_in import PayWay
from src.booking.domain.leaving import BeforeUnit, LeavingTerms, Tier
from src.booking.domain.reminding import DueReminder, Offset
from src.booking.jobs import remind
from src.booking.jobs.remind import remind_due
from src.booking.models import ReminderSent, Service, Session
from src.booking.queries.reminders import Waiting, list_waiting
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.services import Services
from src.tenants.commands.wordings import word_mail
from src.tenants.domain.wording import Wording
from src.tenants.models import Due
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.jobs.test_changes import change, guests_of
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio

A_DAY = timedelta(days=1)
DAY, TWO_HOURS = (24, BeforeUnit.HOURS), (2, BeforeUnit.HOURS)


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory, contact_email="hello@lotus.example")


@pytest.fixture
async def yoga(services: Services, lotus: Business) -> Service:
    return await a_service(services.uow_factory, lotus.id, price_type="free")


async def switch(
    services: Services, business: Business, service_id: UUID, *offsets: Offset
) -> None:
    async with services.uow_factory(business.id) as uow:
        await change_reminders(uow, business.ctx, service_id, offsets)


async def tick(services: Services, clock: FrozenClock, business: Business, by: timedelta) -> None:
    """The clock goes on, and what is due then is done, over and over until nothing is."""
    clock.advance(by)
    for _round in range(3):
        await remind_due(services)
    await work(services, business.id)


def reminders(mailer: RememberingMailer) -> list[EmailMultiAlternatives]:
    return [mail for mail in mailer.sent if mail.subject.startswith("Reminder")]


async def test_each_guest_is_reminded_once_at_each_offset(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
) -> None:
    session = await a_session(
        services.uow_factory, yoga, in_days=3, mode="online", meeting_url="https://meet.example/1"
    )
    await switch(services, lotus, yoga.id, DAY, TWO_HOURS)
    await guests_of(services, lotus, session.id, "carl", "dora", party=("One", "Two"))
    await tick(services, clock, lotus, timedelta(days=2) - timedelta(seconds=1))
    assert reminders(mailer) == []
    await tick(services, clock, lotus, timedelta(seconds=1))
    assert sorted(mail.to[0] for mail in reminders(mailer)) == [
        "Carl <carl@example.com>",
        "Dora <dora@example.com>",
    ]
    [one, _other] = reminders(mailer)
    assert "https://meet.example/1" in one.body
    assert "2 people" in one.body
    assert one.attachments == []
    await tick(services, clock, lotus, timedelta(hours=22))
    assert len(reminders(mailer)) == 4
    await tick(services, clock, lotus, timedelta(hours=1))
    assert len(reminders(mailer)) == 4


async def test_one_person_with_two_bookings_gets_one_mail(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whether one chunk has both of them or each has its own."""
    session = await a_session(services.uow_factory, yoga, in_days=3)
    await switch(services, lotus, yoga.id, DAY)
    await guests_of(services, lotus, session.id, "carl", "carl", "dora")
    monkeypatch.setattr(remind, "CHUNK_BOOKINGS", 1)
    await tick(services, clock, lotus, timedelta(days=2))
    assert len(reminders(mailer)) == 2


async def test_two_offsets_that_are_due_at_once_are_one_mail(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
) -> None:
    """As after a night in which nothing ran."""
    session = await a_session(services.uow_factory, yoga, in_days=3)
    await switch(services, lotus, yoga.id, DAY, TWO_HOURS)
    await guests_of(services, lotus, session.id, "carl")
    await tick(services, clock, lotus, timedelta(days=3) - timedelta(hours=1))
    assert len(reminders(mailer)) == 1


async def test_who_is_being_cancelled_is_not_reminded_unless_that_is_undone(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
) -> None:
    session = await a_session(services.uow_factory, yoga, in_days=3)
    await switch(services, lotus, yoga.id, DAY)
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    clock.advance(timedelta(days=2) - timedelta(seconds=5))
    async with services.uow_factory(lotus.id) as uow:
        going = await cancel_purchase(uow, lotus.ctx, made.booking_id, reason="", undo_seconds=3600)
    await tick(services, clock, lotus, timedelta(seconds=5))
    assert reminders(mailer) == []
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, going)
    await tick(services, clock, lotus, timedelta(minutes=15))
    assert len(reminders(mailer)) == 1


async def test_a_cancelling_that_begins_while_it_is_looked_leaves_the_reminder_to_its_undoing(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is not mailed is not claimed: the seat was marked after it was found waiting."""
    session = await a_session(services.uow_factory, yoga, in_days=3)
    await switch(services, lotus, yoga.id, DAY)
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    clock.advance(timedelta(days=2) - timedelta(seconds=5))
    going: list[UUID] = []

    async def found_before(uow: UnitOfWork, due: Sequence[DueReminder], most: int) -> list[Waiting]:
        waiting = await list_waiting(uow, due, most)
        if waiting and not going:
            async with services.uow_factory(lotus.id) as other:
                going.append(
                    await cancel_purchase(
                        other, lotus.ctx, made.booking_id, reason="", undo_seconds=3600
                    )
                )
        return waiting

    monkeypatch.setattr("src.booking.jobs.remind.list_waiting", found_before)
    await tick(services, clock, lotus, timedelta(seconds=5))
    assert reminders(mailer) == []
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, going[0])
    await tick(services, clock, lotus, timedelta(minutes=15))
    assert len(reminders(mailer)) == 1


async def test_who_left_and_what_was_cancelled_is_not_reminded_of(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
) -> None:
    """Row 2-38: reminders of what was cancelled still went out."""
    session = await a_session(services.uow_factory, yoga, in_days=3)
    gone = await a_session(services.uow_factory, yoga, in_days=3)
    await switch(services, lotus, yoga.id, DAY)
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    await guests_of(services, lotus, session.id, "dora")
    await guests_of(services, lotus, gone.id, "emil")
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(
            text("UPDATE seats SET state = 'cancelled' WHERE booking_id = :id"),
            {"id": made.booking_id},
        )
        await cancel_session(uow, lotus.ctx, gone.id, reason="", undo_seconds=10**6)
    await tick(services, clock, lotus, timedelta(days=2))
    assert [mail.to[0] for mail in reminders(mailer)] == ["Dora <dora@example.com>"]


async def test_who_books_after_the_moment_has_just_read_it_all(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
) -> None:
    session = await a_session(services.uow_factory, yoga, in_days=3)
    await switch(services, lotus, yoga.id, DAY, TWO_HOURS)
    await tick(services, clock, lotus, timedelta(days=2, hours=1))
    await guests_of(services, lotus, session.id, "carl")
    await tick(services, clock, lotus, timedelta(minutes=15))
    assert reminders(mailer) == []
    await tick(services, clock, lotus, timedelta(hours=21))
    assert len(reminders(mailer)) == 1


async def test_a_date_that_moves_is_reminded_of_at_its_new_time(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
) -> None:
    """Row 2-38: reminders went out at the time before a move."""
    session = await a_session(services.uow_factory, yoga, in_days=3)
    await switch(services, lotus, yoga.id, DAY)
    await guests_of(services, lotus, session.id, "carl")
    await tick(services, clock, lotus, timedelta(days=2))
    await change(services, lotus, session.id, by=timedelta(days=4))
    await tick(services, clock, lotus, timedelta(days=1))
    assert len(reminders(mailer)) == 1
    await tick(services, clock, lotus, timedelta(days=3))
    assert len(reminders(mailer)) == 2
    await change(services, lotus, session.id, by=timedelta(hours=-12))
    await tick(services, clock, lotus, timedelta(hours=1))
    assert len(reminders(mailer)) == 2, "the move's own mail has just said it"


async def test_switching_on_reaches_only_what_is_still_to_come(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
) -> None:
    """Row 2-39: switching an old rule on mailed everybody."""
    soon = await a_session(services.uow_factory, yoga, in_days=0.5)
    later = await a_session(services.uow_factory, yoga, in_days=3)
    await guests_of(services, lotus, soon.id, "carl")
    await guests_of(services, lotus, later.id, "dora")
    clock.advance(timedelta(hours=1))
    await switch(services, lotus, yoga.id, DAY)
    await tick(services, clock, lotus, timedelta(hours=1))
    assert reminders(mailer) == []
    await tick(services, clock, lotus, timedelta(days=2))
    assert [mail.to[0] for mail in reminders(mailer)] == ["Dora <dora@example.com>"]


async def test_switched_off_nobody_hears_and_nothing_is_due(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
) -> None:
    session = await a_session(services.uow_factory, yoga, in_days=3)
    await guests_of(services, lotus, session.id, "carl")
    await switch(services, lotus, yoga.id, DAY)
    await switch(services, lotus, yoga.id)
    await tick(services, clock, lotus, timedelta(days=2, hours=1))
    assert reminders(mailer) == []
    async with services.uow_factory(None) as uow:
        assert await uow.session.scalar(select(Due.id).where(Due.kind == "remind")) is None


async def test_a_suspended_business_writes_to_nobody(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
) -> None:
    session = await a_session(services.uow_factory, yoga, in_days=3)
    await guests_of(services, lotus, session.id, "carl")
    await switch(services, lotus, yoga.id, DAY)
    async with services.uow_factory(None) as uow:
        await uow.session.execute(text("UPDATE tenants SET status = 'suspended'"))
    await tick(services, clock, lotus, timedelta(days=2, hours=1))
    assert reminders(mailer) == []


async def test_what_cannot_be_is_refused_by_its_row(
    services: Services, lotus: Business, yoga: Service
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await switch(services, lotus, yoga.id, DAY, (0, BeforeUnit.DAYS))
    assert list(refused.value.fields) == ["reminders.1.ahead"]


async def test_two_workers_at_once_remind_each_guest_once(
    committing: Committing, clock: FrozenClock
) -> None:
    services, factory = committing.services, committing.uow_factory
    lotus = await a_business(factory)
    yoga = await a_service(factory, lotus.id, price_type="free")
    session = await a_session(factory, yoga, in_days=3)
    await switch(services, lotus, yoga.id, DAY)
    for number in range(8):
        wish = a_wish("session", session.id, guest_email=f"g{number}@example.com")
        await booked(factory, lotus, wish)
    clock.advance(timedelta(days=2))
    await asyncio.gather(*(remind_due(services) for _worker in range(4)))
    async with factory(lotus.id) as uow:
        claims = (await uow.session.scalars(select(ReminderSent.booking_id))).all()
        mails = await uow.session.scalar(text("SELECT count(*) FROM mails WHERE kind = 'reminder'"))
        assert await uow.session.scalar(select(Session.seats_taken)) == 8
    assert len(claims) == len(set(claims)) == mails == 8


async def test_the_reminder_leads_who_cannot_come_to_each_of_their_bookings_of_the_date(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
) -> None:
    """By an address that frees nothing by itself, with the step that counts at that moment."""
    terms = LeavingTerms(tiers=(Tier(before=12, percent=100),)).document()
    paid = await a_service(
        services.uow_factory, lotus.id, price_type="on_site", slug="paid", leaving=terms
    )
    session = await a_session(services.uow_factory, paid, in_days=3)
    await switch(services, lotus, paid.id, DAY)
    await guests_of(services, lotus, session.id, "carl", "carl")
    await tick(services, clock, lotus, timedelta(days=2))
    [mail] = reminders(mailer)
    assert mail.body.count(f"/leave?date={session.id}") == 2
    assert mail.body.count("Can't make it?") == 2
    assert "Free of charge until" in mail.body


async def test_who_has_to_ask_the_business_is_not_led_to_leaving(
    services: Services, clock: FrozenClock, mailer: RememberingMailer, lotus: Business
) -> None:
    terms = LeavingTerms(may_cancel=False).document()
    strict = await a_service(services.uow_factory, lotus.id, price_type="free", leaving=terms)
    session = await a_session(services.uow_factory, strict, in_days=3)
    await switch(services, lotus, strict.id, DAY)
    await guests_of(services, lotus, session.id, "carl")
    await tick(services, clock, lotus, timedelta(days=2))
    [mail] = reminders(mailer)
    assert "/leave?" not in mail.body


async def test_a_reminder_names_the_credits_that_paid_and_nothing_else_where_none_did(
    services: Services, clock: FrozenClock, mailer: RememberingMailer, lotus: Business
) -> None:
    factory = services.uow_factory
    pilates = await a_service(factory, lotus.id, slug="pilates", price_type="on_site")
    session = await a_session(factory, pilates, in_days=3)
    await switch(services, lotus, pilates.id, DAY)
    words = Wording(
        subject="Reminder", body="{dates}\n\n[{package_name}|{sessions_remaining}|{package_expiry}]"
    )
    async with factory(lotus.id) as uow:
        await word_mail(uow, lotus.ctx, "reminder", "en", words)
    customer_id, lot_id = await a_lot(
        factory, lotus.id, "paul@example.com", owner="Paul", expires_at=clock.now() + 30 * A_DAY
    )
    by_credit = a_wish(
        "session",
        session.id,
        guest_email="paul@example.com",
        way=PayWay.CREDIT,
        customer_id=customer_id,
        credit_lot_id=lot_id,
    )
    await booked(factory, lotus, by_credit)
    await guests_of(services, lotus, session.id, "carl")
    await tick(services, clock, lotus, 2 * A_DAY)
    said = {mail.to[0].partition("@")[0].split("<")[-1]: mail.body for mail in reminders(mailer)}
    assert "[10 sessions|9 credits|Wednesday, March 31, 2027]" in said["paul"]
    assert "[||]" in said["carl"]


async def test_a_reminder_names_who_comes_in_the_guests_place(
    services: Services, clock: FrozenClock, mailer: RememberingMailer, lotus: Business
) -> None:
    pilates = await a_service(services.uow_factory, lotus.id, slug="pilates", price_type="free")
    session = await a_session(services.uow_factory, pilates, in_days=3)
    await switch(services, lotus, pilates.id, DAY)
    await booked(services.uow_factory, lotus, a_wish("session", session.id, party=("Kim",)))
    await tick(services, clock, lotus, 2 * A_DAY)
    [mail] = reminders(mailer)
    assert "1 person: Kim" in mail.body


@pytest.mark.parametrize("key", ["seats_moved", "sessions_changed", "seats_cancelled", "confirmed"])
async def test_every_mail_about_a_seat_knows_the_words_of_its_credits(
    services: Services, lotus: Business, key: str
) -> None:
    words = Wording(subject="{package_name}", body="{dates} {people} {sessions_remaining}")
    if key != "seats_moved" and key != "confirmed":
        words = Wording(subject="{package_name}", body="{dates} {package_expiry}")
    async with services.uow_factory(lotus.id) as uow:
        assert await word_mail(uow, lotus.ctx, key, "en", words)
        with pytest.raises(InvalidInput):
            await word_mail(uow, lotus.ctx, "payment_link", "en", words)
