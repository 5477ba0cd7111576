"""What every answer tells the browser, and whom a request is believed to come from."""

import ipaddress
import re
import secrets
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from litestar.types import Scope

from src.platform.config import Settings
from src.platform.web.cookies import Header, header_of, list_header_of

STRIPE_PAGES = (
    "https://checkout.stripe.com",
    "https://billing.stripe.com",
    "https://connect.stripe.com",
    "https://hooks.stripe.com",
)
HSTS_SECONDS = 63_072_000

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)


def payment_page_origins(settings: Settings) -> tuple[str, ...]:
    """Where a form may lead by redirect: Chromium holds `form-action` against those as well."""
    if settings.stripe_api_base is None:
        return STRIPE_PAGES
    parts = urlsplit(settings.stripe_api_base)
    return (f"{parts.scheme}://{parts.netloc}",)


class SecurityHeaders:
    """The headers of every answer, worked out once.

    A handler with `opt={"embeddable": True}` may be framed by any site, all others by none; the
    pages of one with `opt={"camera": True}` may ask for the camera.
    """

    def __init__(self, *, secure: bool, form_action_origins: Sequence[str] = ()) -> None:
        common = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"strict-origin-when-cross-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
        ]
        if secure:
            policy = f"max-age={HSTS_SECONDS}; includeSubDomains".encode()
            common.append((b"strict-transport-security", policy))
        closed = [
            *common,
            (b"content-security-policy", _policy(form_action_origins, "'none'", secure)),
            (b"x-frame-options", b"DENY"),
        ]
        self._closed: list[Header] = [*closed, _permissions("()")]
        self._with_camera: list[Header] = [*closed, _permissions("(self)")]
        self._embeddable: list[Header] = [
            *common,
            (b"content-security-policy", _policy(form_action_origins, "*", secure)),
            _permissions("()"),
        ]

    def for_scope(self, scope: Scope, given: Sequence[Header]) -> list[Header]:
        """Those headers that the answer does not bring itself."""
        handler = cast("dict[str, Any]", scope).get("route_handler")
        opt = {} if handler is None else handler.opt
        chosen = self._embeddable if opt.get("embeddable", False) else self._closed
        if opt.get("camera", False):
            chosen = self._with_camera
        names = {name.lower() for name, _value in given}
        return [header for header in chosen if header[0] not in names]


def _permissions(camera: str) -> Header:
    allowed = f"camera={camera}, geolocation=(), microphone=(), payment=(), usb=()"
    return b"permissions-policy", f"{allowed}, browsing-topics=()".encode()


def _policy(form_action_origins: Sequence[str], ancestors: str, secure: bool) -> bytes:
    directives = [
        "default-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        " ".join(["form-action 'self'", *form_action_origins]),
        f"frame-ancestors {ancestors}",
    ]
    if secure:
        directives.append("upgrade-insecure-requests")
    return "; ".join(directives).encode()


class TrustedProxies:
    """Believes `X-Forwarded-For` and `-Proto` only from the proxies that were named."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]

    def apply(self, scope: Scope) -> None:
        """Puts the real client and scheme into the scope where a trusted proxy reports them."""
        client = scope.get("client")
        if not self._networks or client is None or not self._is_trusted(client[0]):
            return
        for hop in reversed(list_header_of(scope, b"x-forwarded-for")):
            if not _is_address(hop):
                break
            scope["client"] = (hop, 0)
            if not self._is_trusted(hop):
                break
        schemes = list_header_of(scope, b"x-forwarded-proto")
        if schemes and schemes[-1] in {"http", "https"}:
            scope["scheme"] = schemes[-1]

    def _is_trusted(self, address: str) -> bool:
        if not _is_address(address):
            return False
        found = ipaddress.ip_address(address)
        return any(found in network for network in self._networks)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def client_address(scope: Scope) -> str:
    """The client's IP address, behind trusted proxies the real one; "" for a socket without one.

    An IPv6 client counts as its /64, since it may use every address in it.
    """
    client = scope.get("client")
    if client is None or not _is_address(client[0]):
        return ""
    address = ipaddress.ip_address(client[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def request_id_of(scope: Scope) -> str:
    """The incoming id where it is well-formed, so that logs of several machines can be joined."""
    given = header_of(scope, b"x-request-id")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(12)
