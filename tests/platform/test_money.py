import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.platform.money import (
    LARGEST_AMOUNT_MINOR,
    Money,
    MoneyFormatError,
    currency_exponent,
    format_money,
    parse_money_minor,
    round_half_up,
    split_by_largest_remainder,
)

amounts = st.integers(min_value=0, max_value=LARGEST_AMOUNT_MINOR)
weights = st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=60)


@given(amounts, weights.filter(any))
def test_shares_add_up_and_are_within_one_unit_of_their_proportion(
    total: int, weights: list[int]
) -> None:
    shares = split_by_largest_remainder(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * whole - total * weight) < whole
        assert weight or share == 0


@given(amounts, st.integers(min_value=1, max_value=60))
def test_equal_shares_differ_by_one_at_most_and_the_earlier_get_more(total: int, n: int) -> None:
    shares = split_by_largest_remainder(total, [1] * n)
    assert shares == sorted(shares, reverse=True)
    assert shares[0] - shares[-1] <= 1


def test_split_examples() -> None:
    assert split_by_largest_remainder(1000, [1, 1, 1]) == [334, 333, 333]
    assert split_by_largest_remainder(100, [3, 0, 1]) == [75, 0, 25]
    assert split_by_largest_remainder(0, [0, 0]) == [0, 0]
    assert split_by_largest_remainder(0, []) == []


@pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (5, [1, -1]), (5, [0, 0]), (5, [])])
def test_a_split_without_meaning_is_refused(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"split|negative"):
        split_by_largest_remainder(total, weights)


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [(5, 2, 3), (4, 3, 1), (5, 3, 2), (0, 7, 0), (-5, 2, -2), (7, 7, 1)],
)
def test_round_half_up(numerator: int, denominator: int, expected: int) -> None:
    assert round_half_up(numerator, denominator) == expected


def test_round_half_up_refuses_zero() -> None:
    with pytest.raises(ValueError, match="positive"):
        round_half_up(1, 0)


@pytest.mark.parametrize(
    ("currency", "exponent"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("RSD", 2), ("VND", 0)]
)
def test_exponents(currency: str, exponent: int) -> None:
    assert currency_exponent(currency) == exponent


@pytest.mark.parametrize(
    ("amount_minor", "currency", "locale", "shown"),
    [
        (123450, "EUR", "en", "€1,234.50"),
        (-500, "EUR", "en", "\u2212€5.00"),
        (-500, "EUR", "de", "\u22125,00\u00a0€"),
        (123450, "EUR", "de-DE", "1.234,50\u00a0€"),
        (500, "JPY", "en", "¥500"),
        (12345, "KWD", "en", "KWD\u00a012.345"),
        (123450, "RSD", "en", "RSD\u00a01,234.50"),
        (5, "EUR", "en-GB", "€0.05"),
        (100, "EUR", "xx-YY", "€1.00"),
    ],
)
def test_format(amount_minor: int, currency: str, locale: str, shown: str) -> None:
    assert format_money(Money(amount_minor, currency), locale) == shown


@pytest.mark.parametrize("currency", ["eur", "EURO", "", "€"])
def test_money_needs_a_currency_code(currency: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, currency)


@pytest.mark.parametrize(
    ("text", "currency", "locale", "amount_minor"),
    [
        ("1,234.50", "EUR", "en", 123450),
        ("12,50 €", "EUR", "de", 1250),
        ("12.50", "EUR", "de-DE", 1250),
        ("1.250,00", "EUR", "en", 125000),
        ("1,250.00", "EUR", "de", 125000),
        ("1.250.000", "EUR", "en", 125000000),
        ("60,5", "EUR", "en", 6050),
        ("0.500", "EUR", "en", 50),
        ("1250.000", "EUR", "en", 125000),
        ("1,200", "JPY", "en", 1200),
        ("1.200", "JPY", "en", 1200),
        ("12,345", "KWD", "de", 12345),
        ("1'250.5", "CHF", "de-CH", 125050),
        ("1\u202f250,50", "EUR", "fr", 125050),
        ("¥1200", "JPY", "en", 1200),
        ("1200.00", "JPY", "en", 1200),
        ("1,50,000", "INR", "en-IN", 15000000),
        ("1,50,000", "INR", "en", 15000000),
        ("10,12,34,567.5", "INR", "en-IN", 10123456750),
        ("12.345", "KWD", "en", 12345),
        ("eur 12", "EUR", "en", 1200),
        ("$5", "USD", "en-AU", 500),
        (".5", "EUR", "en", 50),
        ("5.", "EUR", "en", 500),
        ("1,2", "EUR", "en", 120),
        ("0", "EUR", "en", 0),
    ],
)
def test_parse(text: str, currency: str, locale: str, amount_minor: int) -> None:
    assert parse_money_minor(text, currency, locale) == amount_minor


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (" € ", "empty"),
        ("-5", "negative"),
        ("5-", "negative"),
        ("twelve", "not_a_number"),
        ("1.2.3", "not_a_number"),
        ("1.2,3", "not_a_number"),
        ("1.250.50", "not_a_number"),
        ("1,250,00", "not_a_number"),
        ("10.12.345", "not_a_number"),
        ("1.50.000", "not_a_number"),
        ("1,50,000,000", "not_a_number"),
        ("1,500,00,000", "not_a_number"),
        ("100,50,000", "not_a_number"),
        ("1,50.000", "not_a_number"),
        ("1,50,000,5", "not_a_number"),
        ("12.3456", "too_many_decimals"),
        ("1.250,123", "too_many_decimals"),
        ("10000000000.00", "too_large"),
        ("1e9", "not_a_number"),
        ("9" * 5000, "too_large"),
    ],
)
def test_parse_refuses_with_a_code(text: str, code: str) -> None:
    with pytest.raises(MoneyFormatError) as refusal:
        parse_money_minor(text, "EUR", "en")
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("text", "currency", "locale", "readings"),
    [
        ("1.250", "EUR", "en", "1250 or 1.25"),
        ("1.250", "EUR", "nl", "1250 or 1.25"),
        ("1,250", "EUR", "en", "1250 or 1.25"),
        ("€ 1.000", "EUR", "nl", "1000 or 1.00"),
        ("12,345", "KWD", "en", "12345 or 12.345"),
        ("19.999", "EUR", "en", "than the currency has. If you mean 19999, please"),
        ("19,999", "EUR", "de", "than the currency has. If you mean 19999, please"),
    ],
)
def test_a_thousand_or_a_decimal_is_refused_with_what_it_could_be(
    text: str, currency: str, locale: str, readings: str
) -> None:
    with pytest.raises(MoneyFormatError) as refusal:
        parse_money_minor(text, currency, locale)
    assert readings in refusal.value.sentence


@given(
    amounts,
    st.sampled_from(["EUR", "USD", "JPY", "KWD", "RSD", "CHF"]),
    st.sampled_from(["en", "de", "fr", "de-CH", "en-IN", "sv", "pl", "pt-BR"]),
)
def test_what_is_shown_can_be_typed_back(amount: int, currency: str, locale: str) -> None:
    assert parse_money_minor(format_money(Money(amount, currency), locale), currency, locale) == (
        amount
    )


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert 0 <= parse_money_minor(text, "EUR", "en") <= LARGEST_AMOUNT_MINOR
    except MoneyFormatError as refusal:
        assert refusal.code
