"""Staff book an appointment for a guest: at an offered time, or at any other."""

from datetime import timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.booking.models import Session
from src.platform.services import Services
from tests.booking.web.pages import send, send_again
from tests.booking.web.test_customer_booking import orders
from tests.booking.web.test_guest_appointments import links
from tests.support.appointments import Practice, a_practice
from tests.support.builders import Business, a_service
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/customers"
TYPED = {"party": "Anna", "pays": "on_site"}


@pytest.fixture
async def anna(services: Services, lotus: Business) -> UUID:
    return await a_customer(services.uow_factory, lotus)


@pytest.fixture
async def practice(services: Services, lotus: Business) -> Practice:
    lengths = [{"minutes": 30, "price_minor": 3500}]
    return await a_practice(
        services.uow_factory, lotus, "Nora", "Ben", appointment={"lengths": lengths}
    )


def path_of(practice: Practice, anna: UUID) -> str:
    return f"{HOME}/{anna}/appointment/{practice.service.id}"


async def test_from_the_customer_to_an_offered_time(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID, practice: Practice
) -> None:
    choice = (await client.get(f"{HOME}/{anna}/book")).text
    assert "Appointment: Coaching" in choice
    here = path_of(practice, anna)
    assert here in choice
    page = (await client.get(f"{here}?minutes=30&day=2027-03-02")).text
    time = links(page, "?at=")[0]
    shown = (await client.get(time)).text
    assert "€35.00" in shown
    answer = await send(client, time, TYPED)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{HOME}/{anna}")
    [order] = await orders(services, lotus)
    assert (order.source, order.total_minor, order.payment_mode) == ("staff", 3500, "on_site")


async def test_any_other_time_can_be_typed_but_one_that_is_taken(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID, practice: Practice
) -> None:
    nora = practice.performer_ids[0]
    late = f"{path_of(practice, anna)}?on=2027-03-06&clock=21:15&minutes=60&with={nora}"
    shown = (await client.get(late)).text
    assert "9:15" in shown
    assert "Nora" in shown
    assert "A guest could not book this now." in shown
    assert (await send(client, late, TYPED)).status_code == 303
    async with services.uow_factory(lotus.id) as uow:
        session = (await uow.session.scalars(select(Session))).one()
    assert session.ends_at - session.starts_at == timedelta(hours=1)
    assert f"{session.starts_at:%Y-%m-%d %H:%M}" == "2027-03-06 20:15"
    again = (await client.get(late)).text
    assert "Nobody who gives it has time then." in again
    refused = await client.post(late, data={"form_token": "x" * 30, **TYPED})
    assert refused.status_code in (403, 409)


async def test_two_of_the_team_send_the_same_time(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID, practice: Practice
) -> None:
    nora = practice.performer_ids[0]
    late = f"{path_of(practice, anna)}?on=2027-03-06&clock=21:15&minutes=60&with={nora}"
    before = await client.get(late)
    assert (await send(client, late, TYPED)).status_code == 303
    answer = await send_again(client, late, before, {**TYPED, "party": "Ben"})
    assert answer.status_code == 409
    assert "Nobody who gives it has time then." in answer.text
    assert len(await orders(services, lotus)) == 1


@pytest.mark.parametrize("typed", ["on=2027-03-06&clock=", "on=soon&clock=10:00"])
async def test_a_time_that_is_none_is_said_so(
    client: AsyncClient, anna: UUID, practice: Practice, typed: str
) -> None:
    shown = await client.get(f"{path_of(practice, anna)}?{typed}&minutes=60")
    assert "Please give a day and a time." in shown.text


async def test_a_service_with_dates_has_no_such_page(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    group = await a_service(services.uow_factory, lotus.id)
    assert (await client.get(f"{HOME}/{anna}/appointment/{group.id}")).status_code == 404
