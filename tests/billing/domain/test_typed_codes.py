"""Two codes in one field are told from one that is typed in another way."""

import pytest

from src.billing.domain.typed_codes import codes_in


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("SUMMER10 GIFT-ABCD", ["SUMMER10", "GIFT-ABCD"]),
        ("summer10, gift-abcd", ["summer10", "gift-abcd"]),
        (" SUMMER10 ;YOGA ", ["SUMMER10", "YOGA"]),
        ("SUMMER,WINTER", ["SUMMER", "WINTER"]),
        ("SUMMER10 and K7QF-2M9X-BCDF-GHJK", ["SUMMER10", "K7QF-2M9X-BCDF-GHJK"]),
        ("SUMMER10 K7QF 2M9X BCDF GHJK", ["SUMMER10", "K7QF 2M9X BCDF GHJK"]),
        ("K7QF 2M9X BCDF GHJK SUMMER10", ["K7QF 2M9X BCDF GHJK", "SUMMER10"]),
        (
            "K7QF-2M9X-BCDF-GHJK\nK7QF-2M9X-BCDF-GHJM",
            ["K7QF-2M9X-BCDF-GHJK", "K7QF-2M9X-BCDF-GHJM"],
        ),
        (
            "K7QF 2M9X BCDF GHJK K7QF 2M9X BCDF GHJM",
            ["K7QF 2M9X BCDF GHJK", "K7QF 2M9X BCDF GHJM"],
        ),
        ("A10 B10 C10", ["A10", "B10", "C10"]),
    ],
)
def test_what_looks_like_several_codes_is_named(typed: str, found: list[str]) -> None:
    assert codes_in(typed) == found


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "SUMMER10",
        " SUMMER10 ",
        "SUMMER10,",
        "SUMMER 10",
        "Happy New Year",
        "CODE: SUMMER10",
        "K7QF-2M9X-BCDF-GHJK",
        "K7QF 2M9X BCDF GHJK",
        "K7QF-2M9X BCDF-GHJK",
        "K7QF - 2M9X - BCDF - GHJK",
        "K7QF/2M9X/BCDF/GHJK",
        "k7qf, 2m9x, bcdf, ghjk",
        "K7QF 2M9X BCDF",
    ],
)
def test_what_may_be_one_is_none_of_them(typed: str) -> None:
    assert codes_in(typed) == []
