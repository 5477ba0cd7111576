"""The kit's parts and layouts with sample data, to look at and to check.

python -m tests.support.gallery OUT      writes the pages into OUT
python -m tests.support.gallery --serve  serves them on 127.0.0.1:8790 until interrupted
"""

import sys
import tempfile
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from src.booking.domain.price_label import price
from src.platform.i18n import use_locale
from src.platform.web.pages import make_environment
from tests.support.gallery_data import ERROR_STATUSES, error_context, page_contexts

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(__file__).parent / "gallery_pages"
SECURITY = (
    "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'"
)


def environment() -> Environment:
    """The program's own environment, which finds the gallery's samples too."""
    env = make_environment(ROOT / "templates")
    env.filters["price"] = price
    env.loader = FileSystemLoader([ROOT / "templates", SAMPLES])
    return env


def render_all() -> dict[str, str]:
    """Every gallery page by file name."""
    env = environment()
    samples = page_contexts()
    for status in ERROR_STATUSES:
        samples[f"error-{status}"] = (f"errors/{status}.html", error_context(status))
    with use_locale("en-GB"):
        pages = {
            f"{name}.html": env.get_template(template).render(**context)
            for name, (template, context) in samples.items()
        }
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

    def copyfile(self, source: Any, outputfile: Any) -> None:
        """A browser that has moved on is no failure."""
        with suppress(ConnectionError):
            super().copyfile(source, outputfile)

    def log_message(self, *_arguments: Any) -> None:
        """Quiet."""


def server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    return ThreadingHTTPServer(("127.0.0.1", port), partial(GalleryHandler, directory=str(folder)))


def main(arguments: list[str]) -> None:
    if arguments and arguments[0] != "--serve":
        write_all(Path(arguments[0]))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_all(Path(folder))
        with server(Path(folder), 8790) as serving:
            sys.stdout.write("http://127.0.0.1:8790/\n")
            sys.stdout.flush()
            serving.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
