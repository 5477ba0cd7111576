"""Ways to pay that the payment page offers: cards, and one slow method for some currencies."""

from dataclasses import dataclass

from src.sandbox.stripe.errors import ApiError


@dataclass(frozen=True)
class SlowMethod:
    """A method whose money is known to arrive only days later; `account` is Stripe's test one."""

    type: str
    name: str
    currency: str
    account: str


_SLOW = (
    SlowMethod("sepa_debit", "SEPA Direct Debit", "eur", "DE89370400440532013000"),
    SlowMethod("us_bank_account", "US bank account", "usd", "000123456789"),
    SlowMethod("bacs_debit", "Bacs Direct Debit", "gbp", "00012345"),
)

SLOW_METHODS = {method.type: method for method in _SLOW}


def offered_methods(currency: str, allowed: list[str] | None) -> list[str]:
    """What a page in this currency offers. Without a restriction that includes slow methods, as
    the account's settings at Stripe may turn them on at any time.
    """
    possible = ["card"] + [method.type for method in _SLOW if method.currency == currency]
    offered = [kind for kind in possible if allowed is None or kind in allowed]
    if not offered:
        raise ApiError(
            "No valid payment method types for this Checkout Session. Please ensure that you have "
            "activated payment methods compatible with your chosen currency in your dashboard.",
            param="allowed_payment_method_types",
        )
    return offered
