"""Prices that nobody could pay online, refused when they are saved."""

from src.billing.domain.minimums import least_online_minor
from src.booking.domain.kinds import SeriesPriceType
from src.platform.i18n import _, current_locale
from src.platform.money import Money, format_money


def too_little_to_pay_online(price_type: str, price_minor: int, currency: str) -> str | None:
    """Why the price cannot be, in a sentence; None for one that can, and for nothing to pay."""
    least_minor = least_online_minor(currency)
    if price_type != SeriesPriceType.ONLINE or not 0 < price_minor < least_minor:
        return None
    least = format_money(Money(least_minor, currency), current_locale())
    return _(
        "At least %(least)s must be paid online. Ask for more, or let guests pay on site.",
        least=least,
    )
