"""The mails about bookings: one per person and action, each with one calendar file."""

from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from src.billing.domain.holds import is_shortened_by_paying, payable_until
from src.billing.models import Order
from src.booking.agreement_words import agreed_of
from src.booking.calendar_files import (
    CalendarSeat,
    Organiser,
    booking_calendar,
    cancellation_calendar,
)
from src.booking.check_in_codes import check_in_path
from src.booking.domain.kinds import SeatState, SessionMode, SessionState
from src.booking.given_words import given_and_cancelled
from src.booking.guest_links import booking_path
from src.booking.held_until_words import held_until_words
from src.booking.leaving_mails import way_out_of_moved
from src.booking.mail_parts import (
    calendar_seats,
    credits_of,
    credits_that_paid,
    mail_of,
    missing_of,
    party_line,
    party_of,
    runs_of,
    ways_out_of,
    what_of,
)
from src.booking.money_words import paid_line
from src.booking.queries.agreements_waiting import OfOrder
from src.booking.queries.changes import Believed
from src.booking.queries.mail_facts import BookingFacts, SeatFacts, SplitParty
from src.booking.seats_end import SeatsEnd
from src.booking.views.guest import MissingDate
from src.booking.views.leaving import CreditBack
from src.booking.views.mails import (
    ConfirmedView,
    PaymentLinkView,
    ReminderView,
    SeatsCancelledView,
    SessionsChangedView,
)
from src.platform.config import Settings
from src.platform.i18n import use_locale
from src.platform.mail.queue import Mail
from src.platform.money import Money, format_money
from src.platform.web.formats import date_short
from src.tenants.context import TenantSnapshot
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.unsubscribe_links import unsubscribe_url
from src.tenants.worded_mails import SHIPPED, Wordings

_OFF = (SessionState.CANCELLING, SessionState.CANCELLED)
BOOKED = frozenset({SeatState.CONFIRMED, SeatState.ATTENDED, SeatState.NO_SHOW})
"""What was booked and not given up: whoever books at the door may be checked in, or missed, before
their mail is written.
"""


def confirmation_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: BookingFacts,
    now: datetime,
    believed: Believed,
    *,
    owed_minor: int,
    missing: Sequence[MissingDate] = (),
    agreements: OfOrder | None = None,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """You are booked: every date spelled out and in the attached calendar file, with what it was
    when it was booked where it has changed since. `owed_minor` is still to be paid on site;
    `missing` are dates that a course was sold without.
    """
    order = facts.order
    booking_url = settings.base_url + booking_path(settings, tenant.slug, order)
    seats = [item for item in facts.seats if item.seat.state in BOOKED]
    with use_locale(order.locale):
        view = ConfirmedView(
            locale=order.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=order.guest_name,
            what=what_of(tenant, facts),
            runs=runs_of(tenant, seats, believed, whole_at=now),
            zone_name=tenant.zone_name,
            may_leave=_moved_since_told(seats),
            party_size=facts.booking.party_size,
            party=party_of(facts, seats),
            money_line=paid_line(facts, owed_minor),
            credits=credits_of(tenant, facts),
            reference=order.reference,
            leaving=way_out_of_moved(tenant, facts, seats, now),
            booking_url=booking_url,
            missing=missing_of(tenant, missing, booking_url),
            agreed=agreed_of(agreements, booking_url),
            has_code=any(item.session.mode == SessionMode.IN_PERSON for item in seats),
        )
    calendar = booking_calendar(
        calendar_seats(facts, seats, view.booking_url),
        organiser=Organiser(name=tenant.name, email=tenant.contact_email),
        zone=tenant.zone,
        host=settings.host,
        now=now,
    )
    key = _key_with_links("confirmed", order)
    return mail_of("confirmed", tenant, facts, view, calendar, key, wordings)


def check_in_address(settings: Settings, slug: str, order: Order) -> str:
    """What the picture that guests show at the door says."""
    return settings.base_url + check_in_path(settings, slug, order)


