"""What whoever scans a booking's code at the door is shown."""

from datetime import datetime
from uuid import UUID

import msgspec


class CheckInSeat(msgspec.Struct, frozen=True, kw_only=True):
    """One person's place in one session of the booking, with the session's own facts."""

    seat_id: UUID
    session_id: UUID
    name: str
    state: str
    is_being_cancelled: bool
    session_state: str
    what: str
    starts_at: datetime
    ends_at: datetime
    place: str | None


class CheckInBooking(msgspec.Struct, frozen=True, kw_only=True):
    """A booking by its code: today's places, and when the others are.

    `is_over`: none of its places stands any more. `owed_minor` is still to be paid on site for all
    of it. `tags` and `staff_notes` are of its customer, `consents` the keys of what was ticked.
    """

    booking_id: UUID
    customer_id: UUID
    reference: str
    guest_name: str
    note: str
    consents: list[str]
    tags: list[str]
    staff_notes: int
    owed_minor: int
    currency: str
    is_paid_for: bool
    is_over: bool
    today: list[CheckInSeat]
    other: list[CheckInSeat]
