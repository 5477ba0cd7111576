"""Another business's ids lead nowhere, on every route there is.

The walks fail for a route that they cannot fill in, so that a new one cannot be forgotten.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient, Response
from litestar import Litestar

from src.booking.web.api import examples
from src.platform.services import Services
from src.tenants.commands.api_keys import create_api_key, revoke_api_key
from tests.security.walk import Route, a_token, answer, routes
from tests.support.builders import Business
from tests.support.portal import sign_in_portal
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

NO_BUSINESS_IN_IT = {
    "/admin/": "The desk does not exist for owners at all: test_routes walks it.",
    "/static/": "Files of the program.",
    "/embed/": "What everybody sees of one business, and no id of anything in it.",
    "/confirm-email/": "A signed link to a person, who is no tenant's.",
    "/join/": "A signed link to a person, who belongs to no business before it is followed.",
    "/password/reset/": "A signed link to a person, who is no tenant's.",
}
NOT_AN_ID = {"act", "bolt_on", "slug", "key", "kind", "number"}
GUESTS = ("/b/{slug", "/c/{slug")


def with_places(app: Litestar) -> list[Route]:
    """All routes whose address leaves something open, but for those that name no business."""
    return [
        route
        for route in routes(app)
        if route.places and not route.path.startswith(tuple(NO_BUSINESS_IN_IT))
    ]


def below(app: Litestar, *start: str) -> list[Route]:
    found = [route for route in with_places(app) if route.path.startswith(start)]
    assert len(found) > 5, start
    return found


def ids_in(route: Route) -> list[str]:
    return [name for name in route.places if name not in NOT_AN_ID]


def strangers(
    route: Route, own: Mapping[str, object], theirs: Mapping[str, object]
) -> Iterator[str]:
    """The route's addresses with one id of the other business, or all of them."""
    for names in {(name,) for name in ids_in(route)} | {tuple(ids_in(route))}:
        mixed = {**own, **{name: theirs[name] for name in names}}
        payment = theirs["payment"] if "order_id" in names else own["payment"]
        yield f"{route.filled(mixed)}?payment={payment}"


def is_problem(response: Response, status: int) -> bool:
    kind = response.headers["content-type"]
    return response.status_code == status and kind.startswith("application/problem+json")


async def a_key(services: Services, business: Business, *, revoked: bool = False) -> dict[str, str]:
    """The header of a program of the business."""
    async with services.uow_factory(business.id) as uow:
        made = await create_api_key(uow, business.ctx, "site")
    if revoked:
        async with services.uow_factory(business.id) as uow:
            await revoke_api_key(uow, business.ctx, made.id)
    return {"Authorization": f"Bearer {made.plain}"}


async def test_what_the_walks_leave_out_is_there(app: Litestar) -> None:
    for start in NO_BUSINESS_IN_IT:
        assert any(route.path.startswith(start) for route in routes(app)), start


async def test_every_route_with_an_id_is_in_one_of_the_walks(app: Litestar) -> None:
    """Row 2-46: five methods forgot whose data they touched."""
    starts = ("/app/{slug", *GUESTS, "/api/v1/")
    lost = [str(route) for route in with_places(app) if not route.path.startswith(starts)]
    assert lost == []


async def test_ones_own_things_are_found(
    app: Litestar, client: AsyncClient, services: Services, rival: Business, own: dict[str, object]
) -> None:
    """The control: it is the ids of the others that lead nowhere."""
    await sign_in(client, services, rival.owner.id)
    await sign_in_own_guest(client, services, own)
    key = await a_key(services, rival)
    for route in with_places(app):
        if route.method == "GET" and ids_in(route):
            query = f"?payment={own['payment']}&session={own['loose_session_id']}"
            shown = await client.get(route.filled(own) + query, headers=key)
            assert shown.status_code in (200, 303), f"{route} {shown.status_code}"


async def test_a_stranger_finds_nothing_of_another_business(
    app: Litestar,
    client: AsyncClient,
    services: Services,
    rival: Business,
    theirs: dict[str, object],
) -> None:
    """Eve, owner of another business, asks for every page of the dashboard of lotus."""
    await sign_in(client, services, rival.owner.id)
    token = await a_token(client)
    for route in below(app, "/app/{slug"):
        assert await answer(client, route, route.filled(theirs), token) == 404, str(route)


async def test_anothers_ids_do_not_exist_below_ones_own_slug(
    app: Litestar,
    client: AsyncClient,
    services: Services,
    rival: Business,
    own: dict[str, object],
    theirs: dict[str, object],
) -> None:
    """Eve puts the ids of lotus into the addresses of her own business, one by one and all."""
    await sign_in(client, services, rival.owner.id)
    token = await a_token(client)
    for route in below(app, "/app/{slug"):
        if ids_in(route):
            for path in strangers(route, own, theirs):
                assert await answer(client, route, path, token) == 404, f"{route} {path}"


