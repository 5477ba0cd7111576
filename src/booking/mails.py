"""The mails about bookings: one per person and action, each with one calendar file."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from src.billing.domain.holds import HOLD_MARGIN
from src.billing.domain.kinds import PaymentMode
from src.billing.models import Order
from src.booking.calendar_files import (
    CalendarSeat,
    Organiser,
    booking_calendar,
    cancellation_calendar,
)
from src.booking.check_in_codes import check_in_path
from src.booking.domain.kinds import SeatState, SessionMode
from src.booking.domain.moves import place_line
from src.booking.guest_links import booking_path
from src.booking.queries.changes import Believed, said_of
from src.booking.queries.mail_facts import BookingFacts, SeatFacts
from src.booking.said import was_words
from src.booking.views.mails import (
    ConfirmedView,
    PaymentLinkView,
    RunView,
    SeatsCancelledView,
    SessionsChangedView,
)
from src.platform.config import Settings
from src.platform.i18n import _, use_locale
from src.platform.mail.queue import Attachment, Mail
from src.platform.mail.templates import render_mail
from src.platform.money import Money, format_money
from src.platform.web.formats import date_range, datetime_local
from src.tenants.context import TenantSnapshot

CALENDAR_TYPE = "text/calendar"
COMES = frozenset({SeatState.CONFIRMED, SeatState.ATTENDED})
"""Whoever books at the door may be checked in before their mail is written."""


def confirmation_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: BookingFacts,
    now: datetime,
    believed: Believed,
    *,
    owed_minor: int,
) -> Mail:
    """You are booked: every date spelled out and in the attached calendar file, with what it was
    when it was booked where it has changed since. `owed_minor` is still to be paid on site.
    """
    order = facts.order
    seats = [item for item in facts.seats if item.seat.state in COMES]
    with use_locale(order.locale):
        view = ConfirmedView(
            locale=order.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=order.guest_name,
            what=facts.what,
            runs=_runs(tenant, seats, believed),
            zone_name=tenant.timezone,
            may_leave=_moved_since_told(seats),
            party_size=facts.booking.party_size,
            money_line=money_line(facts, owed_minor),
            reference=order.reference,
            booking_url=settings.base_url + booking_path(settings, tenant.slug, order),
            has_code=any(item.session.mode == SessionMode.IN_PERSON for item in seats),
        )
    calendar = booking_calendar(
        calendar_seats(facts, seats, view.booking_url),
        organiser=Organiser(name=tenant.name, email=tenant.contact_email),
        zone=tenant.zone,
        host=settings.host,
        now=now,
    )
    return _mail("confirmed", tenant, facts, view, calendar, f"confirmed:{order.id}")


def check_in_address(settings: Settings, slug: str, order: Order) -> str:
    """What the picture that guests show at the door says."""
    return settings.base_url + check_in_path(settings, slug, order)


def payment_link_mail(settings: Settings, tenant: TenantSnapshot, facts: BookingFacts) -> Mail:
    """Staff hold places for you: pay here, by then. No calendar file, nothing stands yet."""
    order = facts.order
    until = order.hold_expires_at
    # The link to an online session is for those who have paid.
    runs = [msgspec.structs.replace(run, join_url="") for run in _runs(tenant, facts.seats)]
    with use_locale(order.locale):
        view = PaymentLinkView(
            locale=order.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=order.guest_name,
            what=facts.what,
            runs=runs,
            zone_name=tenant.timezone,
            party_size=facts.booking.party_size,
            price=format_money(Money(order.total_minor, order.currency), order.locale),
            pay_until="" if until is None else datetime_local(until - HOLD_MARGIN, tenant.zone),
            booking_url=settings.base_url + booking_path(settings, tenant.slug, order),
        )
    return _mail("payment_link", tenant, facts, view, None, f"payment_link:{order.id}")


def cancellation_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    bookings: Sequence[BookingFacts],
    *,
    cancellation_id: UUID,
    reason: str,
    now: datetime,
) -> Mail:
    """These dates are cancelled: one mail to one customer, whatever number of orders they had.

    Its occasion is these seats' end, so that one paid for at the last moment, and freed after the
    customer's others, is told of as well.
    """
    key = f"cancelled:{cancellation_id}:{_first_seat(bookings)}"
    return _seats_mail(settings, tenant, bookings, reason=reason, by_guest=False, key=key, now=now)


def seats_left_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    bookings: Sequence[BookingFacts],
    *,
    why: str,
    by_guest: bool,
    now: datetime,
) -> Mail:
    """These seats have ended, by their guest or by staff, and this is what comes back."""
    key = f"seats_left:{_first_seat(bookings)}"
    return _seats_mail(settings, tenant, bookings, reason=why, by_guest=by_guest, key=key, now=now)


def _first_seat(bookings: Sequence[BookingFacts]) -> UUID:
    """Names the occasion: a seat ends only once."""
    return min(item.seat.id for facts in bookings for item in facts.seats)


def _seats_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    bookings: Sequence[BookingFacts],
    *,
    reason: str,
    by_guest: bool,
    key: str,
    now: datetime,
) -> Mail:
    first = bookings[0]
    seats = [item for facts in bookings for item in facts.seats]
    with use_locale(first.order.locale):
        view = SeatsCancelledView(
            locale=first.order.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=first.order.guest_name,
            what=first.what,
            runs=_runs(tenant, seats, may_join=False),
            zone_name=tenant.timezone,
            reason=reason,
            by_guest=by_guest,
            money_line=back_line(bookings),
            booking_url=settings.base_url + booking_path(settings, tenant.slug, first.order),
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
    return _mail("seats_cancelled", tenant, first, view, calendar, key)


def change_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    bookings: Sequence[BookingFacts],
    believed: Believed,
    now: datetime,
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
            what=first.what,
            runs=_runs(tenant, seats, believed),
            zone_name=tenant.timezone,
            reason=_reason(seats, believed),
            may_leave=_moved_since_told(seats),
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
    return _mail("sessions_changed", tenant, first, view, calendar, key)


def calendar_seats(
    facts: BookingFacts, seats: Sequence[SeatFacts], booking_url: str, *, may_join: bool = True
) -> list[CalendarSeat]:
    """The seats as calendar entries. `booking_url` goes into them; it opens this booking only.

    Unless the guest `may_join`, the entries do not tell where an online session meets.
    """
    return [
        CalendarSeat(
            seat_id=item.seat.id,
            starts_at=item.session.starts_at,
            ends_at=item.session.ends_at,
            title=" · ".join(filter(None, (facts.service.name, item.session.title))),
            sequence=item.seat.sequence + item.session.sequence,
            where=place_of(item) or _join_url(item, may_join=may_join),
            url=_join_url(item, may_join=may_join) or booking_url,
        )
        for item in seats
    ]


def _own_entries(
    settings: Settings, tenant: TenantSnapshot, facts: BookingFacts
) -> list[CalendarSeat]:
    """The seats as entries that lead to their own booking's page."""
    own_page = settings.base_url + booking_path(settings, tenant.slug, facts.order)
    return calendar_seats(facts, facts.seats, own_page)


