"""Single places over the API: by the guest's terms, or moved as staff do."""

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.models import Seat
from src.platform.ids import new_id
from src.platform.services import Services
from tests.booking.api.conftest import Program, a_program
from tests.booking.commands.test_book import a_wish, booked, seats_of, taken
from tests.booking.commands.test_leave import paid_by_card, refunds
from tests.support.builders import Business, a_business, a_series, a_service, a_session

pytestmark = pytest.mark.anyio
TERMS = LeavingTerms(tiers=(Tier(before=24, percent=50),))


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def site(client: AsyncClient, services: Services, lotus: Business) -> Program:
    return await a_program(client, services, lotus)


async def test_places_are_given_up_by_the_guests_terms(
    services: Services, lotus: Business, site: Program
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(
        services.uow_factory, service, price_type="on_site", leaving=TERMS.document()
    )
    made = await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await paid_by_card(services, lotus, made)
    first, *_rest = await seats_of(services.uow_factory, lotus.id)
    path = f"/bookings/{made.booking_id}/cancel-seats"
    left = await site.post(path, {"seat_ids": [str(first.id)]})
    assert (left.status_code, left.json()) == (
        200,
        {"refund": {"amount_minor": 1000, "currency": "EUR"}},
    )
    again = await site.post(path, {"seat_ids": [str(first.id)]})
    assert again.json()["refund"]["amount_minor"] == 0
    assert await refunds(services, lotus.id) == [1000]
    assert await taken(services.uow_factory, lotus.id) == [0, 1, 1]
    absent = await site.post(path, {"seat_ids": [str(new_id())]})
    assert absent.status_code == 404


async def test_a_place_is_moved_and_a_refusal_names_its_reason(
    services: Services, lotus: Business, site: Program
) -> None:
    factory = services.uow_factory
    service = await a_service(factory, lotus.id, price_type="on_site")
    first = await a_session(factory, service)
    second = await a_session(factory, service, in_days=14)
    full = await a_session(factory, service, in_days=21, capacity=1, seats_taken=1)
    made = await booked(factory, lotus, a_wish("session", first.id))
    [seat] = await seats_of(factory, lotus.id)
    path = f"/bookings/{made.booking_id}/move-seat"
    refused = await site.post(path, {"seat_id": str(seat.id), "to_session_id": str(full.id)})
    assert (refused.status_code, refused.json()["code"]) == (409, "full")
    body = {"seat_id": str(seat.id), "to_session_id": str(second.id), "reason": "As you asked."}
    moved = await site.post(path, body)
    assert moved.status_code == 200, moved.text
    assert (await site.post(path, body)).json() == moved.json()
    async with factory(lotus.id) as uow:
        live = select(Seat.id, Seat.session_id).where(Seat.state == "confirmed")
        [row] = await uow.session.execute(live)
    assert moved.json() == {"seat_id": str(row.id), "session_id": str(second.id)}
    assert await taken(factory, lotus.id) == [0, 1, 1]
