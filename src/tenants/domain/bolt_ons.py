"""Bolt-ons beside plans: what one would add, and which way to more is the cheaper one."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from uuid import UUID

import msgspec

from src.tenants.domain.entitlements import (
    BUILT,
    BoltOnFacts,
    Entitlements,
    Feature,
    Limit,
    PlanFacts,
)
from src.tenants.domain.plans import OfferedPlan, cheapest_with_feature, cheapest_with_more


class BoltOnVisibility(StrEnum):
    """`public`: businesses see it and can ask for it. `hidden`: only by an admin's hand."""

    PUBLIC = "public"
    HIDDEN = "hidden"


class OfferedBoltOn(msgspec.Struct, frozen=True, kw_only=True):
    """A bolt-on with its newest version, as it can be taken today."""

    bolt_on_id: UUID
    version_id: UUID
    version: int
    key: str
    name: str
    summary: str
    position: int
    visibility: BoltOnVisibility
    active: bool
    monthly_minor: int
    yearly_minor: int
    currency: str
    features: frozenset[Feature]
    increments: dict[Limit, int]

    @property
    def facts(self) -> BoltOnFacts:
        return BoltOnFacts(
            version_id=str(self.version_id),
            key=self.key,
            name=self.name,
            features=self.features,
            increments=self.increments,
        )

    @property
    def is_on_offer(self) -> bool:
        """Whether businesses may ask for it: it is shown, and has something that is built."""
        has_something = bool(self.features & BUILT or self.increments)
        return self.active and self.visibility is BoltOnVisibility.PUBLIC and has_something


class WayToMore(msgspec.Struct, frozen=True, kw_only=True):
    """The cheapest plan that has what is missing, and the bolt-on where that costs less."""

    plan: OfferedPlan | None
    bolt_on: OfferedBoltOn | None


def adds_nothing(
    features: frozenset[Feature], increments: Mapping[Limit, int], plan: PlanFacts
) -> bool:
    """Whether the plan has by itself all that a bolt-on holds."""
    return features <= plan.features and plan.limits.keys().isdisjoint(increments)


def way_to_feature(
    plans: Sequence[OfferedPlan],
    bolt_ons: Iterable[OfferedBoltOn],
    feature: Feature,
    now: Entitlements,
) -> WayToMore:
    """How a tenant that may do what it does `now` gets the feature, losing nothing."""
    plan = cheapest_with_feature(_others(plans, now), feature, now)
    return _cheaper(plans, plan, (one for one in bolt_ons if feature in one.features), now)


def way_to_more(
    plans: Sequence[OfferedPlan],
    bolt_ons: Iterable[OfferedBoltOn],
    limit: Limit,
    now: Entitlements,
) -> WayToMore:
    """How a tenant that may do what it does `now` gets more of the limit, losing nothing."""
    plan = cheapest_with_more(_others(plans, now), limit, now.limit(limit) or 0, now)
    return _cheaper(plans, plan, (one for one in bolt_ons if limit in one.increments), now)


def _cheaper(
    plans: Iterable[OfferedPlan],
    plan: OfferedPlan | None,
    fitting: Iterable[OfferedBoltOn],
    now: Entitlements,
) -> WayToMore:
    """Compared by what a month would cost more than it does; of equal prices the smaller step."""
    held = {bolt_on.key for bolt_on in now.bolt_ons}
    bolt_on = min(
        (one for one in fitting if one.is_on_offer and one.key not in held),
        key=lambda one: (one.monthly_minor, one.position, one.key),
        default=None,
    )
    if bolt_on is None or plan is None:
        return WayToMore(plan=plan, bolt_on=bolt_on)
    paid = next((one.monthly_minor for one in plans if one.key == now.plan_key), 0)
    is_less = bolt_on.monthly_minor <= plan.monthly_minor - paid
    return WayToMore(plan=plan, bolt_on=bolt_on if is_less else None)


def _others(plans: Iterable[OfferedPlan], now: Entitlements) -> list[OfferedPlan]:
    """Without the tenant's own, whose newer version nobody can ask for."""
    return [plan for plan in plans if plan.key != now.plan_key]
