"""Stripe's published test cards and what each of them does."""

from dataclasses import dataclass
from typing import Literal

from src.platform.i18n import marked as _

Outcome = Literal["pays", "declined", "needs_3ds"]


@dataclass(frozen=True)
class TestCard:
    """A card number and its outcome; `advice` is what the payment page says about it. One that
    `declines` once it is kept can be saved by itself, and pays nothing; one that `pays` then asks
    nobody who is not there.
    """

    __test__ = False

    number: str
    advice: str
    outcome: Outcome = "pays"
    brand: str = "visa"
    code: str = "card_declined"
    decline_code: str | None = None
    message: str = ""
    refund: Literal["", "late", "fails"] = ""
    disputed: bool = False
    kept: Literal["", "declines", "pays"] = ""

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def spaced(self) -> str:
        return " ".join(self.number[at : at + 4] for at in range(0, len(self.number), 4))


_CARDS = (
    TestCard("4242424242424242", _("Pays at once")),
    TestCard("5555555555554444", _("Pays at once"), brand="mastercard"),
    TestCard(
        "4000000000000002",
        _("Declined"),
        "declined",
        decline_code="generic_decline",
        message=_("Your card was declined."),
    ),
    TestCard(
        "4000000000009995",
        _("Insufficient funds"),
        "declined",
        decline_code="insufficient_funds",
        message=_("Your card has insufficient funds."),
    ),
    TestCard(
        "4000000000000069",
        _("Expired card"),
        "declined",
        code="expired_card",
        message=_("Your card has expired."),
    ),
    TestCard(
        "4000000000009979",
        _("Stolen card"),
        "declined",
        decline_code="stolen_card",
        message=_("Your card was declined."),
    ),
    TestCard(
        "4000000000000127",
        _("Wrong security code"),
        "declined",
        code="incorrect_cvc",
        message=_("Your card's security code is incorrect."),
    ),
    TestCard("4000002500003155", _("Asks for 3-D Secure"), "needs_3ds", kept="pays"),
    TestCard("4000000000003220", _("Always asks for 3-D Secure"), "needs_3ds"),
    TestCard(
        "4000002760003184", _("Asks for 3-D Secure each time, also once it is kept"), "needs_3ds"
    ),
    TestCard(
        "4000000000000341",
        _("Can be kept, and is declined each time"),
        "declined",
        decline_code="generic_decline",
        message=_("Your card was declined."),
        kept="declines",
    ),
    TestCard("4000000000007726", _("Pays; its refund takes a while"), refund="late"),
    TestCard("4000000000005126", _("Pays; its refund fails later"), refund="fails"),
    TestCard("4000000000000259", _("Pays; is disputed afterwards"), disputed=True),
)

CARDS = {card.number: card for card in _CARDS}

OFFERED = [
    CARDS[number]
    for number in (
        "4242424242424242",
        "4000000000000002",
        "4000000000009995",
        "4000002500003155",
        "4000000000003220",
        "4000000000007726",
        "4000000000005126",
        "4000000000000259",
    )
]
OFFERED_TO_KEEP = [
    CARDS[number]
    for number in (
        "4242424242424242",
        "5555555555554444",
        "4000002760003184",
        "4000000000000341",
        "4000000000000002",
    )
]
"""Those that the payment page, and the page that keeps a card, have a button for."""


def find_card(typed: str) -> TestCard | None:
    """The card of a number typed with or without spaces; nothing for one that is no test card."""
    return CARDS.get(typed.replace(" ", "").replace("-", ""))
