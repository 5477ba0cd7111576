"""The mails about bookings, as businesses may word them."""

from typing import Any

from src.booking.agreement_words import AGREEMENTS
from src.booking.mail_parts import (
    FORMER_TIMES,
    MISSING,
    MONEY,
    MY_BOOKINGS,
    OF_CREDITS,
    REASON,
    TERMS,
    WAY_OUT,
    WHO,
)
from src.booking.mail_previews import (
    asked,
    cancelled,
    changed,
    confirmed,
    declined,
    moved,
    payment_link,
    reminded,
    shown,
)
from src.platform.i18n import N_
from src.tenants.worded_mails import (
    BUSINESS,
    CONTACT,
    CUSTOMER_NAME,
    REFERENCE,
    MailKind,
    Placeholder,
    register_mail_kind,
)


def _first(view: Any) -> str:
    return str(view.runs[0].when) if view.runs else ""


_SERVICE = Placeholder(
    name="service", label=N_("What was booked, with its series"), value=lambda view: view.what
)
_BOOKING_LINK = Placeholder(
    name="booking_link",
    label=N_("The booking's page; alone in a paragraph, a button"),
    value=lambda view: view.booking_url,
)
COMMON = (
    CUSTOMER_NAME,
    BUSINESS,
    _SERVICE,
    Placeholder(
        name="dates",
        label=N_("All dates with place and link; alone in a paragraph, a list"),
        value=lambda view: "; ".join(run.when for run in view.runs),
    ),
    Placeholder(name="first_date", label=N_("The first date"), value=_first),
    Placeholder(
        name="timezone", label=N_("The clock of the times"), value=lambda view: view.zone_name
    ),
    _BOOKING_LINK,
    MY_BOOKINGS,
    CONTACT,
)
_HOW_MANY = N_("How many come")
_PEOPLE = Placeholder(name="people", label=_HOW_MANY, value=lambda view: str(view.party_size))


def register_booking_mails() -> None:
    """Every mail to guests of this package."""
    for kind in _KINDS:
        register_mail_kind(kind)


