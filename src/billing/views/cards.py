"""Cards that guests keep, as they and the staff see them: brand, last digits, date."""

from datetime import datetime
from uuid import UUID

import msgspec

from src.platform.money import Money


class CardChoice(msgspec.Struct, frozen=True):
    """A card among the ways to pay; `key` is what a form sends for it."""

    key: str
    words: str
    expires: str


class KeptCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card on its guest's own page. `is_over`: its date is past, so that nothing can be paid with
    it. `later` is what is still to be charged to it in parts.
    """

    id: UUID
    words: str
    expires: str
    since_at: datetime
    is_preferred: bool
    is_over: bool
    later: list[Money]


class CardAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """How it stands with the card that an order was to be paid with last. `why_not` is a sentence
    where the card did not pay; at `bank_url` the bank asks its guest. Neither: nobody knows yet.
    """

    card: str
    why_not: str = ""
    bank_url: str = ""

    @property
    def is_unsure(self) -> bool:
        return not self.why_not and not self.bank_url
