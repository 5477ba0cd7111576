"""What is left of a course that is sold without its full dates, as staff read it."""

import re
from html import unescape

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import update

from src.booking.models import Session
from src.platform.services import Services
from src.platform.web.formats import date_short
from tests.booking.web.pages import as_owner
from tests.support.builders import Business, Term, a_business, a_series, a_service
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(client: AsyncClient, services: Services) -> Business:
    business = await a_business(services.uow_factory)
    await as_owner(client, services, business)
    return business


async def a_term(
    services: Services, lotus: Business, gap_policy: str, *left: int
) -> tuple[Term, list[str]]:
    """Dates of ten seats with so many left, and their days as pages say them."""
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, sessions=len(left), gap_policy=gap_policy)
    async with services.uow_factory(lotus.id) as uow:
        for session, seats in zip(term.sessions, left, strict=True):
            of_it = update(Session).where(Session.id == session.id)
            await uow.session.execute(of_it.values(seats_taken=10 - seats))
    return term, [date_short(one.starts_at, lotus.tenant.zone) for one in term.sessions]


def words_of(page: Response) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", page.text)).split())


async def test_what_can_be_sold_is_said_and_which_dates_it_is_sold_without(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    term, days = await a_term(services, lotus, "sell_with_gaps", 0, 5, 3, 0)
    said = words_of(await client.get(f"/app/lotus/series/{term.series.id}"))
    assert "Seats left 3 on the fullest date that has room." in said
    assert f"It is sold without the full ones: {days[0]} · {days[3]}" in said
    anna = await a_customer(services.uow_factory, lotus)
    form = await client.get(f"/app/lotus/customers/{anna}/book?what=series:{term.series.id}")
    booking = words_of(form)
    assert "Seats left 3" in booking
    assert f"Booked without {days[0]} · {days[3]} They are full." in booking


@pytest.mark.parametrize(
    ("gap_policy", "of_dates", "left"),
    [("block", (0, 5), "0"), ("sell_with_gaps", (0, 0), "0"), ("sell_with_gaps", (4, 5), "4")],
)
async def test_otherwise_the_fullest_date_says_it(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    gap_policy: str,
    of_dates: tuple[int, ...],
    left: str,
) -> None:
    term, _days = await a_term(services, lotus, gap_policy, *of_dates)
    said = words_of(await client.get(f"/app/lotus/series/{term.series.id}"))
    assert f"Seats left {left} on the fullest upcoming date" in said
    assert "sold without" not in said
