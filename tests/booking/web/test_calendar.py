"""The calendar of the dashboard: what it lists, to whom, and where it leads."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import event, text, update

from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.domain.roles import Role
from src.tenants.models import Tenant
from tests.booking.commands.places import a_performer, a_room
from tests.booking.web.pages import as_owner, fields_of
from tests.support.builders import Business, a_business, a_member, a_service, a_session
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio
HOME = "/app/lotus/calendar"
AT = datetime(2027, 3, 8, 17, tzinfo=UTC)
MARCH = {"start": "2027-03-01", "end": "2027-04-05"}


async def entries(client: AsyncClient, **query: Any) -> list[dict[str, Any]]:
    shown = await client.get(f"{HOME}/entries", params={**MARCH, **query})
    assert shown.status_code == 200, shown.text
    found: list[dict[str, Any]] = shown.json()["entries"]
    return found


async def a_stage(client: AsyncClient, services: Services) -> tuple[Business, Any, Any]:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    session = await a_session(services.uow_factory, service, starts_at=AT, title="Basics")
    await as_owner(client, services, business)
    return business, service, session


async def in_country(services: Services, business: Business, country: str) -> None:
    async with services.uow_factory(business.id) as uow:
        await uow.session.execute(
            update(Tenant).where(Tenant.id == business.id).values(country=country)
        )


async def test_weeks_begin_where_those_of_the_business_do(
    client: AsyncClient, services: Services
) -> None:
    """The day before the session is a Sunday: the last of its week in Europe, the first in the
    United States.
    """
    business, service, _session = await a_stage(client, services)
    repeat = f"/app/lotus/services/{service.id}/sessions/repeat"
    for country, first, is_with_it, days in (
        ("NL", "0", False, ["Monday", "Sunday"]),
        ("US", "6", True, ["Sunday", "Saturday"]),
    ):
        await in_country(services, business, country)
        page = (await client.get(HOME, params={"on": "2027-03-07"})).text
        assert f'data-first="{first}"' in page
        assert ("Basics" in page) is is_with_it
        shown = re.findall(r'aria-label="(\w+day)"', (await client.get(repeat)).text)
        assert [shown[0], shown[-1]] == days


async def test_sessions_are_given_on_the_clock_of_the_business(
    client: AsyncClient, services: Services
) -> None:
    _business, service, session = await a_stage(client, services)
    after_the_change = datetime(2027, 3, 29, 16, tzinfo=UTC)
    await a_session(services.uow_factory, service, starts_at=after_the_change)
    winter, summer = await entries(client)
    assert winter == {
        "id": str(session.id),
        "title": "Yoga · Basics",
        "short": "Basics · 0/10",
        "start": "2027-03-08T18:00:00",
        "end": "2027-03-08T19:00:00",
        "url": f"/app/lotus/sessions/{session.id}",
        "state": "open",
        "note": "0/10",
        "count": "0/10",
        "editable": True,
    }
    assert summer["start"] == "2027-03-29T18:00:00"


async def test_only_what_runs_within_the_window_is_listed(
    client: AsyncClient, services: Services
) -> None:
    _business, service, _session = await a_stage(client, services)
    over_midnight = datetime(2027, 3, 9, 22, 30, tzinfo=UTC)
    night = await a_session(services.uow_factory, service, starts_at=over_midnight)
    found = await entries(client, start="2027-03-10", end="2027-03-11")
    assert [one["id"] for one in found] == [str(night.id)]
    assert await entries(client, start="2027-03-11", end="2027-03-12") == []


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2027-03-01", "2028-03-01"),
        ("2027-03-02", "2027-03-01"),
        ("x", "2027-03-01"),
        ("0001-01-01", "0001-01-02"),
        ("9999-12-30", "9999-12-31"),
    ],
)
async def test_a_window_that_is_none_is_refused(
    client: AsyncClient, services: Services, start: str, end: str
) -> None:
    await a_stage(client, services)
    shown = await client.get(f"{HOME}/entries", params={"start": start, "end": end})
    assert shown.status_code == 422


async def test_it_is_narrowed_by_service_performer_and_place(
    client: AsyncClient, services: Services
) -> None:
    business, service, _session = await a_stage(client, services)
    performer = await a_performer(services.uow_factory, business)
    room = await a_room(services.uow_factory, business)
    other = await a_service(services.uow_factory, business.id, slug="boxing", name="Boxing")
    led = await a_session(services.uow_factory, service, starts_at=AT, performer_id=performer.id)
    placed = await a_session(services.uow_factory, other, starts_at=AT, location_id=room.id)
    for name, value, expected in (
        ("performer", performer.id, led),
        ("location", room.id, placed),
        ("service", other.id, placed),
    ):
        (found,) = await entries(client, **{name: value})
        assert found["id"] == str(expected.id), name
    page = await client.get(HOME, params={"service": other.id, "on": "2027-03-10"})
    assert f'value="{other.id}" selected' in " ".join(page.text.split())
    assert "Basics" not in page.text
    assert str(placed.id) in page.text


async def test_an_instructor_sees_own_sessions_and_moves_none(
    client: AsyncClient, services: Services
) -> None:
    business, service, _session = await a_stage(client, services)
    ivan = await a_member(services.uow_factory, business, "Ivan", Role.INSTRUCTOR)
    performer = await a_performer(services.uow_factory, business, user_id=ivan.user_id)
    own = await a_session(services.uow_factory, service, starts_at=AT, performer_id=performer.id)
    await sign_in(client, services, ivan.user_id)
    (found,) = await entries(client)
    assert (found["id"], found["editable"]) == (str(own.id), False)
    page = (await client.get(f"{HOME}?on=2027-03-08")).text
    assert str(own.id) in page
    assert "Basics" not in page
    assert 'data-new=""' in page


async def test_without_scripts_weeks_are_listed_one_after_the_other(
    client: AsyncClient, services: Services
) -> None:
    _business, service, session = await a_stage(client, services)
    later = await a_session(services.uow_factory, service, starts_at=AT + timedelta(days=7))
    shown = (await client.get(f"{HOME}?on=2027-03-10")).text
    assert f"/sessions/{session.id}" in shown
    assert f"/sessions/{later.id}" not in shown
    assert "?on=2027-03-01" in shown
    shown = (await client.get(f"{HOME}?on=2027-03-15")).text
    assert f"/sessions/{later.id}" in shown
    for nonsense in ("x", "0001-01-01", "9999-12-31"):
        assert (await client.get(f"{HOME}?on={nonsense}")).status_code == 200


async def test_a_free_time_leads_to_the_form_with_it_filled_in(
    client: AsyncClient, services: Services
) -> None:
    business, service, _session = await a_stage(client, services)
    shown = await client.get(f"{HOME}/new?starts_at=2027-03-09T07:30", follow_redirects=True)
    assert shown.url.path == f"/app/lotus/services/{service.id}/sessions/new"
    assert fields_of(shown)["starts_at"] == ["2027-03-09T07:30"]
    assert fields_of(shown)["ends_at"] == ["2027-03-09T08:30"]
    await a_service(services.uow_factory, business.id, slug="boxing", name="Boxing")
    shown = await client.get(f"{HOME}/new?starts_at=2027-03-09T07:30")
    assert "Boxing" in shown.text
    assert "starts_at=2027-03-09T07%3A30" in shown.text
    for nonsense in ("x", "0001-01-01T00:00", "2027-03-09T07:30Z"):
        assert (await client.get(f"{HOME}/new?starts_at={nonsense}")).status_code == 200


async def test_a_drag_leads_to_the_form_and_changes_nothing(
    client: AsyncClient, services: Services
) -> None:
    _business, _service, session = await a_stage(client, services)
    path = f"/app/lotus/sessions/{session.id}/edit?starts_at=2027-03-10T20:00"
    shown = await client.get(path)
    assert "is not saved yet" in shown.text
    assert fields_of(shown)["starts_at"] == ["2027-03-10T20:00"]
    assert fields_of(shown)["ends_at"] == ["2027-03-10T21:00"]
    (found,) = await entries(client)
    assert found["start"] == "2027-03-08T18:00:00"


async def many(services: Services, tenant_id: UUID, service_id: UUID, count: int) -> None:
    """So many sessions, one every half hour."""
    rows = [
        {"t": tenant_id, "i": new_id(), "s": service_id, "at": AT + timedelta(minutes=30 * n)}
        for n in range(count)
    ]
    async with services.uow_factory(tenant_id) as uow:
        await uow.session.execute(
            text(
                "INSERT INTO sessions (tenant_id, id, service_id, title, starts_at, ends_at,"
                " capacity, seats_taken, mode, meeting_url, state, sequence, moved_sequence,"
                " in_term, created_at) VALUES (:t, :i, :s, '', :at,"
                " cast(:at AS timestamptz) + interval '1 hour', 10, 0, 'in_person', '',"
                " 'scheduled', 0, 0, true, :at)"
            ),
            rows,
        )


async def test_a_full_month_is_asked_for_once_however_much_there_is(
    client: AsyncClient, services: Services
) -> None:
    business, service, _session = await a_stage(client, services)
    counts: list[int] = []
    for more in (1, 600):
        await many(services, business.id, service.id, more)
        statements: list[str] = []

        def note(*args: Any, seen: list[str] = statements) -> None:
            seen.append(args[2])

        async with services.uow_factory(business.id) as uow:
            bind: Any = uow.session.bind
        engine = bind.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            found = await entries(client)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        assert len(found) > more
        counts.append(len(statements))
    assert counts[0] == counts[1] < 12
