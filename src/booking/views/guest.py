"""What a guest sees while booking, and of a booking afterwards."""

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.billing.domain.holds import is_shortened_by_paying
from src.billing.views.cards import CardAttempt, CardChoice
from src.billing.views.transfers import BesidePrice, HowToTransfer
from src.booking.domain.agreements import Needed
from src.booking.domain.questions import Question
from src.booking.domain.quotes import SubjectKind
from src.booking.domain.seats_told import SeatsTold
from src.booking.views.hub import OwnHold, SpelledDate
from src.tenants.views.portal import PortalGuest

PriceLine = tuple[str, int, str]
"""What for, how much in minor units, and a word about it."""


class PriceChoice(NamedTuple):
    """A price of one person, how long it holds, and how many have chosen it."""

    key: str
    name: str
    unit_minor: int
    until_on: date | None
    chosen: int


class CreditChoice(NamedTuple):
    """A lot that can pay: `key` is what the form sends for it, `needed` are the credits that it
    takes of the `left` ones, and `lot_ids` all lots that they lie in. They end at `expires_at`, or
    only the first of them where it `is_first_end`.
    """

    key: str
    name: str
    needed: int
    left: int
    expires_at: datetime | None
    lot_ids: frozenset[UUID]
    is_first_end: bool


class WishCredits(msgspec.Struct, frozen=True, kw_only=True):
    """How credits could pay for a wish.

    `choices` are the signed-in guest's own lots that may, the one to offer first at the top;
    `paying` is the chosen one. `error` says why the one that was asked for may not, `note` why none
    may although there are some. `may_sign_in`: a stranger might have credits that fit. `is_only`:
    nothing but credits pays for it, and `worth_minor` is what one place is worth then.
    """

    choices: list[CreditChoice] = []
    paying: CreditChoice | None = None
    error: str | None = None
    note: str = ""
    may_sign_in: bool = False
    is_only: bool = False
    worth_minor: int = 0


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a guest wants to book, as it can be had now for a party of `size`.

    `prices` are those that everybody chooses from, empty where there is but one; `people` says what
    each of the party's is called. `closed` says why it cannot be booked by anybody; `size_error`
    why not by so many. `dates_key` stands for the dates as they are shown. `takes_codes` says
    whether a code is asked for at all; the price is less the one that was given, by
    `code_off_minor`, unless `code_error` says why not. `ways` are those to pay among which the
    guest chooses, and `part_of` the series that a single date belongs to, empty for none.
    `money_minor` is what it costs where credits are not to pay. `leaving` says in sentences what
    comes back until when. `waitlist_href` is where to wait for what is full. `offered_places` are
    held for who came by the link of an offer, until `offered_until_at`. `transfer_until_on` is the
    last day for a bank transfer, where that is a way to pay. `agreements` are to be signed with it.
    """

    name: str
    service_id: UUID
    service_name: str
    service_href: str
    kind: SubjectKind
    dates: list[SpelledDate]
    dates_key: str
    performer: str | None
    size: int
    prices: list[PriceChoice]
    people: list[str]
    most: int
    seats: SeatsTold
    lines: list[PriceLine]
    total_minor: int
    payment_mode: str
    ways: list[str]
    part_of: str
    questions: list[Question]
    leaving: list[str]
    closed: str | None
    size_error: str | None
    takes_codes: bool
    code_error: str | None
    money_minor: int = 0
    code_off_minor: int = 0
    credits: WishCredits = WishCredits()
    waitlist_href: str | None = None
    transfer_until_on: date | None = None
    agreements: list[Needed] = []
    offered_places: int = 0
    offered_until_at: datetime | None = None


class BookingFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The booking form. `form` is what was typed; `form_token` makes it one booking. `held` is what
    this browser holds of the same already, and `is_held` whether it has what is booked here, not
    just a date of that. `told` is good news about what was sent. `code_words` are those of the code
    in the price, and `exchanged` says which other one it has taken the place of. `guest` is who is
    signed in, whose own pages are at `me`; `own_people` are the names of those whom they keep, and
    `has_place` says that they come to what is booked here by another booking already. `cards` are
    those of theirs that could pay online, and `pays_with` the key of the one that is to; by
    `keep_words` they agree to keep another one, empty where none can be kept.
    """

    wish: Wish
    form: Any
    form_token: str
    action: str
    zone: ZoneInfo
    currency: str
    terms: str
    contact_email: str
    contact_phone: str
    held: list[OwnHold]
    is_held: bool
    told: str = ""
    code_words: str = ""
    exchanged: str = ""
    guest: PortalGuest | None = None
    own_people: list[str] = []
    has_place: bool = False
    me: str = ""
    cards: list[CardChoice] = []
    pays_with: str = ""
    keep_words: str = ""


