"""Cancelling over the API, with what goes back, and how far it is."""

from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from src.booking.commands.book import Booked
from src.platform.ids import new_id
from src.platform.services import Services
from tests.booking.api.conftest import Program, a_program
from tests.booking.commands.test_book import a_wish, booked, taken
from tests.booking.commands.test_leave import TERMS, paid_by_card, refunds
from tests.support.builders import Business, Term, a_business, a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.work import work_through

pytestmark = pytest.mark.anyio
UNDO = timedelta(seconds=30)


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def site(client: AsyncClient, services: Services, lotus: Business) -> Program:
    return await a_program(client, services, lotus)


@pytest.fixture
async def term(services: Services, lotus: Business) -> Term:
    service = await a_service(services.uow_factory, lotus.id)
    return await a_series(services.uow_factory, service, price_type="on_site", leaving=TERMS)


async def buys(services: Services, lotus: Business, term: Term, guest: str) -> Booked:
    wish = a_wish("series", term.series.id, guest_email=f"{guest}@example.com")
    made = await booked(services.uow_factory, lotus, wish)
    await paid_by_card(services, lotus, made)
    return made


def euros(minor: int) -> dict[str, Any]:
    return {"amount_minor": minor, "currency": "EUR"}


@pytest.mark.slow
async def test_a_session_gives_back_what_the_body_says_and_tells_how_far_it_is(
    services: Services, lotus: Business, term: Term, site: Program, clock: FrozenClock
) -> None:
    carl = await buys(services, lotus, term, "carl")
    await buys(services, lotus, term, "dora")
    path = f"/sessions/{term.sessions[1].id}/cancel"
    each = [{"order_id": str(carl.order_id), "amount_minor": 2001}]
    refused = await site.post(path, {"returns": {"all": "full", "each": each}})
    assert refused.status_code == 422
    assert list(refused.json()["errors"]) == [f"returns.each.{carl.order_id}"]
    unknown = [{"order_id": str(new_id()), "amount_minor": 1}]
    refused = await site.post(path, {"returns": {"all": "full", "each": unknown}})
    assert refused.status_code == 422
    each[0]["amount_minor"] = 700
    answer = await site.post(path, {"reason": "Ill", "returns": {"all": "full", "each": each}})
    assert answer.status_code == 202, answer.text
    assert answer.json()["returns"] == {
        "chosen": euros(2700),
        "pending": euros(0),
        "returned": euros(0),
        "by_hand": euros(0),
        "failed": [],
    }
    await work_through(services, clock, lotus.id, UNDO)
    now = (await site.get(f"/cancellations/{answer.json()['id']}")).json()
    assert (now["state"], now["seats_freed"], now["returns"]["pending"]) == ("done", 2, euros(2700))
    assert sorted(await refunds(services, lotus.id)) == [700, 2000]


async def test_a_series_is_cancelled_and_without_returns_no_money_goes_back(
    services: Services, lotus: Business, term: Term, site: Program, clock: FrozenClock
) -> None:
    await buys(services, lotus, term, "carl")
    answer = await site.post(f"/series/{term.series.id}/cancel", {"reason": "We close"})
    assert answer.status_code == 202, answer.text
    assert (answer.json()["scope"], answer.json()["returns"]) == ("series", None)
    again = await site.post(f"/series/{term.series.id}/cancel", {})
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_cancel")
    await work_through(services, clock, lotus.id, UNDO)
    assert await taken(services.uow_factory, lotus.id) == [0, 0, 0]
    assert await refunds(services, lotus.id) == []


async def test_a_booking_gives_back_by_its_terms(
    services: Services, lotus: Business, term: Term, site: Program, clock: FrozenClock
) -> None:
    made = await buys(services, lotus, term, "carl")
    clock.advance(timedelta(days=5, hours=12))
    answer = await site.post(f"/bookings/{made.booking_id}/cancel", {"returns": {"all": "terms"}})
    assert answer.json()["returns"]["chosen"] == euros(5000)
    await work_through(services, clock, lotus.id, UNDO)
    assert await refunds(services, lotus.id) == [5000]
