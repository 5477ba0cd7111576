"""Turns page templates into answers with a strict content policy."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Response

from src.platform import i18n
from src.platform.money import Money, format_money
from src.sandbox.stripe.engine import PLATFORM, Cause, Engine

_ROOT = Path(__file__).resolve().parents[3]
_ASSETS = Path(__file__).resolve().parent / "assets"


@dataclass(frozen=True)
class Visit:
    """One look at a page: where this program is reached and which languages the reader likes."""

    engine: Engine
    base_url: str
    languages: str

    def work(self, account: str = PLATFORM) -> Any:
        return self.engine.work(account, Cause(self.base_url))

    def locale(self, wanted: str | None = None) -> str:
        if wanted and wanted != "auto":
            return wanted
        return i18n.negotiate(self.languages, i18n.available_locales())


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_ROOT / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(_=i18n.gettext, gettext=i18n.gettext, ngettext=i18n.ngettext)
    environment.filters["money"] = money
    return environment


def money(amount_minor: int, currency: str) -> str:
    """The amount in the words of the current locale; `currency` as the API writes it."""
    return format_money(Money(amount_minor, currency.upper()), i18n.current_locale())


def page(
    template: str, *, locale: str, status: int = 200, leads_to: list[str] | None = None, **view: Any
) -> Response[str]:
    """The page in the reader's language. `leads_to` are addresses that its forms may end up at,
    since a browser holds redirects after a form to the policy as well.
    """
    with i18n.use_locale(locale):
        html = (
            _environment()
            .get_template(f"sandbox/stripe/{template}")
            .render(language=locale.split("-", maxsplit=1)[0], **view)
        )
    targets = ["'self'", *sorted({origin(address) for address in leads_to or []})]
    return Response(
        html,
        status_code=status,
        media_type="text/html",
        headers={
            "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
            f"form-action {' '.join(targets)}; "
            "base-uri 'none'; frame-ancestors 'none'",
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "cache-control": "no-store",
        },
    )


def origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


@lru_cache(maxsize=1)
def stylesheet() -> str:
    return (_ASSETS / "page.css").read_text()
