"""What a stale editor says: what is saved by now, beside what was typed and is still there."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from src.platform.errors import Conflict
from src.platform.i18n import _
from src.platform.web.forms import Bound, blank

T = TypeVar("T", bound=msgspec.Struct)
Fact = tuple[str, str]
Words = Mapping[str, Callable[[list[str]], str]]


def stale(bound: Bound[T], form: type[T], marks: Mapping[str, Any], refused: Conflict) -> Bound[T]:
    """What was typed, on top of what is saved now: saving it again is a decision, not an accident.

    `marks` are the fields that say what the editor was shown.
    """
    again = blank(form, {**bound.raw, **marks})
    return again.with_errors(None, refused.message)


def saved_now(
    bound: Bound[T],
    form: type[T],
    initial: Mapping[str, Any],
    labels: Mapping[str, str],
    words: Words,
) -> list[Fact]:
    """The fields whose saved value is another than the typed one, with the saved one in words."""
    saved = blank(form, initial)
    facts: list[Fact] = []
    for name, label in labels.items():
        now, typed = _texts(saved, name), _texts(bound, name)
        if sorted(now) != sorted(typed):
            facts.append((label, words.get(name, _plain)(now) or _("empty")))
    return facts


def of_choices(choices: Any) -> Callable[[list[str]], str]:
    """Names the chosen ones of (value, label, ...) choices."""
    names = {str(choice[0]): str(choice[1]) for choice in choices}
    return lambda texts: ", ".join(names.get(text, text) for text in texts)


def yes_or_no(texts: list[str]) -> str:
    return _("yes") if texts else _("no")


def _plain(texts: list[str]) -> str:
    return ", ".join(text.replace("T", " ") if text[:4].isdigit() else text for text in texts)


def _texts(bound: Bound[T], name: str) -> list[str]:
    """The field's texts, those of its rows too, without what only browsers make different."""
    raw = bound.raw
    found = [
        text
        for key, texts in raw.items()
        if key == name or (key.startswith(f"{name}.") and key.endswith((".label", ".choices")))
        for text in texts
    ]
    return [text for one in found if (text := "\n".join(one.split("\r\n")).strip())]
