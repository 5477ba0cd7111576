"""The way into a guest's own pages goes by mail to an address of theirs, and by nothing else."""

from src.platform.jobs.context import JobContext
from src.platform.mail.queue import queue_mail
from src.tenants.domain.roles import TenantStatus
from src.tenants.events import PortalCodeAsked
from src.tenants.models import PortalCode
from src.tenants.portal_mails import WayIn, portal_mail
from src.tenants.queries.portal import find_portal_guest, find_proved
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
