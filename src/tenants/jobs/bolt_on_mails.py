"""Mails about bolt-ons that were given or removed.

As with plans every mail names its occasion and its reader, so that what runs twice is sent once.
"""

from uuid import UUID

from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import use_locale
from src.platform.jobs.context import JobContext
from src.tenants.context import TenantSnapshot
from src.tenants.domain.platform_tenant import PLATFORM_TENANT_ID
from src.tenants.jobs.plan_readers import (
    PLATFORM_NAME,
    Reader,
    admins,
    owners_of,
    plan_page,
    queue_for,
    readers,
)
from src.tenants.models import Tenant
from src.tenants.plan_events import BoltOnGiven, BoltOnRemoved
from src.tenants.plan_words import feature_names, limit_sentences
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.views.plan_mails import BoltOnMail, BoltOnRemovedByOwnerMail


async def tell_of_bolt_on(job: JobContext, event: BoltOnGiven) -> None:
    """Tells the owners what they have now."""
    await _tell_owners(job, "bolt_on_given", event.held_id, event.name, by="")


async def tell_of_removal(job: JobContext, event: BoltOnRemoved) -> None:
    """Tells the owners who removed it and what is left; and the platform's admins, who write the
    bills, unless one of them did.
    """
    if not event.by_platform:
        await _tell_admins(job, event)
    by = "" if event.by_platform else event.by
    await _tell_owners(job, "bolt_on_removed", event.held_id, event.name, by=by)


async def _tell_owners(job: JobContext, kind: str, held_id: UUID, bolt_on: str, *, by: str) -> None:
    settings: Settings = job.services.settings
    async with job.unit_of_work(done=True) as uow:
        tenant = await tenant_snapshot(uow, job.tenant_id, job.clock.now())
        for owner in await readers(uow, owners_of(job.tenant_id)):
            view = _view(settings, tenant, owner, bolt_on, by)
            await queue_for(uow, settings, kind, f"{kind}:{held_id}", owner, view)


def _view(
    settings: Settings, tenant: TenantSnapshot, owner: Reader, bolt_on: str, by: str
) -> BoltOnMail:
    with use_locale(owner.locale):
        return BoltOnMail(
            locale=owner.locale,
            from_name=PLATFORM_NAME,
            name=owner.name,
            business=tenant.name,
            href=plan_page(settings, tenant),
            bolt_on=bolt_on,
            by=by,
            limits=limit_sentences(tenant.entitlements.limits),
            features=feature_names(tenant.entitlements.features),
        )


async def _tell_admins(job: JobContext, event: BoltOnRemoved) -> None:
    """In the platform's own scope, before the job's row is marked as done."""
    settings: Settings = job.services.settings
    async with job.uow_factory(PLATFORM_TENANT_ID) as uow:
        business = await _name_of(uow, job.tenant_id)
        for admin in await readers(uow, admins()):
            view = BoltOnRemovedByOwnerMail(
                locale=admin.locale,
                from_name=PLATFORM_NAME,
                name=admin.name,
                business=business,
                href=f"{settings.base_url}/admin/tenants/{job.tenant_id}",
                bolt_on=event.name,
                by=event.by,
            )
            kind = "bolt_on_removed_by_owner"
            await queue_for(uow, settings, kind, f"{kind}:{event.held_id}", admin, view)


async def _name_of(uow: UnitOfWork, tenant_id: UUID) -> str:
    return (await uow.session.get_one(Tenant, tenant_id)).name
