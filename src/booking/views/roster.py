"""Who comes to a session, and what has happened to it."""

from datetime import datetime
from uuid import UUID

import msgspec


class RosterSeat(msgspec.Struct, frozen=True, kw_only=True):
    """One seat of a session.

    `name` is who sits in it, `booked_by` who booked. `series_title` is set when the whole series
    was bought, `package` is what the credits are called that paid. `tier` is what its price is
    called, empty for the full one. `payment` is a word of `payment_state`, `dispute` the word and
    tone of a dispute about the order. `owed_minor` is still to be paid on site for the whole
    booking, of `party_size` people. `consents` are the keys of what was ticked with it. `tags` are
    the customer's, who has `staff_notes` notes of staff. `cancellation_id` is the cancelling that
    is under way for it. Of one that `is_erased` nobody is known.
    """

    seat_id: UUID
    booking_id: UUID
    order_id: UUID
    customer_id: UUID
    is_erased: bool
    party_size: int
    name: str
    booked_by: str
    email: str
    phone: str
    state: str
    cancellation_id: UUID | None
    series_title: str | None
    package: str
    source: str
    payment: str
    dispute: tuple[str, str] | None
    share_minor: int
    tier: str
    owed_minor: int
    currency: str
    pay_until_at: datetime | None
    note: str
    answers: list[tuple[str, str]]
    consents: list[str]
    tags: list[str]
    staff_notes: int
    booked_at: datetime
    changed_why: str


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """Those who have a seat, in order of their names, and those who no longer have."""

    coming: list[RosterSeat]
    gone: list[RosterSeat]


class HistoryLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done to a session; of a move, from when to when it went, or the places of
    which `people` did, and of a cancellation, which it is.
    """

    at: datetime
    who: str
    action: str
    changed: tuple[str, ...]
    reason: str
    was: tuple[datetime, datetime] | None
    became: tuple[datetime, datetime] | None
    cancellation_id: str | None = None
    people: str = ""
