"""One helper decides between page and fragment, redirect and HX-Redirect."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pytest
from litestar import Request, Response, get, post

from src.platform.web.kit import WebKit
from src.platform.web.pages import (
    cacheable_page,
    flash,
    may_be_cached,
    page,
    redirect,
    safe_next,
)
from tests.platform.web.conftest import Serve
from tests.support.servers import CHECKOUT

pytestmark = pytest.mark.anyio

AnyRequest = Request[Any, Any, Any]


@get("/form")
async def show_form(request: AnyRequest) -> Response[bytes]:
    return page(request, "form.html", {"name": "Ann & Bob"}, fragment="_form.html")


@get("/leave")
async def leave(request: AnyRequest) -> Response[bytes]:
    flash(request, "success", "Saved <it>.")
    return redirect(request, "/form")


@get("/context")
async def show_context(request: AnyRequest) -> Response[bytes]:
    return page(request, "context.html", None)


@get("/plain")
async def show_plain(request: AnyRequest) -> Response[bytes]:
    return page(request, "plain.html", "hello", headers={"cache-control": "public, max-age=60"})


async def test_page_is_whole_for_a_browser_and_escaped(serve: Serve) -> None:
    client = await serve(show_form)
    answer = await client.get("/form")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<title>page</title>" in answer.text
    assert "Ann &amp; Bob" in answer.text
    assert "HX-Request" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("headers", "is_fragment"),
    [
        ({"HX-Request": "true"}, True),
        ({"HX-Request": "true", "HX-Boosted": "true"}, False),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, False),
    ],
)
async def test_htmx_gets_the_fragment_unless_it_needs_the_page(
    serve: Serve, headers: dict[str, str], is_fragment: bool
) -> None:
    client = await serve(show_form)
    answer = await client.get("/form", headers=headers)
    assert ("<title>" not in answer.text) is is_fragment


async def test_redirect_is_303_or_a_header_for_htmx(serve: Serve) -> None:
    client = await serve(leave)
    plain = await client.get("/leave")
    assert (plain.status_code, plain.headers["location"]) == (303, "/form")
    htmx = await client.get("/leave", headers={"HX-Request": "true"})
    assert (htmx.status_code, htmx.headers["hx-redirect"]) == (200, "/form")


async def test_flash_is_shown_once_on_the_next_page(serve: Serve) -> None:
    client = await serve(leave, show_form)
    answer = await client.get("/leave", follow_redirects=True)
    assert "[success:Saved &lt;it&gt;.]" in answer.text
    assert "success" not in (await client.get("/form")).text


async def test_flash_survives_pages_that_do_not_show_it(serve: Serve) -> None:
    client = await serve(leave, show_form, show_plain)
    await client.get("/leave")
    await client.get("/plain")
    assert "[success:" in (await client.get("/form")).text


async def test_forged_flash_is_not_shown(serve: Serve) -> None:
    client = await serve(show_form)
    client.cookies.set("seatline_flash", "WyJlcnJvciIsIkNhbGwgdXMiXQ.x")
    assert "[" not in (await client.get("/form")).text


async def test_page_context_comes_from_the_kit_and_its_providers(serve: Serve, kit: WebKit) -> None:
    kit.page_context_provider(lambda _request: {"user": "olive"})
    client = await serve(show_context)
    text = (await client.get("/context", headers={"Accept-Language": "de"})).text
    locale, user, nav, path, asset, hello, price = text.split("|")
    assert (locale, user, nav, path) == ("en", "olive", "[]", "/context")
    assert asset.startswith("/static/app.css?v=")
    assert (hello, price) == ("Hello &lt;b&gt;", "€12.50")


async def test_page_without_forms_sets_no_cookie_and_keeps_its_own_caching(serve: Serve) -> None:
    client = await serve(show_plain)
    answer = await client.get("/plain")
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "public, max-age=60"


async def test_cached_page_gives_every_visitor_a_token_that_works(serve: Serve) -> None:
    cached: list[Any] = []

    @get("/hub")
    async def hub(request: AnyRequest) -> Response[bytes]:
        assert may_be_cached(request)
        if not cached:
            cached.append(cacheable_page(request, "token.html", None))
        response: Response[bytes] = cached[0].respond(request)
        return response

    @post("/hub", status_code=200)
    async def submit() -> str:
        return "ok"

    for _visitor in range(2):
        client = await serve(hub, submit)
        text = (await client.get("/hub")).text
        token = text.split("hx-headers='")[1].split("'")[0]
        assert text.count(token) == 2
        assert (await client.post("/hub", headers={"X-CSRF-Token": token})).text == "ok"
    assert len(cached) == 1


@pytest.mark.parametrize(
    ("given", "followed"),
    [
        ("/app/yoga?x=1", "/app/yoga?x=1"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
        (None, "/"),
    ],
)
def test_next_address_stays_on_this_site(given: str | None, followed: str) -> None:
    assert safe_next(given) == followed


async def test_static_file_is_cached_for_ever_by_its_version(
    serve: Serve, kit: WebKit, make_kit: Callable[..., WebKit]
) -> None:
    client = await serve()
    url = kit.assets.url("app.css")
    answer = await client.get(url)
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text.startswith("body {")
    assert "immutable" not in (await client.get("/static/app.css")).headers["cache-control"]
    again = await client.get(url, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["nope.css", "../secret.txt", "%2e%2e/secret.txt", "/etc/passwd"])
async def test_static_file_outside_the_folder_is_not_found(serve: Serve, path: str) -> None:
    client = await serve()
    assert (await client.get(f"/static/{path}")).status_code == 404


def test_the_font_is_loaded_beforehand_by_the_address_that_the_stylesheet_asks_for() -> None:
    base = (CHECKOUT / "templates/base.html").read_text()
    loaded = re.search(r'rel="preload"\s+href="\{\{ \'([^\']+)\'', base)
    asked = re.search(
        r"url\(([^)]*figtree-latin\.woff2[^)]*)\)", (CHECKOUT / "static/css/app.css").read_text()
    )
    assert loaded and asked
    assert loaded[1] == urljoin("/static/css/app.css", asked[1].strip("\"'"))
