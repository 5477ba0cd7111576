"""The mails about bookings, as businesses may word them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from src.billing.models import Order
from src.booking.leaving_mails import asked_mail, declined_mail, moved_mail
from src.booking.mail_parts import (
    FORMER_TIMES,
    MISSING,
    MONEY,
    MY_BOOKINGS,
    OF_CREDITS,
    REASON,
    WAY_OUT,
    an_hour_sooner,
)
from src.booking.mails import (
    cancellation_mail,
    change_mail,
    confirmation_mail,
    payment_link_mail,
    reminder_mail,
)
from src.booking.models import Booking, LeaveRequest, Seat, Service, Session
from src.booking.queries.mail_facts import BookingFacts, SeatFacts, find_booking_facts
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _
from src.platform.ids import new_id
from src.platform.mail.queue import Mail
from src.tenants.worded_mails import (
    BUSINESS,
    CONTACT,
    CUSTOMER_NAME,
    REFERENCE,
    MailKind,
    Placeholder,
    Preview,
    register_mail_kind,
)

Build = Callable[[UnitOfWork, Preview, BookingFacts], Mail]


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


def shown(build: Build) -> Callable[[UnitOfWork, Preview], Awaitable[Mail]]:
    """With the business's latest booking, or one that is made up where there is none yet."""

    async def preview(uow: UnitOfWork, asked: Preview) -> Mail:
        facts = await _latest(uow) or _made_up(uow, asked)
        if facts.order in uow.session:
            # It is shown in another language, and stays as it is.
            uow.session.expunge(facts.order)
        facts.order.locale = asked.locale
        return build(uow, asked, facts)

    return preview


async def _latest(uow: UnitOfWork) -> BookingFacts | None:
    order_id = await uow.session.scalar(
        select(Booking.order_id)
        .where(Booking.tenant_id == uow.tenant)
        .order_by(Booking.created_at.desc(), Booking.id.desc())
        .limit(1)
    )
    return None if order_id is None else await find_booking_facts(uow, order_id)


def _made_up(uow: UnitOfWork, asked: Preview) -> BookingFacts:
    now = uow.clock.now()
    order = Order(
        tenant_id=uow.tenant,
        id=new_id(),
        reference="ABC-123",
        payment_mode="free",
        currency=asked.tenant.currency,
        total_minor=0,
        paid_minor=0,
        guest_name=_("Alex Example"),
        guest_email="alex@example.com",
        created_at=now,
        hold_expires_at=now + timedelta(days=1),
    )
    starts_at = (now + timedelta(days=7)).replace(minute=0, second=0, microsecond=0)
    session = Session(
        id=new_id(),
        title="",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        mode="in_person",
        meeting_url="",
        sequence=0,
        moved_sequence=0,
    )
    seat = Seat(
        id=new_id(),
        state="confirmed",
        sequence=0,
        sold_sequence=0,
        told_sequence=0,
        returned_minor=0,
        share_minor=0,
        most_percent=100,
    )
    return BookingFacts(
        order,
        Booking(customer_id=new_id(), party_size=1, created_at=now),
        Service(name=_("Your service")),
        None,
        [SeatFacts(seat, session, None)],
    )


def _confirmed(uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    owed_minor = facts.order.total_minor - facts.order.paid_minor
    seats = [item for item in facts.seats if item.seat.state == "confirmed"] or facts.seats
    facts = facts.with_seats(_as_confirmed(seats))
    return confirmation_mail(
        asked.settings,
        asked.tenant,
        facts,
        uow.clock.now(),
        {},
        owed_minor=owed_minor,
        wordings=asked.wordings,
    )


def _as_confirmed(seats: Sequence[SeatFacts]) -> list[SeatFacts]:
    """What a confirmation lists; a booking that has ended is shown as it began."""
    return [
        SeatFacts(
            Seat(
                id=item.seat.id,
                state="confirmed",
                sequence=item.seat.sequence,
                told_sequence=item.session.sequence,
                calendar_id=item.seat.calendar_id,
                most_percent=item.seat.most_percent,
            ),
            item.session,
            item.location,
        )
        for item in seats
    ]


def _payment_link(uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    return payment_link_mail(asked.settings, asked.tenant, facts, uow.clock.now(), asked.wordings)


def _cancelled(uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    return cancellation_mail(
        asked.settings,
        asked.tenant,
        [facts],
        cancellation_id=new_id(),
        reason=_("The hall is closed."),
        now=uow.clock.now(),
        wordings=asked.wordings,
    )


def _changed(uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    now = uow.clock.now()
    believed = an_hour_sooner(facts.seats, asked.tenant.timezone)
    return change_mail(asked.settings, asked.tenant, [facts], believed, now, asked.wordings)


def _reminded(uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    one, now = facts.with_seats(facts.seats[:1]), uow.clock.now()
    return reminder_mail(asked.settings, asked.tenant, [one], "preview", now, asked.wordings)


def _moved(uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    return moved_mail(
        asked.settings,
        asked.tenant,
        facts,
        facts,
        people=[],
        why=_("The hall is closed."),
        by_guest=False,
        now=uow.clock.now(),
        wordings=asked.wordings,
    )


def _asked(_uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    request = LeaveRequest(id=new_id(), reason=_("We are moving away."))
    return asked_mail(asked.settings, asked.tenant, facts, request, asked.wordings)


def _declined(_uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    request = LeaveRequest(id=new_id(), answer=_("The course has begun, and is fully booked."))
    return declined_mail(asked.settings, asked.tenant, facts, request, asked.wordings)


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
        placeholders=(*COMMON, _PEOPLE, MONEY, REFERENCE, MISSING, *OF_CREDITS),
        always=("missing",),
        preview=shown(_confirmed),
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
        preview=shown(_payment_link),
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
        preview=shown(_reminded),
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
        preview=shown(_changed),
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
        preview=shown(_cancelled),
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
        preview=shown(_moved),
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
        preview=shown(_asked),
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
        preview=shown(_declined),
    ),
)
