"""Answers to a worksheet: what may be sent, what is kept, and how it reads.

An answer is kept with the words and the kind that its question had, so whatever becomes of the
question, what was answered can be read.
Source: docs/algorithms/worksheets.md.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from src.booking.domain.worksheets import (
    LONGEST_LONG,
    LONGEST_SHORT,
    SheetKind,
    SheetQuestion,
    as_number,
    as_number_text,
    please_type_a_number,
)
from src.platform.i18n import _

Typed = Mapping[str, Sequence[str]]


class SheetAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer under its question as it was asked. `values` are what was chosen or typed; of a
    file there are none, since the file is a row of its own. `steps` is how far the scale went.
    """

    key: str
    label: str
    kind: SheetKind
    values: tuple[str, ...] = ()
    steps: int = 0


def read_answers(stored: Sequence[Any]) -> tuple[SheetAnswer, ...]:
    return msgspec.convert(list(stored), tuple[SheetAnswer, ...])


def stored_answers(
    questions: Sequence[SheetQuestion], typed: Typed, files: Collection[str] = ()
) -> list[Any]:
    """What is kept, in the order of the questions and without those that were left empty. `files`
    are the keys of the questions that have one.
    """
    kept = [
        SheetAnswer(
            key=one.key,
            label=one.label,
            kind=one.kind,
            values=_values_of(one, typed),
            steps=one.steps if one.kind is SheetKind.SCALE else 0,
        )
        for one in questions
    ]
    given = [one for one in kept if one.values or one.key in files]
    found: list[Any] = msgspec.json.decode(msgspec.json.encode(given))
    return found


def typed_of(stored: Sequence[Any]) -> dict[str, list[str]]:
    """What stands in the fields again, by the question's key."""
    return {one.key: list(one.values) for one in read_answers(stored)}


def files_in(stored: Sequence[Any]) -> frozenset[str]:
    """The keys of the questions that a file answers."""
    return frozenset(one.key for one in read_answers(stored) if one.kind is SheetKind.FILE)


def sheet_answer_errors(
    questions: Sequence[SheetQuestion],
    typed: Typed,
    files: Collection[str],
    *,
    is_sending: bool,
) -> dict[str, str]:
    """Sentences by `answers.<key>` for what cannot be kept; for who saves to go on later only for
    what is too long, or could not have been chosen.
    """
    fields: dict[str, str] = {}
    for question in questions:
        if question.kind is SheetKind.FILE:
            wrong = _please_attach() if _lacks_file(question, files) and is_sending else None
        else:
            wrong = _wrong_with(question, _values_of(question, typed), is_sending=is_sending)
        if wrong:
            fields[f"answers.{question.key}"] = wrong
    return fields


def _lacks_file(question: SheetQuestion, files: Collection[str]) -> bool:
    return question.required and question.key not in files


def _please_attach() -> str:
    return _("Please choose a file.")


def _wrong_with(question: SheetQuestion, values: Sequence[str], *, is_sending: bool) -> str | None:
    if not values:
        return _no_answer(question) if question.required and is_sending else None
    if question.kind in {SheetKind.ONE, SheetKind.SEVERAL}:
        return None if set(values) <= set(question.choices) else _please_choose()
    if question.kind is SheetKind.SCALE:
        steps = {str(one) for one in range(1, question.steps + 1)}
        return None if values[0] in steps else _please_choose()
    limit = LONGEST_LONG if question.kind is SheetKind.LONG else LONGEST_SHORT
    if len(values[0]) > limit:
        return _("Shorten the answer to %(limit)s characters.", limit=limit)
    if not is_sending:
        return None
    if question.kind is SheetKind.DATE:
        return None if as_date(values[0]) else _("Please give a date, such as 2026-12-24.")
    return _wrong_number(question, values[0]) if question.kind is SheetKind.NUMBER else None


def _wrong_number(question: SheetQuestion, text: str) -> str | None:
    number = as_number(text)
    if number is None:
        return please_type_a_number()
    least, most = as_number(question.least), as_number(question.most)
    if least is not None and number < least:
        return _("The number has to be at least %(least)s.", least=question.least)
    if most is not None and number > most:
        return _("The number can be at most %(most)s.", most=question.most)
    return None


def _please_choose() -> str:
    return _("Please choose one of the given ones.")


def _no_answer(question: SheetQuestion) -> str:
    if question.kind in {SheetKind.ONE, SheetKind.SEVERAL, SheetKind.SCALE}:
        return _("Please choose an answer.")
    return _("Please answer this question.")


def _values_of(question: SheetQuestion, typed: Typed) -> tuple[str, ...]:
    """What was typed, without blanks around it and without what is empty."""
    given = [one.strip() for one in typed.get(question.key, ()) if one.strip()]
    if question.kind is SheetKind.FILE or not given:
        return ()
    if question.kind is SheetKind.SEVERAL:
        return tuple(dict.fromkeys(given))
    if question.kind is SheetKind.NUMBER:
        return (as_number_text(given[-1]),)
    return (given[-1],)


def as_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
