"""All seats of an order, or none; the price that was shown, or nothing."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from src.billing.commands.orders import get_order, lock_order
from src.billing.models import Order, OrderLine
from src.booking.commands.book import BookCommand, Booked, book
from src.booking.commands.cancel import cancel_session
from src.booking.commands.claims import SeatsGone
from src.booking.commands.holds import SeatLines
from src.booking.errors import NotBookable, PriceChanged
from src.booking.models import Cancellation, Seat, Session
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, InvalidInput, NotFound, PlanLimitReached
from src.platform.ids import new_id
from src.tenants.models import User
from tests.support.builders import Business, a_business, a_series, a_service, a_session, as_guest
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio


def a_wish(kind: Any, subject_id: UUID, **more: Any) -> BookCommand:
    return BookCommand(
        **{
            "kind": kind,
            "subject_id": subject_id,
            "party": ("Carl",),
            "guest_name": "Carl",
            "guest_email": "carl@example.com",
            "form_token": str(new_id()),
            **more,
        }
    )


async def booked(uow_factory: UowFactory, business: Business, cmd: BookCommand) -> Booked:
    async with uow_factory(business.id) as uow:
        return await book(uow, as_guest(business), cmd)


async def seats_of(uow_factory: UowFactory, tenant_id: UUID) -> list[Seat]:
    async with uow_factory(tenant_id) as uow:
        found = await uow.session.scalars(
            select(Seat)
            .join(Session, Session.id == Seat.session_id)
            .order_by(Session.starts_at, Seat.id)
        )
        return list(found)


async def taken(uow_factory: UowFactory, tenant_id: UUID) -> list[int]:
    async with uow_factory(tenant_id) as uow:
        found = await uow.session.scalars(select(Session.seats_taken).order_by(Session.starts_at))
        return list(found)


async def month_count(uow_factory: UowFactory, tenant_id: UUID) -> int:
    async with uow_factory(tenant_id) as uow:
        count: int = await uow.session.scalar(
            text("SELECT coalesce(sum(taken), 0) FROM booking_counters")
        )
        return count


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


async def test_a_paid_series_holds_a_seat_in_every_session_and_counts_once(
    uow_factory: UowFactory, lotus: Business
) -> None:
    """Row 2-3: carts reserved nothing."""
    term = await a_series(uow_factory, await a_service(uow_factory, lotus.id))
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id))
    assert made.needs_payment
    assert made.total_minor == 6000
    seats = await seats_of(uow_factory, lotus.id)
    assert [(seat.state, seat.share_minor) for seat in seats] == [("held", 2000)] * 3
    assert await taken(uow_factory, lotus.id) == [1, 1, 1]
    assert await month_count(uow_factory, lotus.id) == 1


async def test_shares_of_a_price_that_does_not_divide_still_sum_to_it(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    term = await a_series(uow_factory, service, price_minor=10000)
    await booked(uow_factory, lotus, a_wish("series", term.series.id))
    shares = [seat.share_minor for seat in await seats_of(uow_factory, lotus.id)]
    assert shares == [3334, 3333, 3333]


@pytest.mark.parametrize(
    ("price_type", "price_minor", "mode"),
    [("free", 0, "free"), ("on_site", 1500, "on_site"), ("online", 0, "free")],
)
async def test_nothing_to_pay_online_confirms_at_once(
    uow_factory: UowFactory, lotus: Business, price_type: str, price_minor: int, mode: str
) -> None:
    service = await a_service(uow_factory, lotus.id, price_type=price_type, price_minor=price_minor)
    session = await a_session(uow_factory, service)
    made = await booked(uow_factory, lotus, a_wish("session", session.id))
    assert not made.needs_payment
    async with uow_factory(lotus.id) as uow:
        order = await get_order(uow, made.order_id)
    assert (order.state, order.payment_mode) == ("confirmed", mode)
    assert [seat.state for seat in await seats_of(uow_factory, lotus.id)] == ["confirmed"]


async def test_a_party_takes_as_many_seats_and_pays_as_many_times(
    uow_factory: UowFactory, lotus: Business
) -> None:
    session = await a_session(uow_factory, await a_service(uow_factory, lotus.id))
    wish = a_wish("session", session.id, party=("Carl", "Dora", ""))
    made = await booked(uow_factory, lotus, wish)
    assert made.total_minor == 4500
    assert await taken(uow_factory, lotus.id) == [3]
    assert await month_count(uow_factory, lotus.id) == 1


async def test_a_full_session_refuses_and_leaves_nothing_behind(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id, price_type="free")
    session = await a_session(uow_factory, service, capacity=1)
    await booked(uow_factory, lotus, a_wish("session", session.id))
    with pytest.raises(NotBookable) as refused:
        await booked(uow_factory, lotus, a_wish("session", session.id))
    assert refused.value.code == "full"
    async with uow_factory(lotus.id) as uow:
        assert len((await uow.session.scalars(select(Order))).all()) == 1
        [line] = await uow.session.scalars(select(OrderLine))
        assert line.description == "Yoga · Mon, Mar 8, 2027, 10:00\u202fAM"
    assert await taken(uow_factory, lotus.id) == [1]


async def test_a_series_with_one_full_session_is_sold_out_by_default(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id, price_type="free")
    term = await a_series(uow_factory, service, capacity=1, drop_in_allowed=True)
    await booked(uow_factory, lotus, a_wish("session", term.sessions[1].id))
    with pytest.raises(NotBookable) as refused:
        await booked(uow_factory, lotus, a_wish("series", term.series.id))
    assert refused.value.code == "full"
    assert await taken(uow_factory, lotus.id) == [0, 1, 0]


async def test_with_gaps_the_full_session_is_left_out_and_not_charged(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id, price_type="free")
    term = await a_series(
        uow_factory, service, capacity=1, drop_in_allowed=True, gap_policy="sell_with_gaps"
    )
    await booked(uow_factory, lotus, a_wish("session", term.sessions[1].id))
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id))
    assert made.total_minor == 4000
    assert await taken(uow_factory, lotus.id) == [1, 1, 1]


async def test_joining_late_pays_for_what_is_left(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id)
    term = await a_series(uow_factory, service, join_policy="any_time")
    clock.advance(timedelta(days=8))
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id))
    assert made.total_minor == 4000
    assert await taken(uow_factory, lotus.id) == [0, 1, 1]


@pytest.mark.parametrize("kind", ["session", "series"])
async def test_nothing_is_sold_before_an_owner_has_confirmed_an_address(
    uow_factory: UowFactory, lotus: Business, kind: str
) -> None:
    service = await a_service(uow_factory, lotus.id)
    single = await a_session(uow_factory, service)
    term = await a_series(uow_factory, service)
    async with uow_factory(None) as uow:
        owner = await uow.session.get_one(User, lotus.owner.id)
        owner.email_confirmed_at = None
    with pytest.raises(NotBookable) as refused:
        subject_id = single.id if kind == "session" else term.series.id
        await booked(uow_factory, lotus, a_wish(kind, subject_id))
    assert refused.value.code == "not_confirmed"
    assert refused.value.message == "This page opens soon. Nothing can be booked yet."


async def test_a_run_of_a_series_is_not_sold_singly_unless_drop_ins_are_allowed(
    uow_factory: UowFactory, lotus: Business
) -> None:
    term = await a_series(uow_factory, await a_service(uow_factory, lotus.id))
    with pytest.raises(NotBookable) as refused:
        await booked(uow_factory, lotus, a_wish("session", term.sessions[0].id))
    assert refused.value.code == "drop_in_not_allowed"


async def test_a_drop_in_pays_the_series_own_drop_in_price(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    term = await a_series(uow_factory, service, drop_in_allowed=True, drop_in_price_minor=2200)
    made = await booked(uow_factory, lotus, a_wish("session", term.sessions[0].id))
    assert made.total_minor == 2200


@pytest.mark.parametrize(
    "off_sale",
    [{"published_at": None, "base_sessions": None}, {"active": False}, {"visibility": "hidden"}],
)
async def test_a_drop_in_is_on_sale_only_while_its_series_is(
    uow_factory: UowFactory, lotus: Business, off_sale: dict[str, Any]
) -> None:
    service = await a_service(uow_factory, lotus.id)
    term = await a_series(uow_factory, service, drop_in_allowed=True, **off_sale)
    with pytest.raises(NotBookable) as refused:
        await booked(uow_factory, lotus, a_wish("session", term.sessions[0].id))
    assert refused.value.code == "series_not_on_sale"


async def test_a_drop_in_of_an_unlisted_series_is_sold(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    term = await a_series(uow_factory, service, drop_in_allowed=True, visibility="unlisted")
    made = await booked(uow_factory, lotus, a_wish("session", term.sessions[0].id))
    assert made.total_minor == 1500


async def test_the_sales_mode_holds_for_direct_calls_too(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id, sales_mode="series")
    session = await a_session(uow_factory, service)
    with pytest.raises(NotBookable) as refused:
        await booked(uow_factory, lotus, a_wish("session", session.id))
    assert refused.value.code == "not_sold_singly"


async def test_a_started_session_is_not_sold(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    session = await a_session(uow_factory, await a_service(uow_factory, lotus.id), in_days=1)
    clock.advance(timedelta(days=1, seconds=1))
    with pytest.raises(NotBookable) as refused:
        await booked(uow_factory, lotus, a_wish("session", session.id))
    assert refused.value.code == "started"


async def test_at_the_exact_second_of_the_start_the_guest_still_gets_in(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    session = await a_session(uow_factory, await a_service(uow_factory, lotus.id), in_days=1)
    clock.advance(timedelta(days=1))
    await booked(uow_factory, lotus, a_wish("session", session.id))
    assert await taken(uow_factory, lotus.id) == [1]


async def test_a_price_that_changed_since_it_was_shown_books_nothing(
    uow_factory: UowFactory, lotus: Business
) -> None:
    session = await a_session(uow_factory, await a_service(uow_factory, lotus.id))
    with pytest.raises(PriceChanged) as refused:
        await booked(uow_factory, lotus, a_wish("session", session.id, quoted_minor=1200))
    assert refused.value.total_minor == 1500
    assert await taken(uow_factory, lotus.id) == [0]


async def test_a_hidden_series_looks_absent_and_an_inactive_one_is_refused(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    hidden = await a_series(uow_factory, service, visibility="hidden")
    inactive = await a_series(uow_factory, service, active=False)
    with pytest.raises(NotFound):
        await booked(uow_factory, lotus, a_wish("series", hidden.series.id))
    with pytest.raises(NotBookable) as refused:
        await booked(uow_factory, lotus, a_wish("series", inactive.series.id))
    assert refused.value.code == "series_inactive"


async def test_another_tenants_session_does_not_exist(
    uow_factory: UowFactory, lotus: Business
) -> None:
    eves = await a_business(uow_factory, "rival", owner="Eve")
    session = await a_session(uow_factory, await a_service(uow_factory, eves.id))
    with pytest.raises(NotFound):
        await booked(uow_factory, lotus, a_wish("session", session.id))


async def test_a_frozen_plan_sells_nothing_and_says_so_neutrally(
    uow_factory: UowFactory,
) -> None:
    small = await a_business(uow_factory, "small", plan="starter")
    session = await a_session(uow_factory, await a_service(uow_factory, small.id))
    with pytest.raises(PlanLimitReached) as refused:
        await booked(uow_factory, small, a_wish("session", session.id))
    assert refused.value.feature == "group_services"
    assert "plan" not in refused.value.message.lower()


async def test_without_working_payments_nothing_is_sold_for_money_online(
    uow_factory: UowFactory,
) -> None:
    unpaid = await a_business(uow_factory, "unpaid", payments_ready=False)
    service = await a_service(uow_factory, unpaid.id)
    session = await a_session(uow_factory, service)
    with pytest.raises(NotBookable) as refused:
        await booked(uow_factory, unpaid, a_wish("session", session.id))
    assert refused.value.code == "payments_not_ready"


async def test_the_same_form_twice_is_one_order(uow_factory: UowFactory, lotus: Business) -> None:
    session = await a_session(uow_factory, await a_service(uow_factory, lotus.id))
    wish = a_wish("session", session.id)
    await booked(uow_factory, lotus, wish)
    with pytest.raises(Conflict) as refused:
        await booked(uow_factory, lotus, wish)
    assert refused.value.code == "already_submitted"
    assert await taken(uow_factory, lotus.id) == [1]


async def test_a_known_address_attaches_and_changes_nothing_stored(
    uow_factory: UowFactory, lotus: Business
) -> None:
    """Row 2-42: a guest with another's address took over their record."""
    session = await a_session(uow_factory, await a_service(uow_factory, lotus.id))
    await booked(uow_factory, lotus, a_wish("session", session.id))
    await booked(
        uow_factory,
        lotus,
        a_wish("session", session.id, guest_email=" CARL@example.com", guest_name="Mallory"),
    )
    async with uow_factory(lotus.id) as uow:
        people = (await uow.session.execute(text("SELECT email, name FROM customers"))).all()
        names = (await uow.session.scalars(select(Order.guest_name).order_by(Order.id))).all()
    assert people == [("carl@example.com", "Carl")]
    assert names == ["Carl", "Mallory"]


