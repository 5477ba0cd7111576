"""What it means for a tenant when that which its entitlements are made of changes."""

from datetime import datetime

from src.platform.db.uow import UnitOfWork
from src.tenants.domain.entitlements import (
    Entitlements,
    EntitlementSources,
    resolve_entitlements,
)
from src.tenants.domain.plans import compare
from src.tenants.models import Tenant
from src.tenants.plan_words import feature_names, limit_change_sentence
from src.tenants.queries.consequences import list_consequences
from src.tenants.views.plans import ChangeView


async def change_between(
    uow: UnitOfWork,
    tenant: Tenant,
    before: EntitlementSources,
    after: EntitlementSources,
    now: datetime,
) -> ChangeView:
    """What the tenant gains, loses and feels; in the tenant's own transaction."""
    change = compare(*resolved_pair(before, after, now))
    found = await list_consequences(uow, tenant.id, tenant.timezone, change, now)
    return ChangeView(
        gained=feature_names(change.gained),
        lost=feature_names(change.lost),
        limits=tuple(limit_change_sentence(limit) for limit in change.limits),
        consequences=tuple(found),
    )


def resolved_pair(
    before: EntitlementSources, after: EntitlementSources, now: datetime
) -> tuple[Entitlements, Entitlements]:
    return resolve_entitlements(before, now), resolve_entitlements(after, now)
