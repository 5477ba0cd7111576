"""The kit rendered with sample data: sound markup, tied fields, small pages."""

import gzip
import re
from functools import cache
from html.parser import HTMLParser
from typing import Any

import pytest

from src.platform.i18n import use_locale, week_of
from tests.support.gallery import ROOT, environment, render_all
from tests.support.gallery_data import SampleForm, error_context, page

STATIC = ROOT / "static"
PUBLIC = ("home", "hub", "booking")
BUDGET_BYTES = 60_000
VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
SHAPES = {"path", "circle", "line", "rect", "polyline", "polygon", "ellipse"}


@cache
def rendered() -> dict[str, str]:
    return render_all()


NAMES = sorted(set(rendered()) - {"index.html"})


class Document(HTMLParser):
    """Open tags, ids and references of a page; fails where tags do not close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(attrs) == len({name for name, _value in attrs}), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID | SHAPES:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag, (tag, self.getpos())

    def values(self, attribute: str) -> list[str]:
        return [value for _tag, attrs in self.elements if (value := attrs.get(attribute))]


@pytest.mark.parametrize("name", NAMES)
def test_pages_are_sound(name: str) -> None:
    document = Document(rendered()[name])
    ids = document.values("id")
    assert len(ids) == len(set(ids))
    for attribute in ("aria-describedby", "for"):
        for value in document.values(attribute):
            assert set(value.split()) <= set(ids)
    assert [tag for tag, _attrs in document.elements].count("h1") == 1
    assert "main" in ids
    assert 'href="#main"' in rendered()[name]


@pytest.mark.parametrize("name", NAMES)
def test_forms_carry_their_token(name: str) -> None:
    posting = re.findall(r'<form[^>]*method="post".*?</form>', rendered()[name], re.DOTALL)
    assert all("_csrf_token" in form for form in posting)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_pages_stay_within_the_budget(name: str) -> None:
    """Everything but pictures, as it goes over the wire, in a language with a second font file."""
    texts = ["css/app.css", "vendor/htmx-2.0.11.min.js", "js/kit.min.js", "favicon.svg"]
    fonts = ["fonts/figtree-latin.woff2", "fonts/figtree-latin-ext.woff2"]
    total = len(gzip.compress(rendered()[f"{name}.html"].encode(), 6))
    total += sum(len(gzip.compress((STATIC / path).read_bytes(), 9)) for path in texts)
    total += sum((STATIC / path).stat().st_size for path in fonts)
    assert total <= BUDGET_BYTES


def field(source: str, **context: Any) -> str:
    template = environment().from_string('{% import "macros/forms.html" as f %}' + source)
    with use_locale("en-GB"):
        return template.render(**context)


def test_a_field_in_error_says_so_to_everyone() -> None:
    form = SampleForm({"email": "carl@"}, {"email": "Not a whole address."})
    html = field('{{ f.email(form, "email", "E-mail", "Where to?") }}', form=form)
    control = next(attrs for tag, attrs in Document(html).elements if tag == "input")
    assert control["aria-invalid"] == "true"
    assert control["aria-describedby"] == "f-email-error f-email-hint"
    assert control["value"] == "carl@"
    assert "Not a whole address." in html


def test_a_good_field_has_nothing_of_an_error() -> None:
    html = field('{{ f.text(form, "name", "Name") }}', form=SampleForm({"name": 'A "b" <c>'}))
    control = next(attrs for tag, attrs in Document(html).elements if tag == "input")
    assert "aria-invalid" not in control
    assert "aria-describedby" not in control
    assert control["value"] == 'A "b" <c>'


def test_a_password_is_never_written_back() -> None:
    form = SampleForm({"password": "hunter2hunter2"})
    assert "hunter2" not in field('{{ f.password(form, "password", "Password") }}', form=form)


def test_several_weekdays_stay_ticked() -> None:
    form = SampleForm({"days": [0, 4]})
    html = field('{{ f.weekdays(form, "days", "Days", week) }}', form=form, week=week_of("US"))
    shown = [attrs for tag, attrs in Document(html).elements if tag == "input"]
    assert [attrs["value"] for attrs in shown] == ["6", "0", "1", "2", "3", "4", "5"]
    assert [attrs["value"] for attrs in shown if "checked" in attrs] == ["0", "4"]


def test_a_refusal_shows_its_own_sentence_with_a_reference() -> None:
    context = error_context(409)
    context["error"].message = "The last seat went a moment ago."
    with use_locale("en-GB"):
        html = environment().get_template("errors/409.html").render(**context)
        fragment = environment().get_template("errors/_fragment.html").render(**context)
    assert "The last seat went a moment ago." in html
    assert "0193f2c4" in html
    assert 'role="alert"' in fragment
    assert "<html" not in fragment


def test_an_error_page_asks_the_page_for_little() -> None:
    """It has to be shown when the database is away, so neither tenant nor user is needed."""
    bare = page(nav=None)
    html = environment().get_template("errors/500.html")
    assert html.render(page=bare, error=error_context(500)["error"])
