"""A minimum group size is said where dates are made and edited: one, many, and over the API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.booking.models import Session
from src.platform.services import Services
from src.tenants.models import Due
from tests.booking.web.pages import as_owner, fields_of, send, send_again
from tests.booking.web.test_imports import upload
from tests.support.builders import Business, a_business, a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.visitor import Visitor

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(client: AsyncClient, services: Services) -> Business:
    """The browser is the owner's."""
    lotus = await a_business(services.uow_factory)
    await as_owner(client, services, lotus)
    return lotus


Minimum = tuple[int | None, int | None]


async def minimums(services: Services, lotus: Business) -> list[Minimum]:
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(select(Session).order_by(Session.starts_at, Session.id))
        return [(one.min_seats, one.decide_hours) for one in found]


async def asked_before_start(services: Services, lotus: Business) -> list[timedelta]:
    """How long before its start each session is looked at first."""
    async with services.uow_factory(lotus.id) as uow:
        rows = await uow.session.execute(
            select(Session.starts_at - Due.at)
            .join(Due, Due.ref == Session.id)
            .where(Due.kind == "minimum")
            .order_by(Session.starts_at)
        )
        return list(rows.scalars())


def hours(*many: int) -> list[timedelta]:
    return [timedelta(hours=one) for one in many]


