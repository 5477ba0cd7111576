"""What the templates of booking mails are given."""

import msgspec


def portal_beside(booking_url: str) -> str:
    """The guest's own pages at the business of a booking's page."""
    return f"{booking_url.partition('/bookings/')[0]}/me"


class CreditsView(msgspec.Struct, frozen=True):
    """The credits that paid, in words of the reader's language; empty where none did."""

    package_name: str = ""
    sessions_remaining: str = ""
    package_expiry: str = ""


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """One date of a booking, spelled out; `was` is what its guest was told before, if not that, and
    `performer` who performs now, where they are told of a change. `led_by` is who it is with, and
    `minimum` on how many people it hangs, in mails that say all about a date.
    """

    when: str
    title: str = ""
    where: str = ""
    join_url: str = ""
    was: str = ""
    performer: str = ""
    led_by: str = ""
    minimum: str = ""


class MissingView(msgspec.Struct, frozen=True, kw_only=True):
    """A date that a course was sold without. `join_url` leads to where its guest can ask to be told
    of a place, empty where nobody can wait for it. `title` is the date's own, empty where it has
    none.
    """

    when: str
    title: str
    day: str
    join_url: str


class AgreedView(msgspec.Struct, frozen=True, kw_only=True):
    """What was signed with a booking, and what waits to be, at `url`, in sentences; each is empty
    where there is nothing.
    """

    signed: str = ""
    waiting: str = ""
    url: str = ""


class ConfirmedView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail that says: you are booked. `may_leave`: a date was moved since it was booked.
    `party`: who comes at which price, empty where that says nothing.

    `leaving`: what comes back until when for who cannot come, in sentences.
    `has_code`: somebody will want to see the booking's picture at a door.
    `missing`: dates of the course that are not part of it.
    """

    locale: str
    from_name: str
    contact: str
    guest_name: str
    what: str
    runs: list[RunView]
    zone_name: str
    party_size: int
    money_line: str
    reference: str
    may_leave: bool
    leaving: list[str]
    booking_url: str
    has_code: bool
    party: list[str] = []
    missing: list[MissingView] = []
    credits: CreditsView = CreditsView()
    agreed: AgreedView = AgreedView()

    @property
    def portal_url(self) -> str:
        return portal_beside(self.booking_url)


class PaymentLinkView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail that says: these places are held for you until you have paid."""

    locale: str
    from_name: str
    contact: str
    guest_name: str
    what: str
    runs: list[RunView]
    zone_name: str
    party_size: int
    price: str
    pay_until: str
    is_shortened_by_paying: bool
    booking_url: str


class HeldCancelledView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail that says: places that were held for you until you pay are not any more, since the
    business cancels the dates `runs`. `has_others`: other dates were held together with them.
    `by_transfer`: they were to be paid by bank transfer, which may be on its way.
    """

    locale: str
    from_name: str
    contact: str
    guest_name: str
    what: str
    runs: list[RunView]
    has_others: bool
    zone_name: str
    reason: str
    booking_url: str
    by_transfer: bool = False


class SeatsCancelledView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail that says: these dates do not take place for you.

    `by_guest`: they left them, else the business cancelled, `as_asked` where it did so because they
    had asked to leave. `money_line` says what comes back.
    `only_on` is the first of the dates where the booking has others that stand, empty else, and
    `party_line` who of the party it is about, empty when it is all of them. `takes_place`: only the
    guest's own place is cancelled, and others come on those dates. `places` is how many on all of
    the dates, and `had_it` a sentence on those that were given away.
    """

    locale: str
    from_name: str
    contact: str
    guest_name: str
    what: str
    service_name: str
    only_on: str
    party_line: str
    takes_place: bool
    runs: list[RunView]
    zone_name: str
    reason: str
    by_guest: bool
    as_asked: bool
    money_line: str
    booking_url: str
    places: int = 1
    had_it: str = ""
    credits: CreditsView = CreditsView()


