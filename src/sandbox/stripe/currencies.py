"""Currencies: how Stripe's messages write amounts, and the smallest that it charges."""

from src.platform.money import currency_exponent

_SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "chf": "CHF ", "pln": "zł"}

_MINIMUM_MINOR = {
    "aed": 200, "bgn": 100, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400,
    "huf": 17500, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200,
    "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
_DEFAULT_MINIMUM_MINOR = 50


def minimum_minor(currency: str) -> int:
    """The smallest charge, as Stripe lists it by currency."""
    return _MINIMUM_MINOR.get(currency, _DEFAULT_MINIMUM_MINOR)


def in_words(amount_minor: int, currency: str) -> str:
    """Such as `$12.50`, the way Stripe's messages write an amount."""
    digits = currency_exponent(currency.upper())
    number = f"{amount_minor / 10**digits:,.{digits}f}"
    symbol = _SYMBOLS.get(currency)
    if symbol is None:
        return f"{number} {currency.upper()}"
    return f"{number} {symbol}" if currency == "pln" else f"{symbol}{number}"


def is_currency(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isalpha() and text.islower()
