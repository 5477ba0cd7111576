"""HTML forms become structs; nothing typed is lost and every field says what is wrong with it."""

from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from litestar.datastructures import FormMultiDict, UploadFile
from msgspec import Meta

from src.platform.errors import InvalidInput
from src.platform.web.forms import Bound, Email, MustAccept, Password, bind, blank
from src.platform.web.uploads import CALENDARS, PICTURES, UploadedFile, upload

A_UUID = "0190a5b4-7a0a-7000-8000-000000000001"


class Mode(StrEnum):
    GROUP = "group"
    SINGLE = "single"


class Guest(msgspec.Struct):
    name: Annotated[str, Meta(max_length=20)]
    age: int | None = None


class Everything(msgspec.Struct):
    title: Annotated[str, Meta(max_length=10)]
    seats: Annotated[int, Meta(ge=1, le=50)]
    mode: Mode
    note: str = ""
    limit: int | None = None
    price: Decimal | None = None
    starts_on: date | None = None
    opens: time | None = None
    starts: datetime | None = None
    service_id: UUID | None = None
    kind: Literal["a", "b"] = "a"
    is_open: bool = True
    tags: list[str] = []
    modes: frozenset[Mode] = frozenset()
    guests: list[Guest] = []
    answers: dict[str, str] = {}


GOOD = {"title": "Yoga", "seats": "12", "mode": "group"}


def bound(**fields: Any) -> Bound[Everything]:
    return bind(Everything, {**GOOD, **fields})


def value_of(form: Bound[Everything], name: str) -> Any:
    assert form.struct is not None, form.errors
    return getattr(form.struct, name)


@pytest.mark.parametrize(
    ("name", "typed", "meant"),
    [
        ("title", "  Yoga \t", "Yoga"),
        ("note", "one\r\ntwo", "one\ntwo"),
        ("note", "", ""),
        ("seats", "+7", 7),
        ("limit", "", None),
        ("limit", " 5 ", 5),
        ("price", "12,50", Decimal("12.50")),
        ("price", "", None),
        ("starts_on", "2026-05-14", date(2026, 5, 14)),
        ("starts_on", "", None),
        ("opens", "09:30", time(9, 30)),
        ("starts", "2026-05-14T18:00", datetime.fromisoformat("2026-05-14T18:00")),
        ("starts", "2026-05-14 18:00:30", datetime.fromisoformat("2026-05-14T18:00:30")),
        ("service_id", A_UUID, UUID(A_UUID)),
        ("mode", "single", Mode.SINGLE),
        ("kind", "", "a"),
        ("kind", "b", "b"),
        ("is_open", "on", True),
        ("is_open", ["0", "on"], True),
        ("tags", "one", ["one"]),
        ("tags", ["one", "", " two "], ["one", "two"]),
        ("modes", ["group", "group"], frozenset({Mode.GROUP})),
    ],
)
def test_field_of_each_type_is_read_from_text(name: str, typed: Any, meant: Any) -> None:
    assert value_of(bound(**{name: typed}), name) == meant


