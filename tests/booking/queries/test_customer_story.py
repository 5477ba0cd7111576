"""A customer's page says of money and of seats what every other page says."""

import pytest

from src.billing.owed import get_owed_minor
from src.booking.queries.customer_story import get_customer_story
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.support.builders import a_business, a_service, a_session
from tests.support.cancelling import seats_taken_back

pytestmark = pytest.mark.anyio


async def test_nothing_is_owed_for_what_was_cancelled(services: Services) -> None:
    factory = services.uow_factory
    lotus = await a_business(factory)
    service = await a_service(factory, lotus.id, price_type="on_site", price_minor=1000)
    session = await a_session(factory, service)
    made = await booked(factory, lotus, a_wish("session", session.id, party=("Carl", "Kid")))
    [first, _second] = await seats_of(factory, lotus.id)
    await seats_taken_back(factory, lotus, [first.id], why="Ill")
    async with factory(lotus.id) as uow:
        owed = await get_owed_minor(uow, made.order_id)
        story = await get_customer_story(uow, lotus.tenant, made.order.customer_id, uow.clock.now())
    assert owed == 1000
    assert [seat.participant for seat in story.upcoming] == ["Kid"]
    assert [seat.participant for seat in story.past] == ["Carl"], "given up, so nothing to come"
    assert [row.owed_minor for row in story.orders] == [owed]
    assert [row.owed_minor for row in story.money] == [owed]
