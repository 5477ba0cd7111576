"""Who hears that a guest asks to leave a whole course: those who decide, and the guest."""

from src.booking.events import LeavingAsked
from src.booking.leaving_mails import asked_mail, request_mail
from src.booking.models import Booking, LeaveRequest
from src.booking.queries.mail_facts import find_booking_facts
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import queue_mails
from src.tenants.queries.members import list_managers
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings


async def tell_of_asked_leaving(job: JobContext, event: LeavingAsked) -> None:
    """One mail to the guest, that it has arrived, and one to each owner and manager; none once it
    has been decided.
    """
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        request = await uow.session.get_one(LeaveRequest, (uow.tenant, event.request_id))
        booking = await uow.session.get_one(Booking, (uow.tenant, request.booking_id))
        facts = await find_booking_facts(uow, booking.order_id)
        if request.state != "open" or facts is None:
            return
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        mails = [
            request_mail(settings, tenant, facts, request, user)
            for user in await list_managers(uow)
        ]
        if facts.order.guest_email:
            wordings = await find_wordings(uow)
            mails.append(asked_mail(settings, tenant, facts, request, wordings))
        await queue_mails(uow, mails, host=settings.host)
