"""What is wrong with a setting's value: a sentence for each thing that would fail or lie later."""

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

POSTGRES_SCHEMES = ("postgresql", "postgresql+asyncpg", "postgres")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
# What asyncpg and SQLAlchemy take from an address; anything else would be a TypeError on connect.
ADDRESS_OPTIONS = {"ssl", "host", "port", "target_session_attrs", "prepared_statement_cache_size"}
NUMBERS = {
    "DATABASE_POOL_SIZE": (10, 1, 500),
    "UNDO_WINDOW_SECONDS": (10, 0, 3600),
    "PLATFORM_FEE_BP": (0, 0, 10_000),
    "KEEP_MAILS_DAYS": (180, 30, 3650),
    "KEEP_WEBHOOKS_DAYS": (90, 31, 3650),
    "KEEP_IMPORTS_DAYS": (30, 1, 3650),
}
"""Whole numbers: the default, the least and the most. The processor sends an event again for up to
thirty days, and until then its id must be known."""

_MAIL_ADDRESS = re.compile(r"[^\s@<>\",;:]+@[^\s@<>\",;:]+")


def database_address(address: str) -> str:
    """The address as SQLAlchemy's asyncpg takes it, whichever usual spelling was given.

    `sslmode`, which libpq and every managed PostgreSQL write, is `ssl` to asyncpg.
    """
    parts = urlsplit(address)
    options = [
        ("ssl" if name == "sslmode" else name, value) for name, value in parse_qsl(parts.query)
    ]
    rest = address.split("://", 1)[1].partition("?")[0]
    query = f"?{urlencode(options, safe='/')}" if options else ""
    return f"postgresql+asyncpg://{rest}{query}"


def database_problems(name: str, address: str) -> list[str]:
    """Why no connection can be made by this address, whatever answers there."""
    problems = scheme_problems(name, address, POSTGRES_SCHEMES) or port_problems(name, address)
    if problems:
        return problems
    for option, value in parse_qsl(urlsplit(address).query, keep_blank_values=True):
        if option in ("sslmode", "ssl"):
            if value not in SSL_MODES:
                problems.append(f"{name}: {option} must be one of: {', '.join(SSL_MODES)}.")
        elif option == "sslrootcert":
            problems.append(f"{name}: put the path of sslrootcert into PGSSLROOTCERT instead.")
        elif option not in ADDRESS_OPTIONS:
            problems.append(f"{name}: the option {option} is not known here; leave it out.")
    return problems


def scheme_problems(name: str, address: str, allowed: tuple[str, ...]) -> list[str]:
    try:
        is_allowed = urlsplit(address).scheme in allowed and "://" in address
    except ValueError:
        return [f"{name} is no address that can be read."]
    if not address or is_allowed:
        return []
    return [f"{name} must start with one of: {', '.join(f'{scheme}://' for scheme in allowed)}."]


def port_problems(name: str, address: str) -> list[str]:
    try:
        port = urlsplit(address).port
    except ValueError:
        port = 0
    return [f"{name}: the port must be a number from 1 to 65535."] if port == 0 else []


def value_problems(environ: Mapping[str, str], environment: str) -> list[str]:
    """What the values say that cannot be meant, one sentence each."""
    problems: list[str] = []
    problems += _base_url_problems(environ.get("BASE_URL", ""), environment)
    for name, (_default, least, most) in NUMBERS.items():
        if (given := environ.get(name)) and not _is_between(given, least, most):
            problems.append(f"{name} must be a whole number from {least} to {most}.")
    for name in ("REDIS_URL", "SMTP_URL", "STRIPE_API_BASE", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        problems += _service_problems(name, environ.get(name, ""))
    problems += _mail_from_problems(environ.get("MAIL_FROM", ""))
    problems += _proxy_problems(environ.get("TRUSTED_PROXIES", ""))
    return problems


def whole_number(environ: Mapping[str, str], name: str) -> int:
    return int(environ.get(name) or NUMBERS[name][0])


def _is_between(given: str, least: int, most: int) -> bool:
    """Superscripts are digits to Python and no numbers: ASCII alone counts."""
    return given.isascii() and given.isdigit() and least <= int(given) <= most


def _base_url_problems(address: str, environment: str) -> list[str]:
    """Links are made by putting a path behind it, and cookies are for the whole host."""
    if not address:
        return []
    problems = scheme_problems("BASE_URL", address, ("http", "https"))
    problems = problems or port_problems("BASE_URL", address)
    if problems:
        return problems
    parts = urlsplit(address)
    if not parts.hostname:
        return ["BASE_URL must name a host, such as https://bookings.example.com."]
    if parts.path not in ("", "/") or _has_more(parts, address):
        problems.append("BASE_URL must end with the host or its port: no path, no ? and no #.")
    if environment == "production" and parts.scheme != "https":
        problems.append("BASE_URL must start with https:// in production.")
    return problems


def _has_more(parts: SplitResult, address: str) -> bool:
    return "?" in address or "#" in address or parts.username is not None


def _service_problems(name: str, address: str) -> list[str]:
    schemes = {"REDIS_URL": ("redis", "rediss", "unix"), "SMTP_URL": ("smtp", "smtps")}
    allowed = schemes.get(name, ("http", "https"))
    problems = scheme_problems(name, address, allowed)
    if problems or not address or address.startswith("unix:"):
        return problems
    problems = port_problems(name, address)
    if not urlsplit(address).hostname:
        problems.append(f"{name} must name a host.")
    if name == "REDIS_URL" and not _is_database_number(urlsplit(address).path.strip("/")):
        problems.append("REDIS_URL: what follows the host must be a database's number.")
    return problems


def _is_database_number(path: str) -> bool:
    return not path or (path.isascii() and path.isdigit())


def _mail_from_problems(address: str) -> list[str]:
    """Mails carry the name of the business, so a name in here would be put inside another."""
    if not address or _MAIL_ADDRESS.fullmatch(address):
        return []
    return ["MAIL_FROM must be a bare address such as bookings@example.com, without a name."]


def _proxy_problems(listed: str) -> list[str]:
    problems: list[str] = []
    for proxy in filter(None, (part.strip() for part in listed.split(","))):
        try:
            ipaddress.ip_network(proxy, strict=False)
        except ValueError:
            problems.append(
                f"TRUSTED_PROXIES: {proxy!r} is no address; write 10.0.0.1 or 10.0.0.0/8."
            )
    return problems
