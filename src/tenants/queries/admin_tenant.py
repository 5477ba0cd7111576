"""One business as the platform's admins see it, and what moving it would do."""

from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.commands.entitlements import plan_facts
from src.tenants.domain.bolt_ons import adds_nothing
from src.tenants.domain.downgrade import needless_bolt_on
from src.tenants.domain.entitlements import (
    EntitlementSources,
    Feature,
    Grant,
    Limit,
    PlanFacts,
    is_live,
    read_sources,
    resolve_entitlements,
)
from src.tenants.domain.roles import Role
from src.tenants.models import (
    BookingCounter,
    EntitlementGrant,
    PlanRequest,
    PlanVersion,
    Tenant,
    User,
)
from src.tenants.plan_words import feature_names, granted_sentence, limit_sentences
from src.tenants.queries.admin import find_tenant_row
from src.tenants.queries.consequences import month_usage
from src.tenants.queries.members import list_members
from src.tenants.queries.plan_changes import change_between
from src.tenants.queries.plan_requests import list_requests_of, up_to
from src.tenants.queries.tenant_bolt_ons import list_rows
from src.tenants.views.admin import (
    GrantRemovalView,
    GrantRow,
    MonthRow,
    MoveView,
    TenantDetail,
    TenantRow,
)
from src.tenants.views.plans import ChangeView

SHOWN_MONTHS = 12


async def get_tenant_detail(uow: UnitOfWork, tenant_id: UUID, now: datetime) -> TenantDetail:
    """Everything the platform knows of a business; in the tenant's own transaction.

    Raises: NotFound.
    """
    row = await _row(uow, tenant_id, now)
    tenant = await _tenant(uow, tenant_id)
    resolved = resolve_entitlements(read_sources(tenant.entitlements), now)
    return TenantDetail(
        row=row,
        version_id=tenant.plan_version_id,
        newest_version=await _newest_version(uow, tenant.plan_version_id),
        currency=tenant.currency,
        features=feature_names(resolved.features),
        missing=feature_names(set(Feature) - resolved.features),
        limits=limit_sentences(resolved.limits),
        months=await _months(uow, tenant_id),
        members=tuple(await list_members(uow, tenant_id)),
        grants=await _grants(uow, tenant_id, now),
        bolt_ons=await list_rows(uow, tenant_id),
        requests=tuple(await list_requests_of(uow, tenant_id)),
    )


async def preview_move(
    uow: UnitOfWork, tenant_id: UUID, version_id: UUID, *, keep_trial: bool, now: datetime
) -> MoveView:
    """What putting the tenant on the version would do; in the tenant's own transaction.

    Raises: NotFound.
    """
    row = await _row(uow, tenant_id, now)
    tenant = await _tenant(uow, tenant_id)
    facts = (await plan_facts(uow, {version_id})).get(version_id)
    if facts is None:
        raise NotFound(_("There is no such plan."))
    sources = read_sources(tenant.entitlements)
    version = await uow.session.get_one(PlanVersion, version_id)
    owners = [m.email for m in await list_members(uow, tenant_id) if m.role is Role.OWNER]
    return MoveView(
        row=row,
        expected_version_id=tenant.plan_version_id,
        version_id=version_id,
        plan_name=facts.name,
        version=version.version,
        change=await change_to(uow, tenant, sources, facts, keep_trial=keep_trial, now=now),
        trial_running=row.trial_ends_at is not None,
        keep_trial=keep_trial,
        owners=tuple(owners),
        closes_request=await _is_asked_for(uow, tenant_id, version.plan_id),
        is_same=version_id == tenant.plan_version_id,
    )


async def change_to(
    uow: UnitOfWork,
    tenant: Tenant,
    sources: EntitlementSources,
    plan: PlanFacts,
    *,
    keep_trial: bool,
    now: datetime,
) -> ChangeView:
    """What the tenant gains, loses and feels when it is on `plan`, overrides and bolt-ons as they
    are.
    """
    moved = msgspec.structs.replace(sources, plan=plan, trial=sources.trial if keep_trial else None)
    change = await change_between(uow, tenant, sources, moved, now)
    needless = [
        needless_bolt_on(plan.name, one.name)
        for one in sources.bolt_ons
        if adds_nothing(one.features, one.increments, plan)
    ]
    return msgspec.structs.replace(change, consequences=(*change.consequences, *needless))


