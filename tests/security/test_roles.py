"""Every route of the dashboard, tried by every role, against the declared list."""

import re

import pytest
from httpx import AsyncClient
from litestar import Litestar
from sqlalchemy import update

from src.booking.models import Session
from src.platform.services import Services
from src.tenants.domain.roles import Role, reaches
from src.tenants.models import Performer
from src.tenants.web.guards import needs_of
from tests.security.roles import LEAST, entry_of
from tests.security.walk import Route, a_token, routes
from tests.support.builders import Business, a_member, a_service, a_session
from tests.support.visitor import forms_of
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

ASKS_PROCESSOR = {
    ("GET", "/payments/refresh"),
    ("GET", "/payments/return"),
    ("POST", "/payments/connect"),
    ("POST", "/payments/check"),
    ("POST", "/orders/{order_id}/refunds/{refund_id}/retry"),
}
"""Those whom these let in go on to the processor, which is not there: here the gate is read."""

ASKED = "?timezone=Europe/London&color=%230f766e"
"""What a page that shows a choice is asked about."""


def dashboard(app: Litestar) -> list[Route]:
    """The routes below a business's slug: reading first, so that nothing read is gone by then."""
    found = [route for route in routes(app) if route.path.startswith("/app/{slug")]
    return sorted(found, key=lambda route: route.method != "GET")


async def the_user(
    services: Services, lotus: Business, role: Role, theirs: dict[str, object]
) -> None:
    """Signs a member of this role in; an instructor leads the session of `theirs`."""
    if role is Role.OWNER:
        return
    member = await a_member(services.uow_factory, lotus, role.value.title(), role)
    theirs["user"] = member.user_id
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(
            update(Performer)
            .where(Performer.id == theirs["performer_id"])
            .values(user_id=member.user_id)
        )
        await uow.session.execute(
            update(Session)
            .where(Session.id == theirs["session_id"])
            .values(performer_id=theirs["performer_id"])
        )


async def test_the_list_names_every_route_and_no_other(app: Litestar) -> None:
    there = {entry_of(route.method, route.path) for route in dashboard(app)}
    assert there - set(LEAST) == set(), "routes that the list does not name"
    assert set(LEAST) - there == set(), "entries that no route has"


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_opens_what_the_list_says_and_nothing_else(
    app: Litestar,
    client: AsyncClient,
    services: Services,
    lotus: Business,
    theirs: dict[str, object],
    role: Role,
) -> None:
    theirs["user"] = lotus.owner.id
    await the_user(services, lotus, role, theirs)
    await sign_in(client, services, theirs["user"])  # type: ignore[arg-type]  # an id
    token = await a_token(client)
    opened = 0
    for route in dashboard(app):
        path = route.filled({**theirs, "slug": lotus.slug, "key": "growth"})
        entry = entry_of(route.method, route.path)
        assert path is not None, entry
        if reaches(role, LEAST[entry]) and entry in ASKS_PROCESSOR:
            assert f"member:{LEAST[entry].value}" in needs_of(route.handler), entry
            continue
        sent = {"data": {"_csrf_token": token}} if route.method == "POST" else {}
        answer = await client.request(
            route.method, f"{path}{ASKED}&payment={theirs['payment']}", **sent
        )  # type: ignore[arg-type]  # data, or nothing
        status = answer.status_code
        if not reaches(role, LEAST[entry]):
            assert status == 403, entry
            continue
        opened += 1
        if route.method == "GET":
            assert status < 400, (entry, status)
        assert status not in (401, 403), (entry, status)
    assert opened >= 5


async def test_an_instructor_is_shown_no_door_that_is_closed_to_them(
    client: AsyncClient, services: Services, lotus: Business, theirs: dict[str, object]
) -> None:
    """Whatever link stands on a page they may open leads somewhere they may go.

    A calendar leads on from week to week without end, so few of the same page's are followed.
    """
    await the_user(services, lotus, Role.INSTRUCTOR, theirs)
    await sign_in(client, services, theirs["user"])  # type: ignore[arg-type]  # an id
    todo, seen, posted = [f"/app/{lotus.slug}/today"], set(), set()
    while todo:
        path = todo.pop()
        seen.add(path)
        shown = await client.get(path, follow_redirects=True)
        # What only takes a form is there all the same, and says so to whoever asks for a page.
        assert shown.status_code in (200, 405), path
        posted |= {
            form.action
            for form in forms_of(shown)
            if form.method == "post" and form.action.startswith(f"/app/{lotus.slug}/")
        }
        if sum(one.partition("?")[0] == path.partition("?")[0] for one in seen) > 5:
            continue
        found = re.findall(r'(?:href|hx-get)="(/app/[^"#]*)"', shown.text)
        links = {link.replace("&amp;", "&") for link in found}
        todo += links - seen - set(todo)
    assert f"/app/{lotus.slug}/sessions/{theirs['session_id']}/print" in seen
    assert posted
    assert [path for path in posted if not is_posted_by_instructors(lotus, path)] == []


def is_posted_by_instructors(business: Business, path: str) -> bool:
    """Whether the list lets an instructor send a form there."""
    below = path.removeprefix(f"/app/{business.slug}")
    return any(
        re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", known), below)
        for (method, known), role in LEAST.items()
        if (method, role) == ("POST", Role.INSTRUCTOR)
    )


async def test_an_instructor_sees_their_own_sessions_alone(
    client: AsyncClient, services: Services, lotus: Business, theirs: dict[str, object]
) -> None:
    service = await a_service(services.uow_factory, lotus.id, slug="other", name="Other yoga")
    other = await a_session(services.uow_factory, service, title="Not for Ivan")
    await the_user(services, lotus, Role.INSTRUCTOR, theirs)
    await sign_in(client, services, theirs["user"])  # type: ignore[arg-type]  # an id
    base = f"/app/{lotus.slug}"
    for path in (f"{base}/today", f"{base}/sessions", f"{base}/sessions?when=past"):
        assert "Not for Ivan" not in (await client.get(path)).text, path
    for ending in ("", "/print"):
        not_own = await client.get(f"{base}/sessions/{other.id}{ending}")
        own = await client.get(f"{base}/sessions/{theirs['session_id']}{ending}")
        assert (not_own.status_code, own.status_code) == (404, 200)
