"""Which dates an act on one of them reaches, by the clock on the wall, and how many at most."""

from datetime import timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import insert

from src.booking.domain.kinds import DateScope
from src.booking.models import Session
from src.booking.queries.reached import MOST_REACHED, count_others, list_reached
from src.platform.ids import new_id
from src.platform.localtime import to_local, to_utc
from src.platform.services import Services
from tests.booking.web.pages import as_owner, fields_of, send
from tests.support.builders import Business, a_business, a_service, a_session

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(client: AsyncClient, services: Services) -> Business:
    """The browser is the owner's."""
    lotus = await a_business(services.uow_factory)
    await as_owner(client, services, lotus)
    return lotus


async def first_of(services: Services, lotus: Business, weeks: int) -> Session:
    """The first of so many loose dates, one a week at the same time on the wall."""
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    first = await a_session(services.uow_factory, service)
    zone = lotus.tenant.zone
    start = to_local(first.starts_at, zone)
    starts = [to_utc(start + timedelta(weeks=week), zone) for week in range(1, weeks)]
    alike = {
        "tenant_id": lotus.id,
        "service_id": service.id,
        "capacity": 10,
        "mode": "in_person",
        "created_at": first.created_at,
    }
    rows = [
        {**alike, "id": new_id(), "starts_at": at, "ends_at": at + timedelta(hours=1)}
        for at in starts
    ]
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(insert(Session), rows)
    return first


async def test_the_weekday_and_time_are_those_on_the_wall(
    services: Services, lotus: Business
) -> None:
    """For half of the year that is another hour of the world's clock."""
    first = await first_of(services, lotus, 52)
    zone = lotus.tenant.zone
    async with services.uow_factory(lotus.id) as uow:
        reached = await list_reached(uow, first, DateScope.ALL, zone)
        assert await count_others(uow, first, DateScope.ALL, zone) == 51
        assert await count_others(uow, reached[20], DateScope.FOLLOWING, zone) == 31
        reached[7].starts_at -= timedelta(hours=1)
        reached[8].starts_at -= timedelta(days=1)
        await uow.session.flush()
        assert await count_others(uow, first, DateScope.ALL, zone) == 49
    assert len({one.starts_at.hour for one in reached}) > 1


async def test_more_than_one_act_can_take_is_said(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    first = await first_of(services, lotus, MOST_REACHED + 3)
    path = f"/app/lotus/sessions/{first.id}"
    for editor in ("several", "edit"):
        changes = {"scope": "all", "change": ["title"], "title": "New"}
        refused = await send(client, f"{path}/{editor}", changes)
        assert refused.status_code == 422
        error = refused.text.split(' id="f-scope-error"')[1].split("</p>")[0]
        assert "more than 500 dates" in error
    asked = await client.get(f"/app/lotus/sessions/chosen/cancel?following={first.id}")
    assert "3 later dates are not among these" in asked.text
    assert len(fields_of(asked)["session_ids"]) == MOST_REACHED
    assert f"{MOST_REACHED + 2} after it" in (await client.get(f"{path}/cancel")).text
