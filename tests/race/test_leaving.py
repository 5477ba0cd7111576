"""Guests who leave or exchange seats in the moment in which others want the same."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from src.billing.commands.ending import expire_order
from src.billing.commands.settle import apply_page
from src.billing.models import PaymentPage, Refund
from src.booking.commands import exchange
from src.booking.commands.book import BookCommand, Booked, book
from src.booking.commands.cancel import cancel_session
from src.booking.commands.exchange import MoveSeats, move_seats
from src.booking.commands.leave import leave_course, leave_dates
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.models import Seat, Service, Session
from src.platform.db.uow import UnitOfWork
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_claims_last import a_page, as_found
from tests.booking.commands.test_leave import paid_by_card
from tests.conftest import Committing
from tests.race.test_sessions import Act, at_once
from tests.support.builders import (
    Business,
    Term,
    a_business,
    a_series,
    a_service,
    a_session,
    as_guest,
)
from tests.support.work import work

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]
TERMS = LeavingTerms(tiers=(Tier(before=24, percent=100),), moves_before=0)


async def a_place(
    committing: Committing, business: Business, session: Session, guest: str = "a"
) -> tuple[Booked, UUID]:
    """A confirmed seat of its own order."""
    wish = a_wish("session", session.id, guest_email=f"{guest}@example.com")
    made = await booked(committing.uow_factory, business, wish)
    async with committing.uow_factory(business.id) as uow:
        seat_id = await uow.session.scalar(select(Seat.id).where(Seat.order_id == made.order_id))
    assert seat_id is not None
    return made, seat_id


async def two_dates(committing: Committing, **more: int) -> tuple[Business, Session, Session]:
    business = await a_business(committing.uow_factory)
    service = await a_service(
        committing.uow_factory, business.id, price_type="on_site", leaving=TERMS.document()
    )
    first = await a_session(committing.uow_factory, service, **more)
    second = await a_session(committing.uow_factory, service, in_days=14, **more)
    return business, first, second


def leaving(business: Business, made: Booked, seat_ids: Sequence[UUID]) -> Act:
    async def act(uow: UnitOfWork) -> None:
        tenant = await tenant_snapshot(uow, business.id, uow.clock.now())
        await leave_dates(uow, tenant, made.order_id, seat_ids)

    return act


def moving(business: Business, made: Booked, seat_id: UUID, to: Session) -> Act:
    async def act(uow: UnitOfWork) -> None:
        tenant = await tenant_snapshot(uow, business.id, uow.clock.now())
        cmd = MoveSeats(order_id=made.order_id, seat_ids=[seat_id], session_id=to.id)
        await move_seats(uow, tenant, cmd)

    return act


async def check_counts(committing: Committing, business: Business) -> None:
    """I1: every session's counter is the number of its live seats."""
    async with committing.uow_factory(business.id) as uow:
        live = (
            select(func.count(Seat.id))
            .where(Seat.session_id == Session.id)
            .where(Seat.state.in_(["held", "confirmed", "attended", "no_show"]))
            .scalar_subquery()
        )
        for taken, seats in await uow.session.execute(select(Session.seats_taken, live)):
            assert taken == seats


def walking_in(business: Business, wish: BookCommand) -> Act:
    async def act(uow: UnitOfWork) -> None:
        await book(uow, as_guest(business), wish)

    return act


async def test_two_tabs_leave_one_seat_once(committing: Committing) -> None:
    business, first, _second = await two_dates(committing)
    made, seat_id = await a_place(committing, business, first)
    await paid_by_card(committing.services, business, made)
    acts = [leaving(business, made, [seat_id]) for _tab in range(6)]
    assert await at_once(committing, business.id, acts) == {"done": 6}
    async with committing.uow_factory(business.id) as uow:
        assert list(await uow.session.scalars(select(Refund.amount_minor))) == [1500]
    await check_counts(committing, business)


async def test_the_last_seat_goes_to_an_exchange_or_to_a_walk_in_and_never_to_both(
    committing: Committing,
) -> None:
    business, first, second = await two_dates(committing, capacity=1)
    made, seat_id = await a_place(committing, business, first)
    wish = a_wish("session", second.id, guest_email="walk-in@example.com")
    acts = [moving(business, made, seat_id, second), walking_in(business, wish)]
    outcome = await at_once(committing, business.id, acts)
    assert outcome["done"] == 1, outcome
    async with committing.uow_factory(business.id) as uow:
        confirmed = select(Seat).where(Seat.state == "confirmed", Seat.session_id == second.id)
        assert len((await uow.session.scalars(confirmed)).all()) == 1
    await check_counts(committing, business)


@pytest.mark.parametrize("turn", range(3))
async def test_exchanges_in_opposite_directions_do_not_deadlock(
    committing: Committing, turn: int
) -> None:
    business, first, second = await two_dates(committing, capacity=20)
    acts = []
    for number in range(6):
        here, there = (first, second) if (number + turn) % 2 else (second, first)
        made, seat_id = await a_place(committing, business, here, f"g{number}")
        acts.append(moving(business, made, seat_id, there))
    assert await at_once(committing, business.id, acts) == {"done": 6}
    await check_counts(committing, business)