def _join_url(item: SeatFacts, *, may_join: bool) -> str:
    """The meeting's address is for those who come, and for nobody else."""
    return item.session.meeting_url if may_join else ""


def place_of(item: SeatFacts) -> str:
    """Where to go, as one line; empty for an online session."""
    if item.session.mode == SessionMode.ONLINE or item.location is None:
        return ""
    return place_line(item.location.name, item.location.address)


def money_line(facts: BookingFacts, owed_minor: int) -> str:
    """What was or will be paid, in a sentence; in the current language."""
    order = facts.order
    is_on_site = order.payment_mode == PaymentMode.ON_SITE
    minor = owed_minor if is_on_site else order.total_minor
    amount = format_money(Money(minor, order.currency), order.locale)
    if is_on_site:
        return _("To pay on site: %(amount)s", amount=amount)
    if order.payment_mode == PaymentMode.ONLINE:
        return _("Paid: %(amount)s", amount=amount)
    return _("Free of charge")


def back_line(bookings: Sequence[BookingFacts]) -> str:
    """What comes back for these seats, in a sentence; in the current language."""
    order = bookings[0].order
    back_minor = sum(item.seat.returned_minor for facts in bookings for item in facts.seats)
    if back_minor:
        amount = format_money(Money(back_minor, order.currency), order.locale)
        return _("%(amount)s are on their way back to you; it takes a few days.", amount=amount)
    if any(facts.order.paid_minor for facts in bookings):
        return _("No money goes back with this message. Please ask the business if in doubt.")
    return _("Nothing was paid for it, so nothing comes back.")


def _runs(
    tenant: TenantSnapshot,
    seats: Sequence[SeatFacts],
    believed: Believed | None = None,
    *,
    may_join: bool = True,
) -> list[RunView]:
    """Each date once, however many people of the party come."""
    by_session = {item.session.id: item for item in seats}
    return [
        RunView(
            when=date_range(item.session.starts_at, item.session.ends_at, tenant.zone),
            title=item.session.title,
            where=place_of(item),
            join_url=_join_url(item, may_join=may_join),
            was=_was(tenant, item, believed or {}),
        )
        for item in by_session.values()
    ]


def _was(tenant: TenantSnapshot, item: SeatFacts, believed: Believed) -> str:
    earlier = believed.get(item.known)
    if earlier is None:
        return ""
    return was_words(earlier.said, said_of(item.session, item.location, tenant.timezone))


def _moved_since_told(seats: Sequence[SeatFacts]) -> bool:
    """Whether this mail is the one that tells of a move."""
    return any(item.seat.told_sequence < item.session.moved_sequence for item in seats)


def _reason(seats: Sequence[SeatFacts], believed: Believed) -> str:
    """Each reason that was given, once."""
    told = [earlier for item in seats if (earlier := believed.get(item.known)) is not None]
    return " ".join(dict.fromkeys(words for earlier in told for words in earlier.reasons))


def _mail(
    name: str,
    tenant: TenantSnapshot,
    facts: BookingFacts,
    view: ConfirmedView | PaymentLinkView | SeatsCancelledView | SessionsChangedView,
    calendar: bytes | None,
    dedupe_key: str,
) -> Mail:
    order = facts.order
    rendered = render_mail(f"booking/{name}", view, order.locale)
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
        attachments=() if calendar is None else (_dates_file(calendar),),
    )


def _dates_file(calendar: bytes) -> Attachment:
    return Attachment(filename="dates.ics", content_type=CALENDAR_TYPE, content=calendar)
