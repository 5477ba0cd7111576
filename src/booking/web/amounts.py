"""Amounts and rates as owners type them."""

from decimal import Decimal, InvalidOperation

from src.billing.web.amounts import read_amount, show_amount
from src.platform.errors import InvalidInput
from src.platform.i18n import _

__all__ = ["amount_or_none", "read_amount", "read_percent", "show_amount", "show_percent"]


def amount_or_none(text: str, currency: str, field: str, fields: dict[str, str]) -> int | None:
    """None for an empty text; what is wrong goes into `fields`."""
    if not text.strip():
        return None
    try:
        return read_amount(text, currency, field)
    except InvalidInput as refused:
        fields |= refused.fields
        return None


def read_percent(text: str, field: str) -> int:
    """Hundredths of a percent; an empty text is 0. Raises: InvalidInput at `field`."""
    try:
        percent = Decimal(text.strip().removesuffix("%").strip().replace(",", ".") or "0")
        rate_bp = percent * 100
        if percent.is_finite() and rate_bp == rate_bp.to_integral_value() and 0 <= percent <= 100:
            return int(rate_bp)
    except InvalidOperation:
        pass
    sentence = _("Write a tax rate from 0 to 100 percent, like 21 or 5.5.")
    raise InvalidInput(sentence, fields={field: sentence})


def show_percent(rate_bp: int) -> str:
    shown = f"{Decimal(rate_bp) / 100:f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
