"""What a business asks its guests while they book, beyond who they are.

Each answer is kept with the question as it was asked: rewording or deleting a question changes
nothing that was answered before.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from src.platform.i18n import _

MOST_QUESTIONS = 20
LONGEST_LABEL = 200
LONGEST_ANSWER = 2000
MOST_CHOICES = 50


class QuestionKind(StrEnum):
    TEXT = "text"
    CHOICE = "choice"
    CHECKBOX = "checkbox"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question. `key` names its answer for good; `choices` are those of a CHOICE only. With
    `per_person` everyone of the party answers it, else the booking has one answer.
    """

    key: str
    label: str
    kind: QuestionKind = QuestionKind.TEXT
    required: bool = False
    choices: tuple[str, ...] = ()
    per_person: bool = False


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, with the words and the kind that its question had when it was given."""

    key: str
    label: str
    kind: QuestionKind
    answer: str


def read_questions(stored: Sequence[Any]) -> list[Question]:
    """The questions of a service's row, in the order in which they are asked."""
    return msgspec.convert(list(stored), list[Question])


def question_errors(questions: Sequence[Question]) -> dict[str, str]:
    """Sentences by `questions.<position>.<field>`; empty when all can be asked."""
    if len(questions) > MOST_QUESTIONS:
        return {"questions": _("Ask %(limit)s questions at most.", limit=MOST_QUESTIONS)}
    fields: dict[str, str] = {}
    for position, question in enumerate(questions):
        for name, sentence in _errors_of(question).items():
            fields[f"questions.{position}.{name}"] = sentence
    return fields


def _errors_of(question: Question) -> dict[str, str]:
    if not question.label.strip():
        return {"label": _("Write the question.")}
    if len(question.label) > LONGEST_LABEL:
        return {"label": _("Shorten the question to %(limit)s characters.", limit=LONGEST_LABEL)}
    if question.kind is not QuestionKind.CHOICE:
        return {}
    if len(question.choices) < 2:
        return {"choices": _("Give at least two answers to choose from, one on each line.")}
    if len(question.choices) > MOST_CHOICES:
        return {"choices": _("Give %(limit)s answers at most.", limit=MOST_CHOICES)}
    if len(set(question.choices)) < len(question.choices):
        return {"choices": _("The same answer is there twice.")}
    return {}


def answer_errors(questions: Sequence[Question], answers: Mapping[str, str]) -> dict[str, str]:
    """Sentences by `answers.<key>` for what a guest has not answered, or not in a usable way, of
    what is asked once for the booking.

    A ticked box answers "on".
    """
    asked = [question for question in questions if not question.per_person]
    return _errors_at("answers", asked, answers)


def people_errors(
    questions: Sequence[Question], people: Sequence[Mapping[str, str]], size: int
) -> dict[str, str]:
    """The same by `people.<number>.<key>` of what is asked for each of a party of `size`, from 1;
    who has no answers has given none.
    """
    asked = [question for question in questions if question.per_person]
    fields: dict[str, str] = {}
    for number in range(1, size + 1):
        answers = people[number - 1] if number <= len(people) else {}
        fields |= _errors_at(f"people.{number}", asked, answers)
    return fields


def _errors_at(
    place: str, questions: Sequence[Question], answers: Mapping[str, str]
) -> dict[str, str]:
    fields: dict[str, str] = {}
    for question in questions:
        sentence = _answer_error(question, answers.get(question.key, "").strip())
        if sentence:
            fields[f"{place}.{question.key}"] = sentence
    return fields


def given_answers(
    questions: Sequence[Question], answers: Mapping[str, str], *, per_person: bool
) -> list[dict[str, str]]:
    """What is stored of the answers to one kind of the questions: as they were asked, in that
    order, without those that were left empty.
    """
    return [
        {
            "key": question.key,
            "label": question.label,
            "kind": str(question.kind),
            "answer": answer,
        }
        for question in questions
        if question.per_person == per_person and (answer := answers.get(question.key, "").strip())
    ]


def answered(stored: Sequence[Any]) -> list[tuple[str, str]]:
    """Each stored answer in words under its question."""
    found = msgspec.convert(list(stored), list[Given])
    return [
        (one.label, _("yes") if one.kind is QuestionKind.CHECKBOX else one.answer) for one in found
    ]


def _answer_error(question: Question, answer: str) -> str | None:
    if not answer:
        return _no_answer(question) if question.required else None
    if question.kind is QuestionKind.CHOICE and answer not in question.choices:
        return _("Please choose one of the given ones.")
    if len(answer) > LONGEST_ANSWER:
        return _("Shorten the answer to %(limit)s characters.", limit=LONGEST_ANSWER)
    return None


def _no_answer(question: Question) -> str:
    if question.kind is QuestionKind.CHECKBOX:
        return _("Please tick this to go on.")
    return _("Please answer this question.")
