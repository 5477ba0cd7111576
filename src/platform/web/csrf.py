"""A form that changes something has to come from one of our own pages.

Double submit: a signed random secret in a cookie, and the same secret, masked anew for each page so
that compression gives nothing away, in the form (`_csrf_token`) or a header (`X-CSRF-Token`). The
cookie is only written when a page asks for a token, so pages without forms stay free of cookies.
A handler that authenticates without cookies is exempt by `opt={"csrf_exempt": True}`.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from litestar import Request
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType, ScopeType
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from src.platform.errors import NotAllowed
from src.platform.i18n import _
from src.platform.web.cookies import header_of
from src.platform.web.exchange import exchange_of
from src.platform.web.forms import multipart_form, read_form

FIELD_NAME = "_csrf_token"
HEADER_NAMES = (b"x-csrf-token", b"x-csrftoken")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
MOST_READ_ON = 200 * 1024 * 1024
SECRET_BYTES = 16
SECRET_CHARACTERS = SECRET_BYTES * 2


class CsrfFailed(NotAllowed):
    """The form did not come from a page of ours, or from one that is too old."""

    code = "csrf_failed"

    def __init__(self) -> None:
        super().__init__(
            _(
                "This page was open for too long. Please go back, copy what you typed, reload the "
                "page and send it again."
            )
        )


class CsrfTokens:
    """Makes and compares tokens; the first key signs, all of them are still good."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._keys = [sha256(b"seatline.csrf:" + key.encode()).digest() for key in secret_keys]

    def new_cookie_value(self) -> str:
        secret = secrets.token_hex(SECRET_BYTES)
        return secret + self._signature(self._keys[0], secret)

    def is_ours(self, cookie_value: str) -> bool:
        secret = cookie_value[:SECRET_CHARACTERS]
        given = cookie_value[SECRET_CHARACTERS:].encode("utf-8", "replace")
        return any(
            hmac.compare_digest(self._signature(key, secret).encode(), given) for key in self._keys
        )

    def token_for(self, cookie_value: str) -> str:
        """A token for one page; every call masks the secret differently."""
        secret = bytes.fromhex(cookie_value[:SECRET_CHARACTERS])
        mask = secrets.token_bytes(SECRET_BYTES)
        return urlsafe_b64encode(mask + _xor(mask, secret)).rstrip(b"=").decode()

    def matches(self, token: str, cookie_value: str) -> bool:
        try:
            masked = urlsafe_b64decode(token.encode("ascii") + b"==")
        except ValueError:
            return False
        if len(masked) != SECRET_BYTES * 2 or not self.is_ours(cookie_value):
            return False
        secret = bytes.fromhex(cookie_value[:SECRET_CHARACTERS])
        return hmac.compare_digest(_xor(masked[:SECRET_BYTES], masked[SECRET_BYTES:]), secret)

    def _signature(self, key: bytes, secret: str) -> str:
        return hmac.new(key, secret.encode("utf-8", "replace"), sha256).hexdigest()[:32]


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


async def _read_on(scope: Scope, receive: Receive) -> None:
    """Lets a body that is too large arrive, up to a bound, and keeps nothing of it: a browser that
    is still sending when the answer comes shows that the connection broke, and not the answer.

    Its length was announced, else the part that was too much may have been the last.
    """
    left = MOST_READ_ON if header_of(scope, b"content-length") else 0
    while left > 0:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return
        left -= len(message["body"])


class CsrfMiddleware(ASGIMiddleware):
    """Lets a changing request through only with a token that fits its cookie.

    Raises: CsrfFailed, for which the error page also expires the cookie.
    """

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = "csrf_exempt"

    def __init__(self, tokens: CsrfTokens) -> None:
        self._tokens = tokens

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope.get("method") not in SAFE_METHODS:
            try:
                await self._verify(scope, receive)
            except RequestEntityTooLarge:
                await _read_on(scope, receive)
                raise
        await next_app(scope, receive, send)

    async def _verify(self, scope: Scope, receive: Receive) -> None:
        cookie_value = exchange_of(scope).cookie("csrf")
        if cookie_value is None or header_of(scope, b"sec-fetch-site") == "cross-site":
            raise CsrfFailed
        token = next((t for name in HEADER_NAMES if (t := header_of(scope, name))), None)
        if token is None:
            token = await self._token_in_form(scope, receive)
        if not self._tokens.matches(token, cookie_value):
            raise CsrfFailed

    async def _token_in_form(self, scope: Scope, receive: Receive) -> str:
        request: Request[Any, Any, Any] = scope["litestar_app"].request_class(scope, receive)
        if request.content_type[0] == RequestEncodingType.URL_ENCODED:
            return (await read_form(request)).texts.get(FIELD_NAME, [""])[-1]
        form = await multipart_form(request)
        token = form.get(FIELD_NAME, "")
        if isinstance(token, str) and token:
            return token
        for value in form.values():
            if isinstance(value, UploadFile):
                await value.close()
        return ""
