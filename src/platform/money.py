"""Amounts of money as whole minor units, and the only ways to divide, show and read them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import (
    format_currency,
    get_currency_precision,
    get_currency_symbol,
    get_decimal_symbol,
    get_group_symbol,
)

from src.platform.i18n import babel_locale

LARGEST_AMOUNT_MINOR = 999_999_999_999
"""What the processor takes for the currency with the smallest unit; columns need BIGINT."""

_STILL_IN_HUNDREDTHS = frozenset(
    {"AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MMK", "RSD", "SLL", "SOS", "SYP", "YER"}
)
"""Currencies whose cents are out of daily use, so that CLDR shows none of them, but which
ISO 4217 and the payment processor count in hundredths all the same."""

_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u066b": ".", "\u066c": ","})


class MoneyFormatError(ValueError):
    """A typed amount that cannot be read.

    `code` is one of `empty`, `not_a_number`, `negative`, `too_many_decimals`, `too_large`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Money:
    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Z]{3}", self.currency):
            raise ValueError(f"not an ISO 4217 currency code: {self.currency!r}")


def currency_exponent(currency: str) -> int:
    """How many decimals the currency's minor unit stands for: 2 for EUR, 0 for JPY, 3 for KWD."""
    if currency in _STILL_IN_HUNDREDTHS:
        return 2
    return int(get_currency_precision(currency))


def round_half_up(numerator: int, denominator: int) -> int:
    """The integer nearest to the fraction; a half goes towards plus infinity."""
    if denominator <= 0:
        raise ValueError("the denominator must be positive")
    return (2 * numerator + denominator) // (2 * denominator)


def split_by_largest_remainder(total_minor: int, weights: Sequence[int]) -> list[int]:
    """Shares in proportion to the weights that add up to exactly the total.

    Each share is within one unit of its exact proportion; the units left over by rounding down go
    to the largest remainders, the earlier one first. A weight of 0 gets 0.
    """
    if total_minor < 0 or any(weight < 0 for weight in weights):
        raise ValueError("neither the total nor a weight may be negative")
    whole = sum(weights)
    if whole == 0:
        if total_minor:
            raise ValueError("there is nothing to split the total over")
        return [0] * len(weights)
    shares = [total_minor * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: -(total_minor * weights[i] % whole))
    for position in by_remainder[: total_minor - sum(shares)]:
        shares[position] += 1
    return shares


def format_money(money: Money, locale: str) -> str:
    """The amount as readers of the locale write it, always with all decimals of the currency."""
    exponent = currency_exponent(money.currency)
    amount = Decimal(money.amount_minor).scaleb(-exponent)
    shown_digits_are_ours = money.currency not in _STILL_IN_HUNDREDTHS
    shown = format_currency(
        amount,
        money.currency,
        locale=babel_locale(locale),
        currency_digits=shown_digits_are_ours,
    )
    return re.sub(r"([^\W\d_])(?=\d)", "\\1\u00a0", shown)


def parse_money_minor(text: str, currency: str, locale: str) -> int:
    """Reads an amount typed by a person of the locale into minor units.

    The currency's symbol or code may stand before or after. Where the locale's own separators make
    no sense of the text, a single foreign one that cannot mean thousands is taken as the decimal
    mark: "12.50" is twelve and a half in German too, while "1.250" there is more than a thousand.
    Raises MoneyFormatError.
    """
    bare = _without_currency(text, currency, locale)
    if not bare:
        raise MoneyFormatError("empty")
    if bare[0] in "-\u2212" or bare[-1] in "-\u2212":
        raise MoneyFormatError("negative")
    whole, decimals = _parts(bare, locale)
    exponent = currency_exponent(currency)
    if len(decimals.rstrip("0")) > exponent:
        raise MoneyFormatError("too_many_decimals")
    amount = int(whole + decimals[:exponent].ljust(exponent, "0"))
    if amount > LARGEST_AMOUNT_MINOR:
        raise MoneyFormatError("too_large")
    return amount


def _without_currency(text: str, currency: str, locale: str) -> str:
    """The text without white space, currency symbol and currency code."""
    bare = re.sub(r"\s+", "", text[:100]).translate(_APOSTROPHES)
    symbol = re.sub(r"\s+", "", get_currency_symbol(currency, locale=babel_locale(locale)))
    for mark in (currency, currency.lower(), symbol, get_currency_symbol(currency, "en")):
        bare = bare.removeprefix(mark).removesuffix(mark)
    return bare


def _parts(bare: str, locale: str) -> tuple[str, str]:
    """The digits before and after the decimal mark."""
    decimal_mark = re.escape(get_decimal_symbol(babel_locale(locale)))
    group_mark = get_group_symbol(babel_locale(locale)).translate(_APOSTROPHES)
    grouped = rf"\d{{1,3}}(?:{re.escape(group_mark)}\d{{2,3}})*{re.escape(group_mark)}\d{{3}}"
    own = re.fullmatch(rf"({grouped}|\d+)(?:{decimal_mark}(\d*))?|{decimal_mark}(\d+)", bare)
    if own:
        whole = own[1].replace(group_mark, "") if own[1] else "0"
        return whole, own[2] or own[3] or ""
    foreign = re.fullmatch(r"(\d+)[.,](\d{1,2}|\d{4,})", bare)
    if foreign:
        return foreign[1], foreign[2]
    raise MoneyFormatError("not_a_number")
