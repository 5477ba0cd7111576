"""Arithmetic on an order's money; everything is in minor units and gross."""

from src.platform.money import round_half_up


def tax_within_minor(gross_minor: int, rate_bp: int) -> int:
    """The tax inside a gross amount, at a rate in hundredths of a percent."""
    return gross_minor - round_half_up(gross_minor * 10_000, 10_000 + rate_bp)


def application_fee_minor(amount_minor: int, rate_bp: int) -> int:
    """The platform's share of a payment, rounded down so that it never exceeds its rate."""
    return amount_minor * rate_bp // 10_000
