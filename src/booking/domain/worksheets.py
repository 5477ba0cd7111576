"""What a worksheet asks, and whether it can be asked.

Source: docs/algorithms/worksheets.md.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

import msgspec

from src.platform.i18n import _

LONGEST_TITLE = 120
LONGEST_INTRODUCTION = 4_000
LONGEST_LABEL = 300
LONGEST_HELP = 600
LONGEST_CHOICE = 200
LONGEST_END = 60
LONGEST_SHORT = 300
LONGEST_LONG = 5_000
LONGEST_NUMBER = 20
LONGEST_REASON = 600
MOST_QUESTIONS = 60
MOST_CHOICES = 50
MOST_FILES = 4
"""Questions for a file in one worksheet: all of them have to fit into one request."""
MOST_STEPS = 10
MOST_ASKED = 20
"""Worksheets of one service, series or package."""


_MAYBE_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3}|\.\d\d0)", re.ASCII)


class SheetKind(StrEnum):
    """What kind of answer a question wants."""

    SHORT = "short"
    LONG = "long"
    ONE = "one"
    SEVERAL = "several"
    DATE = "date"
    NUMBER = "number"
    SCALE = "scale"
    FILE = "file"


class AskedRule(StrEnum):
    """How often the same customer is asked to fill in a worksheet that an offering asks for."""

    ONCE = "once"
    EACH = "each"


class CopyState(StrEnum):
    """How far one customer's copy of a worksheet is."""

    ASKED = "asked"
    BEGUN = "begun"
    SENT = "sent"
    REOPENED = "reopened"
    TAKEN_BACK = "taken_back"


OPEN_COPIES = frozenset({CopyState.ASKED, CopyState.BEGUN, CopyState.REOPENED})
"""Those that their guest can fill in."""
READ_COPIES = frozenset({CopyState.SENT, CopyState.REOPENED})
"""Those that staff read, as they were sent last."""
NEVER_SENT = OPEN_COPIES - READ_COPIES


class SheetQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """One question. `key` names its answer for good; `choices` are those of ONE and SEVERAL,
    `least` and `most` the bounds of a NUMBER as decimals in words, `steps` how far a SCALE goes
    from 1, and `low` and `high` what its ends mean.
    """

    key: str
    label: str
    kind: SheetKind = SheetKind.SHORT
    required: bool = False
    help: str = ""
    choices: tuple[str, ...] = ()
    least: str = ""
    most: str = ""
    steps: int = 5
    low: str = ""
    high: str = ""


class WorksheetDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A worksheet as somebody writes it, but for its questions."""

    title: str
    introduction: str = ""
    rule: AskedRule = AskedRule.ONCE


class SheetContent(msgspec.Struct, frozen=True, kw_only=True):
    """All that a version keeps: what guests read."""

    title: str
    introduction: str
    questions: tuple[SheetQuestion, ...]


def read_sheet_questions(stored: Sequence[Any]) -> tuple[SheetQuestion, ...]:
    """The questions of a row, in the order in which they are asked."""
    return msgspec.convert(list(stored), tuple[SheetQuestion, ...])


def stored_questions(questions: Sequence[SheetQuestion]) -> list[Any]:
    """The same as a row keeps them."""
    found: list[Any] = msgspec.json.decode(msgspec.json.encode(questions))
    return found


def sheet_errors(draft: WorksheetDraft) -> dict[str, str]:
    """Sentences by the draft's fields; empty when it may be saved."""
    fields: dict[str, str] = {}
    if not draft.title.strip():
        fields["title"] = _("Give it a title.")
    elif len(draft.title) > LONGEST_TITLE:
        fields["title"] = _("Shorten the title to %(limit)s characters.", limit=LONGEST_TITLE)
    if len(draft.introduction) > LONGEST_INTRODUCTION:
        limit = LONGEST_INTRODUCTION
        fields["introduction"] = _("Shorten the text to %(limit)s characters.", limit=limit)
    return fields


def cleaned(question: SheetQuestion) -> SheetQuestion:
    """Without what another kind would need, and with numbers as they are compared."""
    kind = question.kind
    has_choices = kind in {SheetKind.ONE, SheetKind.SEVERAL}
    is_number, is_scale = kind is SheetKind.NUMBER, kind is SheetKind.SCALE
    return msgspec.structs.replace(
        question,
        label=question.label.strip(),
        help=question.help.strip(),
        choices=tuple(one.strip() for one in question.choices) if has_choices else (),
        least=as_number_text(question.least) if is_number else "",
        most=as_number_text(question.most) if is_number else "",
        steps=question.steps if is_scale else 5,
        low=question.low.strip() if is_scale else "",
        high=question.high.strip() if is_scale else "",
    )


