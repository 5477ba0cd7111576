"""What the pages about several guests of a session at once show."""

from datetime import datetime
from uuid import UUID

import msgspec


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """One order among the chosen seats, as far as they are its.

    `seat_ids` are those that are taken; `share_minor` is what these cost, `back_minor` the most of
    it that can go back the way it came, `owed_minor` is still to be paid on site for the whole
    order, which `seats_in_all` seats hang on; so many `credits` paid for those chosen.
    `is_with_the_bank`: the guest's bank has taken back what was paid.
    """

    order_id: UUID
    customer_id: UUID
    name: str
    email: str
    people: list[str]
    seat_ids: list[UUID]
    share_minor: int
    back_minor: int
    owed_minor: int
    payment_mode: str
    credits: int
    seats_in_all: int
    is_with_the_bank: bool


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One of several that could not be done, and why."""

    name: str
    why: str


class MoveTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A date with room. `sequence` counts its changes, so that a move to what it was is refused.

    `name` is what it is of, where that is another course, which a credit pays.
    """

    session_id: UUID
    sequence: int
    starts_at: datetime
    ends_at: datetime
    title: str
    left: int
    name: str = ""

    @property
    def is_swap(self) -> bool:
        return bool(self.name)
