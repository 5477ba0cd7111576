"""The program's own cookies: host-only, for the whole site, out of reach of scripts."""

from typing import Any, cast
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.types import Scope

Header = tuple[bytes, bytes]


class Cookies:
    """Names and writes the cookies; with `secure` they carry the `__Host-` prefix.

    The prefix makes browsers refuse a cookie of the same name that a sibling host planted.
    """

    def __init__(self, secure: bool) -> None:
        self._attributes = "; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")
        self._prefix = prefix = "__Host-" if secure else ""
        self.session = f"{prefix}seatline_session"
        self.csrf = f"{prefix}seatline_csrf"
        self.flash = f"{prefix}seatline_flash"
        self.holds = f"{prefix}seatline_holds"
        self.typed = f"{prefix}seatline_typed"

    def guest(self, business_id: UUID) -> str:
        """The name of the cookie by which one business knows its guest: each has its own."""
        return f"{self._prefix}seatline_guest_{business_id.hex}"

    def code(self, business_id: UUID) -> str:
        """The name of the cookie of a browser that has asked one business for a code."""
        return f"{self._prefix}seatline_code_{business_id.hex}"

    def written(self, name: str, value: str, max_age_seconds: int | None = None) -> Header:
        """The header that sets the cookie, until the browser closes when no age is given.

        `value` has to be of characters that a cookie takes as they are, as base64 is.
        """
        age = "" if max_age_seconds is None else f"; Max-Age={max_age_seconds}"
        return b"set-cookie", f"{name}={value}{self._attributes}{age}".encode("latin-1")

    def expired(self, name: str) -> Header:
        """The header that makes the browser forget the cookie."""
        return self.written(name, "", 0)


def cookie_of(scope: Scope, name: str) -> str | None:
    connection = ASGIConnection[Any, Any, Any, Any](cast("Any", scope))
    return connection.cookies.get(name)


def list_header_of(scope: Scope, name: bytes) -> list[str]:
    """What all request headers of this lower-case name list by commas, in the order in which it was
    added: a proxy may put its part into a header of its own.
    """
    found = [value.decode("latin-1") for key, value in scope["headers"] if key == name]
    return [part.strip() for part in ",".join(found).split(",") if part.strip()]


def header_of(scope: Scope, name: bytes) -> str:
    """The first request header of this lower-case name, "" when there is none."""
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return ""
