"""Telling customers what staff did to their credits."""

from src.billing.credit_act_mails import credits_mail
from src.billing.events import CreditsChanged
from src.billing.models import CreditLot
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import queue_mail
from src.tenants.models import Customer
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings


async def tell_of_changed_credits(job: JobContext, event: CreditsChanged) -> None:
    """One mail for each act, to whoever owns the credits by now and has an address."""
    settings = job.services.settings
    async with job.unit_of_work(done=True) as uow:
        lot = await uow.session.get_one(CreditLot, (uow.tenant, event.lot_id))
        customer = await uow.session.get_one(Customer, (uow.tenant, lot.customer_id))
        if not customer.email or customer.erased_at is not None:
            return
        tenant = await tenant_snapshot(uow, uow.tenant, job.clock.now())
        wordings = await find_wordings(uow)
        mail = credits_mail(settings, tenant, customer, lot, event, wordings)
        await queue_mail(uow, mail, host=settings.host)