class SeatsMovedView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail that says: you come on this date instead. `before` are the dates that were given up.

    `by_guest`: they exchanged them, else the business did. `leaving` are the terms of the new date.
    `people` says who of a party moves, empty where all do. `places` is how many, and `had_it` a
    sentence on those that were given away. `owed` is what is still to be paid.
    """

    locale: str
    from_name: str
    contact: str
    guest_name: str
    what: str
    people: str
    before: list[RunView]
    runs: list[RunView]
    zone_name: str
    reason: str
    by_guest: bool
    leaving: list[str]
    booking_url: str
    places: int = 1
    had_it: str = ""
    owed: str = ""
    credits: CreditsView = CreditsView()


class LeavingAskedView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail that says: the business has your request to leave the course."""

    locale: str
    from_name: str
    contact: str
    guest_name: str
    what: str
    reason: str
    booking_url: str


class CalendarLinkView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail with the link to the calendar of all that a customer books; it holds for `days`."""

    locale: str
    from_name: str
    contact: str
    guest_name: str
    days: int
    calendar_url: str


class GroupPostView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail to a member about what was written to their group, by `paragraphs`."""

    locale: str
    from_name: str
    contact: str
    guest_name: str
    group: str
    title: str
    paragraphs: list[str]
    page_url: str
    unsubscribe_url: str


class LeaveRequestView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail to those who run the business: a guest asks to leave a course."""

    locale: str
    from_name: str
    contact: str
    name: str
    guest_name: str
    what: str
    reason: str
    href: str


class LeavingDeclinedView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail that says: the business does not let you leave the course."""

    locale: str
    from_name: str
    contact: str
    guest_name: str
    what: str
    answer: str
    booking_url: str


class SessionsChangedView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail that says: these dates are not what you were told. `may_leave`: some were moved."""

    locale: str
    from_name: str
    contact: str
    guest_name: str
    what: str
    runs: list[RunView]
    zone_name: str
    reason: str
    may_leave: bool
    booking_url: str
    credits: CreditsView = CreditsView()


class WayOutView(msgspec.Struct, frozen=True, kw_only=True):
    """Where who cannot come frees the date. `booking` tells which of several bookings of it that is
    about, empty where there is one, and `hint` until when what comes back.
    """

    booking: str
    hint: str
    url: str


class ReminderView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail that says: this date is near. `ways_out` are for those who may leave by themselves,
    one for each booking of the date.
    """

    locale: str
    from_name: str
    contact: str
    guest_name: str
    what: str
    runs: list[RunView]
    zone_name: str
    party_size: int
    party: list[str]
    booking_url: str
    unsubscribe_url: str
    ways_out: list[WayOutView] = []
    credits: CreditsView = CreditsView()

    @property
    def portal_url(self) -> str:
        return portal_beside(self.booking_url)


class PlaceView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail to somebody who has, or had, a place that was handed on.

    `news` is `given`, `reminder`, `changed`, `passed_on` or `off`. `giver` booked it and may cancel
    it; `taker` has it now, where it was passed on. `booking_url` is for who booked alone, else
    empty. `reason` is the business's, of what it called off. `is_moved`: whose it was has the place
    on another date.
    """

    locale: str
    from_name: str
    contact: str
    guest_name: str
    news: str
    what: str
    giver: str
    taker: str
    runs: list[RunView]
    zone_name: str
    booking_url: str
    reason: str = ""
    is_moved: bool = False


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """What the business writes to the guests of one session, in its own words, by paragraph."""

    locale: str
    from_name: str
    contact: str
    subject: str
    guest_name: str
    what: str
    runs: list[RunView]
    zone_name: str
    paragraphs: list[str]
    booking_url: str


class MinimumMissedView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail to those who run the business: too few come, is it to take place?"""

    locale: str
    from_name: str
    contact: str
    name: str
    what: str
    when: str
    taken: int
    not_counted: str
    min_seats: int
    decided_at: str
    href: str


class CalledOffView(msgspec.Struct, frozen=True, kw_only=True):
    """The mail to those who run the business: too few came, and it was called off."""

    locale: str
    from_name: str
    contact: str
    name: str
    what: str
    when: str
    min_seats: int
    href: str
