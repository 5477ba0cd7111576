"""Telling guests what happened to their bookings."""

from sqlalchemy import text

from src.billing.domain.kinds import OrderState
from src.billing.events import OrderConfirmed
from src.billing.owed import get_owed_minor
from src.booking.commands.changes import mark_told
from src.booking.domain.kinds import SeatState
from src.booking.events import PaymentLinkPromised, SeatsCancelled, SeatsLeft
from src.booking.mails import (
    cancellation_mail,
    confirmation_mail,
    payment_link_mail,
    seats_left_mail,
)
from src.booking.models import Cancellation
from src.booking.queries.changes import find_believed
from src.booking.queries.mail_facts import (
    BookingFacts,
    find_booking_facts,
    list_facts_of_seats,
)
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import queue_mail
from src.tenants.commands.customers import keep_customer
from src.tenants.queries.tenants import tenant_snapshot

# Constant, as every confirmation runs it.
_LOCK_SEATS = text(
    "SELECT id FROM seats WHERE tenant_id = :tenant_id AND order_id = :order_id"
    " AND state = 'confirmed' ORDER BY session_id, id FOR NO KEY UPDATE"
)
_ESTABLISH = text(
    "UPDATE customers SET is_established = true"
    " WHERE tenant_id = :tenant_id AND id = :customer_id AND NOT is_established"
)


async def tell_of_confirmation(job: JobContext, event: OrderConfirmed) -> None:
    """One mail with every date, and what changed since it was booked; its customer has a confirmed
    order now and so is established.
    """
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        # Locked before they are read: a change is told by this mail or, after it, by its own.
        await uow.session.execute(
            _LOCK_SEATS, {"tenant_id": uow.tenant, "order_id": event.order_id}
        )
        facts = await find_booking_facts(uow, event.order_id)
        if facts is None:
            return
        believed = await find_believed(uow, facts.seats)
        customer_id = await keep_customer(uow, facts.order.customer_id)
        await uow.session.execute(_ESTABLISH, {"tenant_id": uow.tenant, "customer_id": customer_id})
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        owed_minor = await get_owed_minor(uow, event.order_id)
        mail = confirmation_mail(settings, tenant, facts, now, believed, owed_minor=owed_minor)
        if mail.to_address and _has_dates(facts):
            await queue_mail(uow, mail, host=settings.host)
        await mark_told(uow, facts.seats)


async def tell_of_payment_link(job: JobContext, event: PaymentLinkPromised) -> None:
    """One mail with the link; none once it is paid, or the hold is over."""
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        facts = await find_booking_facts(uow, event.order_id)
        if facts is None or facts.order.state != OrderState.OPEN:
            return
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        await queue_mail(uow, payment_link_mail(settings, tenant, facts), host=settings.host)


def _has_dates(facts: BookingFacts) -> bool:
    """A booking that was cancelled before this mail left is told of by the cancellation's mail."""
    return any(item.seat.state == SeatState.CONFIRMED for item in facts.seats)


async def tell_of_cancelled_seats(job: JobContext, event: SeatsCancelled) -> None:
    """One mail to the customer with every date that was cancelled."""
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        bookings = await list_facts_of_seats(uow, event.seat_ids)
        cancellation = await uow.session.get_one(Cancellation, (uow.tenant, event.cancellation_id))
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        mail = cancellation_mail(
            settings,
            tenant,
            bookings,
            cancellation_id=cancellation.id,
            reason=cancellation.reason,
            now=now,
        )
        if mail.to_address:
            await queue_mail(uow, mail, host=settings.host)


async def tell_of_left_seats(job: JobContext, event: SeatsLeft) -> None:
    """One mail to the order's guest: what ended, and what comes back."""
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        bookings = await list_facts_of_seats(uow, event.seat_ids)
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        by_guest = event.by == "guest"
        mail = seats_left_mail(
            settings, tenant, bookings, why=event.why, by_guest=by_guest, now=now
        )
        if mail.to_address:
            await queue_mail(uow, mail, host=settings.host)
