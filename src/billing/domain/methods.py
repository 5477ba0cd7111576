"""By what the hosted payment page may be paid: cards always, others where the business wants them.

Only methods whose outcome is known at once: a slow one would hold seats for days.
"""

from collections.abc import Sequence

CARD = "card"

ANY_CURRENCY: frozenset[str] = frozenset()

PAYPAL_CURRENCIES = frozenset(
    "AUD CAD CHF CZK DKK EUR GBP HKD NOK NZD PLN SEK SGD USD".split()  # noqa: SIM905
)

METHODS = {
    "link": ANY_CURRENCY,
    "paypal": PAYPAL_CURRENCIES,
    "ideal": frozenset({"EUR"}),
    "bancontact": frozenset({"EUR"}),
    "eps": frozenset({"EUR"}),
    "blik": frozenset({"PLN"}),
    "twint": frozenset({"CHF"}),
}
"""What a business may turn on, and in which currencies each can be paid; an empty set is any.
Apple Pay and Google Pay are cards, and come with them."""


def methods_for(currency: str) -> list[str]:
    """What a business that sells in this currency can choose from."""
    return [
        method for method, currencies in METHODS.items() if not currencies or currency in currencies
    ]


def page_methods(chosen: Sequence[str], currency: str) -> list[str]:
    """By what a page in this currency may be paid; what does not fit is left out, as is what was
    chosen when it was known.
    """
    return [CARD, *(method for method in methods_for(currency) if method in chosen)]


def unknown_methods(chosen: Sequence[str], currency: str) -> list[str]:
    """Of what somebody wants to turn on, what cannot be."""
    possible = methods_for(currency)
    return [method for method in chosen if method not in possible]
