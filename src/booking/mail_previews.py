"""What a business is shown of the mails about bookings while it words them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from sqlalchemy import select

from src.billing.models import Order
from src.booking.leaving_mails import asked_mail, declined_mail, moved_mail
from src.booking.mail_parts import an_hour_sooner
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
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.mail.queue import Mail
from src.tenants.worded_mails import Preview

Build = Callable[[UnitOfWork, Preview, BookingFacts], Mail]


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


def confirmed(uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
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
                participant_id=item.seat.participant_id,
                share_minor=item.seat.share_minor,
                credit_lot_id=item.seat.credit_lot_id,
            ),
            item.session,
            item.location,
        )
        for item in seats
    ]


def payment_link(uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    return payment_link_mail(asked.settings, asked.tenant, facts, uow.clock.now(), asked.wordings)


def cancelled(uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    return cancellation_mail(
        asked.settings,
        asked.tenant,
        [facts],
        cancellation_id=new_id(),
        reason=_("The hall is closed."),
        now=uow.clock.now(),
        wordings=asked.wordings,
    )


def changed(uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    now = uow.clock.now()
    believed = an_hour_sooner(facts.seats, asked.tenant.timezone)
    return change_mail(asked.settings, asked.tenant, [facts], believed, now, asked.wordings)


def reminded(uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    one, now = facts.with_seats(facts.seats[:1]), uow.clock.now()
    return reminder_mail(asked.settings, asked.tenant, [one], "preview", now, asked.wordings)


def moved(uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    return moved_mail(
        asked.settings,
        asked.tenant,
        facts,
        facts,
        people=[],
        owed_minor=0,
        why=_("The hall is closed."),
        by_guest=False,
        now=uow.clock.now(),
        wordings=asked.wordings,
    )


def asked(_uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    request = LeaveRequest(id=new_id(), reason=_("We are moving away."))
    return asked_mail(asked.settings, asked.tenant, facts, request, asked.wordings)


def declined(_uow: UnitOfWork, asked: Preview, facts: BookingFacts) -> Mail:
    request = LeaveRequest(id=new_id(), answer=_("The course has begun, and is fully booked."))
    return declined_mail(asked.settings, asked.tenant, facts, request, asked.wordings)
