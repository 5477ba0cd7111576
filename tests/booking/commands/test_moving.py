"""A session is moved with its guests: same seats, same price, the performer's time too."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from src.booking.commands.cancel import cancel_session
from src.booking.domain.moves import may_leave_free_because_moved
from src.booking.models import Seat, Series, SessionChange
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, DomainError, InvalidInput
from src.tenants.models import AuditEntry
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_book import a_wish, booked, seats_of, taken
from tests.booking.commands.test_sessions import AT, HOUR, busy, changed, created, read, times
from tests.support.builders import Business, a_business, a_series, a_service
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio


async def a_booked_session(uow_factory: UowFactory, **more: Any) -> tuple[Business, UUID]:
    """A session at AT with one guest."""
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id, price_type="on_site")
    session_id = await created(uow_factory, business, service, **more)
    await booked(uow_factory, business, a_wish("session", session_id))
    return business, session_id


async def test_a_move_keeps_seats_and_prices_and_takes_the_performer_along(
    uow_factory: UowFactory,
) -> None:
    business = await a_business(uow_factory)
    performer = await a_performer(uow_factory, business)
    service = await a_service(uow_factory, business.id, price_type="on_site")
    session_id = await created(uow_factory, business, service, performer_id=performer.id)
    await booked(uow_factory, business, a_wish("session", session_id))
    later = {"performer_id": performer.id, **times(AT + 3 * HOUR, 2 * HOUR)}
    await changed(uow_factory, business, session_id, move_guests=True, reason="Rain", **later)
    session = await read(uow_factory, business, session_id)
    assert (session.starts_at, session.ends_at) == (AT + 3 * HOUR, AT + 5 * HOUR)
    assert (session.sequence, session.moved_sequence, session.seats_taken) == (1, 1, 1)
    [own] = await busy(uow_factory, business)
    assert (own.during.lower, own.during.upper) == (AT + 3 * HOUR, AT + 5 * HOUR)
    [seat] = await seats_of(uow_factory, business.id)
    assert (seat.state, seat.share_minor, seat.sold_sequence) == ("confirmed", 1500, 0)
    async with uow_factory(business.id) as uow:
        change = (await uow.session.scalars(select(SessionChange))).one()
        actions = AuditEntry.action == "session.changed"
        entry = (await uow.session.scalars(select(AuditEntry).where(actions))).one()
    assert (change.starts_at, change.sequence, change.reason) == (AT, 1, "Rain")
    assert change.timezone == "Europe/Amsterdam"
    assert entry.detail["was"] == [AT.isoformat(), (AT + HOUR).isoformat()]
    assert entry.detail["reason"] == "Rain"


async def test_whoever_booked_before_the_move_may_leave_and_nobody_else(
    uow_factory: UowFactory,
) -> None:
    business, session_id = await a_booked_session(uow_factory)
    await changed(uow_factory, business, session_id, title="Basics")
    dora = a_wish("session", session_id, guest_email="dora@example.com")
    await booked(uow_factory, business, dora)
    await changed(
        uow_factory, business, session_id, title="Basics", move_guests=True, **times(AT + HOUR)
    )
    emil = a_wish("session", session_id, guest_email="emil@example.com")
    await booked(uow_factory, business, emil)
    await changed(uow_factory, business, session_id, title="More", **times(AT + HOUR))
    session = await read(uow_factory, business, session_id)
    async with uow_factory(business.id) as uow:
        seats = (await uow.session.scalars(select(Seat).order_by(Seat.id))).all()
    free = [
        may_leave_free_because_moved(s.sold_sequence, session.moved_sequence, is_marked=False)
        for s in seats
    ]
    assert free == [True, True, False]


@pytest.mark.parametrize(
    ("field", "to"),
    [
        ("starts_at", times(AT - timedelta(days=30))),
        ("ends_at", times(AT + HOUR, -HOUR)),
        ("ends_at", times(AT, timedelta(days=8))),
    ],
)
async def test_where_a_session_cannot_be_it_is_not_moved_to(
    uow_factory: UowFactory, field: str, to: dict[str, Any]
) -> None:
    business, session_id = await a_booked_session(uow_factory)
    with pytest.raises(InvalidInput) as refused:
        await changed(uow_factory, business, session_id, move_guests=True, **to)
    assert list(refused.value.fields) == [field]
    session = await read(uow_factory, business, session_id)
    assert (session.starts_at, session.sequence) == (AT, 0)


async def test_a_taken_performer_stops_the_move_whole(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    performer = await a_performer(uow_factory, business)
    service = await a_service(uow_factory, business.id, price_type="free")
    led = {"performer_id": performer.id}
    session_id = await created(uow_factory, business, service, **led)
    await created(uow_factory, business, service, **led, **times(AT + 2 * HOUR))
    await booked(uow_factory, business, a_wish("session", session_id))
    with pytest.raises(InvalidInput) as refused:
        to = times(AT + 2 * HOUR + HOUR / 2)
        await changed(uow_factory, business, session_id, move_guests=True, **led, **to)
    assert "Already taken then" in refused.value.fields["performer_id"]
    assert (await read(uow_factory, business, session_id)).starts_at == AT
    assert [row.during.lower for row in await busy(uow_factory, business)] == [AT, AT + 2 * HOUR]


@pytest.mark.parametrize(
    ("passed", "to", "field"),
    [
        (HOUR / 2, times(AT + timedelta(days=1)), "starts_at"),
        (HOUR / 2, times(AT, HOUR / 4), "ends_at"),
        (2 * HOUR, times(AT + timedelta(days=1)), "starts_at"),
        (2 * HOUR, times(AT, 2 * HOUR), "ends_at"),
    ],
)
async def test_what_has_begun_with_guests_stays_where_it_was(
    uow_factory: UowFactory,
    clock: FrozenClock,
    passed: timedelta,
    to: dict[str, Any],
    field: str,
) -> None:
    business, session_id = await a_booked_session(uow_factory)
    clock.advance(AT + passed - clock.now())
    with pytest.raises(InvalidInput) as refused:
        await changed(uow_factory, business, session_id, move_guests=True, **to)
    assert list(refused.value.fields) == [field]


async def test_a_session_that_runs_may_end_later(
    uow_factory: UowFactory, clock: FrozenClock
) -> None:
    business, session_id = await a_booked_session(uow_factory)
    clock.advance(AT + HOUR / 2 - clock.now())
    await changed(uow_factory, business, session_id, move_guests=True, **times(AT, 2 * HOUR))
    assert (await read(uow_factory, business, session_id)).ends_at == AT + 2 * HOUR


async def test_a_session_that_is_being_cancelled_is_not_moved(uow_factory: UowFactory) -> None:
    business, session_id = await a_booked_session(uow_factory)
    async with uow_factory(business.id) as uow:
        await cancel_session(uow, business.ctx, session_id, reason="", undo_seconds=10)
    with pytest.raises(Conflict):
        await changed(uow_factory, business, session_id, move_guests=True, **times(AT + HOUR))


async def test_a_move_of_what_is_no_longer_as_it_was_seen_is_refused(
    uow_factory: UowFactory,
) -> None:
    business, session_id = await a_booked_session(uow_factory)
    await changed(uow_factory, business, session_id, title="Basics")
    to = {"move_guests": True, **times(AT + HOUR)}
    with pytest.raises(DomainError) as refused:
        await changed(uow_factory, business, session_id, seen_sequence=0, **to)
    assert refused.value.code == "session_changed"
    await changed(uow_factory, business, session_id, seen_sequence=1, **to)


async def test_a_moved_date_stays_in_its_series(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    service = await a_service(uow_factory, business.id)
    term = await a_series(uow_factory, service, price_type="on_site")
    await booked(uow_factory, business, a_wish("series", term.series.id))
    first = term.sessions[0]
    to = times(term.sessions[1].starts_at + HOUR)
    await changed(uow_factory, business, first.id, move_guests=True, **to)
    session = await read(uow_factory, business, first.id)
    assert (session.series_id, session.in_term) == (term.series.id, True)
    async with uow_factory(business.id) as uow:
        series = await uow.session.get_one(Series, (business.id, term.series.id))
    assert series.base_sessions == 3
    assert [seat.share_minor for seat in await seats_of(uow_factory, business.id)] == [2000] * 3
    assert await taken(uow_factory, business.id) == [1, 1, 1]