class BookedDate(msgspec.Struct, frozen=True, kw_only=True):
    """A date of a booking with the state of its seats: held, confirmed, attended, cancelled ...

    `seats` are those that stand of the party's, and `comes` who has them; `meeting_url` is empty
    until it may be known. `is_told_of_missing`: they know that they are marked as not come. `title`
    is the session's own, empty where it has none. `was` is what was
    sold, as far as it has changed since; `is_moved` says that its time has. `leave_href` is empty
    where nothing can be left any more, `move_href` where it cannot be exchanged, and `hand_on_href`
    where a place cannot be given to somebody else; `handed_to` are those who got one; `back_until`
    says what comes back until when, while something does, and `minimum` on how many people it hangs
    that the date takes place. One that nobody of the party comes to any
    more is as it was told to them last.
    """

    title: str
    starts_at: datetime
    ends_at: datetime
    place: str | None
    is_online: bool
    is_appointment: bool = False
    address: str = ""
    performer: str | None = ""
    meeting_url: str = ""
    state: str
    is_told_of_missing: bool = False
    seats: int
    comes: list[str] = []
    was: str = ""
    is_moved: bool = False
    leave_href: str = ""
    move_href: str = ""
    hand_on_href: str = ""
    handed_to: list[str] = []
    back_until: str = ""
    minimum: str = ""


class PartyView(msgspec.Struct, frozen=True, kw_only=True):
    """How many come to any of the dates; who, with their kind of price, empty where that says
    nothing; and who is `gone`, coming to none of them any more.
    """

    size: int
    comes: list[str]
    gone: list[str]


class MissingDate(msgspec.Struct, frozen=True, kw_only=True):
    """A date to come that a course was sold without, and what its party pays who gets it later.

    `state`: open (its guest may ask to be told), closed (nobody waits for it), waiting, offered, or
    had (they have got it since). `size` of them lack it. `href` leads to where they wait, or to
    what they have got.
    """

    session_id: UUID
    title: str
    size: int
    starts_at: datetime
    ends_at: datetime
    state: str
    href: str
    price: str


class AskedToLeave(NamedTuple):
    """When a guest asked to leave the course, until that is answered; afterwards the business's
    words where it declined. Neither for who has not asked.
    """

    open_since: datetime | None = None
    declined: str = ""


class SwappedTo(msgspec.Struct, frozen=True, kw_only=True):
    """A date of another course that took the place of one of this booking, and its booking."""

    starts_at: datetime
    name: str
    href: str


NOTHING_CAME_OF_IT = ("called_off", "expired", "given_up", "not_payable", "too_late")
"""Stages of an order that has ended and was never paid for, or in vain."""


class FeeLine(msgspec.Struct, frozen=True, kw_only=True):
    """Fees of one kind in a sentence; `links` lead to the page of each, with what to call it."""

    text: str
    links: list[tuple[str, str]]