def sheet_question_errors(question: SheetQuestion) -> dict[str, str]:
    """Sentences by the question's own fields; empty when it can be asked."""
    fields: dict[str, str] = {}
    if not question.label:
        fields["label"] = _("Write the question.")
    elif len(question.label) > LONGEST_LABEL:
        fields["label"] = _("Shorten the question to %(limit)s characters.", limit=LONGEST_LABEL)
    if len(question.help) > LONGEST_HELP:
        fields["help"] = _("Shorten the text to %(limit)s characters.", limit=LONGEST_HELP)
    if question.kind in {SheetKind.ONE, SheetKind.SEVERAL}:
        fields |= _choice_errors(question.choices)
    elif question.kind is SheetKind.NUMBER:
        fields |= _number_errors(question)
    elif question.kind is SheetKind.SCALE:
        fields |= _scale_errors(question)
    return fields


def _choice_errors(choices: Sequence[str]) -> dict[str, str]:
    if len(choices) < 2:
        return {"choices": _("Give at least two answers to choose from, one on each line.")}
    if len(choices) > MOST_CHOICES:
        return {"choices": _("Give %(limit)s answers at most.", limit=MOST_CHOICES)}
    if any(len(one) > LONGEST_CHOICE for one in choices):
        limit = LONGEST_CHOICE
        return {"choices": _("Shorten each answer to %(limit)s characters.", limit=limit)}
    if len({one.casefold() for one in choices}) < len(choices):
        return {"choices": _("The same answer is there twice.")}
    return {}


def _number_errors(question: SheetQuestion) -> dict[str, str]:
    bounds = {"least": question.least, "most": question.most}
    fields = {
        name: please_type_a_number()
        for name, text in bounds.items()
        if text and as_number(text) is None
    }
    least, most = as_number(question.least), as_number(question.most)
    if not fields and least is not None and most is not None and least > most:
        fields["most"] = _("The largest number cannot be below the smallest.")
    return fields


def _scale_errors(question: SheetQuestion) -> dict[str, str]:
    fields = {
        name: _("Shorten the text to %(limit)s characters.", limit=LONGEST_END)
        for name in ("low", "high")
        if len(getattr(question, name)) > LONGEST_END
    }
    if not 2 <= question.steps <= MOST_STEPS:
        fields["steps"] = _("A scale has 2 to %(limit)s steps.", limit=MOST_STEPS)
    return fields


def all_together_errors(questions: Sequence[SheetQuestion]) -> dict[str, str]:
    """What is wrong with the questions as a whole, at the field `kind` of the added one."""
    if len(questions) > MOST_QUESTIONS:
        return {"kind": _("Ask %(limit)s questions at most.", limit=MOST_QUESTIONS)}
    files = sum(1 for one in questions if one.kind is SheetKind.FILE)
    if files > MOST_FILES:
        return {"kind": _("Ask for %(limit)s files at most.", limit=MOST_FILES)}
    return {}


def moved(questions: Sequence[SheetQuestion], key: str, *, up: bool) -> tuple[SheetQuestion, ...]:
    """With that question one place further up or down; as they were where it is at the end."""
    ordered = list(questions)
    place = next((at for at, one in enumerate(ordered) if one.key == key), None)
    if place is None:
        return tuple(ordered)
    other = place - 1 if up else place + 1
    if 0 <= other < len(ordered):
        ordered[place], ordered[other] = ordered[other], ordered[place]
    return tuple(ordered)


def as_number(text: str) -> Decimal | None:
    """The number that was typed, with a point or a comma; None where it is none, and where nobody
    can tell whether 1,000 is a thousand or one. What is kept never looks like that.
    """
    typed = text.strip()
    if _MAYBE_THOUSANDS.fullmatch(typed):
        return None
    typed = typed.replace(",", ".")
    if not typed or len(typed) > LONGEST_NUMBER or not set(typed) <= set("+-.0123456789"):
        return None
    try:
        return Decimal(typed)
    except InvalidOperation:
        return None


def please_type_a_number() -> str:
    return _("Type a number, such as 1.5 or 1000, with nothing between the thousands.")


def as_number_text(text: str) -> str:
    """The number as it is kept; what is none stays as it was typed."""
    number = as_number(text)
    return text.strip() if number is None else f"{number.normalize():f}"


def words_of_kinds() -> Mapping[SheetKind, str]:
    """What each kind is called in the builder."""
    return {
        SheetKind.SHORT: _("Short text"),
        SheetKind.LONG: _("Long text"),
        SheetKind.ONE: _("One answer of several"),
        SheetKind.SEVERAL: _("Several answers"),
        SheetKind.DATE: _("Date"),
        SheetKind.NUMBER: _("Number"),
        SheetKind.SCALE: _("Scale"),
        SheetKind.FILE: _("File"),
    }
