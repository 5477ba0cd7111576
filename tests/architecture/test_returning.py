"""Each page that answers a form is to be had by GET, for whoever goes back to it or reloads it."""

from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

import pytest
from litestar import Litestar

from src.platform.services import Services
from src.platform.web.pages import page
from src.platform.web.returning import SHOWN_AT
from tests.security.walk import Route, routes
from tests.support.shared_app import app_for

pytestmark = pytest.mark.anyio

PARTS_ONLY = {
    "/app/{slug}/sessions/{session_id}/attendance": "A part for HTMX; else it redirects.",
}
"""What answers a form with less than a page, with the reason."""


@pytest.fixture
def all_routes(services: Services) -> list[Route]:
    app: Litestar = app_for(services)
    return [route for route in routes(app) if not route.path.startswith("/api/")]


def without_get(found: list[Route]) -> list[Route]:
    shown = {route.path for route in found if route.method == "GET"}
    return [route for route in found if route.method == "POST" and route.path not in shown]


def names_in(code: CodeType) -> Iterator[str]:
    """Whatever it may call, in what is nested in it too."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


def answers_in_place(handler: Callable[..., Any], seen: set[FunctionType]) -> bool:
    """Whether any of our own functions that it calls, however far down, renders a page."""
    if not isinstance(handler, FunctionType) or handler in seen:
        return False
    seen.add(handler)
    named = [handler.__globals__.get(name) for name in names_in(handler.__code__)]
    ours = [one for one in named if str(getattr(one, "__module__", "")).startswith("src.")]
    return page in ours or any(answers_in_place(one, seen) for one in ours)


async def test_what_answers_a_form_in_place_is_shown_somewhere(all_routes: list[Route]) -> None:
    """At its own address, or where its handler says (`shown_at`)."""
    lost = {
        route.path
        for route in without_get(all_routes)
        if SHOWN_AT not in route.handler.opt and answers_in_place(route.handler.fn, set())
    }
    assert lost == set(PARTS_ONLY)


async def test_where_it_is_shown_there_is_a_page(all_routes: list[Route]) -> None:
    """Of the same things, and only where the form's own address has none."""
    shown = {route.path: set(route.places) for route in all_routes if route.method == "GET"}
    lonely = without_get(all_routes)
    naming = [route for route in all_routes if SHOWN_AT in route.handler.opt]
    assert len(naming) > 20
    for route in naming:
        at = Route(route.handler.opt[SHOWN_AT], "GET", route.handler)
        plain = at.filled({name: f"{{{name}}}" for name in route.places})
        assert plain in shown, f"{route} is shown at {plain}, which no GET answers"
        assert route in lonely, f"{route} has a page of its own"