async def test_a_dead_hold_gives_its_seats_back(uow_factory: UowFactory, lotus: Business) -> None:
    term = await a_series(uow_factory, await a_service(uow_factory, lotus.id))
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id))
    async with uow_factory(lotus.id) as uow:
        order = await lock_order(uow, made.order_id)
        await SeatLines().release(uow, order, "hold ended", uow.clock.now())
    assert await taken(uow_factory, lotus.id) == [0, 0, 0]
    assert {seat.state for seat in await seats_of(uow_factory, lotus.id)} == {"expired"}


async def test_late_money_takes_the_seats_again_while_they_are_free(
    uow_factory: UowFactory, lotus: Business
) -> None:
    term = await a_series(uow_factory, await a_service(uow_factory, lotus.id), capacity=1)
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id))
    async with uow_factory(lotus.id) as uow:
        order = await lock_order(uow, made.order_id)
        await SeatLines().release(uow, order, "hold ended", uow.clock.now())
    async with uow_factory(lotus.id) as uow:
        order = await lock_order(uow, made.order_id)
        assert await SeatLines().reacquire(uow, order, uow.clock.now())
    assert await taken(uow_factory, lotus.id) == [1, 1, 1]


async def test_late_money_gets_nothing_when_one_seat_is_gone(
    uow_factory: UowFactory, lotus: Business
) -> None:
    term = await a_series(
        uow_factory, await a_service(uow_factory, lotus.id), capacity=1, drop_in_allowed=True
    )
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id))
    async with uow_factory(lotus.id) as uow:
        order = await lock_order(uow, made.order_id)
        await SeatLines().release(uow, order, "hold ended", uow.clock.now())
    await booked(uow_factory, lotus, a_wish("session", term.sessions[2].id))
    async with uow_factory(lotus.id) as uow:
        order = await lock_order(uow, made.order_id)
        nested = await uow.session.begin_nested()
        assert not await SeatLines().reacquire(uow, order, uow.clock.now())
        await nested.rollback()
    assert await taken(uow_factory, lotus.id) == [0, 0, 1]


