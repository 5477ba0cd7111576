"""Addresses that customers give us to call: never a way into our own network.

A tenant's webhook, calendar or picture address is resolved by us, every answer has to be public,
and the connection goes to the very address that was checked, so that a name which changes its mind
between check and call gains nothing. Redirects are not followed.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

import httpx
import msgspec

from src.platform.config import Settings
from src.platform.errors import InvalidInput
from src.platform.i18n import _

MAX_CHARACTERS = 2_000
PORTS = {"http": 80, "https": 443}
TIMEOUT_SECONDS = 10.0
RESOLVE_SECONDS = 5.0

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_SHARED = ipaddress.ip_network("100.64.0.0/10")


class AddressRefused(InvalidInput):
    """An address that we do not call; the sentence is fit for the field it was typed into."""

    code = "address_refused"


class CheckedAddress(msgspec.Struct, frozen=True):
    """A URL that may be called, and the IP address it may be called at."""

    url: str
    host: str
    port: int
    ip: str


async def resolve(host: str, port: int) -> list[str]:
    """All IP addresses of the name, as the system's resolver gives them."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(RESOLVE_SECONDS):
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class OutgoingGuard:
    """Decides which addresses may be called.

    `allow_private` is for demo and tests, where the other side runs on this machine.
    """

    def __init__(self, *, allow_private: bool = False, resolve: Resolve = resolve) -> None:
        self._allow_private = allow_private
        self._resolve = resolve

    @classmethod
    def from_settings(cls, settings: Settings) -> "OutgoingGuard":
        return cls(allow_private=settings.environment != "production")

    async def check(self, url: str) -> CheckedAddress:
        """The address to connect to.

        Raises: AddressRefused for anything but http(s) to public addresses on the usual ports.
        """
        host, port = self._host_and_port(url)
        try:
            addresses = await self._resolve(host, port)
        except (OSError, TimeoutError, UnicodeError):
            addresses = []
        if not addresses:
            raise AddressRefused(_("This address cannot be found. Please check the spelling."))
        if not self._allow_private and not all(is_public(address) for address in addresses):
            raise AddressRefused(_("This address is not on the public internet."))
        return CheckedAddress(url, host, port, addresses[0])

    def _host_and_port(self, url: str) -> tuple[str, int]:
        """The parts of a well-formed address; what is odd about one is not looked into."""
        malformed = AddressRefused(_("Please give a full address that starts with https://."))
        if len(url) > MAX_CHARACTERS or any(ord(c) <= 0x20 or c == "\\" for c in url):
            raise malformed
        try:
            parts = urlsplit(url)
            port = parts.port or PORTS[parts.scheme]
        except (ValueError, KeyError):
            raise malformed from None
        if not parts.hostname or parts.username is not None or parts.password is not None:
            raise malformed
        if not self._allow_private and port not in PORTS.values():
            raise AddressRefused(_("Only the usual ports (80 and 443) can be used."))
        return parts.hostname, port


def is_public(address: str) -> bool:
    """Whether the IP address is one of the internet's, whatever notation hides it."""
    try:
        found: IPAddress = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if inner is None and found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    if isinstance(found, ipaddress.IPv4Address) and found in _SHARED:
        return False
    return found.is_global and not (found.is_multicast or found.is_reserved)


class GuardedTransport(httpx.AsyncBaseTransport):
    """Checks every request and connects to the checked address; TLS is still for the name."""

    def __init__(self, guard: OutgoingGuard) -> None:
        self._guard = guard
        self._inner = httpx.AsyncHTTPTransport(retries=0)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        checked = await self._guard.check(str(request.url))
        request.extensions = {**request.extensions, "sni_hostname": checked.host}
        request.headers.setdefault("Host", request.url.netloc.decode("ascii"))
        request.url = request.url.copy_with(host=checked.ip)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def outgoing_client(guard: OutgoingGuard) -> httpx.AsyncClient:
    """A client for addresses that customers gave: guarded, ten seconds, no redirects."""
    return httpx.AsyncClient(
        transport=GuardedTransport(guard),
        timeout=TIMEOUT_SECONDS,
        follow_redirects=False,
        trust_env=False,
    )
