"""The answer to a form says where it is to be had by GET, if the browser may not keep it."""

from html import unescape
from pathlib import Path
from typing import Any

import pytest
from litestar import Request, Response, get, post
from litestar.params import FromPath

from src.platform.errors import Conflict, TooManyRequests, Unavailable
from src.platform.web.pages import page
from tests.platform.web.conftest import Serve

pytestmark = pytest.mark.anyio

AnyRequest = Request[Any, Any, Any]
PRIVATE = {"cache-control": "private, no-store"}


@pytest.fixture(autouse=True)
def _templates(template_folder: Path) -> None:
    (template_folder / "again.html").write_text("{{ page.found_again_at }}|{{ page.csrf_token }}")
    for name in ("409", "error"):
        (template_folder / "errors" / f"{name}.html").write_text("{{ page.found_again_at }}|")


def again(request: AnyRequest, headers: dict[str, str] | None = None) -> Response[bytes]:
    return page(request, "again.html", None, status_code=422, headers=headers)


@get("/form")
async def show(request: AnyRequest) -> Response[bytes]:
    return again(request, PRIVATE)


@post("/form")
async def refuse(request: AnyRequest) -> Response[bytes]:
    return again(request, PRIVATE)


@get("/kept")
async def show_kept(request: AnyRequest) -> Response[bytes]:
    return again(request)


@post("/kept")
async def refuse_kept(request: AnyRequest) -> Response[bytes]:
    return again(request)


@get("/of/{name:str}")
async def show_one(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
    return again(request)


@post("/of/{name:str}/note", shown_at="/of/{name:str}")
async def refuse_note(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
    return again(request, PRIVATE)


@post("/lonely")
async def refuse_lonely(request: AnyRequest) -> Response[bytes]:
    return again(request, PRIVATE)


@post("/taken/{name:str}", shown_at="/form")
async def conflict(name: FromPath[str]) -> None:
    raise Conflict(f"{name} is taken.")


def chosen(request: AnyRequest) -> Response[bytes]:
    query = [("to", "a:b"), ("to", "c&d")]
    return page(request, "again.html", None, status_code=422, headers=PRIVATE, again_with=query)


@get("/chosen")
async def show_chosen(request: AnyRequest) -> Response[bytes]:
    return chosen(request)


@post("/chosen")
async def refuse_chosen(request: AnyRequest) -> Response[bytes]:
    return chosen(request)


@post("/chosen/many", shown_at="/chosen")
async def refuse_many(request: AnyRequest) -> Response[bytes]:
    query = [("to", f"somebody-{number}") for number in range(500)]
    return page(request, "again.html", None, status_code=422, headers=PRIVATE, again_with=query)


@post("/chosen/look", shown_at="/chosen")
async def look_at_chosen(request: AnyRequest) -> Response[bytes]:
    return chosen(request)


FAILURES = {
    "slow": TooManyRequests("Slow down.", retry_after_seconds=42),
    "down": Unavailable("Please try again soon."),
    "fault": RuntimeError("after the commit"),
}


@get("/book/{how:str}")
async def show_booking(request: AnyRequest, how: FromPath[str]) -> Response[bytes]:
    return again(request)


@post("/book/{how:str}")
async def fail_to_book(how: FromPath[str]) -> None:
    raise FAILURES[how]


HANDLERS = (
    show,
    refuse,
    show_kept,
    refuse_kept,
    show_one,
    refuse_note,
    refuse_lonely,
    conflict,
    show_booking,
    fail_to_book,
    show_chosen,
    refuse_chosen,
    look_at_chosen,
    refuse_many,
)


@pytest.mark.parametrize(
    ("path", "at"),
    [
        ("/form", ""),
        ("/form?of=yoga", ""),
        ("/of/a%3Fb%3C%20/note", "/of/a%3Fb%3C%20"),
        ("/taken/yoga", "/form"),
        ("/lonely", "None"),
        ("/kept", "None"),
        ("/chosen", "?to=a%3Ab&to=c%26d"),
        ("/chosen?to=e", "?to=a%3Ab&to=c%26d"),
        ("/chosen/look", "/chosen?to=a%3Ab&to=c%26d"),
        ("/chosen/many", "None"),
    ],
)
async def test_what_is_posted_is_found_by_its_own_address_or_the_named_one(
    serve: Serve, path: str, at: str
) -> None:
    client = await serve(*HANDLERS)
    token = (await client.get("/form")).text.split("|")[1]
    answer = await client.post(path, headers={"X-CSRF-Token": token})
    assert answer.status_code in (409, 422)
    assert unescape(answer.text).split("|")[0] == at


async def test_what_was_got_is_there_already(serve: Serve) -> None:
    client = await serve(*HANDLERS)
    assert (await client.get("/form")).text.startswith("None|")


@pytest.mark.parametrize(("how", "status"), [("slow", 429), ("down", 503), ("fault", 500)])
async def test_what_failed_is_sent_again_as_it_was(serve: Serve, how: str, status: int) -> None:
    """It may have been done, and only the same form with its token finds that again."""
    client = await serve(*HANDLERS)
    token = (await client.get("/form")).text.split("|")[1]
    answer = await client.post(f"/book/{how}", headers={"X-CSRF-Token": token})
    assert answer.status_code == status
    assert answer.text == "None|"
