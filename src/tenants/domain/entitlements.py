"""What a tenant may do: features and limits, resolved by one pure function.

Code asks for a Feature or a Limit and never for a plan's name.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec


class Feature(StrEnum):
    """Something a plan has or has not."""

    APPOINTMENTS = "appointments"
    GROUP_SERVICES = "group_services"
    SERIES = "series"
    COUPONS = "coupons"
    PACKAGES = "packages"
    PRODUCTS = "products"
    COLLECTIONS = "collections"
    WAITLIST = "waitlist"


class Limit(StrEnum):
    """Something a plan has a number of; absent means unlimited."""

    BOOKINGS_PER_MONTH = "bookings_per_month"
    MEMBERS = "members"


class PlanFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a plan, as the snapshot keeps it."""

    version_id: str
    key: str
    name: str
    features: frozenset[Feature]
    limits: dict[Limit, int]


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """An admin's override. A limit's value of None lifts the limit; `ends_at` None never ends."""

    feature: Feature | None = None
    limit: Limit | None = None
    value: int | None = None
    ends_at: datetime | None = None


class EntitlementSources(msgspec.Struct, frozen=True, kw_only=True):
    """Everything entitlements are made of; stored beside the tenant, judged at `now`."""

    plan: PlanFacts
    trial: PlanFacts | None = None
    trial_ends_at: datetime | None = None
    grants: tuple[Grant, ...] = ()


class Entitlements(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant may do at one moment."""

    plan_key: str
    plan_name: str
    features: frozenset[Feature]
    limits: dict[Limit, int]
    trial_ends_at: datetime | None

    def has(self, feature: Feature) -> bool:
        return feature in self.features

    def limit(self, limit: Limit) -> int | None:
        """The number, or None when there is no limit."""
        return self.limits.get(limit)


def resolve_entitlements(sources: EntitlementSources, now: datetime) -> Entitlements:
    """Plan, or trial while it runs, plus overrides that have not ended.

    At the exact second of its end a trial or an override still counts.
    """
    on_trial = (
        sources.trial is not None
        and sources.trial_ends_at is not None
        and now <= sources.trial_ends_at
    )
    plan = sources.trial if on_trial and sources.trial is not None else sources.plan
    live = [grant for grant in sources.grants if grant.ends_at is None or now <= grant.ends_at]
    return Entitlements(
        plan_key=plan.key,
        plan_name=plan.name,
        features=_features(plan, live),
        limits=_limits(plan, live),
        trial_ends_at=sources.trial_ends_at if on_trial else None,
    )


def _features(plan: PlanFacts, grants: Iterable[Grant]) -> frozenset[Feature]:
    return plan.features | {grant.feature for grant in grants if grant.feature is not None}


def _limits(plan: PlanFacts, grants: Iterable[Grant]) -> dict[Limit, int]:
    """An override only ever widens: the larger number wins, and 'unlimited' wins over any."""
    limits = dict(plan.limits)
    for grant in grants:
        if grant.limit is None or grant.limit not in limits:
            continue
        if grant.value is None:
            del limits[grant.limit]
        else:
            limits[grant.limit] = max(limits[grant.limit], grant.value)
    return limits
