"""Too few people: the owner is asked, then the session is called off and money goes back."""

import re
from datetime import timedelta

import msgspec
import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.booking.commands.cancel import cancel_session, undo_cancellation
from src.booking.commands.cancel_seats import cancel_seats
from src.booking.commands.minimum import let_it_take_place, set_minimum
from src.booking.commands.sessions import UpdateSession, details_of_session, update_session
from src.booking.jobs.minimum import weigh_minimums
from src.booking.models import Cancellation, Session
from src.platform.errors import InvalidInput
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_leave import paid_by_card, refunds
from tests.booking.web.pages import as_owner, send, send_again
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work, work_through

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def session(services: Services, lotus: Business) -> Session:
    """In a week, at least three people, decided a day before; Carl and Kid have paid by card."""
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    session = await a_session(services.uow_factory, service)
    made = await booked(
        services.uow_factory, lotus, a_wish("session", session.id, party=("Carl", "Kid"))
    )
    await paid_by_card(services, lotus, made)
    async with services.uow_factory(lotus.id) as uow:
        await set_minimum(uow, lotus.ctx, session.id, min_seats=3, decide_hours=24)
    return session


async def the(services: Services, lotus: Business, session: Session) -> Session:
    async with services.uow_factory(lotus.id) as uow:
        return await uow.session.get_one(Session, (lotus.id, session.id))


async def turn(services: Services, lotus: Business) -> None:
    """The clock's work, twice, as it may come twice."""
    for _twice in range(2):
        await weigh_minimums(services)
        await work(services, lotus.id)


