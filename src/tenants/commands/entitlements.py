"""Keeping the snapshot of what a tenant may do in step with what it is made of."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.domain.entitlements import (
    EntitlementSources,
    Feature,
    Grant,
    Limit,
    PlanFacts,
    is_live,
    known_features,
    known_limits,
    store_sources,
)
from src.tenants.models import EntitlementGrant, Plan, PlanVersion, Tenant


async def rebuild_entitlements(uow: UnitOfWork, tenant_id: UUID) -> EntitlementSources:
    """Writes `tenants.entitlements` anew from plan version, trial and overrides.

    To be called in the transaction that changed any of them, which has to be the tenant's own.
    The tenant's row is locked first, so that of two changes at once the second sees the first.
    Raises: NotFound.
    """
    sources = await load_sources(uow, tenant_id)
    await uow.session.execute(
        update(Tenant).where(Tenant.id == tenant_id).values(entitlements=store_sources(sources))
    )
    return sources


async def load_sources(uow: UnitOfWork, tenant_id: UUID) -> EntitlementSources:
    """What the entitlements are made of, read from their rows. Locks the tenant's row."""
    tenant = (
        await uow.session.execute(
            select(Tenant.plan_version_id, Tenant.trial_version_id, Tenant.trial_ends_at)
            .where(Tenant.id == tenant_id)
            .with_for_update(key_share=True)
        )
    ).one_or_none()
    if tenant is None:
        raise NotFound(_("There is no such business."))
    facts = await plan_facts(uow, {tenant.plan_version_id, tenant.trial_version_id} - {None})
    return EntitlementSources(
        plan=facts[tenant.plan_version_id],
        trial=facts.get(tenant.trial_version_id),
        trial_ends_at=tenant.trial_ends_at,
        grants=await _grants(uow, tenant_id, uow.clock.now()),
    )


async def plan_facts(uow: UnitOfWork, version_ids: set[UUID]) -> dict[UUID, PlanFacts]:
    """The facts of plan versions by their id."""
    rows = await uow.session.execute(
        select(PlanVersion.id, Plan.key, Plan.name, PlanVersion.features, PlanVersion.limits)
        .join_from(PlanVersion, Plan, Plan.id == PlanVersion.plan_id)
        .where(PlanVersion.id.in_(version_ids))
    )
    return {
        row.id: PlanFacts(
            version_id=str(row.id),
            key=row.key,
            name=row.name,
            features=known_features(row.features),
            limits=known_limits(row.limits),
        )
        for row in rows
    }


async def _grants(uow: UnitOfWork, tenant_id: UUID, now: datetime) -> tuple[Grant, ...]:
    rows = await uow.session.scalars(
        select(EntitlementGrant)
        .where(EntitlementGrant.tenant_id == tenant_id)
        .order_by(EntitlementGrant.id)
    )
    return tuple(
        Grant(
            feature=None if row.feature is None else Feature(row.feature),
            limit=None if row.limit is None else Limit(row.limit),
            value=row.value,
            ends_at=row.ends_at,
        )
        for row in rows
        if is_live(row.ends_at, now)
    )