@pytest.mark.parametrize(
    ("progress", "owed_minor", "seat"),
    [("waiting", 0, "confirmed"), ("running", 2000, "cancelled")],
)
async def test_paying_for_a_session_whose_seats_are_being_freed_owes_its_share_back(
    uow_factory: UowFactory, lotus: Business, progress: str, owed_minor: int, seat: str
) -> None:
    """While the cancellation can be undone, the seat is the guest's."""
    term = await a_series(uow_factory, await a_service(uow_factory, lotus.id))
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id))
    async with uow_factory(lotus.id) as uow:
        cancellation_id = await cancel_session(
            uow, lotus.ctx, term.sessions[1].id, reason="", undo_seconds=10
        )
        (await uow.session.get_one(Cancellation, (lotus.id, cancellation_id))).state = progress
    async with uow_factory(lotus.id) as uow:
        order = await lock_order(uow, made.order_id)
        lost = await SeatLines().list_undeliverable(uow, order)
        await SeatLines().confirm(uow, order, lost, uow.clock.now())
    assert sum(part.share_minor for part in lost) == owed_minor
    states = [seat.state for seat in await seats_of(uow_factory, lotus.id)]
    assert states == ["confirmed", seat, "confirmed"]
    assert await taken(uow_factory, lotus.id) == [1, int(seat == "confirmed"), 1]


