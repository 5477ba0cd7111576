"""Credits take places at once, one for each seat, and come back with a seat that is left."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from src.billing.commands.credits import CreditsGone
from src.billing.domain.credits import LotSource, Scope
from src.billing.domain.kinds import OrderState, PaymentMode
from src.booking.commands import book as book_command
from src.booking.commands.book import Booked
from src.booking.commands.exchange import MoveSeats, move_seats
from src.booking.commands.leave import leave_dates, lock_own_seats
from src.booking.domain.drop_in import PayWay
from src.booking.domain.reasons import ReasonCode
from src.booking.errors import NotBookable
from src.booking.models import Session
from src.booking.queries.credits_back import find_credits_to_come
from src.booking.queries.decide import decide
from src.platform.errors import InvalidInput, NotFound
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, booked, month_count, seats_of, taken
from tests.booking.commands.test_cancel_credits import lots
from tests.booking.commands.test_leave import TERMS
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.cancelling import seats_taken_back
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot, balance_of, ledger_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def by_credit(
    services: Services,
    lotus: Business,
    kind: str,
    subject_id: UUID,
    lot: tuple[UUID, UUID],
    **more: object,
) -> Booked:
    """Whoever owns the lot has signed in."""
    customer_id, lot_id = lot
    wish = a_wish(
        kind,
        subject_id,
        way=PayWay.CREDIT,
        customer_id=customer_id,
        credit_lot_id=lot_id,
        **more,
    )
    return await booked(services.uow_factory, lotus, wish)


async def refused(
    services: Services, lotus: Business, kind: str, subject_id: UUID, lot: tuple[UUID, UUID]
) -> list[ReasonCode]:
    with pytest.raises(NotBookable) as refusal:
        await by_credit(services, lotus, kind, subject_id, lot)
    assert await ledger_of(services.uow_factory, lotus.id) in ([], [("grant", 10)])
    return [reason.code for reason in refusal.value.reasons]


async def leave(services: Services, lotus: Business, made: Booked) -> None:
    seats = await seats_of(services.uow_factory, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        standing = [seat.id for seat in seats if seat.order_id == made.order_id]
        await leave_dates(uow, tenant, made.order_id, standing)


async def test_a_party_of_three_costs_three_and_is_confirmed_at_once(
    services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service)
    lot = await a_lot(services.uow_factory, lotus.id)
    made = await by_credit(
        services, lotus, "session", session.id, lot, party=("Carl", "Kid", "Friend")
    )
    assert (made.order.state, made.order.payment_mode) == (
        OrderState.CONFIRMED,
        PaymentMode.CREDIT,
    )
    assert (made.total_minor, made.needs_payment) == (0, False)
    assert await balance_of(services.uow_factory, lotus.id, lot[0]) == 7
    assert await ledger_of(services.uow_factory, lotus.id) == [
        ("grant", 10),
        *[("redeem", -1)] * 3,
    ]
    seats = await seats_of(services.uow_factory, lotus.id)
    assert {(seat.credit_lot_id, seat.share_minor, seat.state) for seat in seats} == {
        (lot[1], 0, "confirmed")
    }
    assert await taken(services.uow_factory, lotus.id) == [3]
    assert await month_count(services.uow_factory, lotus.id) == 1


async def test_a_credit_that_a_place_was_given_back_for_counts_no_booking(
    services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service)
    lot = await a_lot(
        services.uow_factory,
        lotus.id,
        number=1,
        source=LotSource.SEAT,
        source_seat_id=new_id(),
        bought=0,
        paid_minor=0,
    )
    await by_credit(services, lotus, "session", session.id, lot)
    assert await month_count(services.uow_factory, lotus.id) == 0


async def given_back(
    services: Services, lotus: Business, count: int, **more: object
) -> list[tuple[UUID, UUID]]:
    """So many credits that came back for places, each a lot of its own; ends as they are offered.

    Returns the ids of the customer and of the lots.
    """
    now = services.clock.now()
    return [
        await a_lot(
            services.uow_factory,
            lotus.id,
            number=1,
            **{
                "source": LotSource.SEAT,
                "source_seat_id": new_id(),
                "bought": 0,
                "paid_minor": 0,
                "expires_at": now + timedelta(days=30 + day),
                **more,
            },
        )
        for day in range(count)
    ]


async def test_two_who_gave_up_their_places_come_another_day_together(
    services: Services, lotus: Business
) -> None:
    """Each credit is a lot of its own, and gives its place back to that lot."""
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service)
    lots_of_both = await given_back(services, lotus, 3)
    # The one that ends last is asked for, and pays with the one that ends first.
    made = await by_credit(
        services, lotus, "session", session.id, lots_of_both[2], party=("Carl", "Anna")
    )
    assert made.order.state == OrderState.CONFIRMED
    seats = await seats_of(services.uow_factory, lotus.id)
    assert sorted(seat.credit_lot_id for seat in seats) == sorted(
        lot_id for _customer, lot_id in (lots_of_both[0], lots_of_both[2])
    )
    left = await lots(services, lotus)
    assert {lot.id: lot.balance for lot in left} == dict(
        zip([lot_id for _customer, lot_id in lots_of_both], (0, 1, 0), strict=True)
    )
    await leave(services, lotus, made)
    assert {lot.balance for lot in await lots(services, lotus)} == {1}


async def test_only_credits_that_could_pay_alone_pay_together(
    services: Services, lotus: Business
) -> None:
    """Not those for something else, those that end before, or those that were bought."""
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service)
    [lot] = await given_back(services, lotus, 1)
    ended = session.starts_at - timedelta(minutes=1)
    await given_back(services, lotus, 1, expires_at=ended)
    await given_back(services, lotus, 1, scope=Scope(tags=frozenset({"kids"})))
    await a_lot(services.uow_factory, lotus.id, number=1)
    with pytest.raises(NotBookable) as refusal:
        await by_credit(services, lotus, "session", session.id, lot, party=("Carl", "Anna"))
    assert [reason.code for reason in refusal.value.reasons] == [ReasonCode.CREDITS_TOO_FEW]
    assert await taken(services.uow_factory, lotus.id) == [0]


async def test_a_series_costs_one_credit_for_each_date_and_only_where_it_is_allowed(
    services: Services, lotus: Business
) -> None:
    """Row 2-53: one credit paid for a whole course."""
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service)
    lot = await a_lot(services.uow_factory, lotus.id)
    assert await refused(services, lotus, "series", term.series.id, lot) == [
        ReasonCode.CREDITS_NOT_TAKEN
    ]
    open_term = await a_series(services.uow_factory, service, takes_credits=True)
    await by_credit(services, lotus, "series", open_term.series.id, lot)
    assert await balance_of(services.uow_factory, lotus.id, lot[0]) == 7


async def test_no_payment_account_is_needed(services: Services, lotus: Business) -> None:
    unready = await a_business(services.uow_factory, "fern", payments_ready=False)
    service = await a_service(services.uow_factory, unready.id)
    term = await a_series(services.uow_factory, service, takes_credits=True)
    lot = await a_lot(services.uow_factory, unready.id)
    made = await by_credit(services, unready, "series", term.series.id, lot)
    assert made.order.state == OrderState.CONFIRMED


async def test_tags_decide_where_a_credit_goes(services: Services, lotus: Business) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    beginners = await a_series(
        services.uow_factory, service, tags=["beginners"], drop_in_allowed=True
    )
    advanced = await a_series(
        services.uow_factory, service, tags=["advanced"], drop_in_allowed=True
    )
    scope = Scope(tags=frozenset({"beginners"}))
    lot = await a_lot(services.uow_factory, lotus.id, scope=scope)
    assert await refused(services, lotus, "session", advanced.sessions[0].id, lot) == [
        ReasonCode.CREDITS_OUT_OF_SCOPE
    ]
    made = await by_credit(services, lotus, "session", beginners.sessions[0].id, lot)
    assert made.order.state == OrderState.CONFIRMED


async def test_a_date_for_credits_only_is_open_to_who_has_some(
    services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(
        services.uow_factory, service, drop_in_allowed=True, drop_in_pays=["credit"]
    )
    wish = a_wish("session", term.sessions[0].id)
    with pytest.raises(NotBookable) as refusal:
        await booked(services.uow_factory, lotus, wish)
    assert refusal.value.reasons[0].code is ReasonCode.CREDIT_ONLY
    lot = await a_lot(services.uow_factory, lotus.id)
    await by_credit(services, lotus, "session", term.sessions[0].id, lot)


async def test_a_date_that_is_paid_otherwise_takes_no_credit(
    services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(
        services.uow_factory, service, drop_in_allowed=True, drop_in_pays=["on_site"]
    )
    lot = await a_lot(services.uow_factory, lotus.id)
    assert await refused(services, lotus, "session", term.sessions[0].id, lot) == [
        ReasonCode.CREDITS_NOT_TAKEN
    ]


@pytest.mark.parametrize(
    ("ends_in_days", "why"),
    [(-1, ReasonCode.CREDITS_EXPIRED), (6, ReasonCode.CREDITS_STARTS_AFTER_EXPIRY)],
    ids=["is over", "ends before the date"],
)
async def test_credits_are_over_at_their_time_without_any_job(
    services: Services, lotus: Business, clock: FrozenClock, ends_in_days: int, why: ReasonCode
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service, in_days=7)
    ends = clock.now() + timedelta(days=ends_in_days)
    lot = await a_lot(services.uow_factory, lotus.id, expires_at=ends)
    assert await refused(services, lotus, "session", session.id, lot) == [why]


async def test_at_the_last_second_a_credit_still_counts(
    services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service)
    lot = await a_lot(services.uow_factory, lotus.id, expires_at=session.starts_at)
    await by_credit(services, lotus, "session", session.id, lot)


async def test_a_pending_lot_pays_nothing(services: Services, lotus: Business) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service)
    lot = await a_lot(services.uow_factory, lotus.id, pending=True)
    assert await refused(services, lotus, "session", session.id, lot) == [
        ReasonCode.CREDITS_PENDING
    ]


async def test_nobody_uses_what_is_anothers(services: Services, lotus: Business) -> None:
    """Neither another customer of the business, nor one of another business, nor a stranger."""
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service)
    carl, lot_id = await a_lot(services.uow_factory, lotus.id)
    dora, _own = await a_lot(services.uow_factory, lotus.id, "dora@example.com")
    eve = await a_business(services.uow_factory, "fern", owner="Eve")
    theirs = await a_lot(services.uow_factory, eve.id)
    for customer_id, wanted in ((dora, lot_id), (carl, theirs[1]), theirs):
        with pytest.raises(NotFound):
            await by_credit(services, lotus, "session", session.id, (customer_id, wanted))
    stranger = a_wish("session", session.id, way=PayWay.CREDIT, credit_lot_id=lot_id)
    with pytest.raises(InvalidInput):
        await booked(services.uow_factory, lotus, stranger)
    assert await balance_of(services.uow_factory, lotus.id, carl) == 10


async def test_credits_that_went_meanwhile_end_the_booking(
    services: Services, lotus: Business, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judgement was made before somebody else took the last one."""
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service)
    lot = await a_lot(services.uow_factory, lotus.id, number=1)

    async def judged_before(*args: object, **more: object) -> object:
        decided = await decide(*args, **more)  # type: ignore[arg-type]  # the same arguments
        decided.reasons.clear()
        return decided

    await by_credit(services, lotus, "session", session.id, lot)
    monkeypatch.setattr(book_command, "decide", judged_before)
    with pytest.raises(CreditsGone):
        await by_credit(services, lotus, "session", session.id, lot, party=("Kim",))
    assert await taken(services.uow_factory, lotus.id) == [1]


