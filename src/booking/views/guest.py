"""What a guest sees while booking, and of a booking afterwards."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from src.booking.domain.questions import Question
from src.booking.views.hub import SpelledDate

PriceLine = tuple[str, int, str]
"""What for, how much in minor units, and a word about it."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a guest wants to book, as it can be had now for a party of `size`.

    `closed` says why it cannot be booked by anybody; `size_error` why not by so many.
    """

    name: str
    service_name: str
    service_href: str
    kind: str
    dates: list[SpelledDate]
    included: int
    performer: str | None
    size: int
    most: int
    left: int
    capacity: int
    lines: list[PriceLine]
    total_minor: int
    payment_mode: str
    questions: list[Question]
    closed: str | None
    size_error: str | None


class BookingFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The booking form. `form` is what was typed; `form_token` makes it one booking."""

    wish: Wish
    form: Any
    form_token: str
    action: str
    hub_href: str
    zone: ZoneInfo
    currency: str
    terms: str
    contact_email: str
    contact_phone: str


class BookedDate(msgspec.Struct, frozen=True, kw_only=True):
    """A date of a booking with the state of its seats: held, confirmed, attended, cancelled ...

    `seats` are those that stand of the party's; `meeting_url` is empty until it may be known.
    """

    starts_at: datetime
    ends_at: datetime
    place: str | None
    address: str
    performer: str | None
    meeting_url: str
    state: str
    seats: int


class GuestBookingView(msgspec.Struct, frozen=True, kw_only=True):
    """One booking on its own page.

    `stage`: held, processing, over (its time to pay), confirmed, cancelled, expired, given_up,
    not_payable, too_late (a payment came that nothing was booked with: `why_not_booked` says why,
    mismatch, given_up, cancelled or gone, and `money_back` where it is, returned, pending or kept).
    """

    stage: str
    reference: str
    name: str
    guest_name: str
    guest_email: str
    party: list[str]
    party_size: int
    dates: list[BookedDate]
    total_minor: int
    paid_minor: int
    refunded_minor: int
    due_on_site_minor: int
    refund_pending: bool
    money_back: str
    why_not_booked: str
    payment_mode: str
    currency: str
    zone: ZoneInfo
    hold_until_at: datetime | None
    path: str
    again_href: str
    hub_href: str
    contact_email: str
    contact_phone: str

    @property
    def is_waiting(self) -> bool:
        """Whether the page may change by itself in a moment."""
        return self.stage == "processing"