async def test_asked_a_day_ahead_then_called_off_with_the_money_back(
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    await work(services, lotus.id)
    mailer.sent.clear()
    clock.advance(timedelta(days=5) - timedelta(seconds=1))
    await turn(services, lotus)
    assert mailer.sent == []
    clock.advance(timedelta(seconds=1))
    await turn(services, lotus)
    [asked] = mailer.sent
    assert asked.to == ["Olive <olive@lotus.example>"]
    assert asked.subject == "Too few people so far: Yoga"
    assert "2 booked so far, and at least 3 are needed" in asked.body
    mailer.sent.clear()
    clock.advance(timedelta(days=1))
    await turn(services, lotus)
    assert (await the(services, lotus, session)).state == "cancelling"
    await work_through(services, clock, lotus.id, timedelta(minutes=2))
    assert (await the(services, lotus, session)).state == "cancelled"
    assert await refunds(services, lotus.id) == [3000]
    seats = await seats_of(services.uow_factory, lotus.id)
    assert {(seat.state, seat.returned_minor) for seat in seats} == {("cancelled", 1500)}
    told = {mail.to[0].split("<")[1]: mail for mail in mailer.sent}
    assert len(told) == len(mailer.sent) == 2
    owners = told.pop("olive@lotus.example>")
    assert owners.subject == "Called off: Yoga"
    assert "It needed 3 people" in owners.body
    [guests] = told.values()
    assert "Too few people have booked this date." in guests.body
    assert "€30.00 is on its way back" in guests.body


async def test_the_first_page_says_what_was_called_off_until_it_would_have_begun(
    client: AsyncClient, services: Services, lotus: Business, session: Session, clock: FrozenClock
) -> None:
    clock.advance(timedelta(days=6))
    await turn(services, lotus)
    await as_owner(client, services, lotus)
    shown = (await client.get("/app/lotus/today")).text
    assert "is being called off, since too few people have booked. You can still undo it." in shown
    [href] = re.findall(r'href="(/app/lotus/cancellations/[^"]+)"', shown)
    assert "Undo" in (await client.get(href)).text
    await work_through(services, clock, lotus.id, timedelta(minutes=2))
    shown = (await client.get("/app/lotus/today")).text
    assert ": called off, since too few people had booked." in shown
    assert f'href="/app/lotus/sessions/{session.id}"' in shown
    assert href not in shown


async def test_what_was_undone_is_not_said_to_be_called_off(
    client: AsyncClient, services: Services, lotus: Business, session: Session, clock: FrozenClock
) -> None:
    clock.advance(timedelta(days=6))
    await turn(services, lotus)
    await undo(services, lotus)
    await as_owner(client, services, lotus)
    assert "called off, since" not in (await client.get("/app/lotus/today")).text


async def test_who_calls_a_session_off_is_not_told_of_it(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, session.id, reason="", undo_seconds=0)
    await work_through(services, clock, lotus.id, timedelta(minutes=2))
    assert (await the(services, lotus, session)).state == "cancelled"
    assert "Called off: Yoga" not in {mail.subject for mail in mailer.sent}
    await as_owner(client, services, lotus)
    assert "called off, since" not in (await client.get("/app/lotus/today")).text


@pytest.mark.parametrize(("is_undone", "state"), [(False, "cancelled"), (True, "scheduled")])
async def test_a_place_that_is_being_cancelled_is_waited_for_and_makes_no_number(
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
    is_undone: bool,
    state: str,
) -> None:
    """Three of three have booked; in the moment of the decision one of them may come no more."""
    dora = a_wish("session", session.id, guest_name="Dora", guest_email="dora@example.com")
    made = await booked(services.uow_factory, lotus, dora)
    clock.advance(timedelta(days=6) - timedelta(seconds=5))
    seats = await seats_of(services.uow_factory, lotus.id)
    theirs = [seat.id for seat in seats if seat.order_id == made.order_id]
    async with services.uow_factory(lotus.id) as uow:
        await cancel_seats(uow, lotus.ctx, session.id, theirs, reason="", undo_seconds=30)
    clock.advance(timedelta(seconds=5))
    await turn(services, lotus)
    assert (await the(services, lotus, session)).state == "scheduled"
    if is_undone:
        await undo(services, lotus)
    for _look in range(3):
        await work_through(services, clock, lotus.id, timedelta(minutes=6))
        await turn(services, lotus)
    assert (await the(services, lotus, session)).state == state


async def test_too_few_are_not_called_off_over_a_place_that_is_being_cancelled(
    services: Services, lotus: Business, session: Session, clock: FrozenClock
) -> None:
    """It waits, so that what goes back for the place is what was chosen."""
    clock.advance(timedelta(days=6) - timedelta(seconds=5))
    one = (await seats_of(services.uow_factory, lotus.id))[0]
    async with services.uow_factory(lotus.id) as uow:
        await cancel_seats(uow, lotus.ctx, session.id, [one.id], reason="", undo_seconds=30)
    clock.advance(timedelta(seconds=5))
    for _look in range(3):
        await turn(services, lotus)
        await work_through(services, clock, lotus.id, timedelta(minutes=6))
    assert (await the(services, lotus, session)).state == "cancelled"
    assert await refunds(services, lotus.id) == [1500]


async def undo(services: Services, lotus: Business) -> None:
    async with services.uow_factory(lotus.id) as uow:
        newest = select(Cancellation.id).order_by(Cancellation.id.desc()).limit(1)
        await undo_cancellation(uow, lotus.ctx, (await uow.session.scalars(newest)).one())


async def test_whoever_undoes_the_calling_off_has_it_take_place(
    services: Services, lotus: Business, session: Session, clock: FrozenClock
) -> None:
    for days in (5, 1):
        clock.advance(timedelta(days=days))
        await turn(services, lotus)
    assert (await the(services, lotus, session)).state == "cancelling"
    await undo(services, lotus)
    clock.advance(timedelta(hours=1))
    await turn(services, lotus)
    now = await the(services, lotus, session)
    assert (now.state, now.decided_at is not None) == ("scheduled", True)


async def test_what_was_brought_back_before_its_time_is_decided_then(
    services: Services, lotus: Business, session: Session, clock: FrozenClock
) -> None:
    clock.advance(timedelta(days=5))
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, session.id, reason="", undo_seconds=600)
    await turn(services, lotus)
    await undo(services, lotus)
    now = await the(services, lotus, session)
    assert (now.state, now.decided_at) == ("scheduled", None)
    clock.advance(timedelta(days=1))
    await turn(services, lotus)
    assert (await the(services, lotus, session)).state == "cancelling"


async def test_whoever_says_go_has_it_take_place(
    services: Services, lotus: Business, session: Session, clock: FrozenClock
) -> None:
    clock.advance(timedelta(days=5))
    await turn(services, lotus)
    for _twice in range(2):
        async with services.uow_factory(lotus.id) as uow:
            await let_it_take_place(uow, lotus.ctx, session.id)
    clock.advance(timedelta(days=1, hours=1))
    await turn(services, lotus)
    assert (await the(services, lotus, session)).state == "scheduled"
    assert await refunds(services, lotus.id) == []


