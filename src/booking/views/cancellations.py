"""What the pages about cancelling show: consequences before, progress after."""

from datetime import datetime
from uuid import UUID

import msgspec


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """One booking that a cancellation reaches on the dates that start at `starts`; `share_minor` is
    what its seats in it cost, `voucher_minor` what a voucher paid of that.

    `is_paid`: the rest came in. `is_with_the_bank`: the guest's bank has taken that back.
    """

    booking_id: UUID
    name: str
    email: str
    seats: int
    share_minor: int
    payment_mode: str
    is_paid: bool
    starts: list[datetime]
    voucher_minor: int = 0
    is_with_the_bank: bool = False


class Going(msgspec.Struct, frozen=True, kw_only=True):
    """A cancellation under way, and how many of the seats looked at it reaches. `has_halted`: it
    goes on only once whoever runs the service has seen to it.
    """

    cancellation_id: UUID
    seats: int
    can_undo: bool
    has_halted: bool


class ListsToll(msgspec.Struct, frozen=True, kw_only=True):
    """What calling dates off does to waiting lists: `closed` entries end and are written to, one
    mail each; `offers` end, which held `places`, those of entries that wait on among them.
    """

    closed: int = 0
    offers: int = 0
    places: int = 0


class Waiters(msgspec.Struct, frozen=True, kw_only=True):
    """Who waits for dates that change: `told` of another time, and `served` of those the places
    that get free are offered to in turn.
    """

    told: int = 0
    served: int = 0


class LostHold(msgspec.Struct, frozen=True, kw_only=True):
    """Places that a guest is to pay by a link, all of which end where one is cancelled: `seats` on
    the dates that start at `starts`, `until` when they could be paid.
    """

    name: str
    email: str
    seats: int
    starts: list[datetime]
    until: datetime | None


class Toll(msgspec.Struct, frozen=True, kw_only=True):
    """What a cancellation would do, in numbers.

    `voucher_minor` is the part of the seats' price that vouchers paid. Of the rest `paid_minor`
    came in online, `taken_minor` was paid on site, `transferred_minor` came to the business's bank
    account, and `on_site_minor` is to be paid on site. `is_with_the_bank`: a guest's bank has taken
    back what was paid. `in_checkout` counts seats that are held and not paid yet, and
    `in_checkout_minor` is what they cost. `by_credit` counts those that credits paid, of which
    `credits_gone` bring none back, as what was paid for these has gone back already.
    `mails` counts customers who are written to; besides them the `holders` are, by name and
    address, once for each place that was handed on to them, and where it is a cancelling those of
    the `lost_holds`.
    """

    seats: int
    customers: int
    mails: int
    in_checkout: int
    in_checkout_minor: int
    paid_minor: int
    taken_minor: int
    transferred_minor: int
    on_site_minor: int
    voucher_minor: int
    is_with_the_bank: bool
    by_credit: int = 0
    credits_gone: int = 0
    people: list[Touched]
    more: int
    lists: ListsToll = ListsToll()
    holders: list[tuple[str, str]] = []
    lost_holds: list[LostHold] = []


class LostDate(msgspec.Struct, frozen=True, kw_only=True):
    """A date of a purchase or a series that would be cancelled."""

    starts_at: datetime
    ends_at: datetime
    title: str = ""


class ChosenDate(LostDate, frozen=True, kw_only=True):
    """A date that staff chose; `what` names its service, its title and its series."""

    id: UUID
    what: str
    series_id: UUID | None
    is_cancellable: bool


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A cancellation as it stands. `done` of `total` customers have been dealt with.

    `what` names its subject, `subject_path` is its page below the business's; `dates` are those on
    which places are cancelled. `has_halted`: it goes on only once whoever runs the service has seen
    to it.
    """

    id: UUID
    scope: str
    state: str
    what: str
    subject_path: str
    dates: list[LostDate]
    reason: str
    total: int
    done: int
    seats_freed: int
    starts_at: datetime
    finished_at: datetime | None
    has_halted: bool = False