def test_absent_checkbox_is_false_whatever_the_default() -> None:
    assert value_of(bound(), "is_open") is False


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("title", "", "Please fill this in."),
        ("title", "   ", "Please fill this in."),
        ("title", "x" * 11, "At most 10 characters."),
        ("title", "a\x00b", "This contains characters that cannot be used."),
        ("title", "a\ud800b", "This contains characters that cannot be used."),
        ("note", "x" * 10_001, "At most 10,000 characters."),
        ("seats", "0", "Must be 1 or more."),
        ("seats", "51", "Must be 50 or less."),
        ("seats", "1.5", "Please give a whole number."),
        ("seats", "٣", "Please give a whole number."),
        ("limit", "99999999999", "Must be 2,147,483,647 or less."),
        ("limit", "9" * 400, "Please give a whole number."),
        ("price", "NaN", "Please give a number."),
        ("price", "1e400", "Please give a number."),
        ("starts_on", "2026-02-30", "Please give a date."),
        ("starts_on", "0001-01-01", "Please check the year."),
        ("opens", "25:00", "Please give a time."),
        ("starts", "2026-05-14", "Please give a date and a time."),
        ("starts", "2026-05-14T18:00+02:00", "Please give a date and a time."),
        ("service_id", "1", "Please choose one of the given ones."),
        ("mode", "", "Please choose one."),
        ("mode", "other", "Please choose one of the given ones."),
        ("kind", "c", "Please choose one of the given ones."),
        ("is_open", "maybe", "Please choose yes or no."),
        ("modes", ["group", "other"], "Please choose one of the given ones."),
    ],
)
def test_text_that_cannot_be_used_gets_a_sentence_at_its_field(
    name: str, typed: Any, sentence: str
) -> None:
    form = bound(**{name: typed})
    assert form.errors == {name: sentence}
    assert form.struct is None
    assert not form.is_valid


def test_every_field_in_error_is_named_and_what_was_typed_is_kept() -> None:
    form = bind(Everything, {"title": "far too long a title", "seats": "many", "note": "kept"})
    assert set(form.errors) == {"title", "seats", "mode"}
    assert form.value("title") == "far too long a title"
    assert form.value("seats") == "many"
    assert form.value("note") == "kept"
    assert form.value("never sent") == ""


def test_nested_rows_come_as_columns_or_by_number() -> None:
    columns = bound(**{"guests.name": ["Ann", "Bob"], "guests.age": ["", "7"]})
    numbered = bound(
        **{"guests.0.name": "Ann", "guests.0.age": "", "guests.3.name": "Bob", "guests.3.age": "7"}
    )
    expected = [Guest("Ann", None), Guest("Bob", 7)]
    assert value_of(columns, "guests") == expected
    assert value_of(numbered, "guests") == expected
    assert columns.rows("guests") == 2


def test_rows_at_the_end_with_nothing_typed_are_not_in_use() -> None:
    sent = bound(
        **{
            "guests.0.name": "",
            "guests.1.name": "Ann",
            "guests.2.name": " ",
            "guests.2.age": "7",
            "guests.3.name": "",
        }
    )
    assert sent.rows("guests") == 4
    assert sent.rows_in_use("guests", "name") == 2
    assert sent.rows_in_use("guests", "name", "age") == 3
    assert bound(**{"guests.0.name": ""}).rows_in_use("guests", "name") == 0


def test_nested_row_errors_are_named_by_row() -> None:
    form = bound(**{"guests.name": ["Ann", ""], "guests.age": ["x", "7"]})
    assert form.errors == {
        "guests.0.age": "Please give a whole number.",
        "guests.1.name": "Please fill this in.",
    }
    assert form.value("guests.0.age") == "x"


def test_answers_are_bound_by_their_keys() -> None:
    form = bound(**{"answers.diet": "none", "answers.allergy": "", "answersheet": "x"})
    assert value_of(form, "answers") == {"diet": "none"}


def test_multi_dict_of_a_request_is_read_like_a_plain_dict() -> None:
    raw = FormMultiDict([("title", "Yoga"), ("seats", "3"), ("mode", "group"), ("tags", "a"),
                         ("tags", "b"), ("_csrf_token", "x")])  # fmt: skip
    assert value_of(bind(Everything, raw), "tags") == ["a", "b"]


class SignIn(msgspec.Struct):
    email: Email
    password: Password
    terms: MustAccept


def test_password_is_neither_stripped_nor_shown_again() -> None:
    form = bind(SignIn, {"email": "a@example.com", "password": " secret ", "terms": "on"})
    assert form.struct is not None
    assert form.struct.password == " secret "
    assert form.value("password") == ""
    assert "password" not in form.raw


@pytest.mark.parametrize("address", ["", "x", "x@", "a@b", "a b@example.com", "a@example..com"])
def test_malformed_address_is_refused(address: str) -> None:
    form = bind(SignIn, {"email": address, "password": "p", "terms": "on"})
    assert "email" in form.errors


