"""Mails from templates: subject, text and HTML of one occasion, in the recipient's language."""

from functools import lru_cache
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment

from src.platform.i18n import use_locale
from src.platform.web.pages import make_environment

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"


class RenderedMail(NamedTuple):
    """The three parts of a mail."""

    subject: str
    text: str
    html: str


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return make_environment(TEMPLATES)


def render_mail(name: str, view: Any, locale: str) -> RenderedMail:
    """The mail `emails/<name>` about `view`, e.g. `booking/confirmed`.

    Each mail is three templates, `.subject.txt`, `.txt` and `.html`; a missing value in any of
    them is an error, never an empty place. All three are escaped as HTML while they are rendered,
    since they include one another; what is plain text is set free of it at the end.
    """
    with use_locale(locale):
        parts = [
            _environment().get_template(f"emails/{name}{ending}").render(view=view)
            for ending in (".subject.txt", ".txt", ".html")
        ]
    subject, text = (unescape(part) for part in parts[:2])
    return RenderedMail(" ".join(subject.split()), text.strip() + "\n", parts[2])
