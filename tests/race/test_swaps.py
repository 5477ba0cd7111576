"""Swaps beside each other and beside whatever else wants the same places.

The control takes the guard off the last place and shows the race.
"""

from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from src.billing.models import CreditLot
from src.booking.commands import claims
from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_session
from src.booking.commands.exchange import MoveSeats
from src.booking.commands.swap import swap_seats
from src.booking.models import Seat, Session
from src.platform.db.uow import UnitOfWork
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_leave import paid_by_card
from tests.conftest import Committing
from tests.race.test_leaving import check_counts, leaving
from tests.race.test_seats import without_check
from tests.race.test_sessions import Act, at_once
from tests.support.builders import Business, Term, a_business, a_series, a_service
from tests.support.locks import held_until_all_wait
from tests.support.policies import a_refund_package, gives_package
from tests.support.policies import leaving as terms

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

UNGUARDED = text(
    "UPDATE sessions SET seats_taken = seats_taken + c.n FROM unnest("
    "cast(:session_ids AS uuid[]), cast(:counts AS int[])) AS c(id, n)"
    " WHERE sessions.tenant_id = :tenant_id AND sessions.id = c.id"
    " AND cast(:earliest AS timestamptz) IS NOT NULL RETURNING sessions.id, false AS is_empty"
)


async def two_courses(committing: Committing, capacity: int = 20) -> tuple[Business, Term, Term]:
    """Both give a credit that the other takes."""
    factory = committing.uow_factory
    business = await a_business(factory)
    given = await a_refund_package(factory, business.id)
    made = []
    for slug in ("yoga", "pilates"):
        service = await a_service(factory, business.id, slug=slug, name=slug.title())
        term = await a_series(
            factory,
            service,
            sessions=2,
            capacity=capacity,
            price_type="on_site",
            tags=["beginners"],
            drop_in_allowed=True,
            drop_in_pays=["credit"],
            leaving=terms(course=gives_package(given)),
        )
        made.append(term)
    return business, made[0], made[1]


async def a_buyer(
    committing: Committing, business: Business, term: Term, guest: str
) -> tuple[Booked, UUID]:
    """Who has paid the course, and their place on its first date."""
    wish = a_wish("series", term.series.id, guest_email=f"{guest}@example.com", party=(guest,))
    made = await booked(committing.uow_factory, business, wish)
    await paid_by_card(committing.services, business, made)
    async with committing.uow_factory(business.id) as uow:
        seat_id = await uow.session.scalar(
            select(Seat.id).where(
                Seat.order_id == made.order_id, Seat.session_id == term.sessions[0].id
            )
        )
    assert seat_id is not None
    return made, seat_id


def swapping(business: Business, made: Booked, seat_ids: Sequence[UUID], to: Session) -> Act:
    async def act(uow: UnitOfWork) -> None:
        tenant = await tenant_snapshot(uow, business.id, uow.clock.now())
        cmd = MoveSeats(order_id=made.order_id, seat_ids=seat_ids, session_id=to.id)
        await swap_seats(uow, tenant, cmd)

    return act


async def check_credits(committing: Committing, business: Business, lots: int) -> None:
    """So many credits were ever given; I11: none for a place that stands."""
    async with committing.uow_factory(business.id) as uow:
        assert await uow.session.scalar(select(func.count(CreditLot.id))) == lots
        wrong = (
            select(func.count(Seat.id))
            .join(CreditLot, CreditLot.source_seat_id == Seat.id)
            .where(Seat.returned_as.is_distinct_from("credit"))
        )
        assert await uow.session.scalar(wrong) == 0
    await check_counts(committing, business)


@pytest.mark.parametrize("turn", range(3))
async def test_swaps_in_opposite_directions_do_not_deadlock(
    committing: Committing, turn: int
) -> None:
    business, yoga, pilates = await two_courses(committing)
    acts = []
    for number in range(6):
        here, there = (yoga, pilates) if (number + turn) % 2 else (pilates, yoga)
        made, seat_id = await a_buyer(committing, business, here, f"g{number}")
        acts.append(swapping(business, made, [seat_id], there.sessions[0]))
    assert await at_once(committing, business.id, acts) == {"done": 6}
    await check_credits(committing, business, 6)


async def test_the_last_place_goes_to_one_swap(committing: Committing) -> None:
    business, yoga, pilates = await two_courses(committing, capacity=4)
    for number in range(3):
        await a_buyer(committing, business, pilates, f"p{number}")
    acts = []
    for number in range(4):
        made, seat_id = await a_buyer(committing, business, yoga, f"y{number}")
        acts.append(swapping(business, made, [seat_id], pilates.sessions[0]))
    assert await at_once(committing, business.id, acts) == {"done": 1, "full": 3}
    await check_credits(committing, business, 1)


async def test_control_without_the_guard_the_date_is_overbooked(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    business, yoga, pilates = await two_courses(committing, capacity=4)
    for number in range(3):
        await a_buyer(committing, business, pilates, f"p{number}")
    acts = []
    for number in range(4):
        made, seat_id = await a_buyer(committing, business, yoga, f"y{number}")
        acts.append(swapping(business, made, [seat_id], pilates.sessions[0]))
    await without_check(committing, "sessions", "ck_sessions_seats_taken")
    monkeypatch.setattr(claims, "_EXCHANGE", UNGUARDED)
    outcome = await held_until_all_wait(
        committing.uow_factory,
        business.id,
        select(Session.id).where(Session.id == pilates.sessions[0].id),
        many=len(acts),
        acts=at_once(committing, business.id, acts),
    )
    assert outcome["done"] == len(acts), outcome


async def test_one_place_is_swapped_once_whatever_two_windows_choose(
    committing: Committing,
) -> None:
    business, yoga, pilates = await two_courses(committing)
    made, seat_id = await a_buyer(committing, business, yoga, "a")
    acts = [swapping(business, made, [seat_id], to) for to in pilates.sessions for _tab in "ab"]
    outcome = await at_once(committing, business.id, acts)
    assert outcome["done"] == 2, outcome  # the other window's same choice finds it done
    await check_credits(committing, business, 1)


async def test_leaving_and_swapping_one_place_gives_one_credit(committing: Committing) -> None:
    business, yoga, pilates = await two_courses(committing)
    made, seat_id = await a_buyer(committing, business, yoga, "a")
    acts = [
        leaving(business, made, [seat_id]),
        swapping(business, made, [seat_id], pilates.sessions[0]),
    ]
    outcome = await at_once(committing, business.id, acts)
    assert outcome["done"] == 1, outcome
    await check_credits(committing, business, 1)


@pytest.mark.parametrize("turn", range(3))
async def test_a_swap_into_a_date_that_is_being_cancelled_is_reached_or_refused(
    committing: Committing, turn: int
) -> None:
    business, yoga, pilates = await two_courses(committing)
    acts: list[Act] = [
        lambda uow: cancel_session(
            uow, business.ctx, pilates.sessions[0].id, reason="", undo_seconds=60
        )
    ]
    for number in range(3):
        made, seat_id = await a_buyer(committing, business, yoga, f"g{number}")
        acts.append(swapping(business, made, [seat_id], pilates.sessions[0]))
    acts = acts[turn:] + acts[:turn]
    outcome = await at_once(committing, business.id, acts)
    assert set(outcome) <= {"done", "not_just_now", "full"}, outcome
    await check_credits(committing, business, outcome["done"] - 1)
