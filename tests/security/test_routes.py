"""Every route has a gate, and the gate holds."""

import re

import pytest
from httpx import AsyncClient
from litestar import Litestar

from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.domain.roles import Role
from src.tenants.web.guards import needs_of
from tests.security.walk import a_token, answer, routes
from tests.support.builders import Business, a_member
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


async def test_every_route_has_a_gate_a_role_or_a_reason_to_be_public(app: Litestar) -> None:
    bare = [
        f"{route.method} {route.path}"
        for route in routes(app)
        if not needs_of(route.handler) and not route.handler.opt.get("public")
    ]
    assert bare == []


async def test_no_route_is_both_public_and_guarded(app: Litestar) -> None:
    both = [
        route.path
        for route in routes(app)
        if needs_of(route.handler) and route.handler.opt.get("public")
    ]
    assert both == []


async def test_only_frames_may_be_framed_and_they_know_nobody(app: Litestar) -> None:
    framed = [route for route in routes(app) if route.handler.opt.get("embeddable")]
    below = [route for route in routes(app) if route.path.startswith("/embed")]
    assert [str(route) for route in framed] == [str(route) for route in below] != []
    assert {route.method for route in framed} == {"GET"}
    assert {route.handler.opt.get("session") for route in framed} == {False}


async def test_an_instructor_reaches_no_page_that_asks_for_more(
    app: Litestar,
    client: AsyncClient,
    services: Services,
    lotus: Business,
    theirs: dict[str, object],
) -> None:
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    await sign_in(client, services, ivan.user_id)
    token = await a_token(client)
    for route in routes(app):
        if {"member:manager", "member:owner"} & set(needs_of(route.handler)):
            assert await answer(client, route, route.filled(theirs), token) == 403, str(route)


async def test_the_platforms_desk_does_not_exist_for_owners(
    app: Litestar, client: AsyncClient, services: Services, lotus: Business
) -> None:
    await sign_in(client, services, lotus.owner.id)
    token = await a_token(client)
    for route in routes(app):
        if not route.path.startswith("/admin"):
            continue
        path = re.sub(r"\{\w+:uuid\}", str(new_id()), route.path)
        path = re.sub(r"\{\w+(:\w+)?\}", "growth", path)
        assert await answer(client, route, path, token) == 404, f"{route.method} {route.path}"
