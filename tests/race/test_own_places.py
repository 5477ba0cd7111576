"""Two forms of one guest for one date, sent at the same moment."""

import pytest

from src.tenants.commands.customers import find_or_add_customer
from tests.booking.commands.test_book import a_wish
from tests.conftest import Committing
from tests.race.test_seats import all_at_once
from tests.support.builders import a_business, a_service, a_session

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]


async def test_a_guest_is_booked_once_by_many_forms_at_once(committing: Committing) -> None:
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id, price_type="free")
    session = await a_session(committing.uow_factory, service, capacity=30)
    async with committing.uow_factory(business.id) as uow:
        now = uow.clock.now()
        carl = await find_or_add_customer(uow, "carl@example.com", "Carl", "", now)
    wishes = [a_wish("session", session.id, customer_id=carl) for _form in range(8)]
    outcomes = await all_at_once(committing, business, wishes)
    assert outcomes == {"booked": 1, "invalid_input": 7}