async def _row(uow: UnitOfWork, tenant_id: UUID, now: datetime) -> TenantRow:
    row = await find_tenant_row(uow, tenant_id, now)
    if row is None:
        raise NotFound(_("There is no such business."))
    taken = await month_usage(uow, tenant_id, row.timezone, now)
    return msgspec.structs.replace(row, taken=taken)


async def _tenant(uow: UnitOfWork, tenant_id: UUID) -> Tenant:
    return (await uow.session.scalars(select(Tenant).where(Tenant.id == tenant_id))).one()


async def _newest_version(uow: UnitOfWork, version_id: UUID) -> int:
    """The number of the newest version of the plan that this version is of."""
    plan_id = select(PlanVersion.plan_id).where(PlanVersion.id == version_id).scalar_subquery()
    newest = await uow.session.scalar(
        select(func.max(PlanVersion.version)).where(PlanVersion.plan_id == plan_id)
    )
    return newest or 0


async def _months(uow: UnitOfWork, tenant_id: UUID) -> tuple[MonthRow, ...]:
    rows = await uow.session.scalars(
        select(BookingCounter)
        .where(BookingCounter.tenant_id == tenant_id)
        .order_by(BookingCounter.month.desc())
        .limit(SHOWN_MONTHS)
    )
    return tuple(
        MonthRow(
            on=date.fromisoformat(f"{row.month}-01"),
            taken=row.taken,
            warned_percent=row.warned_percent,
        )
        for row in rows
    )


async def _grants(uow: UnitOfWork, tenant_id: UUID, now: datetime) -> tuple[GrantRow, ...]:
    rows = await uow.session.execute(
        select(EntitlementGrant, User.name)
        .outerjoin(User, User.id == EntitlementGrant.created_by)
        .where(EntitlementGrant.tenant_id == tenant_id)
        .order_by(EntitlementGrant.id.desc())
    )
    return tuple(
        GrantRow(
            id=grant.id,
            what=granted_sentence(grant.feature, grant.limit, grant.value),
            ends_at=grant.ends_at,
            has_ended=not is_live(grant.ends_at, now),
            note=grant.note,
            created_by=name or "",
            created_at=grant.created_at,
        )
        for grant, name in rows
    )


async def _is_asked_for(uow: UnitOfWork, tenant_id: UUID, plan_id: UUID) -> bool:
    found = await uow.session.scalar(
        select(PlanRequest.id).where(
            PlanRequest.tenant_id == tenant_id,
            PlanRequest.plan_id.in_(up_to(plan_id)),
            PlanRequest.state == "open",
        )
    )
    return found is not None


async def preview_grant_removal(
    uow: UnitOfWork, tenant_id: UUID, grant_id: UUID, now: datetime
) -> GrantRemovalView:
    """What taking the override back would do. Raises: NotFound."""
    row = await _row(uow, tenant_id, now)
    tenant = await _tenant(uow, tenant_id)
    grant = next((one for one in await _grants(uow, tenant_id, now) if one.id == grant_id), None)
    stored = await uow.session.get(EntitlementGrant, (tenant_id, grant_id))
    if grant is None or stored is None:
        raise NotFound(_("There is no such override."))
    sources = read_sources(tenant.entitlements)
    without = msgspec.structs.replace(sources, grants=_without(sources.grants, stored))
    change = await change_between(uow, tenant, sources, without, now)
    return GrantRemovalView(row=row, grant=grant, change=change)


def _without(grants: tuple[Grant, ...], stored: EntitlementGrant) -> tuple[Grant, ...]:
    """The grants less one that says what the stored one says; equal ones are interchangeable."""
    left = list(grants)
    gone = Grant(
        feature=None if stored.feature is None else Feature(stored.feature),
        limit=None if stored.limit is None else Limit(stored.limit),
        value=stored.value,
        ends_at=stored.ends_at,
    )
    if gone in left:
        left.remove(gone)
    return tuple(left)
