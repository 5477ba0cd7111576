"""Who is asked to sign what."""

from uuid import UUID

import pytest

from src.booking.domain.agreements import (
    LONGEST_TEXT,
    AgreementDraft,
    Needed,
    Signed,
    Signing,
    as_shown,
    draft_errors,
    has_changed,
    is_covered,
    not_agreed,
    please_agree,
    sha256_of,
    to_ask,
)
from src.platform.ids import new_id

V1, V2, ORDER, OTHER = new_id(), new_id(), new_id(), new_id()


def needed(title: str = "Waiver", version_id: UUID = V1) -> Needed:
    return Needed(
        agreement_id=new_id(),
        slug="waiver",
        version_id=version_id,
        number=1,
        title=title,
        text="Text",
        sha256=sha256_of("Text"),
    )


@pytest.mark.parametrize(
    ("signed", "order_id", "is_asked"),
    [
        ([], None, True),
        ([Signed(V1, None, True)], None, False),
        ([Signed(V1, OTHER, True)], None, False),
        ([Signed(V1, OTHER, True)], ORDER, False),
        # Who only typed somebody's address has signed for that one order.
        ([Signed(V1, ORDER, False)], None, True),
        ([Signed(V1, ORDER, False)], ORDER, False),
        ([Signed(V1, OTHER, False)], ORDER, True),
        # Another version is another text.
        ([Signed(V2, ORDER, True)], ORDER, True),
    ],
)
def test_a_signature_stands_for_the_customer_once_proved_and_else_for_its_order(
    signed: list[Signed], order_id: UUID | None, is_asked: bool
) -> None:
    asked = to_ask([needed()], signed, order_id)
    assert bool(asked) is is_asked
    assert is_covered(V1, order_id, signed) is not is_asked


def test_several_are_asked_for_by_title() -> None:
    asked = to_ask([needed("Waiver"), needed("house rules", V2), needed("Photos", new_id())], [])
    assert [one.title for one in asked] == ["house rules", "Photos", "Waiver"]


def test_what_was_not_agreed_to_as_it_is_now_is_named() -> None:
    waiver, rules = needed(), needed("House rules", V2)
    assert not_agreed([waiver, rules], None) == [waiver, rules]
    assert not_agreed([waiver, rules], Signing(version_ids=(V1,))) == [rules]
    assert not_agreed([waiver, rules], Signing(version_ids=(V1, V2))) == []
    assert please_agree([waiver, rules]) == "Please read and agree to “Waiver”, “House rules”."
    assert has_changed([rules]).startswith("“House rules” has changed since you opened this page.")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("One\r\ntwo", "One\ntwo"),
        ("One  \ntwo\t\n\n", "One\ntwo"),
        ("\n\n One", "One"),
        (" \n ", ""),
        ("One\n\n  - two", "One\n\n  - two"),
    ],
)
def test_blanks_that_nobody_sees_make_no_other_text(typed: str, shown: str) -> None:
    assert as_shown(typed) == shown
    assert as_shown(shown) == shown


def test_the_hash_is_that_of_the_text_alone() -> None:
    assert sha256_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("draft", "wrong"),
    [
        (AgreementDraft(title="Waiver", slug="waiver-2", text="x"), set()),
        (AgreementDraft(title=" ", slug="", text=" \n"), {"title", "text"}),
        (
            AgreementDraft(title="x" * 121, slug="", text="x" * (LONGEST_TEXT + 1)),
            {"title", "text"},
        ),
        (AgreementDraft(title="Waiver", slug="Waiver!", text="x"), {"slug"}),
        (AgreementDraft(title="Waiver", slug="x" * 61, text="x"), {"slug"}),
    ],
)
def test_what_is_wrong_with_a_draft_is_said_at_its_field(
    draft: AgreementDraft, wrong: set[str]
) -> None:
    assert set(draft_errors(draft)) == wrong