def test_address_keeps_its_local_part_and_lowers_its_domain() -> None:
    form = bind(SignIn, {"email": "Ann@Example.TEST", "password": "p", "terms": "on"})
    assert form.struct is not None
    assert form.struct.email == "Ann@example.test"


def test_terms_have_to_be_ticked() -> None:
    form = bind(SignIn, {"email": "a@example.com", "password": "p"})
    assert form.errors == {"terms": "Please tick this to go on."}


class Period(msgspec.Struct):
    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise InvalidInput("bad period", fields={"end": "The end is before the start."})


def test_rule_over_several_fields_lands_at_the_field_it_names() -> None:
    form = bind(Period, {"start": "2026-05-02", "end": "2026-05-01"})
    assert form.errors == {"end": "The end is before the start."}
    assert form.value("end") == "2026-05-01"


def test_command_refusal_is_added_to_the_typed_form() -> None:
    form = bound().refused(InvalidInput("x", fields={"title": "Taken."}))
    assert form.error("title") == "Taken."
    assert form.value("title") == "Yoga"
    assert not form.is_valid
    assert bound().refused(InvalidInput("Sold out.")).form_error == "Sold out."


def test_blank_form_shows_defaults_and_initial_values_as_html_wants_them() -> None:
    form = blank(
        Everything,
        {"starts": datetime.fromisoformat("2026-05-14T18:00"), "mode": Mode.SINGLE,
         "tags": ["a", "b"], "guests": [Guest("Ann", 7)], "limit": None},
    )  # fmt: skip
    assert form.value("starts") == "2026-05-14T18:00"
    assert form.values("tags") == ["a", "b"]
    assert form.checked("mode", Mode.SINGLE)
    assert form.checked("is_open")
    assert form.value("guests.0.name") == "Ann"
    assert form.value("limit") == ""
    assert form.errors == {}


def test_blank_form_from_a_struct_binds_to_the_same_struct() -> None:
    original = Everything("Yoga", 3, Mode.GROUP, guests=[Guest("Ann", 7)], answers={"a": "b"},
                          price=Decimal("1.50"), opens=time(9, 0))  # fmt: skip
    again = bind(Everything, blank(Everything, original).raw)
    assert again.struct == original


class Import(msgspec.Struct):
    file: Annotated[UploadedFile, upload(max_bytes=2048, content_types=CALENDARS + PICTURES)]


def upload_of(filename: str, content: bytes) -> UploadFile:
    return UploadFile(content_type="image/png", filename=filename, file_data=content)


def test_upload_gets_a_safe_name_and_its_real_type() -> None:
    form = bind(Import, {"file": upload_of("..\\..\\etc/ti\nme<table>.ics", b"BEGIN:VCALENDAR")})
    assert form.struct is not None
    assert form.struct.file == UploadedFile("timetable.ics", "text/calendar", b"BEGIN:VCALENDAR")


@pytest.mark.parametrize(
    ("filename", "content", "sentence"),
    [
        ("a.ics", b"x" * 2049, "This file is too large: at most 2 kB."),
        ("a.ics", b"", "This file is empty."),
        ("a.png", b"<svg onload=alert(1)>", "This kind of file cannot be used here."),
        ("a.ics", b"MZ\x00\x00", "This kind of file cannot be used here."),
    ],
)
def test_upload_that_is_not_what_it_should_be_is_refused(
    filename: str, content: bytes, sentence: str
) -> None:
    assert bind(Import, {"file": upload_of(filename, content)}).errors == {"file": sentence}


def test_missing_upload_is_asked_for() -> None:
    assert bind(Import, {}).errors == {"file": "Please choose a file."}


def test_form_that_no_html_field_can_carry_is_a_fault_at_once() -> None:
    class Wrong(msgspec.Struct):
        either: int | float

    with pytest.raises(TypeError):
        bind(Wrong, {})