async def test_a_coupon_is_for_money(services: Services, lotus: Business) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service)
    lot = await a_lot(services.uow_factory, lotus.id)
    with pytest.raises(InvalidInput) as refusal:
        await by_credit(services, lotus, "session", session.id, lot, coupon="SPRING")
    assert "coupon" in refusal.value.fields


@pytest.mark.parametrize(("days_before", "left"), [(3, 10), (0.5, 9)], ids=["in time", "late"])
async def test_a_credit_comes_back_with_a_seat_that_is_left_in_time(
    services: Services, lotus: Business, clock: FrozenClock, days_before: float, left: int
) -> None:
    """Row 2-53: a cancelled booking kept its credit."""
    service = await a_service(services.uow_factory, lotus.id, leaving=TERMS)
    session = await a_session(services.uow_factory, service)
    lot = await a_lot(services.uow_factory, lotus.id)
    made = await by_credit(services, lotus, "session", session.id, lot)
    clock.at = session.starts_at - timedelta(days=days_before)
    await leave(services, lotus, made)
    await leave(services, lotus, made)
    assert await balance_of(services.uow_factory, lotus.id, lot[0]) == left
    [seat] = await seats_of(services.uow_factory, lotus.id)
    assert seat.returned_as == ("credit" if left == 10 else None)
    assert await taken(services.uow_factory, lotus.id) == [0]


