"""Turns mails into the mailbox's own pages. What a mail says is never trusted as HTML of ours."""

import re
import secrets
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from babel.dates import format_date, format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Request, Response
from litestar.datastructures import State
from markupsafe import Markup, escape

from src.platform.i18n import (
    available_locales,
    current_babel_locale,
    current_locale,
    jinja_callables,
    negotiate,
    use_locale,
)
from src.sandbox.mailbox.mails import ADDRESS, Mail

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
TRAILING = ".,;:!?)]}"
CID = re.compile(r"(?<=[\"'(])cid:([^\"')\s]+)", re.IGNORECASE)

AnyRequest = Request[Any, Any, State]

# The mail's own HTML: no scripts, no forms, no frames; links open in a tab of their own.
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "img-src data: http: https:; style-src 'unsafe-inline'; font-src data:; frame-ancestors 'self'"
)
PAGE_POLICY = (
    "default-src 'none'; style-src 'nonce-{nonce}'; img-src data:; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def show(request: AnyRequest, name: str, status: int = 200, **values: Any) -> Response[str]:
    """A page in the reader's language, which may load nothing and run no script."""
    nonce = secrets.token_urlsafe(16)
    locale = negotiate(request.headers.get("Accept-Language", ""), available_locales())
    with use_locale(locale):
        content = _environment.get_template(f"sandbox/mailbox/{name}").render(
            nonce=nonce, locale=current_locale(), **values
        )
    headers = {
        "Content-Security-Policy": PAGE_POLICY.format(nonce=nonce),
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=MediaType.HTML, status_code=status, headers=headers)


def html_of(mail: Mail) -> Response[str]:
    """The HTML part for the frame: pictures that came along are put in, links leave the frame."""
    numbers = {found.content_id: n for n, found in enumerate(mail.attachments, 1)}

    def address(match: re.Match[str]) -> str:
        number = numbers.get(match[1])
        return f"/messages/{mail.id}/attachments/{number}" if number else match[0]

    content = '<base target="_blank">' + CID.sub(address, mail.html)
    headers = {"Content-Security-Policy": MAIL_POLICY, "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=MediaType.HTML, headers=headers)


def download(content: bytes, filename: str, content_type: str) -> Response[bytes]:
    """A file to save; never a page, whatever type the mail claims."""
    disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
    headers = {
        "Content-Disposition": disposition,
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=content_type, headers=headers)


def linked(text: str) -> Markup:
    """Plain text with its addresses made into links; everything else is shown as it is."""
    pieces: list[Markup] = []
    position = 0
    for match in ADDRESS.finditer(text):
        url = match[0].rstrip(TRAILING)
        pieces.append(escape(text[position : match.start()]))
        pieces.append(
            Markup('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>').format(url)
        )
        position = match.start() + len(url)
    return Markup("").join([*pieces, escape(text[position:])])


def shown_moment(at: datetime) -> str:
    """To the second, in UTC: mails of one test come close together."""
    return format_datetime(at, "d MMM y, HH:mm:ss", locale=current_babel_locale())


def shown_span(starts: datetime | date | None, ends: datetime | date | None) -> str:
    """When an event is, in its own zone: the end's day only where it differs."""
    if starts is None:
        return "?"
    first = _shown(starts)
    if ends is None:
        return first
    if isinstance(starts, datetime) and isinstance(ends, datetime):
        if starts.date() == ends.date():
            return f"{first} – {format_datetime(ends, 'HH:mm', locale=current_babel_locale())}"
        return f"{first} – {_shown(ends)}"
    # The end of whole days is the day after the last one.
    last = date.fromordinal(ends.toordinal() - 1)
    return first if last.toordinal() <= starts.toordinal() else f"{first} – {_shown(last)}"


def _shown(at: datetime | date) -> str:
    locale = current_babel_locale()
    if isinstance(at, datetime):
        return format_datetime(at, "EEE d MMM y, HH:mm", locale=locale)
    return format_date(at, "EEE d MMM y", locale=locale)


def shown_size(size: int) -> str:
    return f"{size} B" if size < 1024 else f"{size / 1024:.1f} KB"


def _make_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(**jinja_callables(), newstyle=True)  # type: ignore[attr-defined]  # by the extension
    environment.filters |= {
        "linked": linked,
        "moment": shown_moment,
        "size": shown_size,
    }
    environment.globals["span"] = shown_span
    return environment


_environment = _make_environment()
