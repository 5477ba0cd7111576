"""The least that can be paid online, by currency.

Source: https://docs.stripe.com/currencies, "Minimum and maximum charge amounts". The processor
judges by the currency it settles in, so it may still refuse a sum that is enough here.
"""

LEAST_MINOR = {
    "AED": 200, "AUD": 50, "BGN": 100, "BRL": 50, "CAD": 50, "CHF": 50, "CZK": 1500, "DKK": 250,
    "EUR": 50, "GBP": 30, "HKD": 400, "HUF": 17500, "INR": 50, "JPY": 50, "MXN": 1000, "MYR": 200,
    "NOK": 300, "NZD": 50, "PLN": 200, "RON": 200, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50,
}  # fmt: skip


def least_online_minor(currency: str) -> int:
    """Minor units; 1 for a currency that the processor names no least amount for."""
    return LEAST_MINOR.get(currency, 1)
