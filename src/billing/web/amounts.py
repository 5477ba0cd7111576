"""Amounts as people type them in forms."""

from decimal import Decimal

from src.platform.errors import InvalidInput
from src.platform.i18n import current_locale
from src.platform.money import MoneyFormatError, currency_exponent, parse_money_minor


def read_amount(text: str, currency: str, field: str) -> int:
    """Minor units; an empty text is 0. Raises: InvalidInput with a sentence at `field`."""
    if not text.strip():
        return 0
    try:
        return parse_money_minor(text, currency, current_locale())
    except MoneyFormatError as error:
        raise InvalidInput(error.sentence, fields={field: error.sentence}) from None


def show_amount(amount_minor: int, currency: str) -> str:
    """The amount as it stands in a form again, without the currency."""
    exponent = currency_exponent(currency)
    return str(Decimal(amount_minor).scaleb(-exponent))


def plain_amount(amount_minor: int, currency: str) -> str:
    """In major units with a point, as every spreadsheet reads it."""
    exponent = currency_exponent(currency)
    return f"{Decimal(amount_minor).scaleb(-exponent):.{exponent}f}"
