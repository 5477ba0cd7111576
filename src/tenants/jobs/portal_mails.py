"""Mails about guests' own pages: the way in goes to an address of theirs, and by nothing else."""

from src.platform.jobs.context import JobContext
from src.platform.mail.queue import queue_mail
from src.tenants.commands.customers import keep_customer
from src.tenants.domain.portal import mark_of
from src.tenants.domain.roles import TenantStatus
from src.tenants.events import OwnAddressAsked, OwnAddressChanged, PortalCodeAsked
from src.tenants.models import Customer, PortalCode
from src.tenants.portal_links import NewAddress, new_address_url
from src.tenants.portal_mails import WayIn, own_address_mail, portal_mail
from src.tenants.queries.portal import Proved, find_portal_guest, find_proved
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings


async def mail_code(job: JobContext, event: PortalCodeAsked) -> None:
    """Nothing for an address that is nobody's, nor for what is over or was used meanwhile."""
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        proved = await find_proved(uow, event.email)
        code = await uow.session.get(PortalCode, (uow.tenant, event.code_id))
        is_open = code is not None and code.used_at is None and code.expires_at > now
        if proved is None or code is None or not is_open:
            return
        guest = await find_portal_guest(uow, proved)
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        if guest is None or tenant.status is TenantStatus.CLOSED:
            return
        way_in = WayIn(
            code_id=code.id,
            asked_at=code.asked_at,
            asked_id=event.asked_id,
            proved=proved,
            address=event.email,
            name=guest.name,
            locale=guest.locale or tenant.locale,
        )
        mail = portal_mail(settings, tenant, way_in, await find_wordings(uow))
        await queue_mail(uow, mail, host=settings.host)


async def prove_address(job: JobContext, event: OwnAddressAsked) -> None:
    """To the new address, whoever's it is by now: what becomes of it, whoever follows the link is
    told, and nobody else.
    """
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        customer_id = await keep_customer(uow, event.customer_id)
        customer = await uow.session.get_one(Customer, (uow.tenant, customer_id))
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        proved = Proved(customer_id=customer_id, mark=mark_of(customer.email or ""))
        wanted = NewAddress(proved=proved, email=event.email)
        url = new_address_url(settings, tenant, wanted, now)
        mail = own_address_mail(tenant, customer, event.email, event.asked_id, url)
        await queue_mail(uow, mail, host=settings.host)


async def tell_former_address(job: JobContext, event: OwnAddressChanged) -> None:
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        customer_id = await keep_customer(uow, event.customer_id)
        customer = await uow.session.get_one(Customer, (uow.tenant, customer_id))
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        mail = own_address_mail(tenant, customer, event.former, event.change_id)
        await queue_mail(uow, mail, host=settings.host)
