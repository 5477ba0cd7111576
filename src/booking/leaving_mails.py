"""Mails to guests who wanted to come on other dates, or not at all."""

from collections.abc import Sequence
from datetime import datetime

from src.booking.calendar_files import Organiser, booking_calendar
from src.booking.given_words import given_and_moved
from src.booking.guest_links import booking_path
from src.booking.mail_parts import (
    calendar_seats,
    credits_of,
    leaving_of,
    mail_of,
    runs_of,
    what_of,
)
from src.booking.models import LeaveRequest
from src.booking.queries.mail_facts import BookingFacts, SeatFacts
from src.booking.views.mails import (
    LeaveRequestView,
    LeavingAskedView,
    LeavingDeclinedView,
    SeatsMovedView,
)
from src.platform.config import Settings
from src.platform.i18n import _, use_locale
from src.platform.mail.queue import Mail
from src.platform.mail.templates import render_mail
from src.platform.web.formats import money
from src.tenants.context import TenantSnapshot
from src.tenants.models import User
from src.tenants.worded_mails import SHIPPED, Wordings


def moved_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    before: BookingFacts,
    facts: BookingFacts,
    *,
    people: Sequence[str],
    owed_minor: int,
    why: str,
    by_guest: bool,
    now: datetime,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """You come on this date instead. `before` has the seats given up, `facts` the new ones: there
    sit `people`, empty where that is all of the party. `owed_minor` is still to be paid on site.

    The calendar file holds the new dates alone, under the UIDs of the old ones and with a higher
    SEQUENCE: the entries move, and none has to be cancelled.
    """
    order = facts.order
    with use_locale(order.locale):
        view = SeatsMovedView(
            locale=order.locale,
            from_name=tenant.name,
            contact=tenant.contact_email,
            guest_name=order.guest_name,
            what=what_of(tenant, facts),
            people=", ".join(people),
            places=len(facts.seats),
            had_it=given_and_moved(before.seats),
            owed=money(owed_minor, order.currency) if owed_minor else "",
            before=runs_of(tenant, before.seats, may_join=False),
            runs=runs_of(tenant, facts.seats),
            zone_name=tenant.zone_name,
            reason=why,
            by_guest=by_guest,
            leaving=way_out_of_moved(tenant, facts, facts.seats, now),
            credits=credits_of(tenant, facts),
            booking_url=settings.base_url + booking_path(settings, tenant.slug, order),
        )
    calendar = booking_calendar(
        calendar_seats(facts, facts.seats, view.booking_url),
        organiser=Organiser(name=tenant.name, email=tenant.contact_email),
        zone=tenant.zone,
        host=settings.host,
        now=now,
    )
    # A seat takes another one's place only once.
    key = f"moved:{min(item.seat.id for item in facts.seats)}"
    return mail_of("seats_moved", tenant, facts, view, calendar, key, wordings)


def way_out_of_moved(
    tenant: TenantSnapshot, facts: BookingFacts, seats: Sequence[SeatFacts], now: datetime
) -> list[str]:
    """`leaving_of`, or that the terms do not count, where staff moved all of these seats."""
    if all(item.seat.may_leave_free for item in seats):
        return [
            _(
                "If the new time does not suit you, you may give your place back without any"
                " charge, on your booking's page."
            )
        ]
    return leaving_of(tenant, facts, seats, now)


def declined_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: BookingFacts,
    request: LeaveRequest,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """The business does not let you leave the course, in its own words."""
    order = facts.order
    view = LeavingDeclinedView(
        locale=order.locale,
        from_name=tenant.name,
        contact=tenant.contact_email,
        guest_name=order.guest_name,
        what=what_of(tenant, facts),
        answer=request.answer,
        booking_url=settings.base_url + booking_path(settings, tenant.slug, order),
    )
    key = f"leaving_declined:{request.id}"
    return mail_of("leaving_declined", tenant, facts, view, None, key, wordings)


def asked_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: BookingFacts,
    request: LeaveRequest,
    wordings: Wordings = SHIPPED,
) -> Mail:
    """Your request has arrived; you keep all your dates until it is answered."""
    order = facts.order
    view = LeavingAskedView(
        locale=order.locale,
        from_name=tenant.name,
        contact=tenant.contact_email,
        guest_name=order.guest_name,
        what=what_of(tenant, facts),
        reason=request.reason,
        booking_url=settings.base_url + booking_path(settings, tenant.slug, order),
    )
    key = f"leaving_asked:{request.id}"
    return mail_of("leaving_asked", tenant, facts, view, None, key, wordings)


def request_mail(
    settings: Settings,
    tenant: TenantSnapshot,
    facts: BookingFacts,
    request: LeaveRequest,
    user: User,
) -> Mail:
    """A guest asks to leave a course, to one of those who decide."""
    order = facts.order
    view = LeaveRequestView(
        locale=user.locale,
        from_name=tenant.name,
        contact="",
        name=user.name,
        guest_name=order.guest_name or order.guest_email,
        what=what_of(tenant, facts),
        reason=request.reason,
        href=f"{settings.base_url}/app/{tenant.slug}/leave-requests/{request.id}",
    )
    rendered = render_mail("booking/leave_request", view, user.locale)
    return Mail(
        kind="leave_request",
        to_address=user.email,
        to_name=user.name,
        from_name=tenant.name,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        dedupe_key=f"leave_request:{request.id}:{user.id}",
    )
