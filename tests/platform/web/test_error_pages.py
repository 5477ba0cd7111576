"""The kit and the templates that ship with it fit together."""

from collections.abc import Callable

import pytest
from jinja2 import StrictUndefined
from litestar import get
from litestar.params import FromPath

from src.platform.errors import DomainError
from src.platform.web.kit import ROOT, WebKit
from src.platform.web.pages import make_environment
from tests.platform.web.conftest import Serve

pytestmark = pytest.mark.anyio

TEMPLATES = ROOT / "templates"
BROWSER = {"Accept": "text/html"}


@get("/fail/{status:int}")
async def fail(status: FromPath[int]) -> None:
    error = DomainError("Because <of> this.")
    error.status = status
    raise error


@pytest.mark.parametrize("status", [400, 402, 403, 404, 409, 410, 418, 422, 429, 500, 503])
async def test_every_error_has_its_page_and_its_fragment(
    serve: Serve, make_kit: Callable[..., WebKit], status: int
) -> None:
    client = await serve(fail, kit=make_kit(templates=TEMPLATES))
    page = await client.get(f"/fail/{status}", headers=BROWSER)
    assert page.status_code == status
    assert page.text.lower().startswith("<!doctype html>")
    assert "Because &lt;of&gt; this." in page.text
    fragment = await client.get(f"/fail/{status}", headers={**BROWSER, "HX-Request": "true"})
    assert "<html" not in fragment.text
    assert "Because &lt;of&gt; this." in fragment.text


async def test_page_of_an_unknown_address_has_words_of_its_own(
    serve: Serve, make_kit: Callable[..., WebKit]
) -> None:
    client = await serve(kit=make_kit(templates=TEMPLATES))
    answer = await client.get("/nowhere", headers=BROWSER)
    assert answer.status_code == 404
    assert "<h1" in answer.text
    assert "\nNone" not in answer.text


async def test_what_a_template_misses_is_no_empty_text() -> None:
    assert make_environment(TEMPLATES).undefined is StrictUndefined
