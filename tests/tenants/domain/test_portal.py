"""Codes are worked out, not stored: each row and business has its own, under each secret."""

from uuid import UUID

import pytest

from src.tenants.domain.portal import CODE_DIGITS, code_of, is_code, mark_of

LOTUS, ROSE = UUID(int=1), UUID(int=2)
ROWS = [UUID(int=number) for number in range(1000)]


def test_a_code_has_six_digits_and_is_spread_over_all_of_them() -> None:
    codes = [code_of("secret", LOTUS, row) for row in ROWS]
    assert all(len(code) == CODE_DIGITS and code.isdigit() for code in codes)
    assert len(set(codes)) > 990
    assert {code[0] for code in codes} == set("0123456789")


def test_another_row_business_or_secret_has_another_code() -> None:
    code = code_of("secret", LOTUS, ROWS[0])
    assert code == code_of("secret", LOTUS, ROWS[0])
    assert code != code_of("secret", ROSE, ROWS[0])
    assert code != code_of("another", LOTUS, ROWS[0])
    assert is_code(["new", "secret"], LOTUS, ROWS[0], code), "while the secret is being changed"
    assert not is_code(["new"], LOTUS, ROWS[0], code)


@pytest.mark.parametrize("spelt", ["{} {}", " {}{} ", "{}-{}", "{}\u00a0{}"])
def test_a_code_is_read_as_people_type_it(spelt: str) -> None:
    code = code_of("secret", LOTUS, ROWS[0])
    assert is_code(["secret"], LOTUS, ROWS[0], spelt.format(code[:3], code[3:]))


@pytest.mark.parametrize("typed", ["", " ", "12345", "ˆ¼½", "１２３４５６", "x" * 40])
def test_nonsense_is_no_code(typed: str) -> None:
    assert not is_code(["secret"], LOTUS, ROWS[0], typed)


def test_a_mark_is_the_same_however_an_address_is_spelt_and_does_not_say_it() -> None:
    assert mark_of(" Carl@Example.com") == mark_of("carl@example.com")
    assert mark_of("carl@example.com") != mark_of("karl@example.com")
    assert "carl" not in mark_of("carl@example.com")
