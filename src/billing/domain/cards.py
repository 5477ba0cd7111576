"""Cards that guests keep for next time: what they are called, when one is over, what a bank's no
means. Source: docs/algorithms/cards-on-file.md.
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from uuid import UUID

from src.platform.i18n import _

CONSENT_VERSION = "1"
"""Of the words in `consent_words`; a new one for new words."""
CARD_WAY = "card:"
"""What a form sends for a card begins so; its id follows."""
MOST_CARDS = 10

EXPIRED_CODE = "expired_card"
GONE_CODE = "card_gone"
FOR_GOOD_CODES = frozenset(
    {
        EXPIRED_CODE,
        "lost_card",
        "pickup_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "stolen_card",
        "stop_payment_order",
    }
)
"""A bank's no that another try would not change: the card is kept no more."""
FAILED_CHECK_CODE = "payment_intent_authentication_failure"
NO_MONEY_CODE = "insufficient_funds"

BRANDS = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "eftpos",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}


class CardState(StrEnum):
    """`removed`: its guest, or a newer row of the same card, has ended it. `gone`: the processor or
    the bank does not take it any more. Nothing leads back from either.
    """

    USABLE = "usable"
    REMOVED = "removed"
    GONE = "gone"


class CardFacts(Protocol):
    """What is known of a card, and all that anybody is shown of it."""

    brand: str
    last4: str
    exp_month: int
    exp_year: int


class RankedCard(CardFacts, Protocol):
    id: UUID
    is_default: bool
    created_at: datetime


Ranked = TypeVar("Ranked", bound=RankedCard)


def card_words(card: CardFacts) -> str:
    """Such as "Visa •••• 4242"."""
    brand = BRANDS.get(card.brand) or _("Card")
    return f"{brand} •••• {card.last4}"


def expiry_words(card: CardFacts) -> str:
    """As it stands on the card."""
    return f"{card.exp_month:02}/{card.exp_year % 100:02}"


def is_over(card: CardFacts, today_on: date) -> bool:
    """A card is good until the last day of its month."""
    return (card.exp_year, card.exp_month) < (today_on.year, today_on.month)


def in_order(cards: Sequence[Ranked]) -> list[Ranked]:
    """The one that its guest prefers first, then the newest."""
    return sorted(cards, key=lambda card: (card.is_default, card.created_at, card.id), reverse=True)


def key_of_card(card_id: UUID) -> str:
    return f"{CARD_WAY}{card_id}"


def card_of_way(typed: str) -> UUID | None:
    """The card that a form's way to pay names; None for any other way."""
    if not typed.startswith(CARD_WAY):
        return None
    try:
        return UUID(typed.removeprefix(CARD_WAY))
    except ValueError:
        return None


def consent_words(business: str) -> str:
    """What a guest agrees to who keeps a card; kept word for word with it."""
    return _(
        "The payment service keeps it for %(business)s. It is charged only when you choose it and"
        " press to pay, while you are signed in. You can remove it at any time, under “Cards” on"
        " your own pages.",
        business=business,
    )


def consent_to_keep(business: str, at: datetime, where: str) -> dict[str, Any]:
    """What is kept of the agreement; `where` it was given: "checkout" or "portal"."""
    return {
        "version": CONSENT_VERSION,
        "text": consent_words(business),
        "accepted_at": at.isoformat(),
        "where": where,
    }


def declined_words(code: str, card: str) -> str:
    """Why the card did not pay. Of what a bank suspects nobody is told more than that it said no.

    `code` is the processor's, `card` what the card is called.
    """
    if code == NO_MONEY_CODE:
        return _("There is not enough money for this on %(card)s.", card=card)
    if code == EXPIRED_CODE:
        return _("%(card)s has expired.", card=card)
    if code == FAILED_CHECK_CODE:
        return _("Your bank's check for %(card)s did not succeed.", card=card)
    if code == GONE_CODE:
        return _("%(card)s is not kept any more.", card=card)
    return _("Your bank has declined %(card)s.", card=card)
