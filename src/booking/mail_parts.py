"""What mails about bookings are made of: dates, places, money and terms in words."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec

from src.billing.credit_mails import OF_PACKAGES, credits_in_words, end_in_words
from src.booking.calendar_files import (
    CalendarSeat,
)
from src.booking.domain.kinds import SessionMode
from src.booking.domain.leaving import capped, terms_from
from src.booking.domain.moves import may_leave_free_because_moved, place_line
from src.booking.leaving_words import (
    dates_in_words,
    next_deadline_words,
    rules_in_words,
)
from src.booking.minimum_words import takes_place_if
from src.booking.paying import paying_of
from src.booking.queries.changes import Believed, Earlier, said_of
from src.booking.queries.mail_facts import BookingFacts, Known, SeatFacts, SplitParty
from src.booking.queries.party import called, count_paying
from src.booking.said import Person, in_party, names_of, party_words, was_words
from src.booking.views.guest import MissingDate
from src.booking.views.mails import (
    ConfirmedView,
    CreditsView,
    HeldCancelledView,
    LeavingAskedView,
    LeavingDeclinedView,
    MissingView,
    PaymentLinkView,
    ReminderView,
    RunView,
    SeatsCancelledView,
    SeatsMovedView,
    SessionsChangedView,
    WayOutView,
    portal_beside,
)
from src.platform.i18n import N_, _
from src.platform.mail.queue import Attachment, Mail
from src.platform.mail.templates import render_mail
from src.platform.web.formats import date_long, date_range, date_short
from src.tenants.context import TenantSnapshot
from src.tenants.worded_mails import SHIPPED, Placeholder, Wordings, find_mail_kind, render_worded

BookingMailView = (
    ConfirmedView
    | HeldCancelledView
    | LeavingAskedView
    | LeavingDeclinedView
    | PaymentLinkView
    | ReminderView
    | SeatsCancelledView
    | SeatsMovedView
    | SessionsChangedView
)
CALENDAR_TYPE = "text/calendar"


def mail_of(
    name: str,
    tenant: TenantSnapshot,
    facts: BookingFacts,
    view: BookingMailView,
    calendar: bytes | None,
    dedupe_key: str,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """In the business's words where this mail may be worded at all."""
    order = facts.order
    if find_mail_kind(name) is None:
        rendered = render_mail(f"booking/{name}", view, order.locale)
    else:
        rendered = render_worded(name, view, order.locale, wordings)
    return Mail(
        kind=name,
        to_address=order.guest_email,
        to_name=order.guest_name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        dedupe_key=dedupe_key,
        unsubscribe_url=getattr(view, "unsubscribe_url", ""),
        attachments=() if calendar is None else (dates_file(calendar),),
    )


def dates_file(calendar: bytes) -> Attachment:
    return Attachment(filename="dates.ics", content_type=CALENDAR_TYPE, content=calendar)


def calendar_seats(
    facts: BookingFacts, seats: Sequence[SeatFacts], booking_url: str, *, may_join: bool = True
) -> list[CalendarSeat]:
    """The seats as entries of the calendar of who booked, without those that are somebody else's by
    now. `booking_url` goes into them, unless it is empty; it opens this booking only.

    Unless the guest `may_join`, the entries do not tell where an online session meets.
    """
    return [
        CalendarSeat(
            seat_id=item.seat.calendar_id or item.seat.id,
            starts_at=item.session.starts_at,
            ends_at=item.session.ends_at,
            title=_title_of(facts, item),
            sequence=item.seat.sequence + item.session.sequence,
            where=place_of(item) or join_url_of(item, may_join=may_join),
            url=join_url_of(item, may_join=may_join) or booking_url,
        )
        for item in seats
        if not item.seat.is_handed_on
    ]


def _title_of(facts: BookingFacts, item: SeatFacts) -> str:
    """A party has an entry for each of its people, so they say whose they are."""
    size = facts.booking.party_size
    person = called(item.person, item.number, size) if size > 1 else ""
    return " · ".join(filter(None, (facts.service.name, item.session.title, person)))


def what_of(tenant: TenantSnapshot, facts: BookingFacts) -> str:
    """What was bought, as one name. A date that completes a course has its day with it, for its
    guest has mails about the course itself.
    """
    is_one_date = facts.booking.completes_id is not None and facts.seats
    day = date_short(facts.seats[0].session.starts_at, tenant.zone) if is_one_date else ""
    return " · ".join(filter(None, (facts.what, day)))


def join_url_of(item: SeatFacts, *, may_join: bool) -> str:
    """The meeting's address is for those who come, and for nobody else."""
    return item.session.meeting_url if may_join else ""


