"""Keeping the snapshot of what a tenant may do in step with what it is made of."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import delete, select, update

from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.localtime import month_key
from src.tenants.commands.audit import audit
from src.tenants.commands.counters import review_warnings
from src.tenants.commands.platform_audit import audit_platform
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import (
    BoltOnFacts,
    EntitlementSources,
    Feature,
    Grant,
    Limit,
    PlanFacts,
    is_live,
    known_features,
    known_limits,
    resolve_entitlements,
    store_sources,
)
from src.tenants.models import (
    BoltOn,
    BoltOnVersion,
    EntitlementGrant,
    Plan,
    PlanVersion,
    Tenant,
    TenantBoltOn,
)
from src.tenants.plan_events import EntitlementsEnded


async def rebuild_entitlements(uow: UnitOfWork, tenant_id: UUID) -> EntitlementSources:
    """Writes `tenants.entitlements` anew from plan version, trial, overrides and bolt-ons.

    To be called in the transaction that changed any of them, which has to be the tenant's own.
    The tenant's row is locked first, so that of two changes at once the second sees the first.
    Raises: NotFound.
    """
    sources = await load_sources(uow, tenant_id)
    await uow.session.execute(
        update(Tenant).where(Tenant.id == tenant_id).values(entitlements=store_sources(sources))
    )
    return sources


async def renew_entitlements(uow: UnitOfWork) -> None:
    """Rebuilds the entitlements of the transaction's tenant, and looks at its month anew, of which
    another limit may be near. Raises: NotFound.
    """
    await uow.session.flush()
    sources = await rebuild_entitlements(uow, uow.tenant)
    zone = await uow.session.scalar(select(Tenant.timezone).where(Tenant.id == uow.tenant))
    now = uow.clock.now()
    month = month_key(now, ZoneInfo(zone or "UTC"))
    await review_warnings(uow, resolve_entitlements(sources, now), month)


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
        bolt_ons=await _bolt_ons(uow, tenant_id),
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


async def _bolt_ons(uow: UnitOfWork, tenant_id: UUID) -> tuple[BoltOnFacts, ...]:
    rows = await uow.session.execute(
        select(BoltOnVersion, BoltOn.key, BoltOn.name)
        .join(BoltOn, BoltOn.id == BoltOnVersion.bolt_on_id)
        .join(TenantBoltOn, TenantBoltOn.version_id == BoltOnVersion.id)
        .where(TenantBoltOn.tenant_id == tenant_id, TenantBoltOn.ended_at.is_(None))
        .order_by(BoltOn.position, BoltOn.key)
    )
    return tuple(bolt_on_facts(row.BoltOnVersion, row.key, row.name) for row in rows)


def bolt_on_facts(version: BoltOnVersion, key: str, name: str) -> BoltOnFacts:
    """The facts of a version of the bolt-on of this key and name."""
    return BoltOnFacts(
        version_id=str(version.id),
        key=key,
        name=name,
        features=known_features(version.features),
        increments=known_limits(version.limit_increments),
    )


class AddGrant(msgspec.Struct, frozen=True, kw_only=True):
    """A feature, or a limit: its `value` None lifts it. `ends_at` None never ends."""

    tenant_id: UUID
    feature: Feature | None = None
    limit: Limit | None = None
    value: int | None = None
    ends_at: datetime | None = None
    note: str


async def add_grant(uow: UnitOfWork, ctx: RequestContext, cmd: AddGrant) -> UUID:
    """Gives the tenant something beyond its plan, at once; in the tenant's own transaction.

    Raises: NotFound, InvalidInput for an end that has passed or a grant of nothing.
    """
    _check_grant(cmd, uow.clock.now())
    grant_id = new_id()
    uow.session.add(
        EntitlementGrant(
            tenant_id=cmd.tenant_id,
            id=grant_id,
            feature=cmd.feature.value if cmd.feature else None,
            limit=cmd.limit.value if cmd.limit else None,
            value=cmd.value,
            ends_at=cmd.ends_at,
            note=cmd.note,
            created_by=ctx.user_id,
            created_at=uow.clock.now(),
        )
    )
    detail = {
        "feature": cmd.feature,
        "limit": cmd.limit,
        "value": cmd.value,
        "ends_at": cmd.ends_at.isoformat() if cmd.ends_at else None,
        "note": cmd.note,
    }
    await _after_grants(uow, ctx, "granted", grant_id, detail)
    if cmd.ends_at is not None:
        tell_of_end(uow, cmd.ends_at)
    return grant_id


def tell_of_end(uow: UnitOfWork, ends_at: datetime) -> None:
    """Lets the owner be told in time when less is allowed from `ends_at` on."""
    seconds = (ends_at - uow.clock.now()).total_seconds()
    uow.record(EntitlementsEnded(), delay_seconds=int(seconds) + 1)


async def remove_grant(uow: UnitOfWork, ctx: RequestContext, grant_id: UUID) -> None:
    """Takes an override back, at once; in the tenant's own transaction. Raises: NotFound."""
    gone = await uow.session.execute(
        delete(EntitlementGrant)
        .where(EntitlementGrant.tenant_id == uow.tenant, EntitlementGrant.id == grant_id)
        .returning(EntitlementGrant.feature, EntitlementGrant.limit, EntitlementGrant.note)
    )
    row = gone.one_or_none()
    if row is None:
        raise NotFound(_("There is no such override."))
    detail = {"feature": row.feature, "limit": row.limit, "note": row.note}
    await _after_grants(uow, ctx, "grant_removed", grant_id, detail)


async def _after_grants(
    uow: UnitOfWork, ctx: RequestContext, verb: str, grant_id: UUID, detail: dict[str, Any]
) -> None:
    """The snapshot, the counter's warnings and both logs follow."""
    await renew_entitlements(uow)
    audit_platform(uow, ctx, f"tenant.{verb}", f"tenant:{uow.tenant}", **detail)
    await audit(uow, ctx, f"plan.{verb}", "entitlement_grant", grant_id, **detail)


def _check_grant(cmd: AddGrant, now: datetime) -> None:
    fields: dict[str, str] = {}
    if (cmd.feature is None) == (cmd.limit is None):
        fields["what"] = _("Please choose one feature or one limit.")
    if cmd.ends_at is not None and cmd.ends_at <= now:
        fields["ends_on"] = _("This has passed already.")
    if cmd.value is not None and cmd.value < 0:
        fields["value"] = _("This cannot be less than 0.")
    if fields:
        raise InvalidInput(_("Something in the form needs another look."), fields=fields)
