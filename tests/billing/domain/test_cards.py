"""What is said of cards, and which of them can pay."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from src.billing.domain.cards import (
    card_of_way,
    card_words,
    consent_to_keep,
    declined_words,
    expiry_words,
    in_order,
    is_over,
    key_of_card,
)

AT = datetime(2027, 3, 1, 12, tzinfo=UTC)
FIRST = UUID(int=1)


@dataclass
class Card:
    brand: str = "visa"
    last4: str = "4242"
    exp_month: int = 4
    exp_year: int = 2028
    id: UUID = FIRST
    is_default: bool = False
    created_at: datetime = AT


def test_a_card_is_called_by_its_brand_and_last_digits() -> None:
    assert card_words(Card()) == "Visa •••• 4242"
    assert card_words(Card(brand="unheard_of")) == "Card •••• 4242"
    assert expiry_words(Card()) == "04/28"


@pytest.mark.parametrize(
    ("today_on", "over"),
    [(date(2028, 4, 30), False), (date(2028, 5, 1), True), (date(2027, 12, 31), False)],
)
def test_a_card_is_good_until_the_last_day_of_its_month(today_on: date, over: bool) -> None:
    assert is_over(Card(), today_on) is over


def test_the_preferred_card_comes_first_then_the_newest() -> None:
    old = Card(id=UUID(int=1), is_default=True)
    new = Card(id=UUID(int=2), created_at=AT.replace(day=2))
    newest = Card(id=UUID(int=3), created_at=AT.replace(day=3))
    assert in_order([new, old, newest]) == [old, newest, new]


@pytest.mark.parametrize("typed", ["", "online", "card:", "card:1", "credit:" + str(UUID(int=1))])
def test_what_names_no_card_is_none(typed: str) -> None:
    assert card_of_way(typed) is None
    assert card_of_way(key_of_card(UUID(int=7))) == UUID(int=7)


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "fraudulent", "card_declined"])
def test_of_what_a_bank_suspects_nobody_is_told(code: str) -> None:
    assert declined_words(code, "Visa •••• 4242") == "Your bank has declined Visa •••• 4242."


def test_the_words_that_were_agreed_to_are_kept() -> None:
    kept = consent_to_keep("Lotus", AT, "portal")
    assert kept["accepted_at"] == AT.isoformat()
    assert "Lotus" in kept["text"]
    assert "You can remove it at any time" in kept["text"]
    assert len(kept["text"]) < 500, "the processor takes no longer words along"
