"""The Litestar application of the stand-in: API, pages, knobs."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from litestar import Litestar, MediaType, Response, get, post, route
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.types import Scope

from src.sandbox.stripe.api import Api, ApiAnswer, ApiRequest
from src.sandbox.stripe.config import Config
from src.sandbox.stripe.emulator import Emulator
from src.sandbox.stripe.engine import Engine
from src.sandbox.stripe.errors import ApiError
from src.sandbox.stripe.expiry import ExpiryTask
from src.sandbox.stripe.form import decode_form
from src.sandbox.stripe.objects import accounts
from src.sandbox.stripe.page_routes import PAGE_HANDLERS, AnyRequest, base_url
from src.sandbox.stripe.sdk import API_VERSION
from src.sandbox.stripe.webhooks import WebhookSender

_log = logging.getLogger(__name__)


def create_app() -> Litestar:
    """The routes, with nobody behind them yet: see `stripe_behind`."""
    return Litestar(
        [_api, _deauthorize, _knob, _state, *PAGE_HANDLERS],
        openapi_config=None,
        logging_config=None,
        after_exception=[_tell],
    )


async def _tell(error: Exception, scope: Scope) -> None:
    """A fault of this program must not pass for one of the program under test."""
    if not isinstance(error, HTTPException):
        _log.error("%s %s failed", scope.get("method"), scope.get("path"), exc_info=error)


@asynccontextmanager
async def stripe_behind(
    app: Litestar, config: Config, webhook_transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[Engine]:
    """A Stripe that answers the app's requests for as long as the block lasts, one at a time.

    It shares nothing with one before it but the files of the same `data_dir`. `webhook_transport`
    takes the events where the receiver runs in the same process.
    """
    engine = Engine(config)
    accounts.ensure_platform(engine)
    sender = WebhookSender(engine, webhook_transport)
    engine.on_event = sender.wake
    app.state.update(
        engine=engine, sender=sender, api=Api(engine), emulator=Emulator(engine, sender)
    )
    expiry = ExpiryTask(engine)
    expiry.start()
    sender.wake()  # Takes up what an earlier run left undelivered.
    try:
        yield engine
    finally:
        app.state.clear()
        await expiry.stop()
        await sender.stop()
        engine.store.close()


@route("/v1/{path:path}", http_method=["GET", "POST", "DELETE"], name="api")
async def _api(request: AnyRequest) -> Response[str]:
    body = (await request.body()).decode()
    header = request.headers.get
    query = request.scope["query_string"].decode()
    answer = await request.app.state.api.answer(
        ApiRequest(
            method=request.method,
            path=request.scope["path"].rstrip("/"),
            form=body if request.method == "POST" else query,
            authorization=header("authorization", ""),
            base_url=base_url(request),
            version=header("stripe-version", API_VERSION),
            account=header("stripe-account", ""),
            idempotency_key=header("idempotency-key", ""),
        )
    )
    return await _respond(request, answer)


async def _respond(request: AnyRequest, answer: ApiAnswer) -> Response[str]:
    if answer.hang_seconds:
        await _hang(request, answer.hang_seconds)
    return Response(
        answer.body,
        status_code=answer.status,
        headers=answer.headers,
        media_type="application/json",
    )


async def _hang(request: AnyRequest, seconds: float) -> None:
    """Keeps the caller waiting until it hangs up, or for `seconds` where that is not told."""

    async def hung_up() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(hung_up(), seconds)
    except TimeoutError:
        return


@post("/oauth/deauthorize", status_code=200)
async def _deauthorize(request: AnyRequest) -> Response[dict[str, Any]]:
    """Disconnects an account, as the platform's own call does."""
    engine: Engine = request.app.state.engine
    form = decode_form((await request.body()).decode())
    account_id = str(form.get("stripe_user_id", ""))
    try:
        with engine.work() as work:
            accounts.deauthorize(work, account_id)
    except ApiError as error:
        told = {"error": "invalid_client", "error_description": error.message}
        return Response(told, status_code=401)
    return Response({"stripe_user_id": account_id})


@post("/_emulator/{knob:str}", status_code=200)
async def _knob(request: AnyRequest, knob: FromPath[str]) -> Response[dict[str, Any]]:
    emulator: Emulator = request.app.state.emulator
    try:
        return Response(await emulator.turn(knob, await request.body(), base_url(request)))
    except ApiError as error:
        return Response(error.body(), status_code=error.status)


@get("/_emulator/state")
async def _state(request: AnyRequest) -> Response[bytes]:
    emulator: Emulator = request.app.state.emulator
    told = json.dumps(emulator.state(), indent=1).encode()
    return Response(told, media_type=MediaType.JSON)
