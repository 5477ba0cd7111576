"""Telling guests what became of the dates they booked.

Nothing is carried from the change to the mail but which act it was. What a guest knows stands on
their seats, what is so now in the sessions; the mail says the difference and marks the seats in its
own transaction. So a job that runs twice finds nothing left to say, and one that was overtaken by a
further change tells both at once.
Source: docs/algorithms/sessions-that-change.md.
"""

from collections.abc import Sequence

from src.booking.commands.changes import lock_untold_seats, mark_told
from src.booking.events import CustomerAffected, SessionsChanged
from src.booking.jobs.handing_on import tell_holders
from src.booking.mails import change_mail
from src.booking.queries.changes import (
    Believed,
    find_believed,
    is_news,
    list_bookings_to_tell,
)
from src.booking.queries.mail_facts import BookingFacts, SeatFacts, facts_of_seats
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import queue_mail
from src.tenants.commands.customers import keep_customers
from src.tenants.context import TenantSnapshot
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings

CHUNK_BOOKINGS = 250


async def find_affected_customers(job: JobContext, event: SessionsChanged) -> None:
    """The customers of the next bookings, each as work of their own; the rest follows in the next
    run.

    Gone through by booking, since a customer may become another one meanwhile, by a merge.
    """
    async with job.unit_of_work(done=True) as uow:
        bookings = await list_bookings_to_tell(
            uow, event.action_id, after=event.after, most=CHUNK_BOOKINGS
        )
        for customer_id in dict.fromkeys(booking.customer_id for booking in bookings):
            uow.record(CustomerAffected(action_id=event.action_id, customer_id=customer_id))
        if len(bookings) == CHUNK_BOOKINGS:
            uow.record(SessionsChanged(action_id=event.action_id, after=bookings[-1].id))


async def tell_affected_customer(job: JobContext, event: CustomerAffected) -> None:
    """One mail with every date that is not what this customer was told, if there still is one."""
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        kept = await keep_customers(uow, [event.customer_id])
        customer_id = kept.get(event.customer_id, event.customer_id)
        seat_ids = await lock_untold_seats(uow, event.action_id, customer_id)
        [bookings] = await facts_of_seats(uow, [seat_ids])
        seats = _heard_of([item for facts in bookings for item in facts.seats])
        believed = await find_believed(uow, seats)
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        news = _with_news(bookings, believed, tenant)
        if news:
            wordings = await find_wordings(uow)
            mail = change_mail(settings, tenant, news, believed, now, wordings)
            if mail.to_address:
                await queue_mail(uow, mail, host=settings.host)
            await tell_holders(uow, job.services, tenant, news, "changed")
        await mark_told(uow, seats)


def _heard_of(seats: Sequence[SeatFacts]) -> list[SeatFacts]:
    """The seats that the mail is about. One that is being cancelled is among them where another of
    theirs, in the same session, is not: undone, it would be told of a second time.
    """
    staying = {item.known for item in seats if item.seat.cancellation_id is None}
    return [item for item in seats if item.known in staying]


def _with_news(
    bookings: Sequence[BookingFacts], believed: Believed, tenant: TenantSnapshot
) -> list[BookingFacts]:
    """The bookings with just the seats whose guest would read something new.

    First those with a place that stays: the mail greets and links by the first, and one that is
    being cancelled is there only for its calendar entry, which is right then if it is undone.
    """
    kept = [
        facts.with_seats([item for item in facts.seats if is_news(item, believed, tenant.timezone)])
        for facts in bookings
    ]
    return sorted((facts for facts in kept if facts.seats), key=_is_being_cancelled)


def _is_being_cancelled(facts: BookingFacts) -> bool:
    return all(item.seat.cancellation_id is not None for item in facts.seats)
