"""The page of one service."""

import json
import re
from datetime import date, timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.booking.models import Series, Service, Session
from src.platform.db.uow import UowFactory
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


async def change(uow_factory: UowFactory, business: Business, model: Any, **values: Any) -> None:
    async with uow_factory(business.id) as uow:
        await uow.session.execute(update(model).values(**values))


async def test_every_date_of_a_late_series_is_spelled_out(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id, sales_mode="series")
    term = await a_series(
        uow_factory, service, sessions=4, join_policy="any_time", price_minor=6000
    )
    async with uow_factory(lotus.id) as uow:
        last = term.sessions[-1].id
        await uow.session.execute(
            update(Session).where(Session.id == last).values(state="cancelled")
        )
    clock.advance(timedelta(days=8))
    page = (await client.get("/b/lotus/yoga")).text
    assert page.count("<time") == 4
    assert "Over" in page
    assert "Cancelled" in page
    assert "€40.00" in page
    assert "instead of" in page
    assert "For 2 of 3 dates" in page
    assert f"/book?series={term.series.id}" in page


async def test_a_date_shows_its_own_title(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id, sales_mode="series")
    term = await a_series(uow_factory, service)
    async with uow_factory(lotus.id) as uow:
        second = term.sessions[1].id
        await uow.session.execute(
            update(Session).where(Session.id == second).values(title="Balance <2>")
        )
    assert (await client.get("/b/lotus/yoga")).text.count("Balance &lt;2&gt;") == 1


async def test_the_switch_is_there_only_when_both_are_on_sale(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id)
    await a_series(uow_factory, service)
    assert "Single dates" not in (await client.get("/b/lotus/yoga")).text
    alone = await a_session(uow_factory, service)
    clock.advance(timedelta(seconds=1))
    both = (await client.get("/b/lotus/yoga")).text
    assert "Single dates" in both
    assert "Spring term" in both
    single = (await client.get("/b/lotus/yoga?how=single")).text
    assert f"/book?session={alone.id}" in single
    assert 'aria-current="page">Single dates' in single


async def test_a_full_series_says_so_before_the_form(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    await a_series(uow_factory, service, capacity=3)
    await change(uow_factory, lotus, Session, seats_taken=3)
    page = (await client.get("/b/lotus/yoga")).text
    assert "This series is sold out." in page
    assert "/book?" not in page


async def test_with_gaps_the_missing_date_is_marked(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    term = await a_series(uow_factory, service, gap_policy="sell_with_gaps")
    async with uow_factory(lotus.id) as uow:
        second = term.sessions[1].id
        await uow.session.execute(
            update(Session).where(Session.id == second).values(seats_taken=10)
        )
    page = (await client.get("/b/lotus/yoga")).text
    assert ">Full<" in page
    assert "€40.00" in page
    assert "1 date is full: you do not get it, and do not pay for it." in page
    async with uow_factory(lotus.id) as uow:
        first = term.sessions[0].id
        await uow.session.execute(update(Session).where(Session.id == first).values(seats_taken=10))
    hub = (await client.get("/b/lotus")).text
    assert "1 of 3 dates left" in hub, "plural by how many there are"
    assert hub.count("Sold out") == 2, "the full dates alone"


async def test_a_series_that_can_no_longer_be_joined_stays_with_its_reason(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id)
    await a_series(uow_factory, service)
    clock.advance(timedelta(days=8))
    page = (await client.get("/b/lotus/yoga")).text
    assert "This series can no longer be joined." in page
    await change(uow_factory, lotus, Series, join_policy="until", join_until_on=date(2027, 3, 31))
    clock.advance(timedelta(seconds=1))
    assert "/book?series=" in (await client.get("/b/lotus/yoga")).text


async def test_unlisted_works_by_link_and_hidden_by_none(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id, visibility="unlisted")
    term = await a_series(uow_factory, service, visibility="unlisted")
    page = await client.get("/b/lotus/yoga")
    assert page.status_code == 200
    assert "noindex" in page.text
    assert "Spring term" not in page.text
    assert "Spring term" in (await client.get(f"/b/lotus/yoga?series={term.series.id}")).text
    await change(uow_factory, lotus, Service, visibility="hidden")
    clock.advance(timedelta(seconds=1))
    assert (await client.get("/b/lotus/yoga")).status_code == 404
    assert (await client.get("/b/lotus/pilates")).status_code == 404


async def test_an_inactive_service_says_that_it_cannot_be_booked(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id, active=False)
    await a_series(uow_factory, service)
    page = await client.get("/b/lotus/yoga")
    assert page.status_code == 200
    assert "This cannot be booked at present." in page.text
    assert "/book?" not in page.text


async def test_it_is_described_for_sharing_and_for_search_engines(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    text = "Calm </script><b>& warm"
    service = await a_service(uow_factory, lotus.id, description=text)
    await a_series(uow_factory, service)
    page = (await client.get("/b/lotus/yoga")).text
    assert re.search(r'property="og:title"\s+content="Yoga – Lotus"', page)
    data = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    described = json.loads(data[0])
    assert described["description"] == text
    offer = described["hasCourseInstance"][0]["offers"]
    assert offer["price"] == "60.00"
    assert offer["priceCurrency"] == "EUR"
    assert "<b>" not in page


async def test_another_business_has_its_own(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    eve = await a_business(uow_factory, "eve", owner="Eve")
    service = await a_service(uow_factory, eve.id)
    term = await a_series(uow_factory, service)
    assert (await client.get("/b/lotus/yoga")).status_code == 404
    await a_service(uow_factory, lotus.id)
    page = (await client.get(f"/b/lotus/yoga?series={term.series.id}")).text
    assert "Spring term" not in page
    async with uow_factory(lotus.id) as uow:
        assert (await uow.session.scalars(select(Series))).all() == []