async def test_the_last_unit_of_the_month_is_the_last(uow_factory: UowFactory) -> None:
    tiny = await a_business(uow_factory, "tiny", plan="growth")
    service = await a_service(uow_factory, tiny.id, price_type="free")
    session = await a_session(uow_factory, service, capacity=20)
    async with uow_factory(tiny.id) as uow:
        await uow.session.execute(
            text("INSERT INTO booking_counters VALUES (:t, '2027-03', 999, 80)"), {"t": tiny.id}
        )
    await booked(uow_factory, tiny, a_wish("session", session.id))
    with pytest.raises(PlanLimitReached) as refused:
        await booked(uow_factory, tiny, a_wish("session", session.id))
    assert refused.value.limit == "bookings_per_month"
    assert await taken(uow_factory, tiny.id) == [1]


async def test_a_claim_that_comes_too_late_names_the_sessions_lost(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    from src.booking.commands.claims import claim_seats

    service = await a_service(uow_factory, lotus.id)
    term = await a_series(uow_factory, service, capacity=1)
    ids = [session.id for session in term.sessions]
    with pytest.raises(SeatsGone) as refused:
        async with uow_factory(lotus.id) as uow:
            await claim_seats(uow, ids, 2, earliest=clock.now())
    assert set(refused.value.session_ids) == set(ids)


async def test_an_order_that_is_too_large_is_refused_in_a_sentence(uow_factory: UowFactory) -> None:
    """Each price is small enough for the party of the day it was set; parties may grow later."""
    lotus = await a_business(uow_factory)
    dear = await a_service(uow_factory, lotus.id, price_minor=1_500_000_000)
    session = await a_session(uow_factory, dear)
    with pytest.raises(InvalidInput, match="too much for one booking"):
        await booked(uow_factory, lotus, a_wish("session", session.id, party=("A", "B")))
    assert await taken(uow_factory, lotus.id) == [0]
