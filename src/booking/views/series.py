"""What the pages about series and their buyers show."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from src.booking.domain.drop_in import DropInRules
from src.booking.domain.price_tiers import PriceTier
from src.booking.views.sessions import SessionListRow


class SeriesRow(msgspec.Struct, frozen=True, kw_only=True):
    """A series in a list. `sold` counts purchases as on its page; `first_at` None: no dates yet."""

    id: UUID
    title: str
    service_id: UUID
    service_name: str
    price_type: str
    price_minor: int
    visibility: str
    is_active: bool
    is_published: bool
    dates: int
    upcoming: int
    first_at: datetime | None
    last_at: datetime | None
    sold: int


class SeriesHead(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at the top of a series' own page.

    `seats_left` is how many more can buy it: the fewest free seats of a date that buyers get, None
    when no date is to come; `full_dates` are those that it is sold without. `base_sessions` is what
    prices are worked out by now. Its purchases are `sold`, `in_checkout` or `cancelled`; of those
    sold `cut_short` are over, for the rest of them was cancelled. `owed_minor` is still to be paid
    on site.

    `tiers` are the prices beside the full one. A date alone costs `single_minor` and is sold by
    the rules `single`, if `is_sold_singly`, unless it has rules of its own; `single_tiers` are its
    prices beside that.
    """

    id: UUID
    title: str
    description: str
    service_id: UUID
    service_name: str
    service_slug: str
    price_type: str
    price_minor: int
    tiers: tuple[PriceTier, ...]
    is_sold_singly: bool
    single: DropInRules
    single_minor: int
    single_tiers: tuple[PriceTier, ...]
    join_policy: str
    join_until_on: date | None
    visibility: str
    is_active: bool
    is_published: bool
    base_sessions: int | None
    seats_left: int | None
    full_dates: list[datetime]
    sold: int
    in_checkout: int
    cancelled: int
    cut_short: int
    paid_minor: int
    owed_minor: int


class SeriesOverview(msgspec.Struct, frozen=True, kw_only=True):
    """A series with its dates in order; `late_dates` joined after it was first published."""

    head: SeriesHead
    runs: list[SessionListRow]
    late_dates: int


class SessionChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A date that a series can have. `is_sold`: it has buyers of the series and has to stay;
    `is_off`: it is cancelled.
    """

    id: UUID
    starts_at: datetime
    ends_at: datetime
    title: str
    is_sold: bool
    is_off: bool = False


class Rhythm(msgspec.Struct, frozen=True, kw_only=True):
    """Dates on the same weekday at the same time; `key` is what a form calls them."""

    key: str
    choices: list[SessionChoice]


class Buyer(msgspec.Struct, frozen=True, kw_only=True):
    """One purchase of the series; the counts are of its seats.

    `left` are confirmed seats still to come, on `left_dates` dates, `passed` those whose date has
    begun. `owed_minor` is still to be paid on site, `to_hand_back_minor` to be given back by hand;
    `taken_back_minor` is with the guest's bank after a dispute that was lost. `is_cut_short`: it is
    over, for the rest of it was cancelled. `completes`: it is a date that another one was sold
    without.
    """

    booking_id: UUID
    order_id: UUID
    reference: str
    name: str
    email: str
    joined_at: datetime
    party_size: int
    state: str
    payment_mode: str
    total_minor: int
    paid_minor: int
    refunded_minor: int
    taken_back_minor: int
    owed_minor: int
    to_hand_back_minor: int
    left: int
    left_dates: int
    attended: int
    passed: int
    lost: int
    is_cut_short: bool = False
    completes: bool = False


class BuyerPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of buyers, the latest first; `total` counts all purchases."""

    rows: list[Buyer]
    total: int
    number: int
    has_more: bool


class SeatRow(msgspec.Struct, frozen=True, kw_only=True):
    """One seat of a booking; `share_minor` is its part of the price, `cancellation_id` the
    cancelling that is under way for it.
    """

    id: UUID
    session_id: UUID
    starts_at: datetime
    ends_at: datetime
    title: str
    participant_id: UUID
    participant: str
    state: str
    share_minor: int
    tier: str
    cancellation_id: UUID | None
    changed_at: datetime
    changed_why: str


class BookingDetail(msgspec.Struct, frozen=True, kw_only=True):
    """All of a booking that its business sees.

    `cancellable` counts confirmed seats that have not started; `cancellation_id` is the
    cancellation under way; `owed_minor` is still to be paid on site; `taken_back_minor` is with the
    guest's bank after a dispute that was lost. `completes_id` is the purchase that it completes,
    `completed_by` are those that complete this one, with their numbers. Of one that `is_erased`,
    nobody is known, and nothing is named or noted any more. `pay_until_at`: it is held until then,
    `is_by_link` for a guest who was mailed the link to pay.
    """

    id: UUID
    order_id: UUID
    customer_id: UUID
    is_erased: bool
    reference: str
    name: str
    email: str
    phone: str
    service_name: str
    series_id: UUID | None
    series_title: str
    party_size: int
    state: str
    payment_mode: str
    currency: str
    total_minor: int
    to_pay_minor: int
    paid_minor: int
    refunded_minor: int
    taken_back_minor: int
    owed_minor: int
    made_at: datetime
    answers: list[tuple[str, str]]
    note: str
    seats: list[SeatRow]
    cancellable: int
    cancellation_id: UUID | None
    pay_until_at: datetime | None = None
    is_by_link: bool = False
    completes_id: UUID | None = None
    completed_by: list[tuple[UUID, str]] = []


class TermCopied(msgspec.Struct, frozen=True, kw_only=True):
    """A term that was made from another one; when its first and its last date start."""

    id: UUID
    title: str
    first_at: datetime
    last_at: datetime
