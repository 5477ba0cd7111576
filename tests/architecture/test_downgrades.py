"""Going back leaves what older code understands: no work that nobody does, no date in limbo.

Coming again finds out what newer code knows.
"""

from collections.abc import AsyncIterator, Mapping

import pytest
from sqlalchemy import select, update

from src.billing.domain.credits import LotSource
from src.booking.commands.cancel_dates import cancel_dates
from src.booking.commands.cancel_seats import cancel_seats
from src.booking.commands.cancel_series import cancel_series
from src.booking.commands.completing import wait_for_missing
from src.booking.commands.waitlist_serve import serve_pool
from src.booking.commands.waking import wake_waitlists
from src.booking.models import Seat, Session
from src.booking.queries.waiting import list_waiting_for
from src.platform.db.engine import make_engine, make_sessions
from src.platform.db.uow import UowFactory, unit_of_work_factory
from src.sandbox.postgres import Role
from src.tenants.models import Due
from tests.architecture.test_migrations import alembic, owners
from tests.booking.commands.test_book import a_wish, booked
from tests.support.builders import Business, Term, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot
from tests.support.waiting import joined

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture
async def factory(own_urls: Mapping[Role, str]) -> AsyncIterator[UowFactory]:
    app = make_engine(own_urls[Role.APP])
    yield unit_of_work_factory(make_sessions(app), FrozenClock())
    await app.dispose()


async def a_term(factory: UowFactory) -> tuple[Business, Term]:
    """A series of three with one buyer."""
    lotus = await a_business(factory)
    service = await a_service(factory, lotus.id, price_type="free")
    term = await a_series(factory, service, price_type="free", price_minor=0, drop_in_allowed=True)
    await booked(factory, lotus, a_wish("series", term.series.id))
    return lotus, term


async def test_a_series_being_cancelled_becomes_the_cancelling_of_each_of_its_dates(
    own_urls: Mapping[Role, str], factory: UowFactory
) -> None:
    lotus, term = await a_term(factory)
    async with factory(lotus.id) as uow:
        kept = await cancel_series(uow, lotus.ctx, term.series.id, reason="Flu", undo_seconds=60)
    alembic(own_urls, "downgrade", "0020")
    found = await owners(own_urls, SINGLY)
    assert [row[1] for row in found] == sorted(session.id for session in term.sessions)
    assert {row[2:] for row in found} == {("session", "waiting", 1, 1)}
    assert found[0][0] == kept, "its own work and mails find it"
    alembic(own_urls, "upgrade", "head")


async def test_the_cancelling_of_places_is_taken_back_and_not_taken_for_the_sessions(
    own_urls: Mapping[Role, str], factory: UowFactory
) -> None:
    lotus, term = await a_term(factory)
    date = term.sessions[0].id
    async with factory(lotus.id) as uow:
        seat_ids = list(await uow.session.scalars(select(Seat.id).where(Seat.session_id == date)))
        waits = await cancel_seats(uow, lotus.ctx, date, seat_ids, reason="", undo_seconds=60)
    alembic(own_urls, "downgrade", "0034")
    found = await owners(own_urls, "SELECT id, scope, state FROM cancellations")
    assert found == [(waits, "session", "undone")]
    states = await owners(
        own_urls, "SELECT DISTINCT state FROM seats UNION SELECT state FROM sessions"
    )
    assert sorted(states) == [("confirmed",), ("scheduled",)]
    alembic(own_urls, "upgrade", "head")


async def test_no_work_of_waiting_lists_stays_without_them(
    own_urls: Mapping[Role, str], factory: UowFactory
) -> None:
    lotus, term = await a_term(factory)
    date = term.sessions[0].id
    async with factory(lotus.id) as uow:
        await uow.session.execute(
            update(Session).where(Session.id == date).values(seats_taken=Session.capacity)
        )
    await joined(factory, lotus, "session", date, "Ann")
    async with factory(lotus.id) as uow:
        assert await list_waiting_for(uow, [date], after=None, most=1)
        await wake_waitlists(uow, [date])
        uow.session.add(
            Due(id=date, tenant_id=lotus.id, kind="waitlist", at=uow.clock.now(), ref=date)
        )
    before = await owners(own_urls, WORK)
    assert ("booking.serve_waitlists",) in before
    assert ("booking.tell_waiting",) in before
    alembic(own_urls, "downgrade", "0021")
    after = await owners(own_urls, WORK)
    assert [one for one in before if one not in after] == sorted(LISTS)
    assert await owners(own_urls, "SELECT count(*) FROM due WHERE kind = 'waitlist'") == [(0,)]
    alembic(own_urls, "upgrade", "head")


