"""The editor of a service that is booked by appointment, as its owner goes through it."""

from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.booking.commands.givers import list_givers, set_givers
from src.booking.models import Service
from src.platform.services import Services
from tests.booking.web.pages import as_owner, fields_of, send, send_again
from tests.support.appointments import a_performer, a_practice
from tests.support.builders import Business, a_business, a_service

pytestmark = pytest.mark.anyio

NEW = "/app/lotus/services/new"
BY_APPOINTMENT = f"{NEW}?kind=appointment"


async def opened(client: AsyncClient, services: Services) -> Business:
    business = await a_business(services.uow_factory)
    await as_owner(client, services, business)
    return business


async def stored(services: Services, business: Business) -> tuple[Service, list[UUID]]:
    async with services.uow_factory(business.id) as uow:
        service = (await uow.session.scalars(select(Service))).one()
        return service, await list_givers(uow, service.id)


def a_coaching(*performer_ids: UUID, **more: Any) -> dict[str, Any]:
    return {
        "name": "Coaching",
        "price_type": "on_site",
        "price": "60",
        "duration_minutes": "60",
        "step_minutes": "15",
        "after_minutes": "10",
        "performer_ids": [str(one) for one in performer_ids],
        "lengths.0.minutes": "90",
        "lengths.0.price": "85",
        **more,
    }


async def test_a_service_by_appointment_is_made_in_its_own_form(
    client: AsyncClient, services: Services
) -> None:
    business = await opened(client, services)
    nora = await a_performer(services.uow_factory, business, "Nora")
    shown = fields_of(await client.get(BY_APPOINTMENT))
    assert shown["max_party"] == ["1"]
    assert not {"default_capacity", "default_min_seats", "sales_mode"} & set(shown)
    sent = await send(client, BY_APPOINTMENT, a_coaching(nora), to=NEW)
    assert sent.status_code == 303, sent.text
    service, given_by = await stored(services, business)
    assert (service.kind, service.price_minor, given_by) == ("appointment", 6000, [nora])
    assert service.appointment == {
        "step_minutes": 15,
        "after_minutes": 10,
        "lengths": [{"minutes": 90, "price_minor": 8500}],
    }


async def test_choosing_the_kind_keeps_what_is_typed(
    client: AsyncClient, services: Services
) -> None:
    await opened(client, services)
    chosen = await send(client, NEW, {"name": "Clay", "as_kind": "appointment"})
    fields = fields_of(chosen)
    assert (fields["name"], fields["kind"]) == (["Clay"], ["appointment"])
    assert "Add a performer" in chosen.text, "nobody could give it yet"
    usual = {name: fields[name] for name in ("step_minutes", "before_minutes", "after_minutes")}
    assert usual == {"step_minutes": ["30"], "before_minutes": ["0"], "after_minutes": ["0"]}
    begun = fields_of(await send_again(client, NEW, chosen, {"as": "appointment"}))
    assert (begun["kind"], begun["horizon_days"]) == (["appointment"], ["60"])
    other = fields_of(await send_again(client, NEW, chosen, {"as": "workshop"}))
    assert (other["kind"], other["max_party"]) == (["group"], ["4"])
    back = fields_of(await send_again(client, NEW, chosen, {"as_kind": "group"}))
    assert (back["default_capacity"], back["sales_mode"]) == (["10"], ["single"])


async def test_an_appointment_begun_from_another_form_has_its_usual_times(
    client: AsyncClient, services: Services
) -> None:
    await opened(client, services)
    begun = await send(client, f"{NEW}?kind=group", {"as": "appointment"}, to=NEW)
    fields = fields_of(begun)
    usual = [fields[name] for name in ("step_minutes", "before_minutes", "after_minutes")]
    assert usual == [["30"], ["0"], ["0"]]
    typed = {"step_minutes": "15", "after_minutes": ""}
    again = fields_of(await send_again(client, NEW, begun, {"as": "appointment", **typed}))
    assert (again["step_minutes"], again["after_minutes"]) == (["15"], [""])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"performer_ids": []}, "performer_ids"),
        ({"lengths.0.price": "much"}, "lengths.0.price"),
        ({"lengths.0.price": ""}, "lengths.0.price"),
        ({"lengths.0.minutes": ""}, "lengths.0.minutes"),
        ({"lengths.0.minutes": "60"}, "lengths"),
        ({"meeting_url": "call me"}, "meeting_url"),
        ({"before_minutes": "1000"}, "before_minutes"),
    ],
)
async def test_what_cannot_be_is_said_at_its_field(
    client: AsyncClient, services: Services, changes: dict[str, Any], field: str
) -> None:
    business = await opened(client, services)
    nora = await a_performer(services.uow_factory, business, "Nora")
    refused = await send(client, BY_APPOINTMENT, a_coaching(nora) | changes, to=NEW)
    assert refused.status_code == 422
    assert f"{field.replace('.', '-')}-error" in refused.text
    assert fields_of(refused)["name"] == ["Coaching"]


async def test_saving_untouched_resets_nothing(client: AsyncClient, services: Services) -> None:
    business = await opened(client, services)
    practice = await a_practice(services.uow_factory, business, "Nora", "Paul")
    edit = f"/app/lotus/services/{practice.service.id}/edit"
    first = await send(client, edit, {"lengths.0.minutes": "30", "lengths.0.price": "35"})
    assert first.status_code == 303, first.text
    assert (await send(client, edit, {"name": "Counsel"})).status_code == 303
    service, given_by = await stored(services, business)
    assert service.name == "Counsel"
    assert service.appointment["lengths"] == [{"minutes": 30, "price_minor": 3500}]
    assert set(given_by) == set(practice.performer_ids)


async def test_whom_somebody_else_let_give_it_meanwhile_is_not_undone(
    client: AsyncClient, services: Services
) -> None:
    business = await opened(client, services)
    practice = await a_practice(services.uow_factory, business, "Nora", "Paul")
    edit = f"/app/lotus/services/{practice.service.id}/edit"
    left_open = await client.get(edit)
    async with services.uow_factory(business.id) as uow:
        await set_givers(uow, practice.service.id, practice.performer_ids[:1])
    stale = await send_again(client, edit, left_open, {"name": "Counsel"})
    assert stale.status_code == 409
    assert "Given by" in stale.text
    _service, given_by = await stored(services, business)
    assert given_by == practice.performer_ids[:1]


async def test_a_group_service_gets_no_terms_of_appointments(
    client: AsyncClient, services: Services
) -> None:
    business = await opened(client, services)
    service = await a_service(services.uow_factory, business.id)
    edit = f"/app/lotus/services/{service.id}/edit"
    assert (await send(client, edit, {"step_minutes": "15", "name": "Yoga"})).status_code == 303
    found, given_by = await stored(services, business)
    assert (found.kind, found.appointment, given_by) == ("group", {}, [])
