"""Plans side by side: which is the smallest that has something, and what a change would bring."""

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

import msgspec

from src.tenants.domain.entitlements import (
    BOOKABLE,
    BUILT,
    Entitlements,
    Feature,
    Limit,
    PlanFacts,
    with_features,
    with_increments,
)


class PlanVisibility(StrEnum):
    """`public`: in the price list. `hidden`: only by an admin's hand. `internal`: our own use."""

    PUBLIC = "public"
    HIDDEN = "hidden"
    INTERNAL = "internal"


class OfferedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with its newest version, as it can be taken today."""

    plan_id: UUID
    version_id: UUID
    version: int
    key: str
    name: str
    summary: str
    position: int
    visibility: PlanVisibility
    monthly_minor: int
    yearly_minor: int
    currency: str
    trial_days: int
    features: frozenset[Feature]
    limits: dict[Limit, int]

    @property
    def facts(self) -> PlanFacts:
        return PlanFacts(
            version_id=str(self.version_id),
            key=self.key,
            name=self.name,
            features=self.features,
            limits=self.limits,
        )


def cheapest_with_feature(
    plans: Iterable[OfferedPlan], feature: Feature, keeping: Entitlements | None = None
) -> OfferedPlan | None:
    """The public plan of the lowest monthly price that has the feature and all of `keeping`."""
    return _cheapest(plan for plan in plans if feature in plan.features and _keeps(plan, keeping))


def cheapest_with_more(
    plans: Iterable[OfferedPlan], limit: Limit, than: int, keeping: Entitlements | None = None
) -> OfferedPlan | None:
    """The public plan of the lowest monthly price whose limit is larger than `than` and which has
    all of `keeping`.
    """
    bolt_ons = () if keeping is None else keeping.bolt_ons
    return _cheapest(
        plan
        for plan in plans
        if with_increments(plan.limits, bolt_ons).get(limit, than + 1) > than
        and _keeps(plan, keeping)
    )


def starting_plan(plans: Iterable[OfferedPlan]) -> OfferedPlan | None:
    """What a new tenant is on: the first public plan that costs nothing."""
    free = [plan for plan in _public(plans) if plan.monthly_minor == 0]
    return min(free, key=_by_position, default=None)


def trial_plan(plans: Iterable[OfferedPlan]) -> OfferedPlan | None:
    """What a new tenant may try, once: the first public plan with trial days."""
    tried = [plan for plan in _public(plans) if plan.trial_days > 0]
    return min(tried, key=_by_position, default=None)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant may do before and after, at the same moment."""

    gained: tuple[Feature, ...]
    lost: tuple[Feature, ...]
    limits: tuple["LimitChange", ...]

    @property
    def takes_away(self) -> bool:
        return bool(self.lost) or any(limit.is_lower for limit in self.limits)


class LimitChange(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that changes; None is no limit."""

    limit: Limit
    before: int | None
    after: int | None

    @property
    def is_lower(self) -> bool:
        return self.after is not None and (self.before is None or self.after < self.before)


def compare(before: Entitlements, after: Entitlements) -> Change:
    """What moving from one to the other brings and takes, features in their usual order.

    How many bookings a month is no matter where the change ends that anything can be booked.
    """
    ends_booking = before.features & BOOKABLE and not after.features & BOOKABLE
    told = (Limit.MEMBERS,) if ends_booking else tuple(Limit)
    return Change(
        gained=tuple(f for f in Feature if after.has(f) and not before.has(f)),
        lost=tuple(f for f in Feature if before.has(f) and not after.has(f)),
        limits=tuple(
            LimitChange(limit=limit, before=before.limit(limit), after=after.limit(limit))
            for limit in told
            if before.limit(limit) != after.limit(limit)
        ),
    )


def _keeps(plan: OfferedPlan, now: Entitlements | None) -> bool:
    """Whether nothing is lost by the plan: no built feature, and no part of a limit. Bolt-ons stay
    with the tenant and add to any plan.
    """
    if now is None:
        return True
    after = with_increments(plan.limits, now.bolt_ons)
    limits = [(after.get(limit), now.limit(limit)) for limit in Limit]
    return now.features & BUILT <= with_features(plan.features, now.bolt_ons) and all(
        then is None or (before is not None and then >= before) for then, before in limits
    )


def _public(plans: Iterable[OfferedPlan]) -> list[OfferedPlan]:
    return [plan for plan in plans if plan.visibility is PlanVisibility.PUBLIC]


def _cheapest(plans: Iterable[OfferedPlan]) -> OfferedPlan | None:
    return min(
        _public(plans), key=lambda plan: (plan.monthly_minor, *_by_position(plan)), default=None
    )


def _by_position(plan: OfferedPlan) -> tuple[int, str]:
    return plan.position, plan.key
