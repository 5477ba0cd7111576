"""Two hundred guests, fifty seats: exactly fifty, whatever the database has to juggle.

The controls switch the guard off and show the race, so that the others are known to mean something.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from src.booking.commands import claims
from src.booking.commands.book import BookCommand, book
from src.booking.models import Session
from src.platform.errors import DomainError, PlanLimitReached
from src.tenants.commands import counters
from tests.booking.commands.test_book import a_wish
from tests.conftest import Committing
from tests.support.builders import Business, a_business, a_series, a_service, a_session, as_guest
from tests.support.locks import held_until_all_wait

pytestmark = [pytest.mark.anyio, pytest.mark.race]

GUESTS, SEATS = 200, 50
FEW = 6
COUNTING_GUARD = text(
    "UPDATE sessions SET seats_taken = seats_taken + :wanted WHERE tenant_id = :tenant_id"
    " AND id = :session_id AND starts_at >= :earliest AND (SELECT count(*) FROM seats"
    " WHERE seats.tenant_id = :tenant_id AND session_id = :session_id"
    " AND seats.state IN ('held', 'confirmed')) <= capacity RETURNING id"
)


async def all_at_once(
    committing: Committing, business: Business, wishes: Sequence[BookCommand]
) -> Counter[str]:
    """Every wish in a transaction of its own, started together. Counts what came of them."""
    start = asyncio.Event()

    async def one(wish: BookCommand) -> str:
        await start.wait()
        try:
            async with committing.uow_factory(business.id) as uow:
                await book(uow, as_guest(business), wish)
        except DomainError as refused:
            return refused.code
        return "booked"

    tasks = [asyncio.create_task(one(wish)) for wish in wishes]
    start.set()
    return Counter(await asyncio.gather(*tasks))


async def all_having_looked(
    committing: Committing, business: Business, wishes: Sequence[BookCommand]
) -> Counter[str]:
    """The same for a control: nobody has a place, which is the first thing that a booking takes of
    what others want, before everybody has seen that there is enough.
    """
    return await held_until_all_wait(
        committing.uow_factory,
        business.id,
        select(Session.id),
        many=len(wishes),
        acts=all_at_once(committing, business, wishes),
    )


def guests(kind: Any, subject_ids: Sequence[UUID], **more: Any) -> list[BookCommand]:
    return [
        a_wish(kind, subject_ids[n % len(subject_ids)], guest_email=f"g{n}@example.com", **more)
        for n in range(GUESTS // len(subject_ids))
    ]


async def numbers(committing: Committing, business: Business, sql: str) -> list[int]:
    async with committing.uow_factory(business.id) as uow:
        return list((await uow.session.execute(text(sql))).scalars())


LIVE_BY_SESSION = (
    "SELECT count(*) FILTER (WHERE seats.state IN ('held', 'confirmed')) FROM sessions"
    " LEFT JOIN seats ON seats.session_id = sessions.id GROUP BY sessions.id ORDER BY sessions.id"
)
TAKEN_BY_SESSION = "SELECT seats_taken FROM sessions ORDER BY id"


async def test_two_hundred_guests_for_fifty_seats_of_a_session(committing: Committing) -> None:
    """Row 2-2, 2-4, 2-6, 2-7, 2-8: a lock that was left out at times sold one seat twice."""
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id)
    session = await a_session(committing.uow_factory, service, capacity=SEATS)
    outcomes = await all_at_once(committing, business, guests("session", [session.id]))
    assert outcomes["booked"] == SEATS
    assert set(outcomes) <= {"booked", "sold_out", "full"}
    assert await numbers(committing, business, LIVE_BY_SESSION) == [SEATS]
    assert await numbers(committing, business, TAKEN_BY_SESSION) == [SEATS]
    orders = await numbers(committing, business, "SELECT count(*) FROM orders")
    assert orders == [SEATS], "nobody without a seat has an order that could be charged"
    assert await numbers(committing, business, "SELECT taken FROM booking_counters") == [SEATS]


async def test_series_buyers_and_drop_ins_share_fifty_seats_without_deadlock(
    committing: Committing,
) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id)
    term = await a_series(
        committing.uow_factory, service, sessions=4, capacity=SEATS, drop_in_allowed=True
    )
    single = [session.id for session in reversed(term.sessions)]
    wishes = [
        wish
        for pair in zip(
            guests("series", [term.series.id]),
            guests("session", [single[0]]),
            strict=True,
        )
        for wish in pair
    ][:GUESTS]
    outcomes = await all_at_once(committing, business, wishes)
    assert set(outcomes) <= {"booked", "sold_out", "full"}, "and nothing like a deadlock"
    assert outcomes["booked"] == SEATS, "the last session is in everybody's wish"
    live = await numbers(committing, business, LIVE_BY_SESSION)
    assert max(live) == SEATS
    assert live == await numbers(committing, business, TAKEN_BY_SESSION)
    assert sum(await numbers(committing, business, "SELECT count(*) FROM orders")) == SEATS


async def test_overlapping_series_in_opposite_orders_never_deadlock(
    committing: Committing,
) -> None:
    """Each party wants all sessions of its own series, and singles of both at random."""
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id, price_type="free")
    term = await a_series(
        committing.uow_factory,
        service,
        sessions=6,
        capacity=SEATS,
        drop_in_allowed=True,
        price_type="free",
        price_minor=0,
    )
    ids = [session.id for session in term.sessions]
    wishes = guests("series", [term.series.id])[:100] + guests("session", ids)
    outcomes = await all_at_once(committing, business, wishes)
    assert set(outcomes) <= {"booked", "sold_out", "full"}
    assert await numbers(committing, business, LIVE_BY_SESSION) == await numbers(
        committing, business, TAKEN_BY_SESSION
    )


async def test_control_a_counting_guard_oversells(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id)
    session = await a_session(committing.uow_factory, service, capacity=1)
    await without_check(committing, "sessions", "ck_sessions_seats_taken")
    monkeypatch.setattr(claims, "_CLAIM_ONE", COUNTING_GUARD)
    outcomes = await all_having_looked(committing, business, guests("session", [session.id])[:FEW])
    assert outcomes == {"booked": FEW}
    assert await numbers(committing, business, LIVE_BY_SESSION) == [FEW]


async def test_the_last_unit_of_the_month_is_sold_once(committing: Committing) -> None:
    business = await a_business(committing.uow_factory, plan="growth")
    service = await a_service(committing.uow_factory, business.id, price_type="free")
    session = await a_session(committing.uow_factory, service, capacity=GUESTS)
    await used_up_but_one(committing, business)
    outcomes = await all_at_once(committing, business, guests("session", [session.id])[:50])
    assert outcomes == {"booked": 1, PlanLimitReached.code: 49}
    assert await numbers(committing, business, "SELECT taken FROM booking_counters") == [1000]
    assert await numbers(committing, business, TAKEN_BY_SESSION) == [1]


async def test_control_an_unguarded_counter_passes_the_limit(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    business = await a_business(committing.uow_factory, plan="growth")
    service = await a_service(committing.uow_factory, business.id, price_type="free")
    session = await a_session(committing.uow_factory, service, capacity=GUESTS)
    await used_up_but_one(committing, business)
    guarded = counters.upsert_unit
    monkeypatch.setattr(
        counters, "upsert_unit", lambda uow, month, limit: guarded(uow, month, None)
    )
    outcomes = await all_having_looked(committing, business, guests("session", [session.id])[:FEW])
    assert outcomes == {"booked": FEW}
    taken = await numbers(committing, business, "SELECT taken FROM booking_counters")
    assert taken == [999 + FEW]


async def test_one_form_sent_many_times_at_once_is_one_order(committing: Committing) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id)
    session = await a_session(committing.uow_factory, service)
    wish = a_wish("session", session.id)
    outcomes = await all_at_once(committing, business, [wish] * 10)
    assert outcomes == {"booked": 1, "already_submitted": 9}
    assert await numbers(committing, business, TAKEN_BY_SESSION) == [1]


async def used_up_but_one(committing: Committing, business: Business) -> None:
    async with committing.uow_factory(business.id) as uow:
        await uow.session.execute(
            text("INSERT INTO booking_counters VALUES (:t, '2027-03', 999, 80)"),
            {"t": business.id},
        )


async def without_check(committing: Committing, table: str, constraint: str) -> None:
    from tests.support.servers import test_servers

    test_servers().postgres.execute(
        committing.name, f"ALTER TABLE {table} DROP CONSTRAINT {constraint}"
    )
