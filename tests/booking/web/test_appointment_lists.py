"""Services by appointment, and their appointments, in the lists and pages of the dashboard."""

from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import delete, select, update

from src.booking.commands.book import book
from src.booking.models import Service, ServicePerformer, Session, WeeklyHours
from src.platform.services import Services
from src.tenants.models import Performer
from tests.booking.web.pages import as_owner
from tests.support.appointments import Practice, a_practice, next_day_at
from tests.support.builders import Business, a_business, as_guest

pytestmark = pytest.mark.anyio


async def opened(
    client: AsyncClient, services: Services, plan: str = "scale"
) -> tuple[Business, Practice]:
    business = await a_business(services.uow_factory, plan=plan)
    practice = await a_practice(services.uow_factory, business)
    await as_owner(client, services, business)
    return business, practice


async def booked(services: Services, business: Business, practice: Practice) -> UUID:
    """The session of an appointment on the next Wednesday."""
    now = services.clock.now()
    at = next_day_at(now, 10, (2 - now.weekday()) % 7 or 7)
    async with services.uow_factory(business.id) as uow:
        outcome = await book(uow, as_guest(business), practice.wish(at, guest_name="Carl Carlsen"))
    assert outcome
    async with services.uow_factory(business.id) as uow:
        return (await uow.session.scalars(select(Session.id))).one()


async def test_the_list_speaks_of_appointments(client: AsyncClient, services: Services) -> None:
    business, practice = await opened(client, services)
    before = (await client.get("/app/lotus/services")).text
    assert "by appointment" in before
    assert "Given by Nora" in before
    assert "No appointment is booked." in before
    assert "No date is published" not in before
    await booked(services, business, practice)
    after = (await client.get("/app/lotus/services")).text
    assert "1 appointment coming up" in after
    assert "Import a timetable" not in after
    assert "Waiting list" not in after


async def test_its_appointments_are_listed_with_the_guests_name(
    client: AsyncClient, services: Services
) -> None:
    business, practice = await opened(client, services)
    session_id = await booked(services, business, practice)
    guest = "Carl Carlsen"
    for path in (f"services/{practice.service.id}/sessions", "sessions"):
        shown = (await client.get(f"/app/lotus/{path}")).text
        assert guest in shown, path
        assert "1 of 1" not in shown, path
        assert "Full" not in shown, path
    of_service = (await client.get(f"/app/lotus/services/{practice.service.id}/sessions")).text
    for group_only in ("New session", "Repeat", "/import", f"{practice.service.id}/series"):
        assert group_only not in of_service, group_only
    roster = (await client.get(f"/app/lotus/sessions/{session_id}")).text
    assert "Cancel appointment" in roster
    for group_only in ("Seats taken", "Waiting list", "Minimum group size", "Edit several"):
        assert group_only not in roster, group_only


@pytest.mark.parametrize("path", ["sessions/new", "sessions/repeat", "import", "waitlist"])
async def test_pages_that_only_groups_have_say_so(
    client: AsyncClient, services: Services, path: str
) -> None:
    _business, practice = await opened(client, services)
    refused = await client.get(f"/app/lotus/services/{practice.service.id}/{path}")
    assert refused.status_code == 409
    assert "booked by appointment" in refused.text


async def test_why_guests_cannot_book_it_names_the_page_where_that_is_mended(
    client: AsyncClient, services: Services
) -> None:
    business, practice = await opened(client, services)
    here = f"/app/lotus/services/{practice.service.id}/sessions"
    assert "Nobody" not in (await client.get(here)).text
    async with services.uow_factory(business.id) as uow:
        await uow.session.execute(delete(WeeklyHours))
    without_hours = (await client.get(here)).text
    assert "Nobody who gives it has hours." in without_hours
    assert 'href="/app/lotus/settings/performers"' in without_hours
    async with services.uow_factory(business.id) as uow:
        await uow.session.execute(update(Performer).values(active=False))
    assert "Nobody gives it." in (await client.get(here)).text
    assert "Nobody gives it" in (await client.get("/app/lotus/services")).text
    async with services.uow_factory(business.id) as uow:
        await uow.session.execute(delete(ServicePerformer))
        await uow.session.execute(update(Service).values(active=False))
    assert "Nobody gives it." in (await client.get(here)).text


async def test_a_plan_without_groups_leaves_appointments_alone(
    client: AsyncClient, services: Services
) -> None:
    _business, _practice = await opened(client, services, plan="starter")
    assert "rest." not in (await client.get("/app/lotus/services")).text


async def test_who_gives_only_appointments_is_not_told_to_publish_dates(
    client: AsyncClient, services: Services
) -> None:
    await opened(client, services)
    start = (await client.get("/app/lotus/today")).text
    assert "Start: Publish the first date, or set hours" not in start
