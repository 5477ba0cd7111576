"""Whatever goes wrong is told in the form that was asked for, and no more than is fit to tell."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Request, Response, get, post
from litestar.exceptions import HTTPException
from litestar.params import FromPath, FromQuery, JSONBody

from src.platform.errors import (
    Conflict,
    InvalidInput,
    PlanLimitReached,
    SignInRequired,
    TooManyRequests,
    Unavailable,
)
from src.platform.web.kit import WebKit
from src.platform.web.pages import html_response, page
from tests.platform.web.conftest import Serve

pytestmark = pytest.mark.anyio

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
JSON = {"Accept": "application/json"}
HTMX = {"HX-Request": "true", **HTML}

ERRORS: dict[str, Callable[[], Exception]] = {
    "conflict": lambda: Conflict("Sold out <meanwhile>."),
    "invalid": lambda: InvalidInput("Please check.", fields={"name": "Too long."}),
    "plan": lambda: PlanLimitReached(
        "Not in this plan.", feature="series", current_plan="Free", cheapest_plan="Growth"
    ),
    "limit": lambda: PlanLimitReached("Full.", limit="bookings", current_plan="Starter"),
    "slow": lambda: TooManyRequests("Slow down.", retry_after_seconds=42),
    "sign-in": lambda: SignInRequired("Please sign in."),
    "down": lambda: Unavailable("Please try again soon."),
    "fault": lambda: RuntimeError("the password is hunter2"),
    "teapot": lambda: HTTPException(status_code=418, detail="internal words"),
}


@get(["/fail/{name:str}", "/api/v1/fail/{name:str}"])
async def fail(name: FromPath[str]) -> None:
    make_error = ERRORS[name]
    raise make_error()


@post("/fail/{name:str}", opt={"csrf_exempt": True})
async def fail_posting(name: FromPath[str]) -> None:
    make_error = ERRORS[name]
    raise make_error()


async def test_refusal_is_a_page_with_its_own_sentence(serve: Serve) -> None:
    client = await serve(fail)
    answer = await client.get("/fail/conflict", headers=HTML)
    assert answer.status_code == 409
    assert "<h1>409</h1>Sold out &lt;meanwhile&gt;." in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_refusal_of_htmx_is_a_fragment(serve: Serve) -> None:
    client = await serve(fail)
    answer = await client.get("/fail/conflict", headers=HTMX)
    assert answer.text == "<p role=alert>Sold out &lt;meanwhile&gt;.</p>"


@pytest.mark.parametrize(
    ("path", "headers"), [("/fail/conflict", JSON), ("/api/v1/fail/conflict", HTML)]
)
async def test_refusal_of_a_program_is_a_problem_document(
    serve: Serve, path: str, headers: dict[str, str]
) -> None:
    client = await serve(fail)
    answer = await client.get(path, headers={"X-Request-Id": "abc-123-def", **headers})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:seatline:problem:conflict",
        "title": "Conflict",
        "status": 409,
        "detail": "Sold out <meanwhile>.",
        "code": "conflict",
        "request_id": "abc-123-def",
    }


async def test_problem_names_the_fields(serve: Serve) -> None:
    client = await serve(fail)
    answer = await client.get("/api/v1/fail/invalid")
    assert answer.status_code == 422
    assert answer.json()["errors"] == {"name": "Too long."}


async def test_plan_limit_problem_says_what_would_help(serve: Serve) -> None:
    client = await serve(fail)
    answer = await client.get("/api/v1/fail/plan")
    assert answer.status_code == 402
    document = answer.json()
    assert document["feature"] == "series"
    assert (document["current_plan"], document["cheapest_plan"]) == ("Free", "Growth")
    of_limit = (await client.get("/api/v1/fail/limit")).json()
    assert (of_limit["limit"], of_limit["cheapest_plan"]) == ("bookings", None)


async def test_registered_renderer_shows_its_own_page_or_leaves_it_to_the_usual(
    serve: Serve, kit: WebKit
) -> None:
    def panel(request: Request[Any, Any, Any], error: PlanLimitReached) -> Response[Any] | None:
        if error.feature is None:
            return None
        return html_response(b"<p>upgrade panel</p>", error.status)

    kit.render_error_with(PlanLimitReached, panel)
    client = await serve(fail)
    assert (await client.get("/fail/plan", headers=HTML)).text == "<p>upgrade panel</p>"
    assert "<h1>402</h1>Full." in (await client.get("/fail/limit", headers=HTML)).text
    assert (await client.get("/api/v1/fail/plan")).json()["feature"] == "series"


async def test_too_many_requests_says_when_to_come_back(serve: Serve) -> None:
    client = await serve(fail)
    answer = await client.get("/fail/slow", headers=HTML)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "42")


async def test_unavailable_says_when_to_come_back(serve: Serve) -> None:
    client = await serve(fail)
    answer = await client.get("/fail/down", headers=HTML)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_stranger_is_sent_to_sign_in_and_back(serve: Serve) -> None:
    client = await serve(fail, fail_posting)
    answer = await client.get("/fail/sign-in?tab=2", headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/fail/sign-in%3Ftab%3D2"
    htmx = await client.get("/fail/sign-in", headers=HTMX)
    assert htmx.headers["hx-redirect"].startswith("/sign-in?next=")
    posted = await client.post("/fail/sign-in", headers=HTML)
    assert posted.headers["location"] == "/sign-in?next=/"


async def test_stranger_program_gets_401(serve: Serve) -> None:
    client = await serve(fail)
    answer = await client.get("/api/v1/fail/sign-in")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("headers", [HTML, HTMX, JSON])
async def test_fault_tells_nothing_but_its_id(serve: Serve, headers: dict[str, str]) -> None:
    client = await serve(fail)
    answer = await client.get("/fail/fault", headers=headers)
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    if headers is not HTMX:
        assert answer.headers["x-request-id"] in answer.text


async def test_framework_words_are_not_shown(serve: Serve) -> None:
    client = await serve(fail)
    for headers in (HTML, JSON):
        answer = await client.get("/fail/teapot", headers=headers)
        assert answer.status_code == 418
        assert "internal words" not in answer.text


async def test_unknown_address_has_the_own_page_with_every_header(serve: Serve) -> None:
    client = await serve(fail)
    answer = await client.get("/nowhere", headers=HTML)
    assert (answer.status_code, answer.text) == (404, "<h1>own 404</h1>nothing here")
    assert "content-security-policy" in answer.headers
    assert answer.headers["x-request-id"]


async def test_wrong_method_keeps_its_allow_header(serve: Serve) -> None:
    client = await serve(fail)
    answer = await client.delete("/fail/conflict", headers=JSON)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


async def test_error_page_that_cannot_be_made_is_replaced_by_a_plain_one(
    serve: Serve, template_folder: Path
) -> None:
    (template_folder / "errors/500.html").write_text("{{ nothing.here }}")
    client = await serve(fail)
    answer = await client.get("/fail/fault", headers=HTML)
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    assert "did not work" in answer.text


async def test_template_fault_is_a_500(serve: Serve) -> None:
    @get("/broken")
    async def broken(request: Request[Any, Any, Any]) -> Response[bytes]:
        return page(request, "broken.html", {})

    client = await serve(broken)
    assert (await client.get("/broken", headers=HTML)).status_code == 500


class Body(msgspec.Struct):
    seats: int


async def test_malformed_api_body_and_query_name_the_field(serve: Serve) -> None:
    @post("/api/v1/things", opt={"csrf_exempt": True})
    async def create(data: JSONBody[Body], page_size: FromQuery[int] = 1) -> None:
        return None

    client = await serve(create)
    body = await client.post("/api/v1/things", json={"seats": "many"})
    assert body.status_code == 400
    assert "seats" in body.json()["errors"]
    query = await client.post("/api/v1/things?page_size=x", json={"seats": 1})
    assert "page_size" in query.json()["errors"]
    broken = await client.post("/api/v1/things", content=b"{")
    assert (broken.status_code, broken.json()["code"]) == (400, "bad_request")
