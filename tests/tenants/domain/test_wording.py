"""Placeholders: known ones are filled once, unknown ones refused by name."""

import pytest

from src.tenants.domain.wording import (
    LONGEST_BODY,
    LONGEST_SUBJECT,
    Paragraph,
    Wording,
    fill,
    linked,
    paragraphs_of,
    wording_errors,
)

KNOWN = ("customer_name", "dates", "booking_link")


def a_wording(subject: str = "Hello", body: str = "Hello {customer_name}") -> Wording:
    return Wording(subject=subject, body=body)


@pytest.mark.parametrize(
    ("wording", "field", "said"),
    [
        (a_wording(subject="Hi {first_name}"), "subject", "{first_name}"),
        (a_wording(body="{dates} {Customer_Name}"), "body", "{Customer_Name}"),
        (a_wording(body="{}"), "body", "{}"),
        (a_wording(body="{{customer_name}}{x.__class__}"), "body", "{x.__class__}"),
        (a_wording(subject=" "), "subject", "write something"),
        (a_wording(subject="x" * (LONGEST_SUBJECT + 1)), "subject", str(LONGEST_SUBJECT)),
        (a_wording(body="x" * (LONGEST_BODY + 1)), "body", f"{LONGEST_BODY:,}"),
    ],
)
def test_what_cannot_be_saved_is_named(wording: Wording, field: str, said: str) -> None:
    errors = wording_errors(wording, KNOWN)
    assert list(errors) == [field]
    assert said in errors[field]


def test_what_is_needed_has_to_be_there() -> None:
    assert "{dates}" in wording_errors(a_wording(), KNOWN, ["dates"])["body"]
    assert wording_errors(a_wording(body="{ dates }"), KNOWN, ["dates"]) == {}


def test_values_are_filled_in_once_and_on_one_line() -> None:
    values = {"customer_name": "{dates}\n\n{booking_link}", "dates": "Monday"}
    assert fill("{customer_name}: { dates }", values) == "{dates} {booking_link}: Monday"
    assert fill("{gone}!", {}) == "!"


def test_a_placeholder_alone_becomes_what_it_is_and_empty_paragraphs_go() -> None:
    body = (
        "Hello {customer_name},\r\nsee you.\r\n\r\n{dates}\n \n{reason}\n\n\nOn {dates}"
        "\n\n{booking_link}"
    )
    values = {"customer_name": "Carl", "dates": "Monday"}
    found = paragraphs_of(body, {**values, "booking_link": "https://lotus.example"})
    assert list(found) == [
        Paragraph(kind="text", text="Hello Carl,\nsee you."),
        Paragraph(kind="dates"),
        Paragraph(kind="text", text="On Monday"),
        Paragraph(kind="booking_link"),
    ]
    assert paragraphs_of(body, values)[-1].kind == "text", "a button would lead nowhere"


def test_several_links_alone_are_a_part_of_their_own() -> None:
    body = "Fill in: {links}\n\n{links}"
    assert list(paragraphs_of(body, {"links": "A: https://a.example"})) == [
        Paragraph(kind="text", text="Fill in: A: https://a.example"),
        Paragraph(kind="links"),
    ]
    assert list(paragraphs_of("{links}", {"links": ""})) == []


def test_all_that_is_unknown_is_named_once() -> None:
    wording = Wording(subject="Hello", body="{when} {customer_name} {where} {when}")
    said = wording_errors(wording, {"customer_name"})["body"]
    assert "There is no {when}, {where} in this mail." in said


OWN = "https://x.example/b/lotus"


@pytest.mark.parametrize(
    ("text", "leads"),
    [
        (f"See {OWN}/yoga.", [("See ", 0), (f"{OWN}/yoga", 1), (".", 0)]),
        (f"{OWN}/a?b=1&c=2#d", [(f"{OWN}/a?b=1&c=2#d", 1)]),
        (f"Book at {OWN}!", [("Book at ", 0), (OWN, 1), ("!", 0)]),
        (f"“{OWN}/yoga”", [("“", 0), (f"{OWN}/yoga", 1), ("”", 0)]),
        (f"({OWN}?month=2)", [("(", 0), (f"{OWN}?month=2", 1), (")", 0)]),
        ("https://x.example/b/eve/yoga", None),
        (f"{OWN}-evil/yoga and {OWN}2", None),
        (f"{OWN}/../eve", [(f"{OWN}/../eve", 0)]),
        (f"{OWN}/%2E%2e/eve", [(f"{OWN}/%2E%2e/eve", 0)]),
        ("https://x.example.evil/b/lotus and http://x.example/b/lotus", None),
        ("I am https://evil.example/", None),
        ("", []),
    ],
)
def test_only_the_businesss_own_pages_lead_anywhere(
    text: str, leads: list[tuple[str, int]] | None
) -> None:
    expected = [(text, 0)] if leads is None else leads
    assert linked(text, OWN) == [(part, part if is_link else "") for part, is_link in expected]
    assert linked(text, "") == [(text, "")]
