"""Sessions by hand: every bad input, the performer's time, and guests who must not be moved."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from src.booking.commands.book import BookCommand, book
from src.booking.commands.session_deleting import delete_session
from src.booking.commands.sessions import (
    CreateSession,
    UpdateSession,
    create_session,
    get_session,
    update_session,
)
from src.booking.domain.kinds import SessionMode
from src.booking.errors import MovesGuests
from src.booking.models import Service, Session
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, InvalidInput, NotFound, PlanLimitReached
from src.platform.ids import new_id
from src.tenants.models import PerformerBusy
from tests.booking.commands.places import a_performer, a_room
from tests.support.builders import Business, a_business, a_series, a_service, a_session, as_guest

pytestmark = pytest.mark.anyio

AT = datetime(2027, 3, 9, 17, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def times(starts_at: datetime = AT, lasts: timedelta = HOUR) -> dict[str, Any]:
    return {"starts_at": starts_at, "ends_at": starts_at + lasts}


async def created(
    uow_factory: UowFactory, business: Business, service: Service, **more: Any
) -> UUID:
    async with uow_factory(business.id) as uow:
        values = {"service_id": service.id, "capacity": 10, **times(), **more}
        return await create_session(uow, business.ctx, CreateSession(**values))


async def changed(
    uow_factory: UowFactory, business: Business, session_id: UUID, **more: Any
) -> None:
    async with uow_factory(business.id) as uow:
        values = {"session_id": session_id, "capacity": 10, **times(), **more}
        await update_session(uow, business.ctx, UpdateSession(**values))


async def read(uow_factory: UowFactory, business: Business, session_id: UUID) -> Session:
    async with uow_factory(business.id) as uow:
        return await get_session(uow, session_id)


async def busy(uow_factory: UowFactory, business: Business) -> list[PerformerBusy]:
    async with uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(PerformerBusy)))


async def a_guest_in(uow_factory: UowFactory, business: Business, session_id: UUID) -> None:
    cmd = BookCommand(
        kind="session",
        subject_id=session_id,
        party=("Carl",),
        guest_name="Carl",
        guest_email="carl@example.com",
        form_token=str(new_id()),
    )
    async with uow_factory(business.id) as uow:
        await book(uow, as_guest(business), cmd)


async def test_a_session_is_published_with_its_performers_time(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    performer = await a_performer(uow_factory, business)
    session_id = await created(uow_factory, business, service, performer_id=performer.id)
    [taken] = await busy(uow_factory, business)
    assert (taken.source, taken.source_id) == ("session", session_id)
    assert (taken.during.lower, taken.during.upper) == (AT, AT + HOUR)


async def test_the_same_form_twice_publishes_one_session(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    performer, session_id = await a_performer(uow_factory, business), new_id()
    for _ in range(2):
        more = {"session_id": session_id, "performer_id": performer.id}
        assert await created(uow_factory, business, service, **more) == session_id
    assert len(await busy(uow_factory, business)) == 1


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("starts_at", times(datetime(2027, 3, 1, 8, 59, tzinfo=UTC))),
        ("ends_at", times(lasts=-HOUR)),
        ("ends_at", times(lasts=timedelta(0))),
        ("ends_at", times(lasts=timedelta(days=7, minutes=1))),
        ("capacity", {"capacity": 0}),
        ("capacity", {"capacity": 100_001}),
        ("title", {"title": "x" * 121}),
        ("meeting_url", {"meeting_url": "https://meet.example/1"}),
        ("meeting_url", {"meeting_url": "javascript:alert(1)", "mode": SessionMode.ONLINE}),
        ("performer_id", {"performer_id": new_id()}),
        ("location_id", {"location_id": new_id()}),
    ],
)
async def test_what_makes_no_sense_is_refused_at_its_field(
    uow_factory: UowFactory, field: str, more: dict[str, Any]
) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    with pytest.raises(InvalidInput) as refused:
        await created(uow_factory, business, service, **more)
    assert list(refused.value.fields) == [field]


async def test_a_session_may_cross_midnight_and_last_seven_days(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    session_id = await created(uow_factory, business, service, **times(lasts=timedelta(days=7)))
    session = await read(uow_factory, business, session_id)
    assert session.ends_at - session.starts_at == timedelta(days=7)


async def test_a_room_holds_so_many_and_no_more(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    room = await a_room(uow_factory, business, room_capacity=8)
    with pytest.raises(InvalidInput) as refused:
        await created(uow_factory, business, service, location_id=room.id, capacity=9)
    assert refused.value.fields == {"capacity": "Studio 1 has room for 8 people."}
    await created(uow_factory, business, service, location_id=room.id, capacity=8)


async def test_rooms_and_online_places_do_not_mix(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    room = await a_room(uow_factory, business)
    call = await a_room(uow_factory, business, "Video call", is_online=True)
    for location, mode in ((room, SessionMode.ONLINE), (call, SessionMode.IN_PERSON)):
        with pytest.raises(InvalidInput) as refused:
            await created(uow_factory, business, service, location_id=location.id, mode=mode)
        assert list(refused.value.fields) == ["location_id"]


async def test_a_performer_is_in_one_place_at_a_time(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    performer = await a_performer(uow_factory, business)
    await created(uow_factory, business, service, performer_id=performer.id, title="Basics")
    later = {"performer_id": performer.id, **times(AT + HOUR / 2)}
    with pytest.raises(InvalidInput) as refused:
        await created(uow_factory, business, service, **later)
    sentence = refused.value.fields["performer_id"]
    assert "Yoga · Basics" in sentence
    assert "18:00" in sentence.replace("6:00\u202fPM", "18:00")


async def test_one_session_may_begin_as_the_other_ends(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    performer = await a_performer(uow_factory, business)
    await created(uow_factory, business, service, performer_id=performer.id)
    await created(uow_factory, business, service, performer_id=performer.id, **times(AT + HOUR))
    assert len(await busy(uow_factory, business)) == 2


async def test_a_plan_without_groups_publishes_no_session(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory, plan="starter")
    service = await a_service(uow_factory, business.id)
    with pytest.raises(PlanLimitReached) as refused:
        await created(uow_factory, business, service)
    assert refused.value.feature == "group_services"


async def test_an_appointment_has_no_sessions(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id, kind="appointment")
    with pytest.raises(Conflict):
        await created(uow_factory, business, service)


async def test_moving_a_session_moves_its_performers_time(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    ivan = await a_performer(uow_factory, business)
    mia = await a_performer(uow_factory, business, "Mia")
    session_id = await created(uow_factory, business, service, performer_id=ivan.id)
    await changed(uow_factory, business, session_id, performer_id=mia.id, **times(AT + 2 * HOUR))
    [taken] = await busy(uow_factory, business)
    assert (taken.performer_id, taken.during.lower) == (mia.id, AT + 2 * HOUR)
    assert (await read(uow_factory, business, session_id)).sequence == 1


async def test_a_session_does_not_clash_with_itself(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    performer = await a_performer(uow_factory, business)
    session_id = await created(uow_factory, business, service, performer_id=performer.id)
    await changed(
        uow_factory, business, session_id, performer_id=performer.id, **times(AT + HOUR / 2)
    )
    assert (await read(uow_factory, business, session_id)).starts_at == AT + HOUR / 2


async def test_more_seats_are_no_news_for_calendars(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    session_id = await created(uow_factory, business, service)
    await changed(uow_factory, business, session_id, capacity=20)
    session = await read(uow_factory, business, session_id)
    assert (session.capacity, session.sequence) == (20, 0)


async def test_guests_are_neither_put_out_nor_moved_unasked(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id, price_type="free", price_minor=0)
    session_id = await created(uow_factory, business, service)
    for _ in range(2):
        await a_guest_in(uow_factory, business, session_id)
    with pytest.raises(InvalidInput) as refused:
        await changed(uow_factory, business, session_id, capacity=1)
    assert list(refused.value.fields) == ["capacity"]
    for more in (times(AT + HOUR), times(lasts=2 * HOUR)):
        with pytest.raises(MovesGuests) as moves:
            await changed(uow_factory, business, session_id, **more)
        assert moves.value.seats == 2
    await changed(uow_factory, business, session_id, capacity=2, title="Basics")
    assert (await read(uow_factory, business, session_id)).title == "Basics"


async def test_what_is_cancelled_stays_as_it_was(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    session = await a_session(uow_factory, service, state="cancelling")
    with pytest.raises(Conflict):
        await changed(uow_factory, business, session.id)


async def test_a_session_nobody_booked_can_go(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    performer = await a_performer(uow_factory, business)
    session_id = await created(uow_factory, business, service, performer_id=performer.id)
    await changed(uow_factory, business, session_id, performer_id=performer.id, title="Basics")
    async with uow_factory(business.id) as uow:
        assert await delete_session(uow, business.ctx, session_id) == service.id
    assert await busy(uow_factory, business) == []
    with pytest.raises(NotFound):
        await read(uow_factory, business, session_id)


async def test_a_session_that_was_booked_stays(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id, price_type="free", price_minor=0)
    session_id = await created(uow_factory, business, service)
    await a_guest_in(uow_factory, business, session_id)
    async with uow_factory(business.id) as uow:
        with pytest.raises(Conflict):
            await delete_session(uow, business.ctx, session_id)


async def test_a_session_of_a_series_stays(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    term = await a_series(uow_factory, service)
    async with uow_factory(business.id) as uow:
        with pytest.raises(Conflict):
            await delete_session(uow, business.ctx, term.sessions[0].id)


async def test_another_business_has_no_such_session(uow_factory: UowFactory) -> None:
    ours, theirs = await a_business(uow_factory), await a_business(uow_factory, "other")
    service = await a_service(uow_factory, theirs.id)
    session = await a_session(uow_factory, service)
    performer = await a_performer(uow_factory, theirs)
    own = await a_service(uow_factory, ours.id)
    with pytest.raises(NotFound):
        await created(uow_factory, ours, service)
    with pytest.raises(NotFound):
        await changed(uow_factory, ours, session.id)
    with pytest.raises(InvalidInput):
        await created(uow_factory, ours, own, performer_id=performer.id)
    async with uow_factory(ours.id) as uow:
        with pytest.raises(NotFound):
            await delete_session(uow, ours.ctx, session.id)
