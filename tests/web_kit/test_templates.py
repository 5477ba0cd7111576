"""What every template promises, read from its source."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file

from tests.support.gallery import ROOT, environment

TEMPLATES = ROOT / "templates"
# The stand-in for Stripe and the mails are pages of their own, outside the kit.
OUTSIDE = ("sandbox", "emails")
NAMES = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
PATHS = [name for name in NAMES if name.split("/")[0] not in OUTSIDE]
MAILS = [name for name in NAMES if name.split("/")[0] == "emails"]
ICONS = set((ROOT / "assets/icons.txt").read_text(encoding="utf-8").split())


def source(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*PATHS, *MAILS])
def test_compiles(name: str) -> None:
    environment().get_template(name)


@pytest.mark.parametrize("name", PATHS)
def test_needs_nothing_that_the_content_security_policy_forbids(name: str) -> None:
    text = source(name)
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert "<style" not in text
    assert "javascript:" not in text
    assert not re.search(r"hx-on|hx-vals=[\"']js:|data:image", text)
    for tag in re.findall(r"<script[^>]*>", text):
        assert "src=" in tag or 'type="application/ld+json"' in tag


@pytest.mark.parametrize("name", PATHS)
def test_nothing_is_marked_safe(name: str) -> None:
    assert not re.search(r"\|\s*safe\b|autoescape", source(name))


@pytest.mark.parametrize("name", PATHS)
def test_class_names_stand_whole(name: str) -> None:
    """Tailwind reads them from the source, so none may be put together from parts."""
    for classes in re.findall(r'class="([^"]*)"', source(name)):
        bare = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", " \0 ", classes)
        assert not re.search(r"[\w-]-\s*\0|\0\s*-[\w-]", bare.replace(" \0 ", "\0")), classes


@pytest.mark.parametrize("name", PATHS)
def test_icons_are_in_the_list(name: str) -> None:
    if name == "macros/icons.html":
        return
    used = set(re.findall(r"icon\([\"']([a-z0-9-]+)[\"']", source(name)))
    assert used <= ICONS


def test_texts_can_be_extracted() -> None:
    found = {
        message
        for name in PATHS
        for _line, message, *_rest in extract_from_file(
            "jinja2.ext.babel_extract",
            TEMPLATES / name,
            options={"silent": "false", "trimmed": "true"},
        )
    }
    assert "Skip to the content" in found
    assert len(found) > 80


@pytest.mark.parametrize("name", PATHS)
def test_every_text_goes_through_gettext(name: str) -> None:
    """Nothing between two tags reads like a sentence of its own."""
    text = source(name)
    for markup in (
        r"\{#.*?#\}",
        r"\{%-?\s*trans.*?endtrans\s*-?%\}",
        r"\{\{.*?\}\}|\{%.*?%\}",
        r"<(script|svg)\b.*?</\1>",
    ):
        text = re.sub(markup, "", text, flags=re.DOTALL)
    bare = re.sub(r"<[^>]*>", "\n", text, flags=re.DOTALL)
    words = [line.strip() for line in bare.splitlines() if re.search(r"[A-Za-z]{3}", line)]
    allowed = re.compile(r"[· ]*Seatline|hx-headers=.*|btn[a-z -]*")
    assert [word for word in words if not allowed.fullmatch(word)] == []


def test_an_icon_that_is_not_there_fails() -> None:
    template = environment().from_string(
        '{% from "macros/icons.html" import icon %}{{ icon("no-such") }}'
    )
    with pytest.raises(Exception, match="undefined"):
        template.render()


def test_the_error_pages_are_there() -> None:
    expected = {400, 402, 403, 404, 409, 410, 422, 429, 500, 503}
    there = {int(Path(name).stem) for name in PATHS if re.fullmatch(r"errors/\d+\.html", name)}
    assert there == expected
