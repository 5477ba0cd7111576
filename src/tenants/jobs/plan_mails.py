"""Mails between businesses and the platform about plans.

Every mail has a dedupe key that names its occasion and its reader, so a job that runs twice sends
nothing twice. Mails to platform admins belong to no business and are queued in the platform's own
scope, before the job's row is marked as done.
"""

from datetime import date

from sqlalchemy import select

from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import use_locale
from src.platform.jobs.context import JobContext
from src.platform.localtime import month_key
from src.platform.web.formats import day_long
from src.tenants.commands.counters import mark_warned, review_warnings
from src.tenants.context import TenantSnapshot
from src.tenants.domain.plans import Change
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
from src.tenants.models import PlanRequest, User
from src.tenants.plan_events import (
    EntitlementsEnded,
    MonthlyLimitNeared,
    PlanRequestDeclined,
    PlanRequested,
    TenantMoved,
)
from src.tenants.plan_words import feature_names, limit_sentences
from src.tenants.queries.consequences import list_consequences
from src.tenants.queries.plan_requests import find_request
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.views.admin import RequestRow
from src.tenants.views.plan_mails import (
    LimitNearedMail,
    PlanRequestedMail,
    RequestDeclinedMail,
    TenantMovedMail,
)


async def warn_of_limit(job: JobContext, event: MonthlyLimitNeared) -> None:
    """Tells the owners once for each month and threshold, whatever comes twice or late."""
    settings: Settings = job.services.settings
    async with job.unit_of_work(done=True) as uow:
        if not await mark_warned(uow, event.month, event.percent):
            return
        tenant = await tenant_snapshot(uow, job.tenant_id, job.clock.now())
        occasion = f"limit:{event.month}:{event.percent}:{event.limit}"
        for owner in await readers(uow, owners_of(job.tenant_id)):
            view = _limit_mail(event, tenant, owner, plan_page(settings, tenant))
            await queue_for(uow, settings, "limit_neared", occasion, owner, view)


async def review_limit(job: JobContext, event: EntitlementsEnded) -> None:
    """After a trial or an override: a month that is nearly or fully used up by what is left of the
    plan is told at once, since no booking may come any more that says so.
    """
    async with job.unit_of_work(done=True) as uow:
        now = uow.clock.now()
        tenant = await tenant_snapshot(uow, job.tenant_id, now)
        await review_warnings(uow, tenant.entitlements, month_key(now, tenant.zone))


async def tell_admins_of_request(job: JobContext, event: PlanRequested) -> None:
    """Tells every platform admin that a business asked for a plan or a bolt-on."""
    async with job.uow_factory(PLATFORM_TENANT_ID) as uow:
        request = await find_request(uow, event.request_id)
        if request is not None and request.state == "open":
            await _queue_request(uow, job.services.settings, request)
    async with job.unit_of_work(done=True):
        pass


async def _queue_request(uow: UnitOfWork, settings: Settings, request: RequestRow) -> None:
    for admin in await readers(uow, admins()):
        view = PlanRequestedMail(
            locale=admin.locale,
            from_name=PLATFORM_NAME,
            name=admin.name,
            business=request.tenant_name,
            href=f"{settings.base_url}/admin/requests",
            plan_name=request.asks_for,
            current_plan=request.current_plan,
            requested_by=request.requested_by,
            wanted_for=request.wanted_for,
        )
        await queue_for(uow, settings, "plan_requested", f"asked:{request.id}", admin, view)


async def tell_of_declined_request(job: JobContext, event: PlanRequestDeclined) -> None:
    """Tells the one who asked, with the admin's words."""
    settings: Settings = job.services.settings
    async with job.unit_of_work(done=True) as uow:
        request = await find_request(uow, event.request_id)
        if request is None:
            return
        tenant = await tenant_snapshot(uow, job.tenant_id, job.clock.now())
        asked_by = select(User).join(PlanRequest, PlanRequest.requested_by == User.id)
        for reader in await readers(uow, asked_by.where(PlanRequest.id == event.request_id)):
            view = RequestDeclinedMail(
                locale=reader.locale,
                from_name=PLATFORM_NAME,
                name=reader.name,
                business=tenant.name,
                href=plan_page(settings, tenant),
                plan_name=request.asks_for,
                answer=event.answer,
            )
            await queue_for(
                uow, settings, "request_declined", f"declined:{event.request_id}", reader, view
            )


async def tell_of_move(job: JobContext, event: TenantMoved) -> None:
    """Tells the owners which plan they are on now, what follows from it, and what it has."""
    settings: Settings = job.services.settings
    async with job.unit_of_work(done=True) as uow:
        now, change = job.clock.now(), event.change or Change(gained=(), lost=(), limits=())
        tenant = await tenant_snapshot(uow, job.tenant_id, now)
        for owner in await readers(uow, owners_of(job.tenant_id)):
            with use_locale(owner.locale):
                found = await list_consequences(uow, tenant.id, tenant.timezone, change, now)
                view = TenantMovedMail(
                    locale=owner.locale,
                    from_name=PLATFORM_NAME,
                    name=owner.name,
                    business=tenant.name,
                    href=plan_page(settings, tenant),
                    plan_name=event.plan_name,
                    lost=feature_names(change.lost),
                    consequences=tuple(one.text for one in found),
                    limits=limit_sentences(tenant.entitlements.limits),
                    features=feature_names(tenant.entitlements.features),
                )
            await queue_for(uow, settings, "tenant_moved", f"moved:{event.move_id}", owner, view)


def _limit_mail(
    event: MonthlyLimitNeared, tenant: TenantSnapshot, owner: Reader, href: str
) -> LimitNearedMail:
    with use_locale(owner.locale):
        next_month_on = day_long(_month_after(event.month))
    return LimitNearedMail(
        locale=owner.locale,
        from_name=PLATFORM_NAME,
        name=owner.name,
        business=tenant.name,
        href=href,
        percent=event.percent,
        taken=event.taken,
        limit=event.limit,
        plan_name=tenant.entitlements.plan_name,
        next_month_on=next_month_on,
    )


def _month_after(month: str) -> date:
    """The first day of the month after "2026-11"."""
    year, number = (int(part) for part in month.split("-"))
    return date(year + number // 12, number % 12 + 1, 1)