def place_of(item: SeatFacts) -> str:
    """Where to go, as one line; empty for an online session."""
    if item.session.mode == SessionMode.ONLINE or item.location is None:
        return ""
    return place_line(item.location.name, item.location.address)


def missing_of(
    tenant: TenantSnapshot, missing: Sequence[MissingDate], booking_url: str
) -> list[MissingView]:
    """The dates that a course was sold without, but for those that its guest has got since."""
    return [
        MissingView(
            when=date_range(date.starts_at, date.ends_at, tenant.zone),
            title=date.title,
            day=date_long(date.starts_at, tenant.zone),
            join_url=f"{booking_url}#missing" if date.state == "open" else "",
        )
        for date in missing
        if date.state != "had"
    ]


def _missing_words(missing: Sequence[MissingView]) -> str:
    if not missing:
        return ""
    dates = "; ".join(", ".join(filter(None, (date.when, date.title))) for date in missing)
    said = _("Full, so not included and not paid for: %(dates)s.", dates=dates)
    if not any(date.join_url for date in missing):
        return said
    more = _("On your booking's page you can join the waiting list for what is missing.")
    return f"{said} {more}"


MISSING = Placeholder(
    name="missing",
    label=N_("Dates of a course that were full and left out; nothing otherwise"),
    value=lambda view: _missing_words(view.missing),
)


WHO = Placeholder(
    name="party",
    label=N_("Who comes, by name; nothing where nobody was named"),
    value=lambda view: ", ".join(view.party),
)
TERMS = Placeholder(
    name="terms",
    label=N_("Until when a date can be left, what comes back, and any fee"),
    value=lambda view: f"{_('If you cannot come')}: {' '.join(view.leaving)}",
)


OF_CREDITS = tuple(
    msgspec.structs.replace(one, value=lambda view, read=one.value: read(view.credits))
    for one in OF_PACKAGES
)
"""What a mail about a booking says of the credits that paid for it; empty without any."""


def credits_of(tenant: TenantSnapshot, facts: BookingFacts) -> CreditsView:
    """In the order's language."""
    spent, locale = facts.credits, facts.order.locale
    if spent is None:
        return CreditsView()
    return CreditsView(
        package_name=spent.name,
        sessions_remaining=credits_in_words(spent.left, locale),
        package_expiry=end_in_words(spent.expires_at, tenant, locale),
    )


def credits_that_paid(tenant: TenantSnapshot, bookings: Sequence[BookingFacts]) -> CreditsView:
    """Of a mail about several bookings: the credits of the first that was paid with some."""
    paid = next((one for one in bookings if one.credits is not None), bookings[0])
    return credits_of(tenant, paid)


MY_BOOKINGS = Placeholder(
    name="my_bookings",
    label=N_("The address of all that a guest has booked"),
    value=lambda view: portal_beside(view.booking_url),
)
MONEY = Placeholder(
    name="money", label=N_("What is paid, owed or comes back"), value=lambda view: view.money_line
)
REASON = Placeholder(
    name="reason", label=N_("Why, if a reason was given"), value=lambda view: view.reason
)
FORMER_TIMES = Placeholder(
    name="before",
    label=N_("What was said before, of the dates that have changed"),
    value=lambda view: "; ".join(run.was for run in view.runs if run.was),
)


def party_of(
    facts: BookingFacts,
    seats: Sequence[SeatFacts],
    every: Sequence[SeatFacts] | None = None,
) -> list[str]:
    """Who comes at which price, of all of the booking's, or of `every` where the guest has more
    than one; empty where that says nothing.
    """
    people = in_party(
        (item.seat.participant_id, item.number, item.person, item.seat.tier)
        for item in (facts.seats if every is None else every)
    )
    coming = {item.seat.participant_id for item in seats}
    comes = [person for one, person in people.items() if one in coming]
    return party_words(comes, facts.order.guest_name)


def leaving_of(
    tenant: TenantSnapshot, facts: BookingFacts, seats: Sequence[SeatFacts], now: datetime
) -> list[str]:
    """The terms it was bought under, as far as they count at `now`: for one date as moments, for
    several as rules.
    """
    people = count_paying(item.seat for item in seats)
    most = min((item.seat.most_percent for item in seats), default=100)
    terms = capped(terms_from(facts.booking.leaving), most)
    paying = paying_of(facts.order)
    starts = [item.session.starts_at for item in seats]
    if len(set(starts)) == 1:
        return dates_in_words(terms, paying, starts[0], tenant.zone, now, seats=people)
    return rules_in_words(terms, paying, tenant.zone, _next(starts, now), now, seats=people)


