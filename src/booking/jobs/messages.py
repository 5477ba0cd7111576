"""Sending what staff write to the guests of a session."""

from src.booking.events import GuestWrittenTo
from src.booking.message_mails import message_mail
from src.booking.queries.mail_facts import find_booking_facts
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import queue_mail
from src.tenants.queries.tenants import tenant_snapshot


async def send_message(job: JobContext, event: GuestWrittenTo) -> None:
    """One mail to the order's guest; a second one of the same message is never made."""
    settings = job.services.settings
    async with job.unit_of_work(done=True) as uow:
        facts = await find_booking_facts(uow, event.order_id)
        if facts is None or not facts.order.guest_email:
            return
        tenant = await tenant_snapshot(uow, uow.tenant, job.clock.now())
        await queue_mail(uow, message_mail(settings, tenant, facts, event), host=settings.host)
