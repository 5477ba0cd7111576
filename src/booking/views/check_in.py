"""What whoever scans a booking's code at the door is shown."""

from datetime import datetime
from uuid import UUID

import msgspec


class CheckInSeat(msgspec.Struct, frozen=True, kw_only=True):
    """One person's place in one session of the booking, with the session's own facts. They are
    called as on the roster; `tier` is what their price is called, empty for the full one.
    """

    seat_id: UUID
    session_id: UUID
    name: str
    tier: str
    state: str
    is_being_cancelled: bool
    session_state: str
    what: str
    starts_at: datetime
    ends_at: datetime
    place: str | None


class CheckInOwed(msgspec.Struct, frozen=True):
    """What is still to be paid on site for one booking, in minor units."""

    booking_id: UUID
    reference: str
    minor: int


class CheckInBooking(msgspec.Struct, frozen=True, kw_only=True):
    """A booking by its code: today's places, and when the others are.

    Where it is a course, or a date that completes one, the places are those of all of it; `owed` is
    what its bookings still have to pay on site. `standing` is "stands" or why none of its places
    does: "unpaid", "expired", "released", "given_up", "not_payable", "cancelled".
    `tags` and `staff_notes` are of its customer, `consents` the keys of what was ticked with it. Of
    one that `is_erased` nobody is known.
    """

    booking_id: UUID
    customer_id: UUID
    is_erased: bool
    reference: str
    guest_name: str
    note: str
    consents: list[str]
    tags: list[str]
    staff_notes: int
    owed: list[CheckInOwed]
    currency: str
    standing: str
    today: list[CheckInSeat]
    other: list[CheckInSeat]
