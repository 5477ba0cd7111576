"""Several people work on one roster in the same moment: each row is done once."""

from collections import Counter
from uuid import UUID

import pytest

from src.booking.commands.attendance import Ticked, mark_attendance
from src.booking.commands.roster_actions import CancelPlaces, Freed, cancel_places
from src.booking.domain.kinds import SeatState
from src.booking.models import Session
from src.platform.db.uow import UnitOfWork
from tests.booking.commands.test_book import a_wish, booked, seats_of, taken
from tests.booking.commands.test_leave import paid_by_card, refunds
from tests.conftest import Committing
from tests.race.test_sessions import Act, at_once
from tests.support.builders import Business, a_business, a_service, a_session

pytestmark = [pytest.mark.anyio, pytest.mark.race]
GUESTS = 6


class Door:
    """A session in an hour with guests in it, two seats each, all paid by card."""

    def __init__(self, committing: Committing, business: Business, session: Session) -> None:
        self.committing = committing
        self.business = business
        self.session = session
        self.seats: dict[UUID, list[UUID]] = {}
        self.ticked: list[Ticked] = []
        self.freed: list[Freed] = []

    def ticking(self, wanted: SeatState, *, backwards: bool = False) -> Act:
        seat_ids = [one for seats in self.seats.values() for one in seats]

        async def act(uow: UnitOfWork) -> None:
            done = await mark_attendance(
                uow,
                self.business.ctx,
                self.session.id,
                seat_ids[::-1] if backwards else seat_ids,
                wanted,
            )
            self.ticked.append(done)

        return act

    def cancelling(self) -> list[Act]:
        """One act for each order, as the page does it."""

        def one(order_id: UUID, seat_ids: list[UUID]) -> Act:
            cmd = CancelPlaces(
                session_id=self.session.id, order_id=order_id, seat_ids=seat_ids, back_minor=3000
            )

            async def act(uow: UnitOfWork) -> None:
                self.freed.append(await cancel_places(uow, self.business.ctx, cmd))

            return act

        return [one(order_id, seat_ids) for order_id, seat_ids in self.seats.items()]

    async def states(self) -> Counter[str]:
        seats = await seats_of(self.committing.uow_factory, self.business.id)
        return Counter(seat.state for seat in seats)


@pytest.fixture
async def door(committing: Committing) -> Door:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id, price_type="on_site")
    session = await a_session(committing.uow_factory, service, in_days=1 / 24, capacity=20)
    door = Door(committing, business, session)
    for number in range(GUESTS):
        wish = a_wish("session", session.id, party=("A", "B"), guest_email=f"g{number}@example.com")
        made = await booked(committing.uow_factory, business, wish)
        await paid_by_card(committing.services, business, made)
        door.seats[made.order_id] = []
    for seat in await seats_of(committing.uow_factory, business.id):
        door.seats[seat.order_id].append(seat.id)
    return door


async def test_two_doors_tick_everybody_once(door: Door) -> None:
    acts = [door.ticking(SeatState.ATTENDED), door.ticking(SeatState.ATTENDED, backwards=True)]
    assert await at_once(door.committing, door.business.id, acts) == {"done": 2}
    assert sum(one.changed for one in door.ticked) == 2 * GUESTS
    assert await door.states() == {"attended": 2 * GUESTS}


async def test_the_same_places_cancelled_twice_give_their_money_back_once(door: Door) -> None:
    acts = [*door.cancelling(), *reversed(door.cancelling())]
    assert await at_once(door.committing, door.business.id, acts) == {"done": 2 * GUESTS}
    assert sum(one.seats for one in door.freed) == 2 * GUESTS
    assert await refunds(door.committing.services, door.business.id) == [3000] * GUESTS
    assert await taken(door.committing.uow_factory, door.business.id) == [0]


@pytest.mark.parametrize("first", ["tick", "cancel"])
async def test_ticking_against_cancelling_leaves_each_seat_in_one_of_both(
    door: Door, first: str
) -> None:
    acts = [door.ticking(SeatState.ATTENDED), *door.cancelling()]
    await at_once(door.committing, door.business.id, acts if first == "tick" else acts[::-1])
    states = await door.states()
    assert set(states) <= {"attended", "cancelled"}
    assert await taken(door.committing.uow_factory, door.business.id) == [states["attended"]]
    returned = sum(await refunds(door.committing.services, door.business.id))
    assert returned == sum(one.back_minor for one in door.freed)
    for seat in await seats_of(door.committing.uow_factory, door.business.id):
        assert (seat.returned_as == "money") is (seat.state == "cancelled")
