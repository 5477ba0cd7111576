"""Checks of single values that several calls share."""

import re
from urllib.parse import urlsplit

from src.sandbox.stripe.currencies import is_currency
from src.sandbox.stripe.errors import invalid_parameter

_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")


def require_url(param: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise invalid_parameter(param, "Not a valid URL", "url_invalid")


def require_email(param: str, email: str) -> None:
    if not _EMAIL.match(email):
        raise invalid_parameter(param, f"Invalid email address: {email}", "email_invalid")


def require_currency(param: str, currency: str) -> None:
    if not is_currency(currency):
        raise invalid_parameter(param, f"Invalid currency: {currency}.")


def is_email(text: str) -> bool:
    return bool(_EMAIL.match(text))