async def test_places_offered_to_complete_a_course_are_free_again_without_it(
    own_urls: Mapping[Role, str], factory: UowFactory
) -> None:
    lotus = await a_business(factory)
    service = await a_service(factory, lotus.id, price_type="free")
    rules = {"price_type": "free", "gap_policy": "sell_with_gaps", "drop_in_allowed": True}
    term = await a_series(factory, service, capacity=1, **rules)
    missing = term.sessions[1].id
    await booked(factory, lotus, a_wish("session", missing, guest_email="dora@example.com"))
    made = await booked(factory, lotus, a_wish("series", term.series.id))
    async with factory(lotus.id) as uow:
        await wait_for_missing(uow, lotus.tenant, made.booking_id, missing)
    await joined(factory, lotus, "session", missing, "Zoe")
    async with factory(lotus.id) as uow:
        await uow.session.execute(update(Session).values(capacity=2))
        assert await serve_pool(uow, lotus.tenant, term.series.id) == 1
    taken = "SELECT seats_taken FROM sessions ORDER BY starts_at"
    assert await owners(own_urls, taken) == [(1,), (2,), (1,)]
    alembic(own_urls, "downgrade", "0030")
    assert await owners(own_urls, taken) == [(1,), (1,), (1,)]
    assert await owners(own_urls, "SELECT name FROM waitlist_entries") == [("Zoe",)]
    told = "SELECT topic FROM outbox WHERE payload ? 'entry_id' OR payload ? 'offer_id'"
    assert await owners(own_urls, told) == [("booking.waitlist_joined",)], "Zoe's"
    alembic(own_urls, "upgrade", "head")


async def test_chosen_dates_being_cancelled_become_the_cancelling_of_each(
    own_urls: Mapping[Role, str], factory: UowFactory
) -> None:
    lotus, term = await a_term(factory)
    ids = [session.id for session in term.sessions[:2]]
    async with factory(lotus.id) as uow:
        kept = await cancel_dates(uow, lotus.ctx, ids, reason="Flu", undo_seconds=60)
    alembic(own_urls, "downgrade", "0027")
    found = await owners(own_urls, SINGLY)
    assert [row[1] for row in found] == sorted(ids)
    assert {row[2:] for row in found} == {("session", "waiting", 1, 1)}
    assert kept in {row[0] for row in found}, "its own work and mails find it"
    alembic(own_urls, "upgrade", "head")


async def test_a_credit_for_an_ended_one_stands_for_it_again_and_one_with_money_for_none(
    own_urls: Mapping[Role, str], factory: UowFactory
) -> None:
    """That of a place which a credit had paid is worth nothing itself."""
    lotus = await a_business(factory)
    service = await a_service(factory, lotus.id, price_type="free")
    date = await a_session(factory, service)
    await booked(factory, lotus, a_wish("session", date.id, party=("Carl", "Kim")))
    _customer_id, paid_id = await a_lot(factory, lotus.id)
    of_seat = {"source": LotSource.SEAT, "bought": 0, "paid_minor": 0}
    async with factory(lotus.id) as uow:
        by_credit, by_money = await uow.session.scalars(select(Seat.id).order_by(Seat.id))
        await uow.session.execute(
            update(Seat).where(Seat.id == by_credit).values(credit_lot_id=paid_id)
        )
    lots = {
        "instead": {"source_seat_id": by_credit, "stands_for_id": paid_id},
        "for money": {"source_seat_id": by_money, "value_minor": 1000},
    }
    ids = {
        name: (await a_lot(factory, lotus.id, number=1, **of_seat, **more))[1]
        for name, more in lots.items()
    }
    alembic(own_urls, "downgrade", "0059")
    alembic(own_urls, "upgrade", "head")
    found = await owners(own_urls, "SELECT id, stands_for_id FROM credit_lots")
    assert dict(found) == {paid_id: None, ids["instead"]: paid_id, ids["for money"]: None}


SINGLY = (
    "SELECT c.id, c.subject_id, c.scope, c.state, c.total, count(o.id) FROM cancellations c"
    " JOIN sessions s ON s.id = c.subject_id AND s.state = 'cancelling'"
    " LEFT JOIN outbox o ON o.consumer = 'booking.cancel'"
    " AND o.payload ->> 'cancellation_id' = c.id::text AND o.available_at = c.starts_at"
    " GROUP BY c.tenant_id, c.id ORDER BY c.subject_id"
)
WORK = "SELECT DISTINCT consumer FROM outbox ORDER BY consumer"
LISTS = [("booking.serve_waitlists",), ("booking.tell_waiting",)]