async def test_enough_people_are_neither_asked_about_nor_called_off(
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    wish = a_wish("session", session.id, party=("Dora",), guest_email="dora@example.com")
    await booked(services.uow_factory, lotus, wish)
    await work(services, lotus.id)
    mailer.sent.clear()
    for days in (5, 1):
        clock.advance(timedelta(days=days))
        await turn(services, lotus)
    assert mailer.sent == []
    assert (await the(services, lotus, session)).state == "scheduled"


async def test_what_had_enough_people_is_not_asked_about_when_one_leaves_later(
    client: AsyncClient, services: Services, lotus: Business, session: Session, clock: FrozenClock
) -> None:
    """It was asked about, then a third booked, and with three it was decided."""
    clock.advance(timedelta(days=5))
    await turn(services, lotus)
    wish = a_wish("session", session.id, guest_name="Dora", guest_email="dora@example.com")
    made = await booked(services.uow_factory, lotus, wish)
    clock.advance(timedelta(days=1))
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{session.id}"
    assert "With fewer booked it is called off on" in (await client.get(path)).text
    await turn(services, lotus)
    theirs = [
        seat.id
        for seat in await seats_of(services.uow_factory, lotus.id)
        if seat.order_id == made.order_id
    ]
    async with services.uow_factory(lotus.id) as uow:
        await cancel_seats(uow, lotus.ctx, session.id, theirs, reason="", undo_seconds=0)
    await work_through(services, clock, lotus.id, timedelta(minutes=6))
    await turn(services, lotus)
    assert (await the(services, lotus, session)).state == "scheduled"
    assert "2 booked so far" not in (await client.get("/app/lotus/today")).text
    shown = (await client.get(path)).text
    assert "Is it to take place?" not in shown
    assert "called off on" not in shown
    assert "It takes place: enough had booked" in shown


async def test_a_moved_session_is_decided_by_its_new_start(
    services: Services, lotus: Business, session: Session, clock: FrozenClock
) -> None:
    clock.advance(timedelta(days=5))
    await turn(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        now = await uow.session.get_one(Session, (lotus.id, session.id))
        later = {
            "starts_at": now.starts_at + timedelta(days=7),
            "ends_at": now.ends_at + timedelta(days=7),
        }
        fields = msgspec.structs.asdict(details_of_session(now)) | later
        cmd = UpdateSession(session_id=session.id, move_guests=True, **fields)
        await update_session(uow, lotus.ctx, cmd)
    clock.advance(timedelta(days=2))
    await turn(services, lotus)
    assert (await the(services, lotus, session)).state == "scheduled"
    clock.advance(timedelta(days=5))
    await turn(services, lotus)
    assert (await the(services, lotus, session)).decision_asked_at is not None


async def test_a_move_does_not_call_it_off_unasked(
    client: AsyncClient, services: Services, lotus: Business, session: Session
) -> None:
    """Moved past its decision it would be called off a minute later: whoever moves it is told, and
    gives it another minimum; with enough people, or an answer, there is nothing to tell.
    """
    await as_owner(client, services, lotus)
    path = f"/app/lotus/sessions/{session.id}/several"
    soon = {"change": ["day"], "shift_days": "-6"}
    looked = await send(client, path, soon)
    assert "2 booked so far, and at least 3 are needed" in looked.text
    assert "Change them" not in looked.text
    refused = await send_again(client, path, looked, {"looked": "on"})
    assert refused.status_code == 422
    days = timedelta(days=6)

    async def move(**more: object) -> None:
        async with services.uow_factory(lotus.id) as uow:
            now = await uow.session.get_one(Session, (lotus.id, session.id))
            there = {"starts_at": now.starts_at - days, "ends_at": now.ends_at - days}
            fields = msgspec.structs.asdict(details_of_session(now)) | there | more
            await update_session(
                uow, lotus.ctx, UpdateSession(session_id=session.id, move_guests=True, **fields)
            )
            await uow.session.rollback()

    with pytest.raises(InvalidInput, match="cannot be saved"):
        await move()
    await move(decide_hours=2)
    await move(min_seats=None)
    async with services.uow_factory(lotus.id) as uow:
        await let_it_take_place(uow, lotus.ctx, session.id)
    await move()
    async with services.uow_factory(lotus.id) as uow:
        await set_minimum(uow, lotus.ctx, session.id, min_seats=2, decide_hours=24)
    await move()


async def test_the_pages_set_it_ask_and_take_the_answer(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
) -> None:
    path = f"/app/lotus/sessions/{session.id}"
    await as_owner(client, services, lotus)
    wrong = await send(client, f"{path}/minimum", {"min_seats": "11"})
    assert wrong.status_code == 422
    assert (await send(client, f"{path}/minimum", {"min_seats": "4"})).status_code == 303
    assert "Needs at least 4 people" in (await client.get(path)).text
    clock.advance(timedelta(days=5))
    await turn(services, lotus)
    await as_owner(client, services, lotus)
    assert (
        "2 booked so far, and at least 4 are needed" in (await client.get("/app/lotus/today")).text
    )
    assert "Is it to take place?" in (await client.get(path)).text
    assert (await send(client, path, {}, to=f"{path}/go")).status_code == 303
    shown = (await client.get(path)).text
    assert "Decided: it takes place" in shown
    assert "Is it to take place?" not in shown


async def test_a_minimum_above_the_seats_is_refused(
    services: Services, lotus: Business, session: Session
) -> None:
    with pytest.raises(InvalidInput):
        async with services.uow_factory(lotus.id) as uow:
            await set_minimum(uow, lotus.ctx, session.id, min_seats=11, decide_hours=24)
    assert (await the(services, lotus, session)).min_seats == 3
