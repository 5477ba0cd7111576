"""Ways to pay that the payment page offers: cards, wallets and banks' own, and one slow method for
some currencies.
"""

from collections.abc import Mapping
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


@dataclass(frozen=True)
class InstantMethod:
    """A method that is decided at once; `currencies` are those it works in, all where it is empty.
    `kept` are the fields of its object, and `charged` those of a charge by it.
    """

    type: str
    name: str
    currencies: tuple[str, ...]
    kept: Mapping[str, str | None]
    charged: Mapping[str, str | None]
    account: str = ""


_BANK = {"bank_code": None, "bank_name": "STRIPE TEST BANK", "bic": "VAPEBE22"}
_GENERATED = dict.fromkeys(("generated_sepa_debit", "generated_sepa_debit_mandate", "iban_last4"))
_PAYPAL = {"country": "NL", "payer_email": "guest@example.com", "payer_id": "TESTPAYER"}
_PAYPAL_CURRENCIES = ("eur", "gbp", "usd", "chf", "czk", "dkk", "nok", "pln", "sek", "aud", "cad")
_INSTANT = (
    InstantMethod(
        "link",
        "Link",
        (),
        {"email": "guest@example.com", "persistent_token": None},
        {"country": "US", "funding_source_group": None},
    ),
    InstantMethod(
        "paypal",
        "PayPal",
        (*_PAYPAL_CURRENCIES, "hkd", "nzd", "sgd"),
        _PAYPAL,
        {**_PAYPAL, "payer_name": None, "seller_protection": None, "transaction_id": None},
    ),
    InstantMethod(
        "ideal",
        "iDEAL",
        ("eur",),
        {"bank": "ing", "bic": "INGBNL2A"},
        {"bank": "ing", "bic": "INGBNL2A", **_GENERATED, "transaction_id": None}
        | {"verified_name": None},
    ),
    InstantMethod(
        "bancontact",
        "Bancontact",
        ("eur",),
        {},
        {**_BANK, **_GENERATED, "preferred_language": "nl", "verified_name": None},
    ),
    InstantMethod(
        "eps",
        "EPS",
        ("eur",),
        {"bank": "bank_austria"},
        {"bank": "bank_austria", "verified_name": None},
    ),
    InstantMethod("blik", "BLIK", ("pln",), {"buyer_id": None}, {"buyer_id": None}),
    InstantMethod("twint", "TWINT", ("chf",), {}, {"mandate": None}),
)

INSTANT_METHODS = {method.type: method for method in _INSTANT}
SLOW_METHODS = {method.type: method for method in _SLOW}


def offered_methods(currency: str, allowed: list[str] | None) -> list[str]:
    """What a page in this currency offers. Without a restriction that includes slow methods, as
    the account's settings at Stripe may turn them on at any time; wallets and the like only where
    they are asked for.
    """
    possible = ["card"] + [method.type for method in _SLOW if method.currency == currency]
    if allowed is not None:
        possible += [
            method.type
            for method in _INSTANT
            if not method.currencies or currency in method.currencies
        ]
    offered = [kind for kind in possible if allowed is None or kind in allowed]
    if not offered:
        raise ApiError(
            "No valid payment method types for this Checkout Session. Please ensure that you have "
            "activated payment methods compatible with your chosen currency in your dashboard.",
            param="allowed_payment_method_types",
        )
    return offered
