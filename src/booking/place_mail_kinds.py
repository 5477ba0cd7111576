"""The mails about places that were handed on, as businesses may word them."""

from typing import Any

from src.booking.holder_mails import News, To, place_mail, worded_as
from src.booking.mail_kinds import COMMON
from src.booking.mail_previews import Build, shown
from src.booking.queries.mail_facts import BookingFacts
from src.booking.views.mails import PlaceView
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _
from src.platform.mail.queue import Mail
from src.tenants.worded_mails import MailKind, Placeholder, Preview, register_mail_kind

_OF_WHO_BOOKED = ("booking_link", "my_bookings")
_BASE = tuple(one for one in COMMON if one.name not in _OF_WHO_BOOKED)


def _giver(view: PlaceView) -> str:
    return view.giver or _("Somebody")


def _what_follows(view: PlaceView) -> str:
    if view.booking_url:
        return _(
            "What you paid stays as it is, and the place is still yours to cancel or to hand on."
        )
    return _("You need not come.")


def why_off(view: PlaceView) -> str:
    """Where the place is by now, if it was moved, and why, if somebody said so."""
    moved = _("%(giver)s has it on another date now.", giver=_giver(view)) if view.is_moved else ""
    return " ".join(filter(None, (moved, view.reason)))


_GIVER = Placeholder(name="giver", label=N_("Who booked it, and can cancel it"), value=_giver)
_TAKER = Placeholder(name="taker", label=N_("Who has the place now"), value=lambda view: view.taker)
_FOLLOWS = Placeholder(
    name="what_follows",
    label=N_("What it means: for who booked it, and for who had it from them"),
    value=_what_follows,
)
_WHY_OFF = Placeholder(
    name="reason",
    label=N_("Why, if a reason was given, and that the place was moved, if so"),
    value=why_off,
)
_BOOKING_LINK = Placeholder(
    name="booking_link",
    label=N_("The booking's page, for who booked alone; alone in a paragraph, a button"),
    value=lambda view: view.booking_url,
)


def register_place_mails() -> None:
    for kind in _KINDS:
        register_mail_kind(kind)


def _example(news: News) -> Build:
    """Of the first date of a booking, whose guest gave it away."""

    def build(uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
        is_former, order = news == "passed_on", facts.order
        other = _("Robin Example")
        reader = other if news in ("given", "reminder") else order.guest_name
        return place_mail(
            asked.settings,
            asked.tenant,
            facts.with_seats(facts.seats[:1]),
            To(reader, "alex@example.com", news, "preview"),
            uow.clock.now(),
            taker=other if is_former else "",
            booking_url=asked.settings.base_url if is_former else "",
            reason=_("The hall is closed.") if news == "off" else "",
            wordings=asked.wordings,
        )

    return build


def _kind(news: News, **more: Any) -> MailKind:
    return MailKind(
        key=worded_as(news),
        template="booking/place",
        button=N_("See your booking"),
        preview=shown(_example(news)),
        **more,
    )


_KINDS = (
    _kind(
        "given",
        title=N_("A place that is handed on"),
        occasion=N_("When a place is handed on, to who gets it, with a calendar file."),
        starter_subject=N_("{giver} gives you a place: {service}, {first_date}"),
        starter=N_(
            "Hello {customer_name},\n\n{giver} has booked {service} at {business} and gives this"
            " place to you:\n\n{dates}\n\nJust say your name at the door. Can't make it? Tell"
            " {giver}, who booked it and can cancel it."
        ),
        placeholders=(*_BASE, _GIVER),
        needed=("dates", "giver"),
    ),
    _kind(
        "passed_on",
        title=N_("Somebody else comes instead"),
        occasion=N_("When a place is handed on, to who had it before."),
        starter_subject=N_("{taker} comes instead: {service}, {first_date}"),
        starter=N_(
            "Hello {customer_name},\n\n{taker} has the place in {service} on this date now:\n\n"
            "{dates}\n\n{what_follows}\n\n{booking_link}"
        ),
        placeholders=(*_BASE, _TAKER, _FOLLOWS, _BOOKING_LINK),
        needed=("dates", "taker"),
    ),
    _kind(
        "reminder",
        title=N_("Reminder of a place that was handed on"),
        occasion=N_("Before a date, where the service has reminders, to who was given the place."),
        starter_subject=N_("Reminder: {service}, {first_date}"),
        starter=N_(
            "Hello {customer_name},\n\nThis is a reminder of {service}.\n\n{dates}\n\nCan't make"
            " it? Tell {giver}, who booked it and can cancel it.\n\n{business}"
        ),
        placeholders=(*_BASE, _GIVER),
        needed=("dates",),
    ),
    _kind(
        "changed",
        title=N_("Changed date of a place that was handed on"),
        occasion=N_("When a date gets another time, place, title or link, to who was given it."),
        starter_subject=N_("Changed: {service}, {first_date}"),
        starter=N_(
            "Hello {customer_name},\n\nWe had to change the date of {service}. This is what holds"
            " now:\n\n{dates}\n\nYour calendar follows with the attached file."
        ),
        placeholders=(*_BASE, _GIVER),
        needed=("dates",),
    ),
    _kind(
        "off",
        title=N_("Cancelled place that was handed on"),
        occasion=N_("When you or who booked it cancels or moves it, to who was given the place."),
        starter_subject=N_("Cancelled: {service}, {first_date}"),
        starter=N_(
            "Hello {customer_name},\n\nYour place in {service} on this date is cancelled."
            " {reason}\n\n{dates}\n\nYou need not come."
        ),
        placeholders=(*_BASE, _GIVER, _WHY_OFF),
        needed=("dates",),
    ),
)
