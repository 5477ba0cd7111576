"""The mails about bookings: one per person and action, each with one calendar file."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from src.billing.domain.holds import HOLD_MARGIN
from src.billing.domain.kinds import PaymentMode
from src.booking.calendar_files import (
    CalendarSeat,
    Organiser,
    booking_calendar,
    cancellation_calendar,
)
from src.booking.domain.kinds import SeatState, SessionMode
from src.booking.guest_links import booking_path
from src.booking.queries.mail_facts import BookingFacts, SeatFacts
from src.booking.views.mails import ConfirmedView, PaymentLinkView, RunView, SeatsCancelledView
from src.platform.config import Settings
from src.platform.i18n import _, use_locale
from src.platform.mail.queue import Attachment, Mail
from src.platform.mail.templates import render_mail
from src.platform.money import Money, format_money
from src.platform.web.formats import date_range, datetime_local
from src.tenants.context import TenantSnapshot

CALENDAR_TYPE = "text/calendar"


def confirmation_mail(
    settings: Settings, tenant: TenantSnapshot, facts: BookingFacts, now: datetime
) -> Mail:
    """You are booked: every date spelled out and in the attached calendar file."""
    order = facts.order
    seats = [item for item in facts.seats if item.seat.state == SeatState.CONFIRMED]
    with use_locale(order.locale):
        view = ConfirmedView(
            locale=order.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=order.guest_name,
            what=facts.what,
            runs=_runs(tenant, seats),
            zone_name=tenant.timezone,
            party_size=facts.booking.party_size,
            money_line=money_line(facts),
            reference=order.reference,
            booking_url=settings.base_url + booking_path(settings, tenant.slug, order),
        )
    calendar = booking_calendar(
        calendar_seats(facts, seats, view.booking_url),
        organiser=Organiser(name=tenant.name, email=tenant.contact_email),
        zone=tenant.zone,
        host=settings.host,
        now=now,
    )
    return _mail("confirmed", tenant, facts, view, calendar, f"confirmed:{order.id}")


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
    """These dates are cancelled: one mail to one customer, whatever number of orders they had."""
    first = bookings[0]
    seats = [item for facts in bookings for item in facts.seats]
    with use_locale(first.order.locale):
        view = SeatsCancelledView(
            locale=first.order.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=first.order.guest_name,
            what=first.what,
            runs=_runs(tenant, seats),
            zone_name=tenant.timezone,
            reason=reason,
            booking_url=settings.base_url + booking_path(settings, tenant.slug, first.order),
        )
    calendar = cancellation_calendar(
        [seat for facts in bookings for seat in calendar_seats(facts, facts.seats, "")],
        organiser=Organiser(name=tenant.name, email=tenant.contact_email),
        zone=tenant.zone,
        host=settings.host,
        now=now,
    )
    # By the seat, not the customer: two who are merged meanwhile have each a mail to get.
    key = f"cancelled:{cancellation_id}:{min(item.seat.id for item in seats)}"
    return _mail("seats_cancelled", tenant, first, view, calendar, key)


def calendar_seats(
    facts: BookingFacts, seats: Sequence[SeatFacts], booking_url: str
) -> list[CalendarSeat]:
    """The seats as calendar entries. `booking_url` goes into them; it opens this booking only."""
    return [
        CalendarSeat(
            seat_id=item.seat.id,
            starts_at=item.session.starts_at,
            ends_at=item.session.ends_at,
            title=" · ".join(filter(None, (facts.service.name, item.session.title))),
            sequence=item.seat.sequence + item.session.sequence,
            where=place_of(item) or item.session.meeting_url,
            url=item.session.meeting_url or booking_url,
        )
        for item in seats
    ]


def place_of(item: SeatFacts) -> str:
    """Where to go, as one line; empty for an online session."""
    if item.session.mode == SessionMode.ONLINE or item.location is None:
        return ""
    return ", ".join(filter(None, (item.location.name, item.location.address)))


def money_line(facts: BookingFacts) -> str:
    """What was or will be paid, in a sentence; in the current language."""
    order = facts.order
    amount = format_money(Money(order.total_minor, order.currency), order.locale)
    if order.payment_mode == PaymentMode.ON_SITE:
        return _("To pay on site: %(amount)s", amount=amount)
    if order.payment_mode == PaymentMode.ONLINE:
        return _("Paid: %(amount)s", amount=amount)
    return _("Free of charge")


def _runs(tenant: TenantSnapshot, seats: Sequence[SeatFacts]) -> list[RunView]:
    """Each date once, however many people of the party come."""
    by_session = {item.session.id: item for item in seats}
    return [
        RunView(
            when=date_range(item.session.starts_at, item.session.ends_at, tenant.zone),
            title=item.session.title,
            where=place_of(item),
            join_url=item.session.meeting_url,
        )
        for item in by_session.values()
    ]


def _mail(
    name: str,
    tenant: TenantSnapshot,
    facts: BookingFacts,
    view: ConfirmedView | PaymentLinkView | SeatsCancelledView,
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
