"""Questions that can be asked, and answers that can be used."""

from typing import Any

import pytest

from src.booking.domain.questions import (
    LONGEST_ANSWER,
    Question,
    QuestionKind,
    answer_errors,
    answered,
    given_answers,
    people_errors,
    question_errors,
    read_questions,
)


def a_choice(**more: Any) -> Question:
    values = {"key": "q1", "label": "Level?", "choices": ("Beginner", "Advanced"), **more}
    return Question(kind=QuestionKind.CHOICE, **values)


def test_stored_questions_come_back_as_they_were() -> None:
    stored = [{"key": "q1", "label": "Level?", "kind": "choice", "choices": ["A", "B"]}]
    [question] = read_questions(stored)
    assert (question.kind, question.choices, question.required) == ("choice", ("A", "B"), False)


@pytest.mark.parametrize(
    ("question", "field"),
    [
        (Question(key="q", label=" "), "questions.0.label"),
        (Question(key="q", label="x" * 201), "questions.0.label"),
        (a_choice(choices=("one",)), "questions.0.choices"),
        (a_choice(choices=("same", "same")), "questions.0.choices"),
        (a_choice(choices=tuple(map(str, range(51)))), "questions.0.choices"),
    ],
)
def test_what_cannot_be_asked(question: Question, field: str) -> None:
    assert list(question_errors([question])) == [field]


def test_too_many_questions() -> None:
    many = [Question(key=str(n), label="?") for n in range(21)]
    assert list(question_errors(many)) == ["questions"]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (Question(key="q1", label="Name?", required=True), " "),
        (Question(key="q1", label="Name?"), "x" * (LONGEST_ANSWER + 1)),
        (Question(key="q1", label="Yes?", kind=QuestionKind.CHECKBOX, required=True), ""),
        (a_choice(), "Expert"),
        (a_choice(required=True), ""),
    ],
)
def test_an_answer_that_cannot_be_used(question: Question, answer: str) -> None:
    assert list(answer_errors([question], {"q1": answer})) == ["answers.q1"]


def test_good_answers_and_none_where_none_is_needed() -> None:
    questions = [a_choice(), Question(key="q2", label="Anything else?")]
    assert answer_errors(questions, {"q1": "Beginner"}) == {}
    assert answer_errors(questions, {}) == {}


EACH = Question(key="knees", label="Any injuries?", required=True, per_person=True)
ONCE = Question(key="first", label="First time?", kind=QuestionKind.CHECKBOX)


def test_what_each_person_is_asked_is_missed_at_that_person_only() -> None:
    people = [{"knees": "No"}, {}]
    assert list(people_errors([ONCE, EACH], people, 3)) == ["people.2.knees", "people.3.knees"]
    assert answer_errors([ONCE, EACH], {}) == {}, "the booking itself is not asked it"


def test_an_answer_keeps_the_words_and_the_kind_of_its_question() -> None:
    kept = given_answers([EACH, ONCE], {"first": "on", "knees": "Left"}, per_person=False)
    kept += given_answers([EACH, ONCE], {"first": "on", "knees": " Left "}, per_person=True)
    assert kept == [
        {"key": "first", "label": "First time?", "kind": "checkbox", "answer": "on"},
        {"key": "knees", "label": "Any injuries?", "kind": "text", "answer": "Left"},
    ]
    assert answered(kept) == [("First time?", "yes"), ("Any injuries?", "Left")]
    assert given_answers([ONCE], {"first": " "}, per_person=False) == []
