"""Where the processor's smallest unit differs from the currency's own."""

FACTORS = {"ISK": 100, "UGX": 100}
"""Currencies without decimals that the processor counts in hundredths all the same."""


def to_processor(amount_minor: int, currency: str) -> int:
    """Our minor units in the processor's unit."""
    return amount_minor * FACTORS.get(currency, 1)


def from_processor(amount: int, currency: str) -> int:
    """The processor's amount in our minor units; fractions that do not exist are dropped."""
    return amount // FACTORS.get(currency, 1)