def ways_out_of(
    tenant: TenantSnapshot, bookings: Sequence[BookingFacts], pages: Sequence[str], now: datetime
) -> list[WayOutView]:
    """Where each of the bookings of one date is left, whose own page is in `pages`; nothing for one
    whose guest has to ask the business. The address itself frees nothing: it leads to a page that
    says what comes back and has a button.
    """
    return [
        WayOutView(
            booking=facts.order.reference if len(bookings) > 1 else "",
            hint=_deadline(tenant, facts, now),
            url=f"{own_page}/leave?date={facts.seats[0].session.id}",
        )
        for facts, own_page in zip(bookings, pages, strict=True)
        if terms_from(facts.booking.leaving).may_cancel or _are_free(facts)
    ]


def _deadline(tenant: TenantSnapshot, facts: BookingFacts, now: datetime) -> str:
    if _are_free(facts):
        return ""
    most = min(item.seat.most_percent for item in facts.seats)
    terms = capped(terms_from(facts.booking.leaving), most)
    paying, first = paying_of(facts.order), facts.seats[0].session
    seats = count_paying(item.seat for item in facts.seats if item.session.id == first.id)
    return next_deadline_words(terms, paying, first.starts_at, tenant.zone, now, seats)


def _are_free(facts: BookingFacts) -> bool:
    """Whether the business moved the date, so that no terms count."""
    return all(
        may_leave_free_because_moved(
            item.seat.sold_sequence, item.session.moved_sequence, is_marked=item.seat.may_leave_free
        )
        for item in facts.seats
    )


def _way_out_words(ways_out: Sequence[WayOutView]) -> str:
    """All of them in one paragraph."""
    said = []
    for one in ways_out:
        words = _("Can't make it? Free your place here: %(url)s", url=one.url)
        said.append(" ".join(filter(None, (one.booking and f"{one.booking}:", words))))
    return " ".join(said)


WAY_OUT = Placeholder(
    name="way_out",
    label=N_("Where who cannot come frees the date; nothing where guests may not"),
    value=lambda view: _way_out_words(view.ways_out),
)


def _next(starts: Sequence[datetime], now: datetime) -> datetime | None:
    return min((start for start in starts if start > now), default=None)


def runs_of(
    tenant: TenantSnapshot,
    seats: Sequence[SeatFacts],
    believed: Believed | None = None,
    *,
    may_join: bool = True,
    says_performer: bool = False,
    whole_at: datetime | None = None,
) -> list[RunView]:
    """Each date once, however many people of the party come, in the order of time, whatever number
    of bookings they are of. With `says_performer` another performer is told as a change, and where
    all of it is told, as it is `whole_at` a moment, whoever performs is named.
    """
    in_time = sorted(seats, key=lambda item: item.session.starts_at)
    by_session = {item.session.id: item for item in in_time}
    return [
        RunView(
            when=date_range(item.session.starts_at, item.session.ends_at, tenant.zone),
            title=item.session.title,
            where=place_of(item),
            join_url=join_url_of(item, may_join=may_join),
            was=_was(tenant, item, believed or {}),
            performer=_performer(item, believed or {}) if says_performer else "",
            led_by=item.performer if whole_at else "",
            minimum=takes_place_if(item.session, tenant.zone, whole_at) if whole_at else "",
        )
        for item in by_session.values()
    ]


def an_hour_sooner(seats: Sequence[SeatFacts], timezone: str) -> Believed:
    """As if their guests had been told so of each date, for mails that are only shown."""
    hour, believed = timedelta(hours=1), dict[Known, Earlier]()
    for item in seats:
        now = said_of(item.session, item.location, timezone)
        before = replace(now, starts_at=now.starts_at - hour, ends_at=now.ends_at - hour)
        believed[item.known] = Earlier(before, (_("The hall is closed."),))
    return believed


def _performer(item: SeatFacts, believed: Believed) -> str:
    earlier = believed.get(item.known)
    return earlier.performer if earlier is not None else ""


def _was(tenant: TenantSnapshot, item: SeatFacts, believed: Believed) -> str:
    earlier = believed.get(item.known)
    if earlier is None:
        return ""
    return was_words(earlier.said, said_of(item.session, item.location, tenant.timezone))


def party_line(parties: Sequence[SplitParty]) -> str:
    """Who of a party does not come any more and who still does; empty when nobody does."""
    return " ".join(
        _(
            "This is about %(gone)s. Still coming: %(staying)s.",
            gone=_people(party.gone),
            staying=_people(party.staying),
        )
        for party in parties
    )


def _people(people: Sequence[Person]) -> str:
    """A party has several, so who has no name has a number. It is the end of a sentence, whose dot
    a name's own stands for.
    """
    return ", ".join(names_of(people)).rstrip(".")
