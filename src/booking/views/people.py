"""Who a booking is for, and what is noted about it."""

from datetime import datetime
from uuid import UUID

import msgspec


class OnePerson(msgspec.Struct, frozen=True, kw_only=True):
    """One of a party; `number` is their place in it from 1, `name` may be empty."""

    participant_id: UUID
    number: int
    name: str
    tier: str


class BookingPeople(msgspec.Struct, frozen=True, kw_only=True):
    """Everyone of a booking in the order of its form. `first_starts_at` is the start of the first
    date that somebody still has a place in, of a whole course where this is part of one, None where
    nobody of this booking has any. `purchase_id` is the booking that this one completes, or itself.
    """

    booking_id: UUID
    purchase_id: UUID
    order_id: UUID
    customer_id: UUID
    guest_name: str
    what: str
    note: str
    people: list[OnePerson]
    first_starts_at: datetime | None
