"""Collections over the API, which cannot tell who asks."""

import pytest
from httpx import AsyncClient

from src.platform.services import Services
from tests.booking.api.conftest import Program, a_program
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.collections import a_collection
from tests.support.credits import a_package

pytestmark = pytest.mark.anyio


async def test_those_for_everybody_are_told_in_order_with_what_is_in_them(
    program: Program, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    yoga = await a_service(factory, lotus.id)
    await a_session(factory, yoga)
    ten = await a_package(factory, lotus.id, name="Ten")
    made = await a_collection(factory, lotus.id, ten, yoga, title="Menu", established_only=False)
    await a_collection(factory, lotus.id, title="Kept")
    await a_collection(factory, lotus.id, title="Off", established_only=False, active=False)
    [told] = (await program.get("/collections")).json()["items"]
    assert told == (await program.get(f"/collections/{made.id}")).json()
    assert (told["title"], told["slug"]) == ("Menu", "menu")
    assert told["url"].endswith("/b/lotus/collections/menu")
    assert [(one["kind"], one["name"], one["reason"]) for one in told["items"]] == [
        ("package", "Ten", None),
        ("service", "Yoga", None),
    ]
    assert told["items"][1]["price_label"] == "€15.00"


async def test_what_is_kept_is_neither_listed_nor_sold(
    program: Program, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    yoga = await a_service(factory, lotus.id, price_type="free")
    session = await a_session(factory, yoga)
    ten = await a_package(factory, lotus.id)
    kept = await a_collection(factory, lotus.id, yoga, ten)
    for path in (f"/collections/{kept.id}", f"/packages/{ten.id}"):
        answer = await program.get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "established_only"), path
    assert (await program.get("/collections")).json() == {"items": []}
    assert (await program.get("/packages")).json() == {"items": []}
    assert (await program.get("/hub")).json()["services"] == []
    body = {
        "kind": "session",
        "id": str(session.id),
        "guest_name": "Carl",
        "guest_email": "carl@example.com",
    }
    answer = await program.post("/bookings", body)
    assert (answer.status_code, answer.json()["code"]) == (403, "established_only")


async def test_another_business_sees_none_of_them(
    client: AsyncClient, program: Program, services: Services, lotus: Business
) -> None:
    made = await a_collection(services.uow_factory, lotus.id, established_only=False)
    rival = await a_business(services.uow_factory, "rival", owner="Eve")
    theirs = await a_program(client, services, rival)
    assert (await theirs.get("/collections")).json() == {"items": []}
    assert (await theirs.get(f"/collections/{made.id}")).status_code == 404
