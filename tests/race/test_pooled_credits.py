"""Credits that came back for places, wanted together by several windows at once."""

from datetime import timedelta
from uuid import UUID

import pytest

from src.billing.domain.credits import LotSource
from src.booking.commands.book import BookCommand
from src.booking.domain.drop_in import PayWay
from src.platform.ids import new_id
from tests.booking.commands.test_book import a_wish, taken
from tests.conftest import Committing
from tests.race.test_seats import all_at_once
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.credits import a_lot, balance_of

pytestmark = [pytest.mark.anyio, pytest.mark.race]

AT_ONCE = 12


async def given_back(
    committing: Committing, business: Business, count: int
) -> tuple[UUID, list[UUID]]:
    """So many lots of one credit, the youngest of which ends first: they are offered in another
    order than that in which they are locked. Returns the ids of the customer and of the lots.
    """
    now = committing.services.clock.now()
    made = [
        await a_lot(
            committing.uow_factory,
            business.id,
            number=1,
            source=LotSource.SEAT,
            source_seat_id=new_id(),
            bought=0,
            paid_minor=0,
            expires_at=now + timedelta(days=90 - number),
        )
        for number in range(count)
    ]
    return made[0][0], [lot_id for _customer, lot_id in made]


async def test_each_credit_pays_once_however_many_are_wanted_together(
    committing: Committing,
) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id)
    session = await a_session(committing.uow_factory, service, capacity=50)
    customer_id, lot_ids = await given_back(committing, business, 5)

    def wish(number: int) -> BookCommand:
        """Two or three of them, asked for by whichever lot."""
        size = 2 + number % 2
        return a_wish(
            "session",
            session.id,
            party=tuple(f"Kim {number}.{one}" for one in range(size)),
            way=PayWay.CREDIT,
            customer_id=customer_id,
            credit_lot_id=lot_ids[number % len(lot_ids)],
        )

    outcomes = await all_at_once(committing, business, [wish(one) for one in range(AT_ONCE)])
    assert outcomes["booked"] >= 1
    assert set(outcomes) <= {"booked", "credits_gone", "credits_used_up", "credits_too_few"}
    left = await balance_of(committing.uow_factory, business.id, customer_id)
    assert await taken(committing.uow_factory, business.id) == [5 - left]
