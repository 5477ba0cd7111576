"""Texts follow the reader's language, formats the whole locale, and English needs no catalogue."""

import asyncio
import subprocess
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from src.platform import i18n
from src.platform.i18n import (
    _,
    babel_locale,
    current_locale,
    negotiate,
    ngettext,
    npgettext,
    pgettext,
    use_locale,
)
from src.platform.web import formats
from src.platform.web.pages import make_environment

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Book"
msgstr "Buchen"

msgctxt "noun"
msgid "Book"
msgstr "Buch"

msgid "%(num)s seat"
msgid_plural "%(num)s seats"
msgstr[0] "%(num)s Platz"
msgstr[1] "%(num)s Plätze"
"""


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "seatline.po").write_text(CATALOGUE)
    monkeypatch.setattr(i18n, "LOCALES_DIRECTORY", tmp_path)
    i18n._translations.cache_clear()
    i18n.available_locales.cache_clear()


@pytest.fixture(autouse=True)
def _fresh_catalogues() -> None:
    i18n._translations.cache_clear()
    i18n.available_locales.cache_clear()


@pytest.mark.usefixtures("german")
def test_text_is_in_the_language_of_the_locale() -> None:
    assert i18n.available_locales() == ("en", "de")
    for locale in ("de", "de-AT"):
        with use_locale(locale):
            assert _("Book") == "Buchen"
            assert pgettext("noun", "Book") == "Buch"
            assert ngettext("%(num)s seat", "%(num)s seats", 2) == "2 Plätze"
            assert _("Not translated, %(name)s", name="Ann") == "Not translated, Ann"
    assert _("Book") == "Book"


def test_english_needs_no_catalogue() -> None:
    assert ngettext("%(num)s seat", "%(num)s seats", 1) == "1 seat"
    assert npgettext("room", "%(num)s seat", "%(num)s seats", 3) == "3 seats"
    assert _("100% sure") == "100% sure"


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr, pl;q=0.5, de;q=0.9", "de"),
        ("pt", "pt-BR"),
        ("en-US", "en"),
        ("*", "en"),
        ("xx, yy;q=zz, ;;,", "en"),
        ("de;q=0", "en"),
        ("de" * 10_000, "en"),
    ],
)
def test_locale_is_negotiated(header: str, chosen: str) -> None:
    assert negotiate(header, ["en", "de", "pl", "pt-BR"]) == chosen


@pytest.mark.parametrize("locale", ["xx-YY", "", "../../etc", "en_", "-"])
def test_unknown_locale_is_formatted_and_worded_like_the_default(locale: str) -> None:
    assert babel_locale(locale) == babel_locale("en")
    with use_locale(locale):
        assert _("Book") == "Book"


@pytest.mark.anyio
async def test_locale_belongs_to_the_task_that_set_it() -> None:
    async def in_german() -> str:
        with use_locale("de"):
            await asyncio.sleep(0)
            return current_locale()

    locales = await asyncio.gather(in_german(), asyncio.sleep(0, current_locale()))
    assert locales == ["de", "en"]


AT = datetime(2026, 5, 14, 16, 0, tzinfo=UTC)
LATER = datetime(2026, 5, 14, 17, 30, tzinfo=UTC)


def test_moments_are_shown_on_the_clock_of_the_zone() -> None:
    with use_locale("en-GB"):
        assert formats.datetime_local(AT, "Europe/Berlin") == "Thu, 14 May 2026, 18:00"
        assert formats.date_long(AT, "Europe/Berlin") == "Thursday, 14 May 2026"
        assert formats.time_short(AT, "Asia/Tokyo") == "01:00"
        assert formats.date_short(AT, "Asia/Tokyo") == "Fri 15 May"
        assert formats.date_range(AT, LATER, "Europe/Berlin").endswith("18:00\N{EN DASH}19:30")
        assert "15 May" in formats.date_range(AT, LATER.replace(hour=23), "Europe/Berlin")
        assert formats.zone_short(AT, "Europe/Berlin") == "CEST"
        assert formats.weekday(AT, "UTC") == "Thursday"
        assert formats.weekday_short(AT, "UTC") == "Thu"
        assert formats.day_number(AT, "UTC") == "14"
        assert (formats.month_name(AT, "UTC"), formats.month_short(AT, "UTC")) == ("May", "May")
        assert formats.month_year(AT, "UTC") == "May 2026"
        assert formats.iso(AT) == "2026-05-14T16:00:00+00:00"


def test_dates_and_numbers_are_written_as_the_locale_does() -> None:
    on = date(2026, 5, 14)
    with use_locale("de"):
        assert formats.day_long(on) == "Donnerstag, 14. Mai 2026"
        assert formats.money(1250, "EUR") == "12,50\N{NO-BREAK SPACE}€"
        assert formats.number(12345) == "12.345"
        assert formats.clock(time(9, 5)) == "09:05"
    with use_locale("en"):
        assert formats.day_medium(on) == "Thu, May 14, 2026"
        assert formats.month_of(on) == "May 2026"
        assert formats.percent(0.82) == "82%"
        assert formats.minutes(90) == "1 hr 30 min"
        assert formats.minutes(0) == "0 min"
        assert formats.minutes(1440) == "24 hr"
        assert formats.minutes(10_080) == "7 days"
        assert formats.minutes_in_words(90) == "1 hour 30 minutes"
        assert formats.minutes_in_words(1440) == "24 hours"


@pytest.mark.parametrize(("locale", "shown"), [("en-GB", "6,000"), ("de", "6.000")])
def test_counts_are_written_alike_in_texts_templates_and_alone(locale: str, shown: str) -> None:
    template = make_environment(ROOT / "templates").from_string(
        '{{ ngettext("%(num)s seat", "%(num)s seats", n) }} {{ _("%(left)s left", left=n) }}'
        " {% trans count=n %}{{ count }} date{% pluralize %}{{ count }} dates{% endtrans %}"
        " {{ n|number }}"
    )
    with use_locale(locale):
        assert ngettext("%(num)s seat", "%(num)s seats", 6000).split()[0] == shown
        assert npgettext("x", "%(num)s seat", "%(num)s seats", 6000).split()[0] == shown
        assert _("%(left)s left", left=6000).split()[0] == shown
        written = template.render(n=6000).split()
    assert [one for one in written if one[0] == "6"] == [shown] * 4
    assert ngettext("%(num)s seat", "%(num)s seats", 1) == "1 seat"


def test_extraction_finds_texts_of_python_and_templates(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        'from x import _, N_, ngettext\n_("In Python")\nN_("Marked")\nngettext("one", "many", 2)\n'
    )
    (tmp_path / "b.html").write_text(
        '{{ _("In a template") }}{% trans count=n %}one seat{% pluralize %}{{ count }} seats'
        "{% endtrans %}"
    )
    pot = tmp_path / "messages.pot"
    command = [sys.executable, "-m", "babel.messages.frontend", "extract", "-F", ROOT / "babel.cfg"]
    keywords = ["-k", "_", "-k", "N_", "-k", "pgettext:1c,2", "-k", "npgettext:1c,2,3"]
    subprocess.run(
        [*map(str, command), *keywords, "-o", str(pot), str(tmp_path)],
        check=True,
        capture_output=True,
    )
    with pot.open("rb") as source:
        found = {message.id for message in read_po(source) if message.id}
    assert {"In Python", "Marked", ("one", "many"), "In a template"} <= found
    assert ("one seat", "%(count)s seats") in found
