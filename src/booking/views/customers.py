"""What the pages about customers show."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from src.billing.views.badges import Badge
from src.billing.views.disputes import DisputeSum
from src.billing.views.orders import order_badge


class CustomerRow(msgspec.Struct, frozen=True, kw_only=True):
    """A customer in the list; `bookings` counts those that were confirmed."""

    id: UUID
    name: str
    email: str
    phone: str
    is_established: bool
    tags: list[str]
    bookings: int
    created_at: datetime


class CustomersPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the list, and all words that customers are tagged with."""

    rows: list[CustomerRow]
    total: int
    number: int
    has_more: bool
    tags: list[str]


class NoteLine(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    text: str
    who: str
    at: datetime


class SeatLine(msgspec.Struct, frozen=True, kw_only=True):
    """One seat of the customer's; `participant` is who sits in it, "" for themselves."""

    session_id: UUID
    booking_id: UUID
    starts_at: datetime
    ends_at: datetime
    what: str
    participant: str
    state: str
    is_live: bool


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One order; `owed_minor` is what is still to be taken on site, `taken_back_minor` what a bank
    has taken back in a dispute that was lost.
    """

    id: UUID
    reference: str
    what: str
    state: str
    is_all_cancelled: bool
    payment_mode: str
    source: str
    currency: str
    total_minor: int
    paid_minor: int
    refunded_minor: int
    taken_back_minor: int
    owed_minor: int
    created_at: datetime
    confirmed_at: datetime | None
    dispute: tuple[str, str] | None
    consents: dict[str, Any]

    @property
    def badge(self) -> Badge:
        return order_badge(self.state, is_all_cancelled=self.is_all_cancelled)


class MoneySum(msgspec.Struct, frozen=True, kw_only=True):
    """All of a customer's money in one currency: what came from them and what went back to them.
    A voucher counts once, when it is bought; `by_voucher_minor` was paid with vouchers on top, less
    what is on them again. `is_on_voucher`: something went back onto one, or as a new one.
    """

    currency: str
    paid_minor: int
    refunded_minor: int
    taken_back_minor: int
    owed_minor: int
    by_voucher_minor: int = 0
    is_on_voucher: bool = False


class ParticipantLine(msgspec.Struct, frozen=True, kw_only=True):
    """Everyone of one name who has sat in the customer's seats; "" for those without a name. `note`
    is what the customer says of them.
    """

    name: str
    seats: int
    note: str


class HistoryLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. `kind` says what `facts` there are and what `ref` is the id of;
    `web/customer_history.py` has the words.
    """

    at: datetime
    kind: str
    ref: UUID | None
    who: str
    facts: dict[str, Any]


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what happened, newest first."""

    lines: list[HistoryLine]
    number: int
    has_more: bool


class Double(msgspec.Struct, frozen=True, kw_only=True):
    """Another customer who may be the same person; what they share, by name."""

    id: UUID
    name: str
    email: str
    phone: str
    same_phone: bool
    same_name: bool
    same_email: bool


class CustomerHead(msgspec.Struct, frozen=True, kw_only=True):
    """Who it is. `merged_into` is set on one who is gone; `tags` are in order. `erased_at`: who it
    was is not known any more.
    """

    id: UUID
    name: str
    email: str
    phone: str
    is_established: bool
    created_at: datetime
    merged_into: UUID | None
    erased_at: datetime | None
    tags: list[str]


class CustomerStory(msgspec.Struct, frozen=True, kw_only=True):
    """All that a business knows of a customer. The lists end at their limits, newest first, but for
    `upcoming`, where the next comes first. `past` has the seats, too, that are theirs no more.
    """

    head: CustomerHead
    upcoming: list[SeatLine]
    past: list[SeatLine]
    orders: list[OrderRow]
    money: list[MoneySum]
    disputes: list[DisputeSum]
    participants: list[ParticipantLine]
    notes: list[NoteLine]
    doubles: list[Double]

    @property
    def coming(self) -> tuple[int, int]:
        """On how many dates they come, and in how many seats."""
        return len({seat.session_id for seat in self.upcoming}), len(self.upcoming)


class WhyLine(msgspec.Struct, frozen=True, kw_only=True):
    """A reason against, and what to do about it; `mend` is empty where nothing can be done, and
    `href` where there is no page for it.
    """

    sentence: str
    mend: str
    href: str = ""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a session or a series can be booked: by the guest, and by staff for the guest.

    `has_seats` counts the live seats that the customer has in it already. `href` is its page.
    `left` are seats on each of its dates but the `full_dates`, which it is booked without.
    """

    what: str
    name: str
    when: datetime | None
    href: str
    left: int
    unit_minor: int
    prices: list[tuple[str, str, int]]
    dates_key: str
    has_seats: int
    guest: list[WhyLine]
    staff: list[WhyLine]
    full_dates: list[datetime] = []


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one customer can book something, for so many, at that price and with that code.

    `about` is what is known of them and it. `against` stands against them, `code_against` against
    the code alone; without any `lines` work out what `total_minor` it would cost. `tier` is the key
    of the price that was asked for, one of `prices` by key. `way` is how it would be paid.
    """

    verdict: Verdict
    size: int
    tier: str
    code: str
    prices: list[tuple[str, str]]
    about: list[WhyLine]
    against: list[WhyLine]
    code_against: list[WhyLine]
    lines: list[tuple[str, int, str]]
    total_minor: int
    way: str
    may_be_booked_by_staff: bool