async def test_a_guests_link_and_a_services_page_open_at_their_own_business_only(
    app: Litestar,
    client: AsyncClient,
    services: Services,
    own: dict[str, object],
    theirs: dict[str, object],
) -> None:
    """Who is signed in at the one business finds nothing of the other either."""
    await sign_in_own_guest(client, services, own)
    token = await a_guests_token(client, own)
    for route in below(app, *GUESTS):
        if ids_in(route):
            for path in strangers(route, own, theirs):
                query = f"&session={own['loose_session_id']}"
                assert await answer(client, route, path + query, token) == 404, f"{route} {path}"


@pytest.mark.parametrize("kind", ["session", "series"])
async def test_a_guest_cannot_book_anothers_dates_at_this_business(
    app: Litestar,
    client: AsyncClient,
    own: dict[str, object],
    theirs: dict[str, object],
    kind: str,
) -> None:
    token = await a_guests_token(client, own)
    foreign = theirs["loose_session_id" if kind == "session" else "series_id"]
    tried = [route for route in below(app, "/b/{slug") if route.path.endswith("/book")]
    assert len(tried) == 2
    for route in tried:
        path = f"{route.filled(own)}?{kind}={foreign}"
        assert await answer(client, route, path, token) == 404, str(route)


async def sign_in_own_guest(
    client: AsyncClient, services: Services, own: dict[str, object]
) -> None:
    business_id, customer_id = own["business_id"], own["customer_id"]
    assert isinstance(business_id, UUID)
    assert isinstance(customer_id, UUID)
    await sign_in_portal(client, services, business_id, customer_id, str(own["guest_email"]))


async def a_guests_token(client: AsyncClient, own: dict[str, object]) -> str:
    """What a form of a stranger's carries against forgery."""
    path = f"/b/{own['slug']}/{own['service_slug']}/book?session={own['loose_session_id']}"
    shown = await client.get(path)
    return shown.text.partition('name="_csrf_token" value="')[2].partition('"')[0]


async def test_the_pages_of_guests_show_nothing_of_another_business(
    client: AsyncClient, own: dict[str, object], theirs: dict[str, object]
) -> None:
    for name in ("service", "performer", "after", "series", "session"):
        foreign = theirs.get(f"{name}_id", theirs["loose_session_id"])
        for path in (f"/b/{own['slug']}", f"/b/{own['slug']}/{own['service_slug']}"):
            shown = await client.get(f"{path}?{name}={foreign}")
            body = shown.text.replace(f"{name}={foreign}", "")
            assert shown.status_code in (200, 404), path
            assert str(theirs["service_slug"]) not in body, path


def api(app: Litestar) -> list[Route]:
    """Every call that needs a key."""
    found = [
        r for r in routes(app) if r.path.startswith("/api/") and not r.handler.opt.get("public")
    ]
    assert len(found) > 15
    return found


def body_of(route: Route) -> dict[str, Any] | None:
    """The example of what the call takes; the ids in it are nobody's."""
    taken = route.handler.parsed_fn_signature.parameters.get("data")
    if taken is None:
        return None
    return examples.BODIES[taken.annotation.__name__]


async def test_no_call_is_answered_without_a_good_key(
    app: Litestar,
    client: AsyncClient,
    services: Services,
    rival: Business,
    own: dict[str, object],
) -> None:
    good = await a_key(services, rival)
    revoked = await a_key(services, rival, revoked=True)
    altered = {"Authorization": good["Authorization"][:-1] + "~"}
    for route in api(app):
        for headers in ({}, revoked, altered):
            shown = await client.request(
                route.method, route.filled(own), json=body_of(route), headers=headers
            )
            assert is_problem(shown, 401), f"{route} {headers} {shown.text}"


async def test_a_key_finds_no_id_of_another_business(
    app: Litestar,
    client: AsyncClient,
    services: Services,
    rival: Business,
    own: dict[str, object],
    theirs: dict[str, object],
) -> None:
    headers = await a_key(services, rival)
    for route in api(app):
        if ids_in(route):
            shown = await client.request(
                route.method, route.filled(theirs), json=body_of(route), headers=headers
            )
            assert is_problem(shown, 404), f"{route} {shown.text}"


async def test_a_key_is_shown_nothing_of_another_business(
    app: Litestar,
    client: AsyncClient,
    services: Services,
    rival: Business,
    own: dict[str, object],
    theirs: dict[str, object],
) -> None:
    headers = await a_key(services, rival)
    foreign = {str(value) for value in theirs.values() if isinstance(value, UUID)}
    lists = [route for route in api(app) if route.method == "GET" and not route.places]
    assert len(lists) >= 5
    for route in lists:
        shown = await client.get(route.path, headers=headers)
        assert shown.status_code == 200, str(route)
        assert not [one for one in foreign if one in shown.text], str(route)
    path = f"/api/v1/sessions?service_id={theirs['service_id']}"
    assert (await client.get(path, headers=headers)).json()["items"] == []
