"""Amounts and rates as owners type them."""

import pytest

from src.booking.web.amounts import read_amount, read_percent, show_amount, show_percent
from src.platform.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.50", "EUR", 1250), ("", "EUR", 0), (" 7 ", "EUR", 700), ("1500", "JPY", 1500)],
)
def test_amounts_are_read_and_shown_again(text: str, currency: str, minor: int) -> None:
    assert read_amount(text, currency, "price") == minor
    assert read_amount(show_amount(minor, currency), currency, "price") == minor


@pytest.mark.parametrize("text", ["abc", "-1", "1.234", "9" * 20, "1e3"])
def test_an_amount_that_is_none_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_amount(text, "EUR", "price")
    assert list(refused.value.fields) == ["price"]


@pytest.mark.parametrize(
    ("text", "rate_bp"), [("21", 2100), ("5,5 %", 550), ("", 0), ("100", 10000)]
)
def test_rates_are_read_and_shown_again(text: str, rate_bp: int) -> None:
    assert read_percent(text, "tax") == rate_bp
    assert read_percent(show_percent(rate_bp), "tax") == rate_bp


@pytest.mark.parametrize("text", ["-1", "100.01", "5.555", "NaN", "Infinity", "many", "1e400"])
def test_a_rate_that_is_none_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_percent(text, "tax")
    assert list(refused.value.fields) == ["tax"]
