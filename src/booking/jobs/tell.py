"""Telling guests what happened to their bookings: those that wait together, in one transaction."""

from collections.abc import Sequence

from sqlalchemy import select, text

from src.billing.events import OrderConfirmed
from src.booking.domain.kinds import SeatState
from src.booking.events import SeatsCancelled
from src.booking.mails import cancellation_mail, confirmation_mail
from src.booking.models import Cancellation
from src.booking.queries.mail_facts import (
    BookingFacts,
    facts_of_orders,
    facts_of_seats,
)
from src.platform.jobs.context import JobsTogether
from src.platform.mail.queue import queue_mails
from src.tenants.queries.tenants import tenant_snapshot

# Locked by id, for two portions may hold the same people.
_ESTABLISH = text(
    "WITH fresh AS MATERIALIZED (SELECT id FROM customers WHERE tenant_id = :tenant_id"
    " AND id = ANY(:customer_ids) AND NOT is_established ORDER BY id FOR NO KEY UPDATE)"
    " UPDATE customers SET is_established = true FROM fresh"
    " WHERE customers.tenant_id = :tenant_id AND customers.id = fresh.id"
)


async def tell_of_confirmations(jobs: JobsTogether, events: Sequence[OrderConfirmed]) -> None:
    """One mail for each order with every date; whoever has a confirmed order is established."""
    settings, now = jobs.services.settings, jobs.clock.now()
    async with jobs.unit_of_work(done=jobs.jobs) as uow:
        facts = await facts_of_orders(uow, [event.order_id for event in events])
        if not facts:
            return
        customer_ids = list({one.order.customer_id for one in facts})
        await uow.session.execute(
            _ESTABLISH, {"tenant_id": uow.tenant, "customer_ids": customer_ids}
        )
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        mails = [confirmation_mail(settings, tenant, one, now) for one in facts if _has_dates(one)]
        await queue_mails(uow, [mail for mail in mails if mail.to_address], host=settings.host)


def _has_dates(facts: BookingFacts) -> bool:
    """A booking that was cancelled before this mail left is told of by the cancellation's mail."""
    return any(item.seat.state == SeatState.CONFIRMED for item in facts.seats)


async def tell_of_cancelled_seats(jobs: JobsTogether, events: Sequence[SeatsCancelled]) -> None:
    """One mail to each customer with every date that was cancelled."""
    settings, now = jobs.services.settings, jobs.clock.now()
    async with jobs.unit_of_work(done=jobs.jobs) as uow:
        bookings = await facts_of_seats(uow, [event.seat_ids for event in events])
        reasons = {
            cancellation.id: cancellation.reason
            for cancellation in await uow.session.scalars(
                select(Cancellation).where(
                    Cancellation.tenant_id == uow.tenant,
                    Cancellation.id.in_({event.cancellation_id for event in events}),
                )
            )
        }
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        mails = [
            cancellation_mail(
                settings,
                tenant,
                theirs,
                cancellation_id=event.cancellation_id,
                reason=reasons[event.cancellation_id],
                now=now,
            )
            for event, theirs in zip(events, bookings, strict=True)
        ]
        await queue_mails(uow, [mail for mail in mails if mail.to_address], host=settings.host)
