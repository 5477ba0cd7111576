"""Who switches a service off is told whose credits are good for it."""

from datetime import timedelta

import pytest
from httpx import AsyncClient

from src.billing.domain.credits import Scope
from src.booking.models import Service
from src.platform.services import Services
from tests.booking.web.pages import send
from tests.support.builders import Business, a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot, a_package
from tests.support.policies import a_refund_package

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/services"


@pytest.fixture
async def yoga(services: Services, lotus: Business) -> Service:
    return await a_service(services.uow_factory, lotus.id, name="Yoga", tags=["calm"])


async def switch(client: AsyncClient, service: Service, on: str) -> str:
    """What the list says right afterwards."""
    await send(client, HOME, {"on": on}, to=f"{HOME}/{service.id}/active")
    return (await client.get(HOME)).text


async def test_packages_and_credits_that_name_the_service_are_named(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    factory = services.uow_factory
    ids = [str(yoga.id)]
    await a_package(factory, lotus.id, any_service=False, service_ids=ids, name="Ten of yoga")
    await a_refund_package(factory, lotus.id, tags=[], service_ids=ids, name="Given back")
    await a_package(factory, lotus.id, name="Anything")
    await a_lot(factory, lotus.id, scope=Scope(service_ids=frozenset({yoga.id})))
    told = await switch(client, yoga, "0")
    said = "these credits are good for it: “10 sessions”, “Given back”, “Ten of yoga”."
    assert f"“Yoga” is switched off, but {said}" in told
    assert "is switched off, but" not in await switch(client, yoga, "1")


async def test_a_tag_counts_while_no_other_service_that_is_on_has_it(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    factory = services.uow_factory
    await a_package(factory, lotus.id, any_service=False, tags=["calm"], name="Calm ones")
    other = await a_service(factory, lotus.id, name="Nidra", slug="nidra")
    await a_series(factory, other, tags=["calm"])
    assert "is switched off, but" not in await switch(client, yoga, "0")
    told = await switch(client, other, "0")
    assert "“Nidra” is switched off, but these credits are good for it: “Calm ones”." in told


async def test_what_nobody_can_use_any_more_needs_no_service(
    client: AsyncClient,
    services: Services,
    clock: FrozenClock,
    lotus: Business,
    yoga: Service,
) -> None:
    factory, scope = services.uow_factory, Scope(service_ids=frozenset({yoga.id}))
    over = clock.now() - timedelta(days=1)
    await a_lot(factory, lotus.id, scope=scope, expires_at=over)
    off = {"any_service": False, "service_ids": [str(yoga.id)], "active": False}
    await a_package(factory, lotus.id, **off)
    assert "is switched off, but" not in await switch(client, yoga, "0")


async def test_the_editor_says_it_too(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    await a_package(services.uow_factory, lotus.id, any_service=False, tags=["calm"])
    saved = await send(client, f"{HOME}/{yoga.id}/edit", {"active": None})
    assert saved.status_code == 303, saved.text
    told = (await client.get(HOME)).text
    assert "“Yoga” is switched off, but these credits are good for it: “10 sessions”." in told