def payment_link_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: BookingFacts,
    now: datetime,
    wordings: Wordings = SHIPPED,
    again: UUID | None = None,
) -> Mail:
    """Staff hold places for you: pay here, by then. No calendar file, nothing stands yet. It goes
    out once, and once for each press that wants it sent `again`.
    """
    order = facts.order
    until = payable_until(order.hold_expires_at)
    sessions = [item.session for item in facts.seats]
    with use_locale(order.locale):
        # The link to an online session is for those who have paid.
        runs = [msgspec.structs.replace(run, join_url="") for run in runs_of(tenant, facts.seats)]
        view = PaymentLinkView(
            locale=order.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=order.guest_name,
            what=what_of(tenant, facts),
            runs=runs,
            zone_name=tenant.zone_name,
            party_size=facts.booking.party_size,
            price=format_money(Money(order.to_pay_minor, order.currency), order.locale),
            pay_until=held_until_words(until, sessions, tenant.zone, now),
            is_shortened_by_paying=is_shortened_by_paying(until, now),
            booking_url=settings.base_url + booking_path(settings, tenant.slug, order),
        )
    key = _key_with_links("payment_link", order) + (f":{again}" if again else "")
    return mail_of("payment_link", tenant, facts, view, None, key, wordings)


def _key_with_links(name: str, order: Order) -> str:
    """Once for each address: a corrected one has it with the links that hold from then on."""
    version = f":{order.link_version}" if order.link_version else ""
    return f"{name}:{order.id}{version}"


def cancellation_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    bookings: Sequence[BookingFacts],
    *,
    cancellation_id: UUID,
    reason: str,
    now: datetime,
    going_on: Container[UUID] = (),
    by_hand_minor: int = 0,
    owed_minor: int = 0,
    parties: Mapping[UUID, SplitParty] | None = None,
    believed: Believed | None = None,
    as_asked: bool = False,
    as_voucher: bool = False,
    credits_back: Sequence[CreditBack] = (),
    wordings: Wordings = SHIPPED,
) -> Mail:
    """These dates are cancelled: one mail to one customer, whatever number of orders they had.

    `going_on` are the bookings that have other seats which stand; `by_hand_minor` is handed back
    on site, where `owed_minor` is to be paid for all of the orders; `parties` are those of which
    somebody still comes; `as_asked`: it is the answer to their request to leave. `as_voucher`: what
    comes back is one.

    Its occasion is these seats' end, so that one paid for at the last moment, and freed after the
    customer's others, is told of as well.
    """
    key = f"cancelled:{cancellation_id}:{_first_seat(bookings)}"
    end = SeatsEnd(
        reason,
        by_guest=False,
        key=key,
        going_on=going_on,
        by_hand_minor=by_hand_minor,
        owed_minor=owed_minor,
        parties=parties or {},
        believed=believed or {},
        as_asked=as_asked,
        as_voucher=as_voucher,
        credits_back=credits_back,
    )
    return _seats_mail(settings, tenant, bookings, end, now, wordings)


def seats_left_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    bookings: Sequence[BookingFacts],
    *,
    why: str,
    by_guest: bool,
    now: datetime,
    going_on: Container[UUID] = (),
    by_hand_minor: int = 0,
    owed_minor: int = 0,
    parties: Mapping[UUID, SplitParty] | None = None,
    believed: Believed | None = None,
    fee_minor: int = 0,
    credits_back: Sequence[CreditBack] = (),
    wordings: Wordings = SHIPPED,
) -> Mail:
    """These seats have ended, by their guest or by staff, and this is what comes back."""
    end = SeatsEnd(
        why,
        by_guest=by_guest,
        key=f"seats_left:{_first_seat(bookings)}",
        going_on=going_on,
        by_hand_minor=by_hand_minor,
        owed_minor=owed_minor,
        parties=parties or {},
        believed=believed or {},
        credits_back=credits_back,
        fee_minor=fee_minor,
    )
    return _seats_mail(settings, tenant, bookings, end, now, wordings)


def _first_seat(bookings: Sequence[BookingFacts]) -> UUID:
    """Names the occasion: a seat ends only once."""
    return min(item.seat.id for facts in bookings for item in facts.seats)


