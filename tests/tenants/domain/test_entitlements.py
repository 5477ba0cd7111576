"""Entitlements: one pure function of plan, trial and overrides."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.tenants.domain.entitlements import (
    BoltOnFacts,
    EntitlementSources,
    Feature,
    Grant,
    Limit,
    PlanFacts,
    frozen,
    read_sources,
    resolve_entitlements,
    store_sources,
)

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
FREE = PlanFacts(
    version_id="1",
    key="free",
    name="Free",
    features=frozenset({Feature.APPOINTMENTS}),
    limits={Limit.BOOKINGS_PER_MONTH: 30, Limit.MEMBERS: 1},
)
GROWTH = PlanFacts(
    version_id="3",
    key="growth",
    name="Growth",
    features=frozenset(Feature),
    limits={Limit.BOOKINGS_PER_MONTH: 1000},
)
SCALE = PlanFacts(version_id="4", key="scale", name="Scale", features=frozenset(Feature), limits={})

moments = st.integers(-10_000_000, 10_000_000).map(lambda seconds: NOW + seconds * SECOND)
plans = st.builds(
    PlanFacts,
    version_id=st.just("v"),
    key=st.sampled_from(["free", "growth"]),
    name=st.just("Plan"),
    features=st.frozensets(st.sampled_from(Feature)),
    limits=st.dictionaries(st.sampled_from(Limit), st.integers(0, 5000)),
)
endings = st.none() | moments
feature_grants = st.builds(Grant, feature=st.sampled_from(Feature), ends_at=endings)
limit_grants = st.builds(
    Grant,
    limit=st.sampled_from(Limit),
    value=st.none() | st.integers(0, 5000),
    ends_at=endings,
)
grants = feature_grants | limit_grants
bolt_ons = st.builds(
    BoltOnFacts,
    version_id=st.just("v"),
    key=st.sampled_from(["auto_refund", "bookings_100"]),
    name=st.just("Bolt-on"),
    features=st.frozensets(st.sampled_from(Feature)),
    increments=st.dictionaries(st.sampled_from(Limit), st.integers(1, 500)),
)
sources = st.builds(
    EntitlementSources,
    plan=plans,
    trial=st.none() | plans,
    trial_ends_at=endings,
    grants=st.lists(grants, max_size=5).map(tuple),
    bolt_ons=st.lists(bolt_ons, max_size=3).map(tuple),
)
REFUNDS = BoltOnFacts(
    version_id="b1", key="auto_refund", name="A", features=frozenset({Feature.AUTO_REFUND})
)
MORE = BoltOnFacts(
    version_id="b2", key="bookings_100", name="B", increments={Limit.BOOKINGS_PER_MONTH: 100}
)


def reaches(wider: int | None, narrower: int | None) -> bool:
    return wider is None or (narrower is not None and wider >= narrower)


@given(sources, grants, moments)
def test_a_further_override_never_takes_anything_away(
    made_of: EntitlementSources, grant: Grant, now: datetime
) -> None:
    before = resolve_entitlements(made_of, now)
    widened = msgspec.structs.replace(made_of, grants=(*made_of.grants, grant))
    after = resolve_entitlements(widened, now)
    assert after.features >= before.features
    assert all(reaches(after.limit(limit), before.limit(limit)) for limit in Limit)


@given(sources, moments)
def test_a_trial_takes_nothing_away(made_of: EntitlementSources, now: datetime) -> None:
    without = resolve_entitlements(msgspec.structs.replace(made_of, trial=None), now)
    resolved = resolve_entitlements(made_of, now)
    assert resolved.features >= without.features
    assert all(reaches(resolved.limit(limit), without.limit(limit)) for limit in Limit)


@given(sources, moments)
def test_the_order_of_overrides_does_not_matter(made_of: EntitlementSources, now: datetime) -> None:
    turned = msgspec.structs.replace(made_of, grants=made_of.grants[::-1])
    assert resolve_entitlements(turned, now) == resolve_entitlements(made_of, now)


@given(sources, bolt_ons, moments)
def test_a_bolt_on_adds_just_what_it_holds(
    made_of: EntitlementSources, bolt_on: BoltOnFacts, now: datetime
) -> None:
    before = resolve_entitlements(made_of, now)
    widened = msgspec.structs.replace(made_of, bolt_ons=(*made_of.bolt_ons, bolt_on))
    after = resolve_entitlements(widened, now)
    assert after.features == before.features | bolt_on.features
    for limit in Limit:
        was = before.limit(limit)
        more = bolt_on.increments.get(limit, 0)
        assert after.limit(limit) == (None if was is None else was + more)
    without = msgspec.structs.replace(widened, bolt_ons=made_of.bolt_ons)
    assert resolve_entitlements(without, now) == before, "and takes no more with it"


@given(sources, moments)
def test_the_order_of_bolt_ons_does_not_matter(made_of: EntitlementSources, now: datetime) -> None:
    turned = msgspec.structs.replace(made_of, bolt_ons=made_of.bolt_ons[::-1])
    one, other = resolve_entitlements(turned, now), resolve_entitlements(made_of, now)
    assert (one.features, one.limits) == (other.features, other.limits)


def test_bolt_ons_add_to_the_larger_of_plan_trial_and_override() -> None:
    made_of = EntitlementSources(
        plan=FREE,
        trial=GROWTH,
        trial_ends_at=NOW,
        grants=(Grant(limit=Limit.BOOKINGS_PER_MONTH, value=90),),
        bolt_ons=(REFUNDS, MORE),
    )
    trying = resolve_entitlements(made_of, NOW)
    assert trying.limit(Limit.BOOKINGS_PER_MONTH) == 1100
    after = resolve_entitlements(made_of, NOW + SECOND)
    assert after.limit(Limit.BOOKINGS_PER_MONTH) == 190
    assert after.features == {Feature.APPOINTMENTS, Feature.AUTO_REFUND}
    assert after.limit(Limit.MEMBERS) == 1


def test_what_was_stored_before_there_were_bolt_ons_has_none() -> None:
    stored = store_sources(EntitlementSources(plan=FREE))
    del stored["bolt_ons"]
    assert read_sources(stored) == EntitlementSources(plan=FREE)


@given(sources, moments)
def test_stored_sources_mean_the_same(made_of: EntitlementSources, now: datetime) -> None:
    stored = msgspec.json.decode(msgspec.json.encode(store_sources(made_of)))
    assert read_sources(stored) == made_of


def test_a_trial_counts_to_its_last_second() -> None:
    on_trial = EntitlementSources(plan=FREE, trial=GROWTH, trial_ends_at=NOW)
    assert resolve_entitlements(on_trial, NOW).has(Feature.SERIES)
    assert resolve_entitlements(on_trial, NOW).trial_ends_at == NOW
    over = resolve_entitlements(on_trial, NOW + SECOND)
    assert over.plan_name == "Free"
    assert over.features == {Feature.APPOINTMENTS}
    assert over.limit(Limit.BOOKINGS_PER_MONTH) == 30
    assert over.trial_ends_at is None


def test_a_larger_plan_bought_during_a_trial_counts_at_once() -> None:
    both = EntitlementSources(plan=SCALE, trial=GROWTH, trial_ends_at=NOW)
    assert resolve_entitlements(both, NOW).limit(Limit.BOOKINGS_PER_MONTH) is None


def test_an_override_counts_to_its_last_second() -> None:
    helped = EntitlementSources(plan=FREE, grants=(Grant(feature=Feature.SERIES, ends_at=NOW),))
    assert resolve_entitlements(helped, NOW).has(Feature.SERIES)
    assert not resolve_entitlements(helped, NOW + SECOND).has(Feature.SERIES)


def test_an_override_outlives_the_trial() -> None:
    made_of = EntitlementSources(
        plan=FREE,
        trial=GROWTH,
        trial_ends_at=NOW,
        grants=(Grant(limit=Limit.BOOKINGS_PER_MONTH, value=100),),
    )
    assert resolve_entitlements(made_of, NOW).limit(Limit.BOOKINGS_PER_MONTH) == 1000
    assert resolve_entitlements(made_of, NOW + SECOND).limit(Limit.BOOKINGS_PER_MONTH) == 100


@pytest.mark.parametrize(
    ("given_value", "left"), [(None, None), (0, 30), (29, 30), (30, 30), (31, 31)]
)
def test_an_override_of_a_limit_only_widens(given_value: int | None, left: int | None) -> None:
    grant = Grant(limit=Limit.BOOKINGS_PER_MONTH, value=given_value)
    resolved = resolve_entitlements(EntitlementSources(plan=FREE, grants=(grant,)), NOW)
    assert resolved.limit(Limit.BOOKINGS_PER_MONTH) == left


def test_no_override_brings_a_limit_where_there_is_none() -> None:
    grant = Grant(limit=Limit.MEMBERS, value=3)
    resolved = resolve_entitlements(EntitlementSources(plan=GROWTH, grants=(grant,)), NOW)
    assert resolved.limit(Limit.MEMBERS) is None


def test_group_services_freeze_without_their_feature() -> None:
    free = resolve_entitlements(EntitlementSources(plan=FREE), NOW)
    growth = resolve_entitlements(EntitlementSources(plan=GROWTH), NOW)
    assert frozen("group", free)
    assert not frozen("group", growth)
    assert not frozen("appointment", free)


def test_what_a_newer_release_left_behind_counts_for_nothing() -> None:
    stored: dict[str, Any] = store_sources(EntitlementSources(plan=FREE))
    stored["plan"]["features"] = ["appointments", "teleport"]
    stored["plan"]["limits"] = {"members": 1, "teleports": 3}
    stored["grants"] = [{"feature": "teleport"}, {"feature": "series"}]
    stored["bolt_ons"] = [
        {
            "version_id": "b",
            "key": "beams",
            "name": "Beams",
            "features": ["teleport", "coupons"],
            "increments": {"members": 2, "teleports": 5},
        }
    ]
    resolved = resolve_entitlements(read_sources(stored), NOW)
    assert resolved.features == {Feature.APPOINTMENTS, Feature.SERIES, Feature.COUPONS}
    assert resolved.limits == {Limit.MEMBERS: 3}