@pytest.mark.parametrize("turn", range(4))
async def test_courses_left_and_bought_at_once_do_not_deadlock(
    committing: Committing, turn: int
) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id)
    terms = LeavingTerms(whole_course=True).document()
    term = await a_series(
        committing.uow_factory,
        service,
        price_type="free",
        price_minor=0,
        capacity=20,
        leaving=terms,
    )
    acts: list[Act] = []
    for number in range(8):
        wish = a_wish("series", term.series.id, guest_email=f"g{number}-{turn}@example.com")
        made = await booked(committing.uow_factory, business, wish)
        acts += [leaving_course(business, made), buying(business, term, number)]
    assert await at_once(committing, business.id, acts) == {"done": 16}
    await check_counts(committing, business)


def leaving_course(business: Business, made: Booked) -> Act:
    async def act(uow: UnitOfWork) -> None:
        tenant = await tenant_snapshot(uow, business.id, uow.clock.now())
        await leave_course(uow, tenant, made.order_id)

    return act


def buying(business: Business, term: Term, number: int) -> Act:
    wish = a_wish("series", term.series.id, guest_email=f"h{number}@example.com")
    return lambda uow: book(uow, as_guest(business), wish)


async def test_full_both_ways_nobody_is_sold_twice(committing: Committing) -> None:
    """Neither date has room for the other's guest until one has left: both are refused."""
    business, first, second = await two_dates(committing, capacity=1)
    one, one_seat = await a_place(committing, business, first, "one")
    two, two_seat = await a_place(committing, business, second, "two")
    acts = [moving(business, one, one_seat, second), moving(business, two, two_seat, first)]
    assert await at_once(committing, business.id, acts) == {"full": 2}
    await check_counts(committing, business)


async def test_leaving_and_exchanging_one_seat_happens_once(committing: Committing) -> None:
    business, first, second = await two_dates(committing)
    made, seat_id = await a_place(committing, business, first)
    acts = [leaving(business, made, [seat_id]), moving(business, made, seat_id, second)]
    outcome = await at_once(committing, business.id, acts)
    assert outcome["done"] == 1, outcome
    await check_counts(committing, business)


async def test_leaving_while_the_business_cancels_the_date_frees_it_once(
    committing: Committing,
) -> None:
    business, first, _second = await two_dates(committing)
    places = [await a_place(committing, business, first, f"g{number}") for number in range(4)]

    async def cancelling(uow: UnitOfWork) -> None:
        await cancel_session(uow, business.ctx, first.id, reason="", undo_seconds=0)

    acts = [leaving(business, made, [seat_id]) for made, seat_id in places]
    await at_once(committing, business.id, [*acts[:2], cancelling, *acts[2:]])
    await work(committing.services, business.id, rounds=6)
    async with committing.uow_factory(business.id) as uow:
        states = set(await uow.session.scalars(select(Seat.state)))
        assert states == {"cancelled"}
    await check_counts(committing, business)


@pytest.mark.parametrize("has_expired", [False, True])
async def test_leaving_in_the_moment_a_payment_lands_is_all_or_nothing(
    committing: Committing, *, has_expired: bool
) -> None:
    """Before the payment the place is not the guest's to leave, after it is; never in between."""
    business, first, _second = await two_dates(committing)
    async with committing.uow_factory(business.id) as uow:
        await uow.session.execute(update(Service).values(price_type="online"))
    made, seat_id = await a_place(committing, business, first)
    page = await a_page(committing.uow_factory, business, made.order)
    if has_expired:
        async with committing.uow_factory(business.id) as uow:
            await uow.session.execute(update(PaymentPage).values(state="expired"))
            assert await expire_order(uow, made.order_id, "not_paid", uow.clock.now())

    async def paid(uow: UnitOfWork) -> None:
        await apply_page(uow, page.id, as_found(page, made.order))

    outcome = await at_once(committing, business.id, [leaving(business, made, [seat_id]), paid])
    assert outcome in ({"done": 2}, {"done": 1, "seat_not_confirmed": 1})
    async with committing.uow_factory(business.id) as uow:
        seat = (await uow.session.scalars(select(Seat))).one()
        refunded = list(await uow.session.scalars(select(Refund.amount_minor)))
    left = outcome["done"] == 2
    assert (seat.state, refunded) == (("cancelled", [1500]) if left else ("confirmed", []))
    await check_counts(committing, business)


async def test_a_control_without_the_guard_the_last_seat_is_refused_only_by_the_database(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the new seat claimed by nobody, the exchange would sit on a full date uncounted."""

    async def claims_nothing(*_args: object, **_more: object) -> None:
        return None

    monkeypatch.setattr(exchange, "exchange_seats", claims_nothing)
    business, first, second = await two_dates(committing, capacity=1)
    made, seat_id = await a_place(committing, business, first)
    wish = a_wish("session", second.id, guest_email="walk-in@example.com")
    # One after the other: whoever walks in first leaves nothing to exchange for.
    for act in (moving(business, made, seat_id, second), walking_in(business, wish)):
        await at_once(committing, business.id, [act])
    with pytest.raises(AssertionError):
        await check_counts(committing, business)
