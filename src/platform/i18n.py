"""The reader's language: which one it is, and every text in it.

Message ids are the English sentences, in the gettext domain ``seatline``; a missing translation
therefore reads as English. The locale lives in a context variable, which the web edge sets for a
request and a job sets for a mail; formatting (dates, money) follows the full locale ("en-GB"),
texts follow its language.

Extraction: ``pybabel extract -F babel.cfg -o locales/messages.pot src templates``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations

DOMAIN = "seatline"
DEFAULT_LOCALE = "en"
LOCALES_DIRECTORY = Path(__file__).resolve().parents[2] / "locales"

_current: ContextVar[str] = ContextVar("seatline_locale", default=DEFAULT_LOCALE)


def gettext(message: str, /, **values: object) -> str:
    """The message in the current locale, with ``%(name)s`` places filled from ``values``.

    Whole numbers are counts here, and written as the locale does; see ``counted``.
    """
    translated = _translations(_current.get()).gettext(message)
    return translated % counted(values) if values else translated


def ngettext(singular: str, plural: str, number: int, /, **values: object) -> str:
    """The form of the message that fits ``number``, which is also available as ``%(num)s``."""
    translated = _translations(_current.get()).ngettext(singular, plural, number)
    return translated % counted({"num": number, **values})


def pgettext(context: str, message: str, /, **values: object) -> str:
    """Like ``gettext``, where one English word needs two translations."""
    translated = _translations(_current.get()).pgettext(context, message)
    return translated % counted(values) if values else translated


def npgettext(context: str, singular: str, plural: str, number: int, /, **values: object) -> str:
    translated = _translations(_current.get()).npgettext(context, singular, plural, number)
    return translated % counted({"num": number, **values})


def counted(values: Mapping[str, object]) -> dict[str, object]:
    """The same with whole numbers as the locale writes them, 6,000. A year goes in as text."""
    return {name: _in_figures(value) for name, value in values.items()}


def _in_figures(value: object) -> object:
    if not isinstance(value, int) or isinstance(value, bool) or -1000 < value < 1000:
        return value
    return format_decimal(value, locale=current_babel_locale())


def marked(message: str, /) -> str:
    """Marks a text for extraction that is translated later, where it is shown."""
    return message


_: Callable[..., str] = gettext
N_: Callable[[str], str] = marked


def current_locale() -> str:
    """A locale identifier as browsers write it: "en", "en-GB", "pt-BR"."""
    return _current.get()


def current_babel_locale() -> Locale:
    return babel_locale(_current.get())


def set_locale(locale: str) -> None:
    """Sets the locale for the rest of the running task, for code that owns the task.

    In a request only the middleware may do so, and what finds out who reads; anything else uses
    ``use_locale``.
    """
    _current.set(locale)


@contextmanager
def use_locale(locale: str) -> Iterator[None]:
    """Texts and formats inside are in ``locale``; the one from before comes back at the end."""
    token = _current.set(locale)
    try:
        yield
    finally:
        _current.reset(token)


@lru_cache(maxsize=256)
def babel_locale(locale: str) -> Locale:
    """The formatting rules for ``locale``, or for the default when Babel does not know it."""
    try:
        return Locale.parse(locale, sep="-" if "-" in locale else "_")
    except (UnknownLocaleError, ValueError):
        return Locale.parse(DEFAULT_LOCALE)


def first_weekday(country: str) -> int:
    """On which day people there begin a week, 0 for Monday; as CLDR has it for the two letters of a
    country.
    """
    return babel_locale(f"und_{country}").first_week_day


def week_of(country: str) -> list[tuple[int, str, str]]:
    """The days as a week goes there: each with its number, 0 for Monday, its short and its long
    name.
    """
    names = current_babel_locale().days["stand-alone"]
    first = first_weekday(country)
    order = [(first + place) % 7 for place in range(7)]
    return [(day, names["abbreviated"][day], names["wide"][day]) for day in order]


@lru_cache(maxsize=1)
def available_locales() -> tuple[str, ...]:
    """The locales there are texts in: English first, then those with a catalogue."""
    found = sorted(
        path.parents[1].name.replace("_", "-")
        for path in LOCALES_DIRECTORY.glob(f"*/LC_MESSAGES/{DOMAIN}.po")
    )
    return (DEFAULT_LOCALE, *(name for name in found if name != DEFAULT_LOCALE))


def negotiate(accept_language: str, supported: Sequence[str]) -> str:
    """The best of ``supported`` for an ``Accept-Language`` header, else the first of them."""
    return _negotiate(accept_language[:500], tuple(supported))


@lru_cache(maxsize=1024)
def _negotiate(accept_language: str, supported: tuple[str, ...]) -> str:
    by_name = {name.lower(): name for name in reversed(supported)}
    by_language = {name.lower().split("-")[0]: name for name in reversed(supported)}
    for wanted in _wanted_locales(accept_language):
        if wanted == "*":
            break
        match = by_name.get(wanted) or by_language.get(wanted.split("-")[0])
        if match is not None:
            return match
    return supported[0]


def _wanted_locales(accept_language: str) -> list[str]:
    """The header's locales, best first; entries with an unreadable or zero weight are left out."""
    weighted: list[tuple[float, int, str]] = []
    for position, entry in enumerate(accept_language.split(",")):
        name, _separator, weight_text = entry.strip().lower().partition(";")
        try:
            weight = float(weight_text.strip().removeprefix("q=") or "1")
        except ValueError:
            continue
        if name.strip() and 0 < weight <= 1:
            weighted.append((-weight, position, name.strip()))
    return [name for _weight, _position, name in sorted(weighted)]


@lru_cache(maxsize=256)
def _translations(locale: str) -> NullTranslations:
    """The catalogue of the locale or of its language; English, or none found, changes nothing."""
    name = locale.replace("-", "_")
    for candidate in (name, name.split("_")[0]):
        path = LOCALES_DIRECTORY / candidate / "LC_MESSAGES" / f"{DOMAIN}.po"
        if candidate.isidentifier() and path.is_file():
            return load_catalogue(path)
    return Translations()


def load_catalogue(path: Path) -> Translations:
    """Reads a ``.po`` file directly, so that no compiled file can be older than its source."""
    with path.open("rb") as source:
        catalogue = read_po(source, domain=DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(fp=compiled, domain=DOMAIN)


def jinja_callables() -> dict[str, Any]:
    """What ``Environment.install_gettext_callables`` takes; Jinja itself fills the places in."""
    return {
        "gettext": lambda message: _translations(_current.get()).gettext(message),
        "ngettext": lambda s, p, n: _translations(_current.get()).ngettext(s, p, n),
        "pgettext": lambda c, m: _translations(_current.get()).pgettext(c, m),
        "npgettext": lambda c, s, p, n: _translations(_current.get()).npgettext(c, s, p, n),
    }
