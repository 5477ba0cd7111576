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
)

from src.platform.i18n import _, babel_locale

LARGEST_AMOUNT_MINOR = 999_999_999_999
"""What the processor takes for the currency with the smallest unit; columns need BIGINT."""

_STILL_IN_HUNDREDTHS = frozenset(
    {"AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MMK", "RSD", "SLL", "SOS", "SYP", "YER"}
)
"""Currencies whose cents are out of daily use, so that CLDR shows none of them, but which
ISO 4217 and the payment processor count in hundredths all the same."""

_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u066b": ".", "\u066c": ","})

_GROUPED = re.compile(
    r"(\d{1,3}(?=([.,']))(?:(?:\2\d{3})+|(?<!\d{3})(?:,\d{2})+,\d{3}))(?:(?!\2)[.,](\d*))?"
)
"""Groups of three behind one mark throughout, or "1,50,000" as in India, where the mark is always
a comma. Lengths that are mixed otherwise are a slip, not a number.
"""


class MoneyFormatError(ValueError):
    """A typed amount that cannot be read.

    `code` is one of `empty`, `not_a_number`, `negative`, `too_many_decimals`, `too_large`, or
    `two_readings` for a text like "1.250", with both of them; where the currency has no such
    decimals, as in "19.999", they are too many, and the thousand is the one reading.
    """

    def __init__(self, code: str, readings: tuple[str, str] = ("", "")) -> None:
        super().__init__(code)
        self.code = code
        self._readings = readings

    @property
    def sentence(self) -> str:
        """What whoever typed it reads."""
        much, little = self._readings
        known = {
            "empty": _("Please fill this in."),
            "negative": _("An amount cannot be below zero."),
            "too_many_decimals": self._decimals(),
            "too_large": _("This amount is too large."),
            "two_readings": _(
                "This could be %(much)s or %(little)s. Please write it as one of these.",
                much=much,
                little=little,
            ),
        }
        return known.get(self.code, _("This is not an amount. Write it like 12.50."))

    def _decimals(self) -> str:
        many = _("These are more decimals than the currency has.")
        much, _little = self._readings
        meant = _("If you mean %(much)s, please write it like this.", much=much) if much else ""
        return f"{many} {meant}".strip()


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
    """The amount as readers of the locale write it, always with all decimals of the currency, and
    below zero with a minus sign and no hyphen.
    """
    exponent = currency_exponent(money.currency)
    amount = Decimal(money.amount_minor).scaleb(-exponent)
    shown_digits_are_ours = money.currency not in _STILL_IN_HUNDREDTHS
    shown = format_currency(
        amount,
        money.currency,
        locale=babel_locale(locale),
        currency_digits=shown_digits_are_ours,
    )
    if money.amount_minor < 0:
        shown = shown.replace("-", "\u2212")
    return re.sub(r"([^\W\d_])(?=\d)", "\\1\u00a0", shown)


def parse_money_minor(text: str, currency: str, locale: str) -> int:
    """Reads an amount typed by a person into minor units, "1.250,00" and "1,250.00" alike.

    The currency's symbol or code may stand before or after. People write amounts as at home, not
    in the language of the page, so a text that may mean a thousand or a decimal is refused.
    Raises MoneyFormatError.
    """
    bare = _without_currency(text, currency, locale)
    if not bare:
        raise MoneyFormatError("empty")
    if bare[0] in "-\u2212" or bare[-1] in "-\u2212":
        raise MoneyFormatError("negative")
    exponent = currency_exponent(currency)
    whole, decimals = _parts(bare, exponent, locale)
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


def _parts(bare: str, exponent: int, locale: str) -> tuple[str, str]:
    """The digits before and after the decimal mark. Raises: MoneyFormatError."""
    alone = re.fullmatch(r"([1-9]\d{0,2})([.,])(\d{3})", bare)
    if alone:
        return _thousand_or_decimal(alone[1], alone[2], alone[3], exponent, locale)
    decimal = re.fullmatch(r"(\d*)(?:[.,](\d*))?", bare)
    if decimal and (decimal[1] or decimal[2]):
        return decimal[1] or "0", decimal[2] or ""
    grouped = _GROUPED.fullmatch(bare)
    if grouped:
        return grouped[1].replace(grouped[2], ""), grouped[3] or ""
    raise MoneyFormatError("not_a_number")


def _thousand_or_decimal(
    whole: str, mark: str, last: str, exponent: int, locale: str
) -> tuple[str, str]:
    """What three digits after a single mark mean, where the currency says it: a yen has no
    decimals, and forms show three of a dinar's.
    """
    if exponent == 0:
        return whole + last, ""
    if exponent == len(last) and mark in (".", get_decimal_symbol(babel_locale(locale))):
        return whole, last
    if len(last.rstrip("0")) > exponent:
        raise MoneyFormatError("too_many_decimals", (whole + last, ""))
    raise MoneyFormatError("two_readings", (whole + last, f"{whole}.{last.rstrip('0') or '00'}"))