def _seats_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    bookings: Sequence[BookingFacts],
    end: SeatsEnd,
    now: datetime,
    wordings: Wordings,
) -> Mail:
    first = bookings[0]
    every = [item for facts in bookings for item in facts.seats]
    seats = sorted(every, key=lambda item: item.session.starts_at)
    is_whole = not any(facts.booking.id in end.going_on for facts in bookings)
    split = [end.parties[one.booking.id] for one in bookings if one.booking.id in end.parties]
    with use_locale(first.order.locale):
        view = SeatsCancelledView(
            locale=first.order.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=first.order.guest_name,
            what=what_of(tenant, first),
            service_name=first.service.name,
            only_on="" if is_whole else _known_day(seats[0], end.believed, tenant),
            party_line=party_line(split),
            takes_place=not any(item.session.state in _OFF for item in seats),
            runs=runs_of(tenant, seats, end.believed, may_join=False),
            zone_name=tenant.zone_name,
            reason=end.reason,
            by_guest=end.by_guest,
            as_asked=end.as_asked,
            money_line=end.back_line(bookings, tenant.zone),
            credits=credits_that_paid(tenant, bookings),
            booking_url=settings.base_url + booking_path(settings, tenant.slug, first.order),
            places=len(seats),
            had_it=given_and_cancelled(seats),
        )
    calendar = cancellation_calendar(
        [
            seat
            for facts in bookings
            for seat in calendar_seats(facts, facts.seats, "", may_join=False)
        ],
        organiser=Organiser(name=tenant.name, email=tenant.contact_email),
        zone=tenant.zone,
        host=settings.host,
        now=now,
    )
    return mail_of("seats_cancelled", tenant, first, view, calendar, end.key, wordings)


def change_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    bookings: Sequence[BookingFacts],
    believed: Believed,
    now: datetime,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """These dates are not what you were told: old and new, and calendar entries that follow.

    One mail to one customer for all of an act, whatever number of orders and dates it touches.
    """
    first = bookings[0]
    seats = [item for facts in bookings for item in facts.seats]
    booking_url = settings.base_url + booking_path(settings, tenant.slug, first.order)
    with use_locale(first.order.locale):
        view = SessionsChangedView(
            locale=first.order.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=first.order.guest_name,
            what=what_of(tenant, first),
            runs=runs_of(tenant, seats, believed, says_performer=True),
            zone_name=tenant.zone_name,
            reason=_reason(seats, believed),
            may_leave=_moved_since_told(seats),
            credits=credits_that_paid(tenant, bookings),
            booking_url=booking_url,
        )
    calendar = booking_calendar(
        [seat for facts in bookings for seat in _own_entries(settings, tenant, facts)],
        organiser=Organiser(name=tenant.name, email=tenant.contact_email),
        zone=tenant.zone,
        host=settings.host,
        now=now,
    )
    # A seat's guest is told of one state of its session once.
    key = f"changed:{seats[0].seat.id}:{seats[0].session.sequence}"
    return mail_of("sessions_changed", tenant, first, view, calendar, key, wordings)


def reminder_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    bookings: Sequence[BookingFacts],
    key: str,
    now: datetime,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """This date is near: one mail to one person, whatever number of orders and seats they have.

    No calendar file, for theirs has the date. `key` names which reminder it is.
    """
    first, order = bookings[0], bookings[0].order
    pages = [settings.base_url + booking_path(settings, tenant.slug, one.order) for one in bookings]
    seats = [item for facts in bookings for item in facts.seats]
    with use_locale(order.locale):
        view = ReminderView(
            locale=order.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=order.guest_name,
            what=what_of(tenant, first),
            runs=runs_of(tenant, seats, whole_at=now),
            zone_name=tenant.zone_name,
            party_size=len(seats),
            party=party_of(first, seats, every=seats),
            booking_url=pages[0],
            ways_out=ways_out_of(tenant, bookings, pages, now),
            credits=credits_that_paid(tenant, bookings),
            unsubscribe_url=unsubscribe_url(
                settings,
                tenant,
                first.booking.customer_id,
                MailTopic.REMINDERS,
                first.booking.created_at,
            ),
        )
    return mail_of("reminder", tenant, first, view, None, key, wordings)


def _own_entries(
    settings: Settings, tenant: TenantSnapshot, facts: BookingFacts
) -> list[CalendarSeat]:
    """The seats as entries that lead to their own booking's page."""
    own_page = settings.base_url + booking_path(settings, tenant.slug, facts.order)
    return calendar_seats(facts, facts.seats, own_page)


def _moved_since_told(seats: Sequence[SeatFacts]) -> bool:
    """Whether this mail is the one that tells of a move."""
    return any(item.seat.told_sequence < item.session.moved_sequence for item in seats)


def _known_day(item: SeatFacts, believed: Believed, tenant: TenantSnapshot) -> str:
    """The day of the date as its guest knows it."""
    earlier = believed.get(item.known)
    said = item.session if earlier is None else earlier.said
    return date_short(said.starts_at, tenant.zone)


def _reason(seats: Sequence[SeatFacts], believed: Believed) -> str:
    """Each reason that was given, once."""
    told = [earlier for item in seats if (earlier := believed.get(item.known)) is not None]
    return " ".join(dict.fromkeys(words for earlier in told for words in earlier.reasons))
