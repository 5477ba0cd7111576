"""What the pages about cancellations show of money."""

from datetime import datetime
from uuid import UUID

import msgspec

from src.booking.domain.cancelling import Returnable


class MoneyAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What could go back, before it is chosen: the first `people`, and how many `more` there are.

    `by_hand_minor` of all was paid on site. `dates` says for each of them on which dates, empty
    where that is the same for all; `hints` which amounts can be given to them. `mark` tells
    whether it is still as it was seen. For each of `paid_seats` a credit of one of the `packages`
    can be given instead; by their terms guests get `terms_credits`.
    """

    people: list[Returnable]
    more: int
    full_minor: int
    terms_minor: int
    by_hand_minor: int
    dates: list[str]
    hints: list[str]
    mark: str
    currency: str
    paid_seats: int = 0
    terms_credits: int = 0
    packages: list[tuple[str, str]] = []


class FailedRefund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that did not go through, in the currency of its payment."""

    refund_id: UUID
    order_id: UUID
    name: str
    amount_minor: int
    currency: str
    why: str


class ToHandBack(msgspec.Struct, frozen=True, kw_only=True):
    """What one guest paid on site and is to be given back by hand; `handed_at` when it was."""

    order_id: UUID
    name: str
    amount_minor: int
    handed_at: datetime | None


class MoneyBack(msgspec.Struct, frozen=True, kw_only=True):
    """What a cancellation gives back, and how far that is.

    To `people` `goes_back_minor` goes: what was chosen, and once it is done what of that was there
    to be given. Refunds of `pending_minor` are on the way and of `returned_minor` have arrived;
    `failed` are the first of those that did not. `elsewhere_minor` of these orders has gone back
    since by the processor's own dashboard; `settled_minor` failed, and a person has said that they
    dealt with it. For `credits` seats of `credited_people` a credit was
    chosen.
    """

    people: int
    goes_back_minor: int
    pending_minor: int
    returned_minor: int
    failed_count: int
    failed: list[FailedRefund]
    by_hand: list[ToHandBack]
    elsewhere_minor: int
    settled_minor: int
    currency: str
    credits: int = 0
    credited_people: int = 0

    @property
    def still_by_hand_minor(self) -> int:
        return sum(one.amount_minor for one in self.by_hand if one.handed_at is None)
