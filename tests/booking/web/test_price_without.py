"""Who cancels a date of a course on sale reads first what those who buy it later will pay."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import update

from src.booking.models import Session
from src.booking.queries.decide import Asked, business_now, decide
from src.platform.services import Services
from tests.booking.web.pages import as_owner
from tests.support.builders import Business, Term, a_business, a_series, a_service
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(client: AsyncClient, services: Services) -> Business:
    business = await a_business(services.uow_factory)
    await as_owner(client, services, business)
    return business


async def a_term(services: Services, lotus: Business, **more: Any) -> Term:
    """Eight dates for EUR 96, to be joined at any time."""
    service = await a_service(services.uow_factory, lotus.id, slug=f"s{len(more)}")
    kept = {"sessions": 8, "price_minor": 9600, "join_policy": "any_time", **more}
    return await a_series(services.uow_factory, service, **kept)


def words_of(page: Response) -> str:
    return " ".join(unescape(re.sub("<[^>]+>", " ", page.text)).split())


async def asked_of(client: AsyncClient, term: Term, number: int) -> str:
    """The page that asks before one of its dates is cancelled."""
    return words_of(await client.get(f"/app/lotus/sessions/{term.sessions[number].id}/cancel"))


async def price_now(services: Services, lotus: Business, term: Term) -> int:
    async with services.uow_factory(lotus.id) as uow:
        now = uow.clock.now()
        business = await business_now(uow, lotus.tenant, now)
        asked = Asked(kind="series", subject_id=term.series.id)
        return (await decide(uow, lotus.tenant, business, asked, now)).quote.unit_minor


async def change(services: Services, lotus: Business, session: Session, **values: Any) -> None:
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Session).where(Session.id == session.id).values(values))


async def test_before_it_begins_the_price_stays_for_fewer_dates(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    term = await a_term(services, lotus)
    said = await asked_of(client, term, 4)
    assert "New buyers They still pay €96.00, for 7 dates instead of 8." in said
    assert "If it is to cost less, change the price of the series." in said
    await change(services, lotus, term.sessions[4], state="cancelled")
    assert await price_now(services, lotus, term) == 9600


async def test_of_a_running_course_the_new_price_is_said_that_is_asked_then(
    client: AsyncClient, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    child = {"key": "child", "name": "Child", "price_minor": 4800}
    term = await a_term(services, lotus, price_tiers=[child])
    clock.advance(timedelta(days=7 + 14 + 1))
    await as_owner(client, services, lotus)
    said = await asked_of(client, term, 4)
    assert "New buyers They pay €54.86 for 4 dates, instead of €60.00 for 5." in said
    assert "Its other prices change in proportion." in said
    assert await price_now(services, lotus, term) == 6000
    await change(services, lotus, term.sessions[4], state="cancelled")
    assert await price_now(services, lotus, term) == 5486


async def test_the_last_date_to_sell_ends_the_sale_and_a_full_one_opens_it(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    term = await a_term(services, lotus, sessions=2)
    await change(services, lotus, term.sessions[0], seats_taken=10)
    said = await asked_of(client, term, 0)
    assert "New buyers It can be bought again, since no full date is left." in said
    assert "They pay €96.00 for 1 date." in said
    assert "New buyers It stays sold out." in await asked_of(client, term, 1)
    await change(services, lotus, term.sessions[0], state="cancelled")
    assert "New buyers Nobody can join it any more" in await asked_of(client, term, 1)


@pytest.mark.parametrize("why", ["off sale", "in no series", "begun"])
async def test_nothing_is_said_where_nobody_can_buy_it_anyway(
    client: AsyncClient, services: Services, lotus: Business, clock: FrozenClock, why: str
) -> None:
    term = await a_term(
        services, lotus, active=why != "off sale", join_policy="before_start", title="Term"
    )
    if why == "in no series":
        await change(services, lotus, term.sessions[3], series_id=None)
    if why == "begun":
        clock.advance(timedelta(days=8))
    said = await asked_of(client, term, 3)
    assert "Cancel this session?" in said
    assert "New buyers" not in said


async def test_of_a_free_course_only_the_dates_are_counted(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    term = await a_term(services, lotus, price_type="free", price_minor=0)
    assert "New buyers They get 7 dates instead of 8." in await asked_of(client, term, 0)


async def test_of_several_dates_each_course_is_named(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    one = await a_term(services, lotus)
    other = await a_term(services, lotus, title="Autumn term")
    ids = [one.sessions[0].id, one.sessions[1].id, other.sessions[0].id]
    query = "&".join(f"session_ids={one}" for one in ids)
    said = words_of(await client.get(f"/app/lotus/sessions/chosen/cancel?{query}"))
    assert "New buyers of “Spring term” They still pay €96.00, for 6 dates instead of 8." in said
    assert "New buyers of “Autumn term” They still pay €96.00, for 7 dates instead of 8." in said
