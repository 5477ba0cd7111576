"""Addresses of the pages."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath

from src.sandbox.stripe import overview, pages, rendering
from src.sandbox.stripe.engine import Engine
from src.sandbox.stripe.form import Tree, decode_form
from src.sandbox.stripe.pages import Answer
from src.sandbox.stripe.rendering import Visit

AnyRequest = Request[Any, Any, State]


def base_url(request: AnyRequest) -> str:
    """The root of this program's pages as the caller reaches them, without a slash at the end."""
    engine: Engine = request.app.state.engine
    return (engine.config.public_url or str(request.base_url)).rstrip("/")


def _visit(request: AnyRequest) -> Visit:
    languages = request.headers.get("accept-language", "")
    return Visit(request.app.state.engine, base_url(request), languages)


async def _sent(request: AnyRequest) -> Tree:
    return decode_form((await request.body()).decode())


@get("/")
async def _overview(request: AnyRequest) -> Answer:
    return overview.overview(_visit(request))


@post("/acts/{action:str}", status_code=200)
async def _act(request: AnyRequest, action: FromPath[str]) -> Answer:
    return overview.act(_visit(request), action, await _sent(request))


@get("/c/pay/{session_id:str}")
async def _checkout(request: AnyRequest, session_id: FromPath[str]) -> Answer:
    return pages.checkout(_visit(request), session_id)


@post("/c/pay/{session_id:str}", status_code=200)
async def _pay(request: AnyRequest, session_id: FromPath[str]) -> Answer:
    return pages.pay(_visit(request), session_id, await _sent(request))


@get("/c/pay/{session_id:str}/authenticate")
async def _authentication(request: AnyRequest, session_id: FromPath[str]) -> Answer:
    return pages.authentication(_visit(request), session_id)


@post("/c/pay/{session_id:str}/authenticate", status_code=200)
async def _answer(request: AnyRequest, session_id: FromPath[str]) -> Answer:
    return pages.answer_authentication(_visit(request), session_id, await _sent(request))


@get("/c/authenticate/{intent_id:str}")
async def _card_question(request: AnyRequest, intent_id: FromPath[str]) -> Answer:
    return pages.card_question(_visit(request), intent_id)


@post("/c/authenticate/{intent_id:str}", status_code=200)
async def _answer_card_question(request: AnyRequest, intent_id: FromPath[str]) -> Answer:
    return pages.answer_card_question(_visit(request), intent_id, await _sent(request))


@get("/setup/{account_id:str}/{token:str}")
async def _onboarding(
    request: AnyRequest, account_id: FromPath[str], token: FromPath[str]
) -> Answer:
    return pages.onboarding(_visit(request), account_id, token)


@post("/setup/{account_id:str}/{token:str}", status_code=200)
async def _onboarded(
    request: AnyRequest, account_id: FromPath[str], token: FromPath[str]
) -> Answer:
    return pages.finish_onboarding(_visit(request), account_id, token, await _sent(request))


@get("/assets/page.css")
async def _css() -> Response[str]:
    headers = {"cache-control": "max-age=300"}
    return Response(rendering.stylesheet(), media_type="text/css", headers=headers)


@get("/favicon.ico", status_code=204)
async def _icon() -> None:
    """Browsers ask for it; a sandbox has none."""


PAGE_HANDLERS = [
    _overview,
    _act,
    _checkout,
    _pay,
    _authentication,
    _answer,
    _card_question,
    _answer_card_question,
    _onboarding,
    _onboarded,
    _css,
    _icon,
]
