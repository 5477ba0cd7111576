"""The page on which an owner says when guests are reminded."""

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.booking.models import Service
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import as_owner, send
from tests.support.builders import Business, a_business, a_service, a_session

pytestmark = pytest.mark.anyio


async def kept(services: Services, business: Business) -> list[tuple[int, str]]:
    async with services.uow_factory(business.id) as uow:
        [service] = await uow.session.scalars(select(Service))
        return [(one["ahead"], one["unit"]) for one in service.reminders]


async def test_whom_a_new_one_reaches_is_shown_before_it_is_on(
    client: AsyncClient, services: Services
) -> None:
    """Row 2-39: nobody saw how many it would reach."""
    business = await a_business(services.uow_factory)
    await as_owner(client, services, business)
    service = await a_service(services.uow_factory, business.id, price_type="free")
    near = await a_session(services.uow_factory, service, in_days=0.5)
    far = await a_session(services.uow_factory, service, in_days=5)
    await booked(services.uow_factory, business, a_wish("session", near.id))
    for name in ("carl", "dora"):
        wish = a_wish("session", far.id, guest_email=f"{name}@example.com")
        await booked(services.uow_factory, business, wish)
    path = f"/app/lotus/services/{service.id}/reminders"
    typed = {"reminders.0.ahead": "1", "reminders.0.unit": "days"}
    looked = await send(client, path, typed)
    assert "2 bookings" in looked.text
    assert "1 day before" in looked.text
    assert await kept(services, business) == []
    done = await send(client, path, {**typed, "looked": "on"})
    assert done.headers["location"] == "/app/lotus/services"
    assert await kept(services, business) == [(1, "days")]
    again = await send(client, path, {**typed, "reminders.1.ahead": "", "reminders.1.unit": "days"})
    assert again.status_code == 303, "what is on already needs no second look"


async def test_a_wrong_row_is_refused_where_it_stands(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    await as_owner(client, services, business)
    service = await a_service(services.uow_factory, business.id)
    shown = await send(
        client,
        f"/app/lotus/services/{service.id}/reminders",
        {
            "reminders.0.unit": "hours",
            "reminders.1.ahead": "9000",
            "reminders.1.unit": "hours",
        },
    )
    assert shown.status_code == 422
    assert 'id="f-reminders-1-ahead-error"' in shown.text
    assert await kept(services, business) == []


async def test_the_services_own_pages_say_what_is_set_and_lead_there(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    await as_owner(client, services, business)
    service = await a_service(services.uow_factory, business.id)
    base = f"/app/lotus/services/{service.id}"
    pages = [f"{base}/sessions", f"{base}/edit"]
    for path in pages:
        shown = await client.get(path)
        assert "Guests are not reminded of their dates." in shown.text
        assert f'href="{base}/reminders"' in shown.text
    typed = {
        "reminders.0.ahead": "3",
        "reminders.0.unit": "hours",
        "reminders.1.ahead": "2",
        "reminders.1.unit": "days",
    }
    assert (await send(client, f"{base}/reminders", typed)).status_code == 303
    for path in pages:
        said = "Guests are reminded by mail: 2 days before, 3 hours before."
        assert said in (await client.get(path)).text
