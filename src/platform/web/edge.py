"""The outermost layer: it sees every request first and every answer last, unmatched ones too.

Wrapped around the framework's own handler because middleware only runs for routes that exist, and
a 404 needs its headers, its line in the log and its request id like any other answer.
"""

from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import structlog
from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, HTTPScope, Message, Receive, Scope, Send
from redis.exceptions import RedisError
from structlog.contextvars import bind_contextvars, clear_contextvars

from src.platform.i18n import available_locales, negotiate, use_locale
from src.platform.web.compression import compressed_answer
from src.platform.web.cookies import Header, header_of
from src.platform.web.exchange import SCOPE_KEY, Exchange
from src.platform.web.loggable import loggable_path
from src.platform.web.metrics import observe, route_of
from src.platform.web.security import request_id_of
from src.platform.web.sessions import commit_sessions

if TYPE_CHECKING:
    from src.platform.web.kit import WebKit

log = structlog.get_logger("seatline.access")

GONE_AWAY = 499
"""What the log says of a request whose client did not wait for the answer."""

STORE_FAILED = b"Please try again in a moment."


class Edge:
    """The ASGI application around the framework."""

    def __init__(self, app: ASGIApp, kit: "WebKit") -> None:
        self._app = app
        self._kit = kit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        self._kit.trusted_proxies.apply(scope)
        exchange = Exchange(scope, self._kit, request_id_of(scope))
        cast("dict[str, Any]", scope)[SCOPE_KEY] = exchange
        answer = _Answer(scope, exchange, send)
        clear_contextvars()
        bind_contextvars(request_id=exchange.request_id)
        locale = negotiate(header_of(scope, b"accept-language"), available_locales())
        try:
            with use_locale(locale):
                await self._app(scope, receive, answer.send)
        except Exception:
            answer.status = 500
            raise
        finally:
            answer.account_for()


class _Answer:
    """Sends an answer on, with the headers and cookies that the kit adds to it.

    HEAD is answered for every page: as GET is, and without the body.
    """

    def __init__(self, scope: HTTPScope, exchange: Exchange, send: Send) -> None:
        self._is_head = scope["method"] == HttpMethod.HEAD
        if self._is_head:
            scope["method"] = HttpMethod.GET
        self._scope = scope
        self._exchange = exchange
        self._send = send
        self._started_at = perf_counter()
        self.status = GONE_AWAY
        self._is_replaced = False
        self._held_start: HTTPResponseStartEvent | None = None

    async def send(self, message: Message) -> None:
        if self._is_replaced:
            return
        if message["type"] == "http.response.start":
            if not await self._session_is_stored():
                await self._send_store_failed()
                return
            self.status = message["status"]
            message["headers"] = self._with_ours(list(message.get("headers", [])))
            self._held_start = message
            return
        if self._held_start is not None:
            await self._send_start(message)
        await self._send(self._without_body(message))

    async def _send_start(self, first: Message) -> None:
        """Held until the first part of the body: compressed, a body has other headers."""
        start, self._held_start = self._held_start, None
        if start is None:
            return
        if first["type"] == "http.response.body" and not first.get("more_body", False):
            headers, body = compressed_answer(self._scope, start["headers"], first["body"])
            start["headers"], first["body"] = headers, body
        await self._send(start)

    def _without_body(self, message: Message) -> Message:
        if self._is_head and message["type"] == "http.response.body":
            message["body"] = b""
        return message

    async def _session_is_stored(self) -> bool:
        """Before the first byte: nobody is told that they are signed in when it was not kept."""
        try:
            await commit_sessions(self._exchange)
        except RedisError:
            log.exception("session_not_stored")
            return False
        return True

    async def _send_store_failed(self) -> None:
        self._is_replaced, self.status = True, 503
        headers: list[Header] = [(b"content-type", b"text/plain"), (b"retry-after", b"5")]
        await self._send(
            {"type": "http.response.start", "status": 503, "headers": self._with_ours(headers)}
        )
        await self._send({"type": "http.response.body", "body": STORE_FAILED, "more_body": False})

    def _with_ours(self, headers: list[Header]) -> list[Header]:
        exchange = self._exchange
        headers += exchange.kit.security_headers.for_scope(self._scope, headers)
        headers.append((b"x-request-id", exchange.request_id.encode()))
        headers += exchange.answer_cookies()
        if not any(name == b"cache-control" for name, _value in headers):
            headers.append((b"cache-control", exchange.cache_policy.encode()))
        return headers

    def account_for(self) -> None:
        """One line in the log and one count in the figures, whatever became of the request."""
        seconds = perf_counter() - self._started_at
        observe(self._scope, self.status, seconds)
        handler = cast("dict[str, Any]", self._scope).get("route_handler")
        if handler is not None and (handler.opt.get("quiet") or handler.opt.get("static")):
            return
        log.info(
            "request",
            method="HEAD" if self._is_head else self._scope["method"],
            path=loggable_path(self._scope),
            route=route_of(self._scope),
            status=self.status,
            milliseconds=round(seconds * 1000, 1),
        )
