"""Several people work on one roster in the same moment: each row is done once."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import ColumnElement, select, update

from src.billing.commands.orders import lock_order
from src.billing.models import Order
from src.booking.commands import cancel_seats as cancelling_seats
from src.booking.commands.attendance import Ticked, mark_attendance
from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_session, undo_cancellation
from src.booking.commands.cancel_returns import MoneyWanted
from src.booking.commands.cancel_seats import cancel_seats
from src.booking.commands.leave import lock_own_seats
from src.booking.domain.cancelling import MoneyChoice
from src.booking.domain.kinds import SeatState
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.models import Cancellation, Seat, Session
from src.platform.db.uow import UnitOfWork
from tests.booking.commands.test_book import a_wish, booked, seats_of, taken
from tests.booking.commands.test_leave import paid_by_card, refunds
from tests.conftest import Committing
from tests.properties.invariants import WHAT_IS_BROKEN
from tests.race.test_leaving import leaving
from tests.race.test_sessions import Act, at_once
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.locks import until_somebody_waits
from tests.support.work import work_together

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]
TERMS = LeavingTerms(tiers=(Tier(before=0, percent=100),))
FULL = MoneyWanted(choice=MoneyChoice.FULL)
GUESTS = 6


class Door:
    """A session in an hour with guests in it, two seats each, all paid by card."""

    def __init__(self, committing: Committing, business: Business, session: Session) -> None:
        self.committing = committing
        self.business = business
        self.session = session
        self.bought: list[Booked] = []
        self.seats: dict[UUID, list[UUID]] = {}
        self.ticked: list[Ticked] = []

    def seats_of(self, guests: slice = slice(None)) -> list[UUID]:
        """Theirs, in the order in which they booked."""
        return [one for made in self.bought[guests] for one in self.seats[made.order_id]]

    def ticking(self, wanted: SeatState, *, backwards: bool = False) -> Act:
        async def act(uow: UnitOfWork) -> None:
            seat_ids = self.seats_of()[::-1] if backwards else self.seats_of()
            ctx = self.business.ctx
            self.ticked.append(await mark_attendance(uow, ctx, self.session.id, seat_ids, wanted))

        return act

    def cancelling(self, seat_ids: Sequence[UUID]) -> Act:
        async def act(uow: UnitOfWork) -> None:
            ctx = self.business.ctx
            await cancel_seats(
                uow, ctx, self.session.id, seat_ids, reason="", undo_seconds=0, money=FULL
            )

        return act

    def cancelling_session(self) -> Act:
        async def act(uow: UnitOfWork) -> None:
            ctx = self.business.ctx
            await cancel_session(uow, ctx, self.session.id, reason="", undo_seconds=0, money=FULL)

        return act

    async def at_once(self, *acts: Act) -> Counter[str]:
        return await at_once(self.committing, self.business.id, list(acts))

    async def carry_out(self) -> None:
        for _round in range(8):
            await work_together(self.committing.services, self.business.id)

    async def states(self) -> Counter[str]:
        seats = await seats_of(self.committing.uow_factory, self.business.id)
        return Counter(seat.state for seat in seats)

    async def check(self, *, freed: int) -> None:
        """So many seats are freed, each with its share back once, and nobody is held any more."""
        factory, tenant_id = self.committing.uow_factory, self.business.id
        assert sum(await refunds(self.committing.services, tenant_id)) == freed * 1500
        assert await taken(factory, tenant_id) == [2 * GUESTS - freed]
        async with factory(tenant_id) as uow:
            for seat in await uow.session.scalars(select(Seat)):
                assert seat.returned_minor == (1500 if seat.state == "cancelled" else 0)
                assert seat.state == "cancelled" or seat.cancellation_id is None
            states = set(await uow.session.scalars(select(Cancellation.state)))
            connection = await uow.session.connection()
            broken = {row[0] for row in await connection.exec_driver_sql(WHAT_IS_BROKEN)}
        assert states <= {"done", "undone"}
        assert broken <= {"nothing_in_the_outbox_has_failed"}, "for there is no processor here"


@pytest.fixture
async def door(committing: Committing) -> Door:
    business = await a_business(committing.uow_factory)
    service = await a_service(
        committing.uow_factory, business.id, price_type="on_site", leaving=TERMS.document()
    )
    session = await a_session(committing.uow_factory, service, in_days=1 / 24, capacity=20)
    door = Door(committing, business, session)
    for number in range(GUESTS):
        wish = a_wish("session", session.id, party=("A", "B"), guest_email=f"g{number}@example.com")
        made = await booked(committing.uow_factory, business, wish)
        await paid_by_card(committing.services, business, made)
        door.bought.append(made)
        door.seats[made.order_id] = []
    for seat in await seats_of(committing.uow_factory, business.id):
        door.seats[seat.order_id].append(seat.id)
    return door


async def test_two_doors_tick_everybody_once(door: Door) -> None:
    acts = [door.ticking(SeatState.ATTENDED), door.ticking(SeatState.ATTENDED, backwards=True)]
    assert await door.at_once(*acts) == {"done": 2}
    assert sum(one.changed for one in door.ticked) == 2 * GUESTS
    assert await door.states() == {"attended": 2 * GUESTS}


async def test_the_same_place_is_never_in_two_cancellations(door: Door) -> None:
    """All of those chosen, or nothing: who comes second is told, and looks again."""
    first, second = door.seats_of(slice(0, 4)), door.seats_of(slice(3, 6))
    outcomes = await door.at_once(door.cancelling(first), door.cancelling(second[::-1]))
    assert outcomes == {"done": 1, "already_cancelling": 1}
    async with door.committing.uow_factory(door.business.id) as uow:
        marked = Seat.cancellation_id.is_not(None)
        going = set(await uow.session.scalars(select(Seat.id).where(marked)))
    assert going in (set(first), set(second))
    await door.carry_out()
    await door.check(freed=len(going))


async def test_control_without_the_lock_of_the_seats_one_place_is_in_two_cancellations(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def as_read(uow: UnitOfWork, which: Sequence[ColumnElement[bool]]) -> list[UUID]:
        free = Seat.cancellation_id.is_(None)
        return list(await uow.session.scalars(select(Seat.id).where(*which, free)))

    monkeypatch.setattr(cancelling_seats, "lock_free_seats", as_read)
    factory, tenant_id = door.committing.uow_factory, door.business.id
    async with factory(tenant_id) as uow:
        await door.cancelling(door.seats_of(slice(0, 4)))(uow)
        other = asyncio.create_task(door.at_once(door.cancelling(door.seats_of(slice(3, 6)))))
        await until_somebody_waits(factory)
    assert await other == {"done": 1}
    async with factory(tenant_id) as uow:
        marks = Counter(await uow.session.scalars(select(Seat.cancellation_id)))
    assert sorted(marks.values()) == [6, 6], "though eight were cancelled by who came first"


async def test_places_of_one_roster_are_cancelled_side_by_side(door: Door) -> None:
    acts = [door.cancelling(theirs) for theirs in door.seats.values()]
    assert await door.at_once(*acts) == {"done": GUESTS}
    await door.carry_out()
    await door.check(freed=2 * GUESTS)


@pytest.mark.parametrize("first", ["tick", "cancel"])
async def test_ticking_against_cancelling_leaves_each_seat_in_one_of_both(
    door: Door, first: str
) -> None:
    acts = [door.ticking(SeatState.ATTENDED), door.cancelling(door.seats_of())]
    outcomes = await door.at_once(*(acts if first == "tick" else acts[::-1]))
    [ticked] = door.ticked
    won = 0 if outcomes["seats_changed"] else 2 * GUESTS
    assert (ticked.changed, ticked.being_cancelled) == (2 * GUESTS - won, won)
    await door.carry_out()
    await door.check(freed=won)


async def test_guests_who_leave_while_their_places_are_cancelled_get_their_money_once(
    door: Door,
) -> None:
    leaves = [leaving(door.business, made, door.seats[made.order_id]) for made in door.bought]
    outcomes = await door.at_once(*leaves[:3], door.cancelling(door.seats_of()), *leaves[3:])
    assert outcomes["done"] == GUESTS if outcomes["seats_changed"] else outcomes["done"] == 1
    await door.carry_out()
    await door.check(freed=2 * GUESTS)


async def test_undoing_against_the_job_leaves_all_or_nothing(door: Door) -> None:
    factory, business = door.committing.uow_factory, door.business
    async with factory(business.id) as uow:
        await door.cancelling(door.seats_of())(uow)
    async with factory(business.id) as uow:
        cancellation_id = (await uow.session.scalars(select(Cancellation.id))).one()

    async def undo(uow: UnitOfWork) -> None:
        await undo_cancellation(uow, business.ctx, cancellation_id)

    outcomes, _delivered = await asyncio.gather(
        door.at_once(undo), work_together(door.committing.services, business.id)
    )
    await door.carry_out()
    await door.check(freed=0 if outcomes["done"] else 2 * GUESTS)


async def test_a_session_called_off_while_its_places_are_cancelled_frees_each_once(
    door: Door,
) -> None:
    """It waits until none is; by then the other jobs have given the money back."""
    acts = [door.cancelling(theirs) for theirs in list(door.seats.values())[:4]]
    for act in acts:
        await door.at_once(act)
    outcomes, _delivered = await asyncio.gather(
        door.at_once(door.cancelling_session()),
        work_together(door.committing.services, door.business.id),
    )
    await door.carry_out()
    if outcomes["places_being_cancelled"]:
        assert await door.at_once(door.cancelling_session()) == {"done": 1}
    await door.carry_out()
    await door.check(freed=2 * GUESTS)


@pytest.mark.parametrize("first", ["session", "places"])
async def test_a_place_whose_session_is_called_off_in_that_moment_is_in_one_of_both(
    door: Door, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither has seen the other when it chose its money; the session's row lets one through."""
    factory, business = door.committing.uow_factory, door.business
    places, session = door.cancelling(door.seats_of(slice(0, 2))), door.cancelling_session()
    one, other = (session, places) if first == "session" else (places, session)
    refused: list[asyncio.Task[Counter[str]]] = []
    firsts: list[UnitOfWork] = []
    real = UnitOfWork.settle
    chosen, through = asyncio.Event(), asyncio.Event()

    async def settle(uow: UnitOfWork) -> None:
        """The other has chosen its money, and goes on once the first is committed."""
        if not firsts:
            await real(uow)
            firsts.append(uow)
            refused.append(asyncio.create_task(door.at_once(other)))
            await chosen.wait()
        elif uow is not firsts[0]:
            chosen.set()
            await through.wait()
        await real(uow)

    async with factory(business.id) as uow:
        # Orders paid on site are locked by whoever cancels, so they would not meet at all.
        await uow.session.execute(update(Order).values(payment_mode="online"))
    with monkeypatch.context() as patched:
        patched.setattr(UnitOfWork, "settle", settle)
        async with factory(business.id) as uow:
            await one(uow)
    through.set()
    assert await refused[0] == {"places_being_cancelled": 1}
    async with factory(business.id) as uow:
        assert len((await uow.session.scalars(select(Cancellation))).all()) == 1


async def test_cancelling_places_waits_for_an_order_without_holding_its_seats(
    door: Door,
) -> None:
    """Whoever leaves has the order first, and the seats then."""
    factory, business, made = door.committing.uow_factory, door.business, door.bought[0]

    async def cancel() -> None:
        async with factory(business.id) as uow:
            await door.cancelling(door.seats_of())(uow)

    async with factory(business.id) as uow:
        await lock_order(uow, made.order_id)
        other = asyncio.create_task(cancel())
        await until_somebody_waits(factory)
        await lock_own_seats(uow, made.order_id)
    await other
