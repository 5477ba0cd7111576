"""What was called off of a course that goes on stands at the course."""

import pytest
from httpx import AsyncClient
from sqlalchemy import update

from src.booking.models import Seat
from src.platform.services import Services
from tests.booking.web.test_portal import ME, a_booked_course
from tests.support.builders import Business, a_business
from tests.support.visitor import Visitor

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def test_a_course_that_goes_on_says_how_many_dates_are_off(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    guest = Visitor(client)
    term = await a_booked_course(guest, services, lotus)
    await guest.open(ME)
    assert "cancelled or exchanged" not in guest.text
    for session, state in zip(term.sessions[1:], ("swapped", "cancelled"), strict=True):
        async with services.uow_factory(lotus.id) as uow:
            seats = update(Seat).where(Seat.session_id == session.id)
            await uow.session.execute(seats.values(state=state))
    await guest.open(ME)
    assert "2 dates cancelled or exchanged" in guest.text
    assert "Cancelled or exchanged" not in guest.text, "nothing of it is a booking that is over"
