"""What a guest sees who cannot come."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.booking.domain.seats_told import SeatsTold
from src.booking.views.appointments import TimePicker
from src.booking.views.guest import MissingDate


class CreditBack(msgspec.Struct, frozen=True, kw_only=True):
    """A credit that comes back for a place: the very one that paid it, or one that is given.

    `has_ended`: it is over, so that it can be used for nothing any more.
    """

    name: str
    ends_at: datetime | None
    is_own: bool = False
    has_ended: bool = False


class LeavingSeat(msgspec.Struct, frozen=True, kw_only=True):
    """One person's place on one date; `value` names it and what its guest is promised for it.

    `why_not` is a sentence where it cannot be left, `fee_minor` what is asked of who leaves it.
    """

    value: str
    who: str
    starts_at: datetime
    ends_at: datetime
    title: str
    is_online: bool
    percent: int
    back_minor: int
    is_late: bool
    is_late_since_exchange: bool
    is_penalty_free: bool
    why_not: str
    credit: CreditBack | None = None
    fee_minor: int = 0


class LeavingPage(msgspec.Struct, frozen=True, kw_only=True):
    """What leaving means, before it is done.

    `back_minor` is what comes back if all of `seats` are left: less than their shares' part where
    less was paid through the processor. `stays_due_minor`: the part of the price that is to be
    paid on site although the date is left. `is_course`: all dates that are left of a course;
    `has_others`: other dates than this one are still to come.
    `by_hand_minor` comes back by the business's own hand, of what it took itself.
    `goes_back` says of either where it goes, and `fee_line` what is asked for leaving late.
    `no_money_why`: why nothing can come back although it was paid, empty where it can.
    `may_ask`: the business decides about it, and `asked` is what the guest asked for last.
    `why_not` is a sentence where nothing can be left, because all of it is gone where it `is_gone`,
    `refusal` why what was sent was not done, and
    `reason` what was typed then. `had` are dates of the course that were got later, each by a
    booking of its own, which stands whatever is left here. `ticked`: it is about so many of the
    party, who were ticked, and about all while that is none; None before anything was ticked.
    `credits` says which credits come back, and `no_credit_why` why none does although the terms
    give one; `by_credits`: it was credits that paid.
    """

    seats: list[LeavingSeat]
    is_course: bool
    has_others: bool
    name: str
    reference: str
    guest_email: str
    back_minor: int
    stays_due_minor: int
    was_paid: bool
    by_hand_minor: int
    goes_back: str = ""
    fee_line: str = ""
    no_money_why: str
    credits: list[str] = []
    no_credit_why: str = ""
    by_credits: bool = False
    terms: list[str]
    why_not: str
    is_gone: bool = False
    refusal: str = ""
    reason: str = ""
    action: str
    move_href: str
    is_appointment: bool = False
    hand_on_href: str = ""
    may_ask: bool
    asked: "LeaveAsked | None" = None
    ticked: int | None = None
    path: str
    had: list[MissingDate] = []
    currency: str
    zone: ZoneInfo
    contact_email: str
    contact_phone: str

    @property
    def fee_minor(self) -> int:
        """What is asked for all of `seats`."""
        return sum(seat.fee_minor for seat in self.seats)


class MovePerson(msgspec.Struct, frozen=True, kw_only=True):
    """One of the party; `seat_id` is the place that would be given up, and `who` would come on the
    other date. `had_by` has the place now, since it was handed on, and loses it, which a mail says
    where it `is_mailed`; empty for nobody.
    """

    seat_id: str
    who: str
    had_by: str = ""
    is_mailed: bool = False


class MoveChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A date that the guest may come to instead; `left` is its room, `seats` what is said of it.

    `name` is what it is of, and `is_swap` says that a credit pays it, where it is another course's.
    `why` speaks for it, of those that suit best.
    """

    session_id: str
    sequence: int
    href: str
    starts_at: datetime
    ends_at: datetime
    title: str
    is_online: bool
    place: str
    performer: str
    left: int
    seats: SeatsTold
    name: str = ""
    is_swap: bool = False
    why: str = ""


class MovePage(msgspec.Struct, frozen=True, kw_only=True):
    """Coming on another date: the choice, or with `chosen` what it means.

    `people` are those who would move, of several where it `is_party`; `there` are those of them
    before who have a place on the new date already, and keep both. `terms` are those of the new
    date, in sentences. `why_not` is a sentence where the date cannot
    be exchanged, `why_no_choice` what stands against most of those with room where there is no
    choice, `refusal` why what was asked for was not done. `best` are the dates that suit best,
    which are not among the `choices`. `credit` says which credit pays a swap.
    """

    name: str
    reference: str
    guest_email: str
    starts_at: datetime
    ends_at: datetime
    is_online: bool
    people: list[MovePerson]
    there: list[str]
    is_party: bool
    best: list[MoveChoice] = []
    choices: list[MoveChoice]
    chosen: MoveChoice | None
    credit: str = ""
    terms: list[str]
    why_not: str
    why_no_choice: str
    refusal: str = ""
    action: str
    leave_href: str
    path: str
    zone: ZoneInfo
    contact_email: str
    contact_phone: str


class LeaveAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A guest's wish to leave a whole course; `state` open, accepted or declined.

    `purchase_id` is the booking that is to be cancelled for it, though the guest may have asked on
    the page of one that completes it.
    """

    id: UUID
    purchase_id: UUID
    order_id: UUID
    series_id: UUID
    guest_name: str
    guest_email: str
    what: str
    reason: str
    state: str
    answer: str
    asked_at: datetime


class PurchaseMoney(msgspec.Struct, frozen=True, kw_only=True):
    """Of a purchase with all that completes it; `owed_minor` is what is to be paid on site."""

    currency: str
    paid_minor: int
    refunded_minor: int
    owed_minor: int


class ReschedulePage(msgspec.Struct, frozen=True, kw_only=True):
    """Another time for an appointment: the free times, or with `chosen_at` what it means.

    `terms` are those of the new time, in sentences. `why_not` is a sentence where it cannot be
    moved, `refusal` why what was asked for was not done.
    """

    name: str
    guest_email: str
    starts_at: datetime
    ends_at: datetime
    is_online: bool
    people: list[str]
    picker: TimePicker | None
    chosen_at: datetime | None
    chosen_until: datetime | None
    performer_id: UUID | None
    performer: str
    terms: list[str]
    why_not: str
    refusal: str = ""
    action: str
    leave_href: str
    path: str
    zone: ZoneInfo
    currency: str
    contact_email: str
    contact_phone: str
