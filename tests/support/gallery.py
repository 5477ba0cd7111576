"""The kit's parts and layouts with sample data, to look at and to check.

    python -m tests.support.gallery OUT      writes the pages into OUT
    python -m tests.support.gallery --serve  serves them on 127.0.0.1:8790 until interrupted
"""

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from babel.dates import format_date, format_time
from babel.numbers import format_currency
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.support.gallery_data import ERROR_STATUSES, error_context, page_contexts

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(__file__).parent / "gallery_pages"
SECURITY = "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'"


def environment() -> Environment:
    """Jinja as the web kit sets it up: strict, escaping, with gettext."""
    env = Environment(
        loader=FileSystemLoader([ROOT / "templates", SAMPLES]),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    install: Callable[..., None] = env.install_null_translations  # type: ignore[attr-defined]  # by the extension
    install(newstyle=True)
    env.filters["money"] = _money
    env.filters["date_long"] = partial(_date, "EEEE d MMMM y")
    env.filters["time_short"] = _time
    return env


def _money(minor: int, currency: str) -> str:
    return str(format_currency(minor / 100, currency, locale="en_GB"))


def _date(pattern: str, at: Any, zone: Any) -> str:
    return str(format_date(at.astimezone(zone), pattern, locale="en_GB"))


def _time(at: Any, zone: Any) -> str:
    return str(format_time(at.astimezone(zone), "short", locale="en_GB"))


def render_all() -> dict[str, str]:
    """Every gallery page by file name."""
    env = environment()
    pages = {
        f"{name}.html": env.get_template(template).render(**context)
        for name, (template, context) in page_contexts().items()
    }
    for status in ERROR_STATUSES:
        context = error_context(status)
        pages[f"error-{status}.html"] = env.get_template(f"errors/{status}.html").render(**context)
    links = "".join(f'<li><a href="{name}">{name}</a></li>' for name in pages)
    pages["index.html"] = f"<!doctype html><title>Gallery</title><ul>{links}</ul>"
    return pages


def write_all(out: Path) -> list[Path]:
    """Writes the pages and a link to the static files; the paths of the pages."""
    out.mkdir(parents=True, exist_ok=True)
    static = out / "static"
    if not static.exists():
        static.symlink_to(ROOT / "static")
    written = []
    for name, html in render_all().items():
        (out / name).write_text(html, encoding="utf-8")
        written.append(out / name)
    return written


class GalleryHandler(SimpleHTTPRequestHandler):
    """Static files under the same content security policy as the program's own."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", SECURITY)
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


def server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    return ThreadingHTTPServer(
        ("127.0.0.1", port), partial(GalleryHandler, directory=str(folder))
    )


def main(arguments: list[str]) -> None:
    if arguments and arguments[0] != "--serve":
        write_all(Path(arguments[0]))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_all(Path(folder))
        with server(Path(folder), 8790) as serving:
            print("http://127.0.0.1:8790/")
            serving.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
