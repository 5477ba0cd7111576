"""A change needs a token that fits the browser's cookie."""

from typing import Any

import pytest
from httpx import AsyncClient
from litestar import Request, Response, get, post

from src.platform.web.csrf import CsrfTokens
from src.platform.web.forms import read_form
from src.platform.web.pages import page
from tests.platform.web.conftest import Serve

pytestmark = pytest.mark.anyio

AnyRequest = Request[Any, Any, Any]


@get("/token")
async def show(request: AnyRequest) -> Response[bytes]:
    return page(request, "token.html", None)


@post("/change", status_code=200)
async def change(request: AnyRequest) -> dict[str, list[str]]:
    return (await read_form(request)).texts


@post("/hook", status_code=200, opt={"csrf_exempt": True})
async def hook() -> str:
    return "hooked"


async def token_of(client: AsyncClient) -> str:
    return (await client.get("/token")).text.split("hx-headers='")[1].split("'")[0]


async def test_form_with_the_token_of_its_page_is_accepted_and_read(serve: Serve) -> None:
    client = await serve(show, change)
    token = await token_of(client)
    answer = await client.post("/change", data={"_csrf_token": token, "name": "Ann"})
    assert answer.json() == {"_csrf_token": [token], "name": ["Ann"]}


async def test_multipart_form_and_header_are_accepted(serve: Serve) -> None:
    client = await serve(show, change)
    token = await token_of(client)
    parts = {"_csrf_token": (None, token), "name": (None, "Ann")}
    assert (await client.post("/change", files=parts)).json()["name"] == ["Ann"]
    for header in ("X-CSRF-Token", "X-CSRFToken"):
        assert (await client.post("/change", headers={header: token})).status_code == 200


async def test_every_page_has_another_token_and_all_of_them_work(serve: Serve) -> None:
    client = await serve(show, change)
    first, second = await token_of(client), await token_of(client)
    assert first != second
    for token in (first, second):
        assert (await client.post("/change", headers={"X-CSRF-Token": token})).status_code == 200


async def test_change_without_token_cookie_or_fit_is_refused(serve: Serve) -> None:
    client, other = await serve(show, change), await serve(show, change)
    token, foreign = await token_of(client), await token_of(other)
    assert (await client.post("/change")).status_code == 403
    for wrong in (foreign, "", "x", "\u20ac", token[:-4], token + "AAAA"):
        answer = await client.post("/change", data={"_csrf_token": wrong})
        assert answer.status_code == 403, wrong
        client.cookies.clear()
        token = await token_of(client)
    client.cookies.clear()
    assert (await client.post("/change", headers={"X-CSRF-Token": token})).status_code == 403


async def test_upload_without_token_is_refused_and_its_buffer_closed(serve: Serve) -> None:
    client = await serve(show, change)
    await token_of(client)
    answer = await client.post("/change", files={"file": ("a.csv", b"a,b")})
    assert answer.status_code == 403


async def test_other_site_is_refused_even_with_a_token(serve: Serve) -> None:
    client = await serve(show, change)
    headers = {"X-CSRF-Token": await token_of(client), "Sec-Fetch-Site": "cross-site"}
    assert (await client.post("/change", headers=headers)).status_code == 403


async def test_exempt_handler_needs_no_token(serve: Serve) -> None:
    client = await serve(hook)
    assert (await client.post("/hook", content=b"{}")).text == "hooked"


async def test_refusal_expires_the_cookie_so_that_a_reload_helps(serve: Serve) -> None:
    client = await serve(show, change)
    client.cookies.set("seatline_csrf", "0" * 64, domain="testserver.local")
    assert (await client.post("/change")).status_code == 403
    assert client.cookies.get("seatline_csrf") != "0" * 64
    token = await token_of(client)
    assert (await client.post("/change", headers={"X-CSRF-Token": token})).status_code == 200


async def test_cookie_of_a_retired_key_is_replaced_by_the_next_page(serve: Serve) -> None:
    client = await serve(show, change)
    foreign = CsrfTokens(["another key"]).new_cookie_value()
    client.cookies.set("seatline_csrf", foreign, domain="testserver.local")
    token = await token_of(client)
    assert (await client.post("/change", headers={"X-CSRF-Token": token})).status_code == 200


def test_older_key_still_verifies_while_keys_are_rotated() -> None:
    old, rotated = CsrfTokens(["old"]), CsrfTokens(["new", "old"])
    cookie = old.new_cookie_value()
    assert rotated.matches(old.token_for(cookie), cookie)
    assert not old.is_ours(rotated.new_cookie_value())


async def test_form_that_is_no_form_is_a_bad_request(serve: Serve) -> None:
    client = await serve(show, change)
    headers = {
        "X-CSRF-Token": await token_of(client),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    too_many = "&".join(f"a{n}=1" for n in range(10_001))
    assert (await client.post("/change", content=too_many, headers=headers)).status_code == 400
    assert (await client.post("/change", content=b"\xff", headers=headers)).status_code == 400
    client.headers["X-CSRF-Token"] = headers["X-CSRF-Token"]
    for name in (b"a", b'a"; charset=none; x="'):
        part = b'--b\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n\xff\r\n--b--'
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        assert (await client.post("/change", content=part, headers=kind)).status_code == 400