class GuestBookingView(msgspec.Struct, frozen=True, kw_only=True):
    """One booking on its own page.

    `stage`: held, transfer (it is waited for, and `transfer` says how to make it), processing, over
    (its time to pay), confirmed, cancelled, called_off (before it was paid), expired, given_up,
    not_payable, too_late (a payment came that nothing was booked with: `why_not_booked` says why,
    mismatch, given_up, cancelled, part (of a transfer) or gone, and `money_back` where it is,
    returned, pending or kept).
    `owed_minor` is still to be paid on site. `to_voucher_minor` is on the voucher again that
    paid, `as_voucher_minor` was given back as a new one. Of `refunded_minor`, which is money, so
    much is still on its way as `returning_minor`, `not_arrived_minor` came back from the bank, and
    `settled_minor` did and was then dealt with elsewhere. `taken_back_minor` the guest's bank has
    taken back in a dispute that was lost; `is_with_the_bank`: it has what was paid, by an open one
    or by that. `fees` say what is asked for having left late or not
    having come, and what of it was paid.
    `may_leave_free`: a date that is still to come was moved after it was booked, and is not back
    where it was. `course_href` leads to leaving all of a course, empty where there is none to
    leave; `people_href` to saying who comes, empty where it is too late for that.
    `discount_minor` is off the amount that is shown already, by the code `coupon`. Of the total
    `voucher_minor` is paid by a voucher. `missing` are dates that it was sold
    without; `completes_href` leads to the booking that this one is a missing
    date of.
    `credits_line` says which credits paid for it, empty where none did, and `credits_given` which
    were given for places of it that were cancelled.
    `asked_to_leave` is how it stands with what its guest asked for last.
    `looks_again`: its guest is just back from paying in vain, and the money goes back in a moment.
    `swapped_to`: what took the place of dates of it in other courses. `to_sign` counts the
    agreements that wait for a signature. `attempt` tells of the card that it was to be paid with,
    and `cards` which there are to choose from, for its guest alone.
    """

    stage: str
    reference: str
    name: str
    guest_name: str
    guest_email: str
    party: PartyView
    answers: list[tuple[str, str]]
    dates: list[BookedDate]
    may_leave_free: bool
    coupon: str
    discount_minor: int
    voucher_minor: int
    total_minor: int
    paid_minor: int
    refunded_minor: int
    owed_minor: int
    returning_minor: int
    to_voucher_minor: int = 0
    as_voucher_minor: int = 0
    not_arrived_minor: int
    settled_minor: int = 0
    taken_back_minor: int
    to_hand_back_minor: int
    beside: BesidePrice
    fees: list[FeeLine] = []
    money_back: str
    why_not_booked: str
    payment_mode: str
    credits_line: str
    credits_given: list[str] = []
    currency: str
    zone: ZoneInfo
    hold_until_at: datetime | None
    looked_at: datetime
    path: str
    course_href: str
    people_href: str
    again_href: str
    hub_href: str
    contact_email: str
    contact_phone: str
    missing: list[MissingDate]
    completes_href: str
    transfer: HowToTransfer | None
    looks_again: bool
    swapped_to: list[SwappedTo] = []
    asked_to_leave: AskedToLeave
    is_with_the_bank: bool = False
    to_sign: int = 0
    attempt: CardAttempt | None = None
    cards: list[CardChoice] = []

    @property
    def is_over(self) -> bool:
        """Whether no date that stands is still to come, or runs."""
        return not any(date.seats and date.ends_at > self.looked_at for date in self.dates)

    @property
    def pay_at(self) -> str:
        """At which of several dates what is owed can be brought along: first or next; else ""."""
        standing = [date for date in self.dates if date.seats]
        if self.is_over or len(standing) < 2:
            return ""
        return "first" if standing[0].ends_at > self.looked_at else "next"

    @property
    def given_to(self) -> list[str]:
        """Who comes, each once, where all places that stand were given to others; else nobody."""
        standing = [date for date in self.dates if date.seats]
        if any(len(date.handed_to) < date.seats for date in standing):
            return []
        return list(dict.fromkeys(name for date in standing for name in date.handed_to))

    @property
    def to_pay_minor(self) -> int:
        """What the payment page asks for."""
        return self.total_minor - self.voucher_minor

    @property
    def has_voucher_back(self) -> bool:
        """Whether a voucher that was to pay a part is whole again, as nothing came of it."""
        return self.voucher_minor > 0 and self.stage in NOTHING_CAME_OF_IT

    @property
    def is_held_past_today(self) -> bool:
        """Then a time of day alone would mislead."""
        until, now = self.hold_until_at, self.looked_at
        return until is not None and _day(until, self.zone) > _day(now, self.zone)

    @property
    def is_shortened_by_paying(self) -> bool:
        return is_shortened_by_paying(self.hold_until_at, self.looked_at)

    @property
    def returned_minor(self) -> int:
        """What has gone back to the guest."""
        return self.refunded_minor - self.returning_minor

    @property
    def is_more_than_price(self) -> bool:
        """Whether what was paid is not the price: then both are told."""
        return self.paid_minor > self.total_minor or self.beside.in_all_minor > 0

    @property
    def is_waiting(self) -> bool:
        """Whether the page may change by itself in a moment."""
        return self.stage == "processing"


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()
