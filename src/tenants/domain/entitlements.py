"""What a tenant may do: features and limits, resolved by one pure function.

Code asks for a Feature or a Limit and never for a plan's name. A tenant's row carries the sources
as a document (`store_sources`, `read_sources`), so that no further query is needed to know them;
what they amount to is worked out at the moment of asking, since trials and overrides end by time.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

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
    AUTO_REFUND = "auto_refund"


BUILT = frozenset(
    {
        Feature.APPOINTMENTS,
        Feature.AUTO_REFUND,
        Feature.COLLECTIONS,
        Feature.COUPONS,
        Feature.GROUP_SERVICES,
        Feature.PACKAGES,
        Feature.SERIES,
        Feature.WAITLIST,
    }
)
"""The features that have their pages; whoever builds another adds it here. Plans keep the rest as
data, and nothing that somebody might buy by names them."""


class Limit(StrEnum):
    """Something a plan has a number of; absent means unlimited."""

    BOOKINGS_PER_MONTH = "bookings_per_month"
    MEMBERS = "members"


FEATURE_OF_SERVICE_KIND = {
    "appointment": Feature.APPOINTMENTS,
    "group": Feature.GROUP_SERVICES,
}
BOOKABLE = BUILT.intersection(FEATURE_OF_SERVICE_KIND.values())
"""The features without any of which nothing can be booked."""


class PlanFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a plan, as the snapshot keeps it."""

    version_id: str
    key: str
    name: str
    features: frozenset[Feature]
    limits: dict[Limit, int]


class BoltOnFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a bolt-on, as the snapshot keeps it, and how much it adds to which limits."""

    version_id: str
    key: str
    name: str
    features: frozenset[Feature] = frozenset()
    increments: dict[Limit, int] = {}


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
    bolt_ons: tuple[BoltOnFacts, ...] = ()


class Entitlements(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant may do at one moment.

    `features` and `limits` hold what the bolt-ons add; these are named once more, since they stay
    with the tenant on another plan.
    """

    plan_key: str
    plan_name: str
    features: frozenset[Feature]
    limits: dict[Limit, int]
    trial_ends_at: datetime | None
    bolt_ons: tuple[BoltOnFacts, ...] = ()

    def has(self, feature: Feature) -> bool:
        return feature in self.features

    def limit(self, limit: Limit) -> int | None:
        """The number, or None when there is no limit."""
        return self.limits.get(limit)


def resolve_entitlements(sources: EntitlementSources, now: datetime) -> Entitlements:
    """The plan, widened by a trial while it runs, by overrides that have not ended, and by
    bolt-ons, which add to whatever number the others come to.

    At the exact second of its end a trial or an override still counts. While a trial runs, the
    tenant is said to be on the plan it tries.
    """
    trial = _running_trial(sources, now)
    shown = sources.plan if trial is None else trial
    plans = [sources.plan] if trial is None else [sources.plan, trial]
    live = [grant for grant in sources.grants if is_live(grant.ends_at, now)]
    return Entitlements(
        plan_key=shown.key,
        plan_name=shown.name,
        features=with_features(_features(plans, live), sources.bolt_ons),
        limits=with_increments(_limits(plans, live), sources.bolt_ons),
        trial_ends_at=None if trial is None else sources.trial_ends_at,
        bolt_ons=sources.bolt_ons,
    )


def with_features(
    features: frozenset[Feature], bolt_ons: Iterable[BoltOnFacts]
) -> frozenset[Feature]:
    """The features with those of the bolt-ons."""
    return features.union(*(bolt_on.features for bolt_on in bolt_ons))


def with_increments(
    limits: Mapping[Limit, int], bolt_ons: Iterable[BoltOnFacts]
) -> dict[Limit, int]:
    """The limits, each raised by the sum of what the bolt-ons add; what is unlimited stays so."""
    raised = dict(limits)
    for bolt_on in bolt_ons:
        for limit, more in bolt_on.increments.items():
            if limit in raised:
                raised[limit] += more
    return raised


def is_live(ends_at: datetime | None, now: datetime) -> bool:
    """Whether a thing that ends at `ends_at`, or never, still counts."""
    return ends_at is None or now <= ends_at


def frozen(service_kind: str, entitlements: Entitlements) -> bool:
    """Whether services of the kind ("appointment", "group") are hidden from guests, with no new
    sales and no new sessions, because the plan no longer has them.

    What is sold runs to its end all the same. Raises: KeyError for an unknown kind.
    """
    return not entitlements.has(FEATURE_OF_SERVICE_KIND[service_kind])


def store_sources(sources: EntitlementSources) -> dict[str, Any]:
    """The sources as a JSON document."""
    return cast("dict[str, Any]", msgspec.to_builtins(sources, str_keys=True))


def read_sources(stored: Mapping[str, Any]) -> EntitlementSources:
    """The sources of a stored document.

    Features and limits that this release does not know, left by a newer one, count for nothing.
    """
    try:
        return msgspec.convert(stored, EntitlementSources)
    except msgspec.ValidationError:
        return msgspec.convert(_known_only(stored), EntitlementSources)


def known_features(names: Iterable[str]) -> frozenset[Feature]:
    """The features behind stored names, without those this release does not know."""
    return frozenset(Feature(name) for name in names if name in _FEATURES)


def known_limits(stored: Mapping[str, int]) -> dict[Limit, int]:
    """The limits behind stored names, without those this release does not know."""
    return {Limit(name): number for name, number in stored.items() if name in _LIMITS}


_FEATURES = frozenset(feature.value for feature in Feature)
_LIMITS = frozenset(limit.value for limit in Limit)


def _known_only(stored: Mapping[str, Any]) -> dict[str, Any]:
    known = dict(stored)
    for part in ("plan", "trial"):
        if known.get(part) is not None:
            plan = known[part]
            features = sorted(known_features(plan["features"]))
            known[part] = {**plan, "features": features, "limits": known_limits(plan["limits"])}
    known["grants"] = [
        grant
        for grant in known.get("grants", ())
        if grant.get("feature") in {None, *_FEATURES} and grant.get("limit") in {None, *_LIMITS}
    ]
    known["bolt_ons"] = [
        {
            **bolt_on,
            "features": sorted(known_features(bolt_on["features"])),
            "increments": known_limits(bolt_on["increments"]),
        }
        for bolt_on in known.get("bolt_ons", ())
    ]
    return known


def _running_trial(sources: EntitlementSources, now: datetime) -> PlanFacts | None:
    if sources.trial_ends_at is None or now > sources.trial_ends_at:
        return None
    return sources.trial


def _features(plans: Sequence[PlanFacts], grants: Iterable[Grant]) -> frozenset[Feature]:
    granted = frozenset(grant.feature for grant in grants if grant.feature is not None)
    return granted.union(*(plan.features for plan in plans))


def _limits(plans: Sequence[PlanFacts], grants: Iterable[Grant]) -> dict[Limit, int]:
    """What comes on top only ever widens: the larger number wins, 'unlimited' wins over any."""
    limited = [limit for limit in Limit if all(limit in plan.limits for plan in plans)]
    limits = {limit: max(plan.limits[limit] for plan in plans) for limit in limited}
    for grant in grants:
        if grant.limit is None or grant.limit not in limits:
            continue
        if grant.value is None:
            del limits[grant.limit]
        else:
            limits[grant.limit] = max(limits[grant.limit], grant.value)
    return limits
