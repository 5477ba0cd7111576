"""A price is worded in one place: nothing else says "free" or "from" of it."""

import re
from pathlib import Path

import pytest

from tests.architecture.sizes import ROOT

HERE = ROOT / "src/booking/domain/price_label.py"
WORDED = re.compile(
    r"""(?:_|gettext)\(\s*["'](free|from\ %\((?:price|amount|minor)\w*\)s)["']""", re.IGNORECASE
)
NAMES_OF_WAYS = {
    "src/booking/web/customer_booking.py": {"Free"},
    "src/booking/web/roster_words.py": {"Free"},
    "src/booking/web/service_words.py": {"Free"},
    "src/booking/web/sold_words.py": {"free"},
}
"""Where the word names a way to pay, beside "online" and "on site", and no price."""

TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*") if path.is_file())
MODULES = sorted(path for path in (ROOT / "src").rglob("*.py") if path != HERE)


def worded_in(text: str) -> set[str]:
    return set(WORDED.findall(text))


def test_the_words_are_found_however_they_are_written() -> None:
    assert worded_in("_('Free')") == {"Free"}
    assert worded_in('_("free") _("from %(price)s", price=x)') == {"free", "from %(price)s"}
    assert worded_in('_(\n "From %(amount)s")') == {"From %(amount)s"}
    assert not worded_in('_("Free of charge until %(when)s") _("from %(date)s")')
    assert worded_in(HERE.read_text(encoding="utf-8")) == {"free", "from %(price)s"}


@pytest.mark.parametrize("kind", ["templates", "modules"])
def test_no_price_is_worded_elsewhere(kind: str) -> None:
    def found_in(path: Path) -> set[str]:
        allowed = NAMES_OF_WAYS.get(str(path.relative_to(ROOT)), set())
        return worded_in(path.read_text(encoding="utf-8")) - allowed

    paths = TEMPLATES if kind == "templates" else MODULES
    found = {str(path.relative_to(ROOT)): found_in(path) for path in paths}
    assert {path: words for path, words in found.items() if words} == {}
