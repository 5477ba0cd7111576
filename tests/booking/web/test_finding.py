"""The owner reads why guests do not find something exactly where the public page leaves it out."""

from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import update

from src.booking.models import Series, Service, Session
from src.platform.services import Services
from src.tenants.domain.roles import Role
from tests.booking.commands.places import a_performer
from tests.booking.web.pages import as_owner
from tests.support.builders import Business, a_business, a_member, a_series, a_service, a_session
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

UNSEEN = "Guests do not see it."
BY_LINK = "Only those who have its link see it."
TITLES = (UNSEEN, BY_LINK, "Guests see it, but cannot book it at present.")


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.mark.parametrize(
    ("model", "values", "is_found"),
    [
        (Service, {}, (True, True, True)),
        (Service, {"active": False}, (False, False, False)),
        (Service, {"visibility": "hidden"}, (False, False, False)),
        (Service, {"visibility": "unlisted"}, (False, False, False)),
        (Service, {"sales_mode": "single"}, (True, False, True)),
        (Series, {"active": False}, (True, False, False)),
        (Series, {"visibility": "hidden"}, (True, False, False)),
        (Series, {"visibility": "unlisted"}, (True, False, False)),
        (Session, {"seats_taken": Session.capacity}, (True, True, True)),
    ],
)
async def test_it_says_so_where_and_only_where_the_page_leaves_it_out(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    model: Any,
    values: dict[str, Any],
    is_found: tuple[bool, bool, bool],
) -> None:
    """For a service, its series and a date of that, each named for itself."""
    service = await a_service(services.uow_factory, lotus.id, name="Craft of service")
    term = await a_series(services.uow_factory, service, title="Term of series")
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Session).values(title="Date of session"))
        if values:
            await uow.session.execute(update(model).values(**values))
    hub = (await client.get("/b/lotus")).text
    cards = hub.split('id="dates"')[0]
    shown = ("Craft of service" in cards, "Term of series" in cards, "Date of session" in hub)
    assert shown == is_found
    await as_owner(client, services, lotus)
    paths = (
        f"services/{service.id}/sessions",
        f"series/{term.series.id}",
        f"sessions/{term.sessions[0].id}",
    )
    for path, found in zip(paths, is_found, strict=True):
        page = (await client.get(f"/app/lotus/{path}")).text
        said = UNSEEN in page or BY_LINK in page or f"/app/lotus/{path}/publish" in page
        assert said is not found, path


@pytest.mark.parametrize("is_sold", [True, False])
async def test_a_date_that_is_sold_with_its_series_is_not_called_unbookable(
    client: AsyncClient, services: Services, lotus: Business, *, is_sold: bool
) -> None:
    """Its single places open three days before it. With the other full, so is the series."""
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(
        services.uow_factory, service, drop_in_allowed=True, drop_in_opens_before=3
    )
    if not is_sold:
        async with services.uow_factory(lotus.id) as uow:
            full = update(Session).where(Session.id == term.sessions[1].id)
            await uow.session.execute(full.values(seats_taken=Session.capacity))
    await as_owner(client, services, lotus)
    page = (await client.get(f"/app/lotus/sessions/{term.sessions[0].id}")).text
    with_series = "Guests can book it with its series, but no single place of it at present."
    assert (with_series in page, TITLES[2] in page) == (is_sold, not is_sold)
    assert "Single places open on " in page
    assert "Drop-in" not in page


async def test_each_reason_leads_to_where_it_is_mended_and_instructors_read_none(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    performer = await a_performer(services.uow_factory, lotus, user_id=ivan.user_id)
    service = await a_service(services.uow_factory, lotus.id, visibility="hidden")
    session = await a_session(services.uow_factory, service, performer_id=performer.id)
    draft = await a_series(services.uow_factory, service, active=False, sessions=0, base_sessions=1)
    await as_owner(client, services, lotus)
    page = (await client.get(f"/app/lotus/sessions/{session.id}")).text
    assert f'href="/app/lotus/services/{service.id}/edit">Make the service public' in page
    page = (await client.get(f"/app/lotus/series/{draft.series.id}")).text
    assert f'/series/{draft.series.id}/edit">Choose at least one date that is to come.' in page
    await sign_in(client, services, ivan.user_id)
    page = await client.get(f"/app/lotus/sessions/{session.id}")
    assert page.status_code == 200
    assert not any(title in page.text for title in TITLES)
