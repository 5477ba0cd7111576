"""Who loads a refused form again finds the page as it was first asked for, whatever chose it.

The answer to a form says where it is to be had by GET. A form that is sent to its own address keeps
the query there; one that is sent to an address of its own may lose it. What reads a query is looked
up in the code, so that a new page joins by itself, or fails the test until it is told how.
"""

import re
from html import unescape
from types import FunctionType
from typing import Any
from urllib.parse import urljoin

import pytest
from httpx import AsyncClient, Response
from litestar import Litestar

from src.platform.services import Services
from tests.architecture.test_returning import names_in
from tests.security.walk import Route, routes
from tests.support.builders import Business
from tests.support.visitor import Form, forms_of
from tests.tenants.plan_support import an_admin
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

CHOSEN: dict[str, tuple[str, dict[str, str]]] = {
    "/sign-in": ("next=/app/rival/orders", {"email": "nobody"}),
    "/b/{slug}/me/sign-in": ("next=/b/rival/me/receipts", {"email": "nobody"}),
    "/b/{slug}/{service_slug}/waitlist": ("session={loose_session_id}", {"email": "nobody"}),
    "/app/{slug}/settings/mails/{kind}": ("language=en", {"body": "{nonsense}"}),
    "/app/{slug}/orders/{order_id}/refund": ("payment={payment}", {"amount": "a lot"}),
    "/app/{slug}/services/new": ("kind=appointment", {"name": ""}),
    "/app/{slug}/services/{service_id}/sessions/new": (
        "starts_at=2027-05-14T18:00",
        {"capacity": "many"},
    ),
    "/app/{slug}/sessions/{session_id}/edit": ("starts_at=2027-05-14T18:00", {"capacity": "many"}),
    "/app/{slug}/sessions/chosen/cancel": (
        "session_ids={loose_session_id}",
        {"reason": "x" * 501},
    ),
    "/app/{slug}/packages/new": ("copy={package_id}", {"credits": "many"}),
    "/app/{slug}/broadcasts/new": ("to=session:{loose_session_id}", {"subject": ""}),
    "/app/{slug}/customers/new": ("what=session:{loose_session_id}", {"email": "nobody"}),
    "/app/{slug}/customers/{customer_id}/book": (
        "what=session:{loose_session_id}",
        {"note": "x" * 5000},
    ),
    "/admin/tenants/{tenant_id}/status": ("to=suspended", {"reason": "x" * 501}),
}
"""The pages that their query chooses: it, and what is refused in their form."""

NOT_CHOSEN = {
    "/app/{slug}/settings/timezone": "The zone in the address is what the form has typed in.",
    "/admin/tenants/{tenant_id}/move": "What is refused is said after a redirect.",
    "/b/{slug}/fees/{claim}": "The query only says that somebody comes from paying.",
    "/b/{slug}/me/cards": "The query only says that somebody comes from keeping a card.",
    "/b/{slug}/{service_slug}/book": "The browser may keep the page, with what was typed.",
    "/b/{slug}/bookings/{token}/leave": "The form's address names the date.",
    "/b/{slug}/bookings/{token}/move": "The form's address names the date.",
    "/b/{slug}/bookings/{token}/time": "The form is sent to the page's own address.",
    "/b/{slug}/bookings/{token}/hand-on": "The form is sent to the page's own address.",
    "/app/{slug}/settings/closed-days": "The query only fills in a new form.",
    "/app/{slug}/sessions/{session_id}/several": "The query says where one goes back to.",
    "/b/{slug}/worksheets/{sheet}": "The query only says that what was sent was too large.",
    "/b/{slug}/me/worksheets/{copy_id}": "The query only says that what was sent was too large.",
    "/app/{slug}/check-in": "The query is what a scanner has read.",
    "/app/{slug}/imports/{import_id}": "It has no query of its own.",
    "/app/{slug}/customers/{customer_id}/merge/{other_id}": "The form has only a button.",
    "/app/{slug}/customers/{customer_id}/appointment/{appointments_of}": (
        "The form is sent to the page's own address."
    ),
}
"""Those that are the same without, or whose form is sent to where the query is, with the reason."""

NEW_EACH_TIME = {"_csrf_token", "token", "form_token"}


def reads_query(handler: Any, seen: set[FunctionType]) -> bool:
    """Whether it, or any of our own functions that it calls, looks at the query."""
    if not isinstance(handler, FunctionType) or handler in seen:
        return False
    seen.add(handler)
    names = set(names_in(handler.__code__))
    asked = [repr(kind) for name, kind in handler.__annotations__.items() if name != "return"]
    if "query_params" in names or any("Query" in kind for kind in asked):
        return True
    named = [handler.__globals__.get(name) for name in names]
    ours = [one for one in named if str(getattr(one, "__module__", "")).startswith("src.")]
    return any(reads_query(one, seen) for one in ours)


def with_a_form(app: Litestar) -> list[Route]:
    """Every page that reads a query, at an address that takes a form too."""
    pages = [one for one in routes(app) if not one.path.startswith("/api/")]
    taken = {one.path for one in pages if one.method == "POST"}
    found = [one for one in pages if one.method == "GET" and one.path in taken]
    return [one for one in found if reads_query(one.handler.fn, set())]


def form_to(page: Response, path: str) -> Form:
    """The page's form that is sent to the path."""
    posting = [one for one in forms_of(page) if one.method == "post"]
    found = [one for one in posting if (one.action.partition("?")[0] or path) == path]
    assert found, f"{page.status_code} without a form to {path}: {page.text[:2000]}"
    return found[-1]


def as_first_asked(form: Form) -> dict[str, list[str]]:
    return {name: said for name, said in form.fields.items() if name not in NEW_EACH_TIME}


async def test_every_page_that_reads_a_query_is_walked_or_needs_none(app: Litestar) -> None:
    found = {one.path for one in with_a_form(app)}
    assert found == {*CHOSEN, *NOT_CHOSEN}
    assert not set(CHOSEN) & set(NOT_CHOSEN)


async def test_what_chose_a_page_chooses_it_again(
    app: Litestar,
    client: AsyncClient,
    services: Services,
    rival: Business,
    own: dict[str, object],
) -> None:
    ada = await an_admin(services.uow_factory)
    own["tenant_id"] = rival.id
    for route in with_a_form(app):
        if route.path not in CHOSEN:
            continue
        query, refused = CHOSEN[route.path]
        path = route.filled(own)
        client.cookies.clear()
        if path.startswith(("/app", "/admin")):
            is_desk = path.startswith("/admin")
            user_id = ada.user_id if is_desk else rival.owner.id
            await sign_in(client, services, user_id)
        shown = await client.get(f"{path}?{query.format(**own)}")
        form = form_to(shown, path)
        sent_to = urljoin(str(shown.url), form.action or str(shown.url))
        answer = await client.post(sent_to, data=form.filled(refused))
        assert answer.status_code == 422, f"{route} {answer.status_code}"
        again = re.search(r'<html[^>]* data-again="([^"]*)"', answer.text)
        assert again is not None, str(route)
        back = await client.get(urljoin(sent_to, unescape(again[1]) or sent_to))
        assert as_first_asked(form_to(back, path)) == as_first_asked(form), str(route)
