"""What a worksheet may ask, what may be answered, and which files may come with it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.booking.domain.worksheet_answers import (
    read_answers,
    sheet_answer_errors,
    stored_answers,
    typed_of,
)
from src.booking.domain.worksheets import (
    MOST_FILES,
    MOST_QUESTIONS,
    SheetKind,
    SheetQuestion,
    WorksheetDraft,
    all_together_errors,
    as_number,
    as_number_text,
    cleaned,
    moved,
    read_sheet_questions,
    sheet_errors,
    sheet_question_errors,
    stored_questions,
)
from src.booking.worksheet_files import LARGEST_FILE, file_error
from src.booking.worksheet_words import in_words
from src.platform.i18n import use_locale
from tests.support.worksheets import ALL_KINDS, HEIC, PDF, PNG, a_docx, a_file, ask


@pytest.mark.parametrize(
    ("question", "field"),
    [
        (ask("a", "  "), "label"),
        (ask("a", "x" * 301), "label"),
        (ask("a", "A", help="x" * 601), "help"),
        (ask("a", "A", SheetKind.ONE, choices=("only",)), "choices"),
        (ask("a", "A", SheetKind.SEVERAL, choices=("Yes", "yes")), "choices"),
        (ask("a", "A", SheetKind.ONE, choices=("x" * 201, "b")), "choices"),
        (ask("a", "A", SheetKind.NUMBER, least="few"), "least"),
        (ask("a", "A", SheetKind.NUMBER, least="3", most="2,5"), "most"),
        (ask("a", "A", SheetKind.SCALE, steps=1), "steps"),
        (ask("a", "A", SheetKind.SCALE, steps=11), "steps"),
        (ask("a", "A", SheetKind.SCALE, low="x" * 61), "low"),
    ],
)
def test_what_cannot_be_asked_is_said_at_its_field(question: SheetQuestion, field: str) -> None:
    assert set(sheet_question_errors(cleaned(question))) == {field}


def test_every_kind_can_be_asked_and_is_read_as_it_was_stored() -> None:
    for question in ALL_KINDS:
        assert sheet_question_errors(cleaned(question)) == {}
    assert read_sheet_questions(stored_questions(ALL_KINDS)) == ALL_KINDS


def test_what_another_kind_needs_is_not_kept() -> None:
    mixed = ask("a", "A", choices=("b", "c"), least="1", low="x", steps=9)
    assert cleaned(mixed) == ask("a", "A")


def test_a_worksheet_needs_a_title_and_asks_for_a_few_files_at_most() -> None:
    assert set(sheet_errors(WorksheetDraft(title=" "))) == {"title"}
    assert set(sheet_errors(WorksheetDraft(title="T", introduction="x" * 4001))) == {"introduction"}
    files = [ask(str(one), "F", SheetKind.FILE) for one in range(MOST_FILES)]
    assert all_together_errors(files) == {}
    assert set(all_together_errors([*files, ask("x", "F", SheetKind.FILE)])) == {"kind"}
    many = [ask(str(one), "Q") for one in range(MOST_QUESTIONS + 1)]
    assert set(all_together_errors(many)) == {"kind"}


@given(st.integers(2, 8), st.integers(0, 7), st.booleans())
def test_moving_there_and_back_changes_nothing(count: int, at: int, up: bool) -> None:
    questions = tuple(ask(str(one), "Q") for one in range(count))
    key = str(min(at, count - 1))
    there = moved(questions, key, up=up)
    assert sorted(one.key for one in there) == sorted(one.key for one in questions)
    if there != questions:
        assert moved(there, key, up=not up) == questions


FULL = {
    "short": ["Zo"],
    "long": ["One\nTwo"],
    "one": ["Left"],
    "several": ["Flute", "Harp", "Flute"],
    "date": ["2020-02-29"],
    "number": [" 1,80 "],
    "scale": ["4"],
}


def test_answers_are_kept_with_the_words_of_their_questions() -> None:
    kept = stored_answers(ALL_KINDS, FULL, {"file"})
    assert [(one["label"], one["values"]) for one in kept] == [
        ("Your nickname", ["Zo"]),
        ("Tell us more", ["One\nTwo"]),
        ("Which shoe?", ["Left"]),
        ("What do you play?", ["Flute", "Harp"]),
        ("Born on", ["2020-02-29"]),
        ("How tall?", ["1.8"]),
        ("How well?", ["4"]),
        ("A letter", []),
    ]
    assert typed_of(kept)["number"] == ["1.8"]
    with use_locale("en"):
        words = [in_words(one) for one in read_answers(kept)]
    assert [words[at] for at in (3, 5, 6)] == ["Flute, Harp", "1.8", "4 of 5"]
    assert "2020" in words[4]
    assert "2020-02-29" not in words[4]


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("short", "x" * 301),
        ("long", "x" * 5001),
        ("one", "Middle"),
        ("several", "Tuba"),
        ("date", "2021-02-29"),
        ("date", "tomorrow"),
        ("number", "0.4"),
        ("number", "2,6"),
        ("number", "NaN"),
        ("number", "1e3"),
        ("scale", "6"),
        ("scale", "0"),
    ],
)
def test_what_cannot_be_sent_is_said_at_its_question(key: str, answer: str) -> None:
    typed = {**FULL, key: [answer]}
    errors = sheet_answer_errors(ALL_KINDS, typed, set(), is_sending=True)
    assert set(errors) == {f"answers.{key}"}


@pytest.mark.parametrize("question", ALL_KINDS, ids=lambda one: one.key)
def test_what_has_to_be_answered_is_asked_for_when_it_is_sent_and_not_when_saved(
    question: Any,
) -> None:
    asked = [ask(question.key, question.label, question.kind, required=True, choices=("a", "b"))]
    assert sheet_answer_errors(asked, {}, set(), is_sending=False) == {}
    [name] = sheet_answer_errors(asked, {}, set(), is_sending=True)
    assert name == f"answers.{question.key}"


@pytest.mark.parametrize("typed", ["1,000", "10,000", "-1,250", "1.000", "12.500", "1,000,000"])
def test_what_may_be_thousands_is_no_number(typed: str) -> None:
    """Or who typed a thousand would have sent one, and a largest of 1,000 would refuse 150."""
    assert as_number(typed) is None
    assert as_number_text(typed) == typed
    wrong = sheet_question_errors(ask("n", "How many?", SheetKind.NUMBER, most=typed))
    assert "between the thousands" in wrong["most"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("1000", "1000"), ("0,125", "0.125"), ("0.500", "0.5"), ("1.125", "1.125"), ("1,25", "1.25")],
)
def test_what_can_be_read_in_one_way_is_kept(typed: str, kept: str) -> None:
    assert as_number_text(typed) == kept
    assert as_number_text(kept) == kept


@given(st.decimals(places=3, min_value=-9999, max_value=9999))
def test_a_number_is_kept_as_it_is(number: Any) -> None:
    assert as_number_text(as_number_text(str(number))) == as_number_text(str(number))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", PDF),
        ("a.PNG", PNG),
        ("a.jpg", b"\xff\xd8\xff\xe0" + bytes(9)),
        ("a.jpeg", b"\xff\xd8\xff\xe0" + bytes(9)),
        ("a.heic", HEIC),
        ("a.docx", a_docx()),
        ("a.txt", "Grüße".encode()),
    ],
)
def test_these_files_are_taken(name: str, content: bytes) -> None:
    assert file_error(a_file(name, content)) is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"<html><script>1</script>"),
        ("a.pdf", b"MZ" + bytes(40)),
        ("a.txt", PDF),
        ("a.html", b"<p>"),
        ("a.svg", b"<svg/>"),
        ("a.docx", b"PK\x03\x04" + bytes(40)),
        ("a.png", b"\xff\xd8\xff\xe0" + bytes(9)),
        ("a", PDF),
        ("a.exe", PNG),
    ],
)
def test_what_a_file_is_decides_and_its_name_has_to_say_so(name: str, content: bytes) -> None:
    wrong = file_error(a_file(name, content))
    assert wrong is not None
    assert "kind of file" in wrong


def test_a_file_that_is_too_large_or_empty_is_refused_with_the_reason() -> None:
    assert file_error(a_file(content=PDF.ljust(LARGEST_FILE, b" "))) is None
    too_large = file_error(a_file(content=PDF.ljust(LARGEST_FILE + 1, b" ")))
    assert too_large is not None
    assert "too large" in too_large
    assert "empty" in (file_error(a_file(content=b"")) or "")
