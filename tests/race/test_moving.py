"""An owner moves a session in the moment in which guests book it."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import select, text

from src.booking.commands.book import book
from src.booking.commands.sessions import UpdateSession, update_session
from src.booking.models import Seat, Session
from src.booking.queries import offers
from src.platform.db.uow import UnitOfWork
from src.platform.errors import DomainError
from src.platform.jobs.delivery import Delivery
from src.platform.outbox.events import registry
from tests.booking.commands.test_book import a_wish
from tests.booking.commands.test_sessions import HOUR
from tests.conftest import Committing
from tests.race.test_sessions import Act, at_once
from tests.support.builders import Business, a_business, a_service, a_session, as_guest
from tests.support.locks import until_somebody_waits
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]
GUESTS = 8


def moving(business: Business, session: Session, hours: int = 1) -> Act:
    cmd = UpdateSession(
        session_id=session.id,
        starts_at=session.starts_at + hours * HOUR,
        ends_at=session.ends_at + hours * HOUR,
        capacity=session.capacity,
        move_guests=True,
    )
    return lambda uow: update_session(uow, business.ctx, cmd)


def booking(business: Business, session: Session, number: int) -> Act:
    wish = a_wish("session", session.id, guest_email=f"g{number}@example.com")
    return lambda uow: book(uow, as_guest(business), wish)


async def seats(committing: Committing, business: Business) -> list[Seat]:
    async with committing.uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(Seat)))


@pytest.mark.parametrize("turn", range(3))
async def test_every_guest_was_sold_the_new_time_or_is_told_of_it(
    committing: Committing, mailer: RememberingMailer, turn: int
) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id, price_type="free")
    session = await a_session(committing.uow_factory, service, capacity=10)
    acts = [booking(business, session, number) for number in range(GUESTS)]
    acts.insert(turn * GUESTS // 2, moving(business, session))
    assert await at_once(committing, business.id, acts) == {"done": GUESTS + 1}
    await work(committing.services, business.id)
    new_time = "11:00\u202fAM\N{EN DASH}12:00\u202fPM"
    for seat in await seats(committing, business):
        assert seat.told_sequence == 1
    by_guest: dict[str, list[str]] = {}
    for mail in mailer.sent:
        by_guest.setdefault(mail.to[0], []).append(mail.body)
    assert len(by_guest) == GUESTS
    for bodies in by_guest.values():
        assert new_time in bodies[-1], "the last word is the new time"
        assert len(bodies) <= 2


async def test_a_booking_that_lands_after_the_others_were_told_reads_of_the_move(
    committing: Committing, mailer: RememberingMailer
) -> None:
    """It was decided on the old time and committed when all the telling was over."""
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id, price_type="free")
    session = await a_session(committing.uow_factory, service)
    async with committing.uow_factory(business.id) as guest:
        # The guest's transaction has read the session; its row stays in the identity map.
        held = await offers.get_session_offer(guest, session.id)
        assert held.session.sequence == 0
        async with committing.uow_factory(business.id) as owner:
            await moving(business, session)(owner)
        await work(committing.services, business.id)
        await book(guest, as_guest(business), a_wish("session", session.id))
    [seat] = await seats(committing, business)
    assert (seat.sold_sequence, seat.told_sequence) == (0, 0)
    await work(committing.services, business.id)
    [mail] = mailer.sent
    assert "11:00\u202fAM\N{EN DASH}12:00\u202fPM" in mail.body
    assert "Before: Mon, Mar 8, 2027, 10:00" in mail.body
    [seat] = await seats(committing, business)
    assert (seat.sold_sequence, seat.told_sequence) == (0, 1)


async def test_a_confirmation_on_its_way_is_never_overtaken_by_the_news(
    committing: Committing, mailer: RememberingMailer
) -> None:
    """The confirmation has read the old time and is held up; the news waits for it."""
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id, price_type="free")
    session = await a_session(committing.uow_factory, service)
    async with committing.uow_factory(business.id) as uow:
        await booking(business, session, 0)(uow)
    async with committing.uow_factory(business.id) as holding:
        await holding.session.execute(text("SELECT id FROM customers FOR UPDATE"))
        confirming = asyncio.create_task(work(committing.services, business.id))
        await until_somebody_waits(committing.uow_factory)
        async with committing.uow_factory(business.id) as owner:
            await moving(business, session)(owner)
        await delivered(committing, business, "booking.find_affected")
        telling = asyncio.create_task(delivered(committing, business, "booking.tell_changed"))
        await asyncio.wait([telling], timeout=0.5)
        assert not telling.done(), "it waits for the seats"
        assert not confirming.done()
    await asyncio.gather(confirming, telling)
    await work(committing.services, business.id)
    said = [mail.subject.split(":")[0] for mail in mailer.sent]
    assert said == ["You are booked", "Changed"]
    assert "Before: Mon, Mar 8, 2027, 10:00" in mailer.sent[-1].body


async def delivered(committing: Committing, business: Business, consumer: str) -> None:
    """One delivery of the consumer's only row, beside whatever else is under way."""
    async with committing.uow_factory(business.id) as uow:
        found = await uow.session.execute(
            text("SELECT id, attempts FROM outbox WHERE consumer = :consumer"),
            {"consumer": consumer},
        )
        row = found.one()
    services = committing.services
    delivery = Delivery(registry, services.uow_factory, services.clock, services)
    await delivery.deliver(business.id, row.id, row.attempts)


async def test_two_owners_who_move_it_at_once_do_not_tell_half_of_it(
    committing: Committing, mailer: RememberingMailer
) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id, price_type="free")
    session = await a_session(committing.uow_factory, service)
    async with committing.uow_factory(business.id) as uow:
        await booking(business, session, 0)(uow)
    await work(committing.services, business.id)
    outcomes = await both_having_read(committing, business, session)
    assert outcomes == {"done": 1, "session_changed": 1}
    await work(committing.services, business.id)
    [_confirmed, changed] = mailer.sent
    async with committing.uow_factory(business.id) as uow:
        now = await uow.session.get_one(Session, (business.id, session.id))
    assert now.sequence == 1
    hour = (now.starts_at - session.starts_at) // HOUR
    assert f"{10 + hour}:00" in changed.body


async def both_having_read(
    committing: Committing, business: Business, session: Session
) -> Counter[str]:
    """Two moves, to an hour and to two hours later, that begin with the same session read."""
    read = asyncio.Barrier(2)

    async def one(hours: int) -> str:
        async def act(uow: UnitOfWork) -> None:
            await uow.session.get(Session, (business.id, session.id))
            await read.wait()
            await moving(business, session, hours)(uow)

        try:
            async with committing.uow_factory(business.id) as uow:
                await act(uow)
        except DomainError as refused:
            return refused.code
        return "done"

    return Counter(await asyncio.gather(one(1), one(2)))