_KINDS = (
    MailKind(
        key="confirmed",
        template="booking/confirmed",
        title=N_("Booked"),
        occasion=N_("As soon as a booking is confirmed, with a calendar file."),
        starter_subject=N_("You are booked: {service}"),
        starter=N_(
            "Hello {customer_name},\n\nYour booking of {service} at {business} is confirmed.\n\n"
            "{dates}\n\n{money}\n\n{booking_link}"
        ),
        button=N_("See your booking"),
        placeholders=(
            *(*COMMON, _PEOPLE, WHO, MONEY, REFERENCE, TERMS, MISSING, AGREEMENTS, *OF_CREDITS),
        ),
        always=("terms", "missing", "agreements", "booking_link"),
        preview=shown(confirmed),
    ),
    MailKind(
        key="payment_link",
        template="booking/payment_link",
        title=N_("Places held, with a link to pay"),
        occasion=N_("When you book for a guest who pays by link."),
        starter_subject=N_("Held for you: {service}"),
        starter=N_(
            "Hello {customer_name},\n\nWe hold these places for you until {pay_until}. The price is"
            " {price}.\n\n{dates}\n\n{booking_link}"
        ),
        button=N_("Pay now"),
        placeholders=(
            *COMMON,
            _PEOPLE,
            Placeholder(name="price", label=N_("The price"), value=lambda view: view.price),
            Placeholder(
                name="pay_until",
                label=N_("Until when the places are held"),
                value=lambda view: view.pay_until,
            ),
        ),
        needed=("booking_link",),
        preview=shown(payment_link),
    ),
    MailKind(
        key="reminder",
        template="booking/reminder",
        title=N_("Reminder"),
        occasion=N_("Before a date, where the service has reminders."),
        starter_subject=N_("Reminder: {service}, {first_date}"),
        starter=N_(
            "Hello {customer_name},\n\nThis is a reminder of {service}.\n\n{dates}\n\n"
            "See you soon\n{business}\n\n{booking_link}\n\n{way_out}"
        ),
        button=N_("See your booking"),
        placeholders=(*COMMON, _PEOPLE, WAY_OUT, *OF_CREDITS),
        needed=("dates",),
        preview=shown(reminded),
    ),
    MailKind(
        key="sessions_changed",
        template="booking/sessions_changed",
        title=N_("Changed dates"),
        occasion=N_("When a date gets another time, place, title or link, with the old and new."),
        starter_subject=N_("Changed: {service}"),
        starter=N_(
            "Hello {customer_name},\n\nWe had to change what you have booked. {reason}\n\n{dates}"
            "\n\nYou keep your place, and your calendar follows.\n\n{booking_link}"
        ),
        button=N_("See your booking"),
        placeholders=(*COMMON, FORMER_TIMES, REASON, *OF_CREDITS),
        needed=("dates",),
        preview=shown(changed),
    ),
    MailKind(
        key="seats_cancelled",
        template="booking/seats_cancelled",
        title=N_("Cancelled dates"),
        occasion=N_("When you or the guest cancels."),
        starter_subject=N_("Cancelled: {service}"),
        starter=N_(
            "Hello {customer_name},\n\nThese dates are cancelled. {reason}\n\n{dates}\n\n{money}"
            "\n\n{booking_link}"
        ),
        button=N_("See your booking"),
        placeholders=(*COMMON, MONEY, REASON, *OF_CREDITS),
        needed=("dates",),
        preview=shown(cancelled),
    ),
    MailKind(
        key="seats_moved",
        template="booking/seats_moved",
        title=N_("Another date for a guest"),
        occasion=N_("When a guest exchanges a date, or you move them to another."),
        starter_subject=N_("New date: {service}"),
        starter=N_(
            "Hello {customer_name},\n\n{people}\n\nYour place in {service} has a new date."
            " {reason}\n\n{dates}\n\nInstead of: {former_dates}\n\n{booking_link}"
        ),
        button=N_("See your booking"),
        placeholders=(
            *COMMON,
            REASON,
            Placeholder(
                name="former_dates",
                label=N_("The dates that were given up"),
                value=lambda view: "; ".join(run.when for run in view.before),
            ),
            Placeholder(
                name="people",
                label=N_("Who of a party moves; nothing where all do"),
                value=lambda view: view.people,
            ),
            *OF_CREDITS,
        ),
        needed=("dates", "people"),
        preview=shown(moved),
    ),
    MailKind(
        key="leaving_asked",
        template="booking/leaving_asked",
        title=N_("A request to leave has arrived"),
        occasion=N_("When a guest asks to leave a whole course."),
        starter_subject=N_("Your request to leave: {service}"),
        starter=N_(
            "Hello {customer_name},\n\nWe have your request to leave {service}, and answer by mail."
            " Until then you keep your place on all dates.\n\n{booking_link}"
        ),
        button=N_("See your booking"),
        placeholders=(
            CUSTOMER_NAME,
            BUSINESS,
            _SERVICE,
            Placeholder(
                name="reason", label=N_("What the guest wrote"), value=lambda view: view.reason
            ),
            _BOOKING_LINK,
            CONTACT,
        ),
        preview=shown(asked),
    ),
    MailKind(
        key="leaving_declined",
        template="booking/leaving_declined",
        title=N_("A course cannot be left"),
        occasion=N_("When you decline a guest's request to leave a whole course."),
        starter_subject=N_("Your course stays booked: {service}"),
        starter=N_(
            "Hello {customer_name},\n\nYou asked to leave {service}. We cannot agree to that:\n\n"
            "{answer}\n\nAll your dates stay as they are.\n\n{booking_link}"
        ),
        button=N_("See your booking"),
        placeholders=(
            CUSTOMER_NAME,
            BUSINESS,
            _SERVICE,
            Placeholder(name="answer", label=N_("Your answer"), value=lambda view: view.answer),
            _BOOKING_LINK,
            CONTACT,
        ),
        needed=("answer",),
        preview=shown(declined),
    ),
)