async def test_a_new_session_and_its_editor_have_it(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    path = f"/app/lotus/services/{service.id}/sessions/new"
    new = {"starts_at": "2027-03-20T18:00", "ends_at": "2027-03-20T19:00", "capacity": "5"}
    refused = await send(client, path, {**new, "min_seats": "6"})
    assert refused.status_code == 422
    assert "Between one and the 5 seats it has." in refused.text
    await send_again(client, path, refused, {"min_seats": "3", "decide_hours": "48"})
    assert await minimums(services, lotus) == [(3, 48)]
    assert await asked_before_start(services, lotus) == hours(72)
    async with services.uow_factory(lotus.id) as uow:
        session = (await uow.session.scalars(select(Session))).one()
        session.decided_at = uow.clock.now()
    edit = f"/app/lotus/sessions/{session.id}/edit"
    await send(client, edit, {"title": "Basics"})
    assert (await the_one(services, lotus)).decided_at is not None, "the answer stays"
    few = await send(client, edit, {"capacity": "2"})
    assert "It needs at least 3 people." in few.text
    await send(client, edit, {"min_seats": "4", "decide_hours": ""})
    assert await minimums(services, lotus) == [(4, 24)]
    assert (await the_one(services, lotus)).decided_at is None, "it is asked anew"
    assert await asked_before_start(services, lotus) == hours(48)
    await send(client, edit, {"min_seats": "", "capacity": "2"})
    assert await minimums(services, lotus) == [(None, None)]
    assert await asked_before_start(services, lotus) == []


async def the_one(services: Services, lotus: Business) -> Session:
    async with services.uow_factory(lotus.id) as uow:
        return (await uow.session.scalars(select(Session))).one()


async def test_every_date_of_a_repeat_has_it(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    path = f"/app/lotus/services/{service.id}/sessions/repeat"
    typed = {"count": "2", "capacity": "8", "step": "look"}
    refused = await send(client, path, {**typed, "min_seats": "9"})
    assert "Between one and the 8 seats it has." in refused.text
    looked = await send_again(client, path, refused, {"min_seats": "3", "decide_hours": "12"})
    await send_again(client, path, looked, {"step": "publish"})
    assert await minimums(services, lotus) == [(3, 12), (3, 12)]
    assert len(await asked_before_start(services, lotus)) == 2


@pytest.mark.slow
async def test_all_dates_of_a_series_get_it_and_one_that_is_too_small_is_named(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service)
    path = f"/app/lotus/sessions/{term.sessions[0].id}/several"
    asked: dict[str, Any] = {"scope": "all", "change": ["minimum"], "decide_hours": "36"}
    refused = await send(client, path, {**asked, "min_seats": "11"})
    assert refused.text.count("Between one and the 10 seats it has.") == 3
    looked = await send_again(client, path, refused, {"min_seats": "4"})
    assert looked.text.count("needs at least 4 people") == 3
    await send_again(client, path, looked, {"looked": "on"})
    assert await minimums(services, lotus) == [(4, 36)] * 3
    assert await asked_before_start(services, lotus) == hours(60, 60, 60)
    moved = {"scope": "all", "change": ["day"], "shift_days": "7"}
    await send_again(client, path, await send(client, path, moved), {"looked": "on"})
    assert await asked_before_start(services, lotus) == hours(60, 60, 60), "it moves along"
    gone = await send(client, path, {"scope": "all", "change": ["minimum"], "min_seats": ""})
    assert "takes place with any number" in gone.text
    await send_again(client, path, gone, {"looked": "on"})
    assert await minimums(services, lotus) == [(None, None)] * 3
    assert await asked_before_start(services, lotus) == []


async def test_one_dates_editor_spreads_it(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service)
    path = f"/app/lotus/sessions/{term.sessions[1].id}/edit"
    shown = await send(client, path, {"min_seats": "2", "scope": "following"})
    assert fields_of(shown)["change"] == ["minimum"]
    several = path.removesuffix("edit") + "several"
    await send_again(client, several, shown, {"looked": "on"})
    assert await minimums(services, lotus) == [(None, None), (2, 24), (2, 24)]


async def test_what_the_service_says_is_what_new_dates_begin_with(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    """Of imported dates only where it can still be decided, and be met."""
    service = await a_service(services.uow_factory, lotus.id)
    path = f"/app/lotus/services/{service.id}"
    changes = {"default_min_seats": "4", "default_decide_hours": ""}
    assert (await send(client, f"{path}/edit", changes)).status_code == 303
    for page in (f"{path}/sessions/new", f"{path}/sessions/repeat"):
        fields = fields_of(await client.get(page))
        assert (fields["min_seats"], fields["decide_hours"]) == (["4"], ["24"]), page
    visitor = Visitor(client)
    await upload(visitor, f"{path}/import", DATES)
    assert "Needs at least 4 people." in visitor.text
    rehearsal = visitor.path
    assert (
        "needs more people than it has seats"
        in (await visitor.open(f"{rehearsal}?show=clashes")).text
    )
    assert (
        "“some” is not a number of people."
        in (await visitor.open(f"{rehearsal}?show=refused")).text
    )
    await visitor.open(rehearsal)
    await visitor.submit(to="/commit")
    assert await minimums(services, lotus) == [(None, None), (4, 24), (None, None), (6, 24)]
    assert await asked_before_start(services, lotus) == hours(48, 48)


DATES = """date,start,end,title,capacity,minimum
2027-03-02,09:00,10:00,Soon,12,2
2027-04-05,18:00,19:00,Flow,12,
2027-04-06,18:00,19:00,Small,3,
2027-04-07,18:00,19:00,Own,12,6
2027-04-08,18:00,19:00,Wrong,12,13
2027-04-09,18:00,19:00,Odd,12,some
"""


async def test_a_new_session_begins_when_its_minimum_can_still_be_decided(
    client: AsyncClient, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    """The shop's clock stands in the late evening; tomorrow at six is less than a day ahead."""
    clock.at = datetime(2027, 3, 1, 21, tzinfo=UTC)
    for hours_before, day in ((None, "2027-03-02"), (12, "2027-03-02"), (24, "2027-03-03")):
        service = await a_service(
            services.uow_factory,
            lotus.id,
            slug=f"yoga-{hours_before}",
            default_min_seats=None if hours_before is None else 2,
            default_decide_hours=hours_before,
        )
        page = await client.get(f"/app/lotus/services/{service.id}/sessions/new")
        assert fields_of(page)["starts_at"] == [f"{day}T18:00"]
