"""Amounts in forms: as they stand in a field, and as they are read from one."""

from src.platform.errors import InvalidInput
from src.platform.i18n import current_locale
from src.platform.money import MoneyFormatError, currency_exponent, parse_money_minor


def read_amount_minor(typed: str, currency: str) -> int:
    """Raises: InvalidInput at `amount`."""
    try:
        return parse_money_minor(typed, currency, current_locale())
    except MoneyFormatError as error:
        raise InvalidInput(error.sentence, fields={"amount": error.sentence}) from error


def in_major_units(amount_minor: int, currency: str) -> str:
    """As a form's field has it to begin with."""
    exponent = currency_exponent(currency)
    whole, rest = divmod(amount_minor, 10**exponent)
    return f"{whole}.{rest:0{exponent}}" if exponent else str(whole)
