"""The link to the calendar of all that a customer books goes by mail, and by nothing else."""

from src.booking.calendar_mails import calendar_mail
from src.booking.events import CalendarAsked
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import queue_mail
from src.tenants.commands.customers import keep_customer
from src.tenants.models import Customer
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings


async def send_calendar_link(job: JobContext, event: CalendarAsked) -> None:
    """To who the customer is by now; nothing where no address of theirs is known."""
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        customer_id = await keep_customer(uow, event.customer_id)
        customer = await uow.session.get_one(Customer, (uow.tenant, customer_id))
        if not customer.email:
            return
        mail = calendar_mail(
            settings,
            await tenant_snapshot(uow, uow.tenant, now),
            customer,
            ask_id=event.ask_id,
            locale=event.locale,
            now=now,
            wordings=await find_wordings(uow),
        )
        await queue_mail(uow, mail, host=settings.host)