async def test_a_seat_that_was_exchanged_gives_the_same_credit_back_once(
    services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    first = await a_session(services.uow_factory, service)
    second = await a_session(services.uow_factory, service, in_days=9)
    lot = await a_lot(services.uow_factory, lotus.id)
    made = await by_credit(services, lotus, "session", first.id, lot)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        move = MoveSeats(
            order_id=made.order_id, seat_ids=[seat.id], session_id=second.id, by="staff"
        )
        [moved_id] = await move_seats(uow, tenant, move)
    assert await balance_of(services.uow_factory, lotus.id, lot[0]) == 9
    async with services.uow_factory(lotus.id) as uow:
        await leave_dates(uow, tenant, made.order_id, [moved_id])
    assert await balance_of(services.uow_factory, lotus.id, lot[0]) == 10


async def test_what_the_business_calls_off_gives_credits_back_whatever_was_chosen(
    services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, leaving=TERMS)
    session = await a_session(services.uow_factory, service, in_days=0.2)
    lot = await a_lot(services.uow_factory, lotus.id)
    await by_credit(services, lotus, "session", session.id, lot, party=("Carl", "Kid"))
    both = [seat.id for seat in await seats_of(services.uow_factory, lotus.id)]
    await seats_taken_back(services.uow_factory, lotus, both)
    assert await balance_of(services.uow_factory, lotus.id, lot[0]) == 10
    seats = await seats_of(services.uow_factory, lotus.id)
    assert {(seat.state, seat.returned_as) for seat in seats} == {("cancelled", "credit")}


async def test_who_leaves_what_was_moved_past_their_credits_end_has_one_to_use(
    services: Services, clock: FrozenClock, lotus: Business
) -> None:
    """Leaving is free then. Called off by the business, the same date gives a credit of 30 days."""
    service = await a_service(services.uow_factory, lotus.id, leaving=TERMS)
    session = await a_session(services.uow_factory, service, in_days=7)
    ends_at = clock.now() + timedelta(days=10)
    lot = await a_lot(services.uow_factory, lotus.id, number=1, expires_at=ends_at)
    made = await by_credit(services, lotus, "session", session.id, lot)
    async with services.uow_factory(lotus.id) as uow:
        later = session.starts_at + timedelta(days=14)
        await uow.session.execute(
            update(Session)
            .where(Session.id == session.id)
            .values(
                starts_at=later,
                ends_at=later + timedelta(hours=1),
                sequence=1,
                moved_sequence=1,
            )
        )
    clock.advance(timedelta(days=12))
    async with services.uow_factory(lotus.id) as uow:
        own = await lock_own_seats(uow, made.order_id)
        [told] = (await find_credits_to_come(uow, lotus.ctx.here, own)).values()
    await leave(services, lotus, made)
    usable = [
        one
        for one in await lots(services, lotus)
        if one.balance and (one.expires_at is None or one.expires_at > clock.now())
    ]
    assert [one.expires_at for one in usable] == [told.ends_at]
