"""Which way to more is the cheaper one: a plan, or a bolt-on beside the plan one is on."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.tenants.domain.bolt_ons import (
    BoltOnVisibility,
    OfferedBoltOn,
    adds_nothing,
    way_to_feature,
    way_to_more,
)
from src.tenants.domain.downgrade import Weight, feature_consequences, month_left
from src.tenants.domain.entitlements import (
    BoltOnFacts,
    Entitlements,
    Feature,
    Limit,
    with_features,
    with_increments,
)
from src.tenants.domain.plans import OfferedPlan, compare
from tests.tenants.domain.test_plans import FREE, SCALE, STARTER, may, plan

BOOKINGS, MEMBERS = Limit.BOOKINGS_PER_MONTH, Limit.MEMBERS
GROWTH = plan("growth", 4900, set(Feature) - {Feature.AUTO_REFUND}, {BOOKINGS: 1000, MEMBERS: 10})
PLANS = [SCALE, GROWTH, FREE, STARTER]


def bolt_on(key: str, monthly_minor: int, **more: Any) -> OfferedBoltOn:
    facts: dict[str, Any] = {
        "bolt_on_id": UUID(int=monthly_minor),
        "version_id": UUID(int=monthly_minor + 1),
        "version": 1,
        "key": key,
        "name": key.title(),
        "summary": "",
        "position": 1,
        "visibility": BoltOnVisibility.PUBLIC,
        "active": True,
        "monthly_minor": monthly_minor,
        "yearly_minor": monthly_minor * 10,
        "currency": "EUR",
        "features": frozenset(),
        "increments": {},
    }
    return OfferedBoltOn(**{**facts, **more})


REFUNDS = bolt_on("auto_refund", 900, features=frozenset({Feature.AUTO_REFUND}))
MORE = bolt_on("bookings_100", 900, increments={BOOKINGS: 100})
BOLT_ONS = [MORE, REFUNDS]


def on(plan: OfferedPlan, *bolt_ons: BoltOnFacts) -> Entitlements:
    return Entitlements(
        plan_key=plan.key,
        plan_name=plan.name,
        features=with_features(plan.features, bolt_ons),
        limits=with_increments(plan.limits, bolt_ons),
        trial_ends_at=None,
        bolt_ons=bolt_ons,
    )


def test_the_bolt_on_is_offered_where_it_costs_less_than_the_next_plan() -> None:
    way = way_to_feature(PLANS, BOLT_ONS, Feature.AUTO_REFUND, on(GROWTH))
    assert (way.plan, way.bolt_on) == (SCALE, REFUNDS)
    way = way_to_more(PLANS, BOLT_ONS, BOOKINGS, on(STARTER))
    assert (way.plan, way.bolt_on) == (GROWTH, MORE), "nine euro instead of thirty more"


@pytest.mark.parametrize(("price", "is_offered"), [(1899, True), (1900, True), (1901, False)])
def test_it_is_measured_by_what_a_month_would_cost_more(price: int, is_offered: bool) -> None:
    dear = msgspec.structs.replace(MORE, monthly_minor=price)
    way = way_to_more(PLANS, [dear], BOOKINGS, on(FREE))
    assert (way.bolt_on is not None) == is_offered
    assert way.plan == STARTER, "which costs 19 more than nothing"


def test_what_no_bolt_on_has_is_in_a_plan() -> None:
    way = way_to_feature(PLANS, BOLT_ONS, Feature.SERIES, on(STARTER))
    assert (way.plan, way.bolt_on) == (GROWTH, None)
    way = way_to_more(PLANS, BOLT_ONS, MEMBERS, on(STARTER))
    assert (way.plan, way.bolt_on) == (GROWTH, None)


@pytest.mark.parametrize(
    "change",
    [
        {"active": False},
        {"visibility": BoltOnVisibility.HIDDEN},
        {"features": frozenset({Feature.PRODUCTS}), "increments": {}},
    ],
)
def test_only_what_is_on_offer_is_offered(change: dict[str, Any]) -> None:
    away = msgspec.structs.replace(REFUNDS, **change)
    assert not away.is_on_offer
    for feature in (Feature.AUTO_REFUND, Feature.PRODUCTS):
        assert way_to_feature(PLANS, [away], feature, on(STARTER)).bolt_on is None


def test_nobody_is_offered_what_they_have() -> None:
    way = way_to_more(PLANS, BOLT_ONS, BOOKINGS, on(STARTER, MORE.facts))
    assert (way.plan, way.bolt_on) == (GROWTH, None)


def test_bolt_ons_come_along_to_any_plan() -> None:
    """Without that Scale would be the smallest plan that keeps auto-refund."""
    way = way_to_feature(PLANS, BOLT_ONS, Feature.SERIES, on(STARTER, REFUNDS.facts, MORE.facts))
    assert way.plan == GROWTH
    small = plan("small", 2500, {Feature.APPOINTMENTS}, {BOOKINGS: 250, MEMBERS: 3})
    way = way_to_more([small, *PLANS], [], BOOKINGS, on(STARTER, MORE.facts))
    assert way.plan == small, "350 with the bolt-on, and 300 now"


def test_nobody_is_sent_to_the_plan_they_are_on() -> None:
    """Whose newer version they could not ask for."""
    older = may({Feature.GROUP_SERVICES}, {})
    older = msgspec.structs.replace(older, plan_key="scale")
    way = way_to_feature(PLANS, BOLT_ONS, Feature.AUTO_REFUND, older)
    assert (way.plan, way.bolt_on) == (None, REFUNDS)


@given(st.permutations(PLANS), st.permutations(BOLT_ONS), st.sampled_from(Feature))
def test_the_order_of_the_catalogue_does_not_matter(
    plans: list[OfferedPlan], bolt_ons: list[OfferedBoltOn], feature: Feature
) -> None:
    found = way_to_feature(plans, bolt_ons, feature, on(STARTER))
    assert found == way_to_feature(PLANS, BOLT_ONS, feature, on(STARTER))


@pytest.mark.parametrize(
    ("one", "plan", "nothing"),
    [
        (REFUNDS, SCALE, True),
        (REFUNDS, GROWTH, False),
        (MORE, SCALE, True),
        (MORE, GROWTH, False),
    ],
)
def test_what_the_plan_has_anyway_adds_nothing(
    one: OfferedBoltOn, plan: OfferedPlan, nothing: bool
) -> None:
    assert adds_nothing(one.features, one.increments, plan.facts) == nothing


def test_what_removing_means_is_said() -> None:
    change = compare(on(GROWTH, REFUNDS.facts), on(GROWTH))
    (kept,) = feature_consequences(change)
    assert kept.weight is Weight.KEEPS
    assert "stay usable" in kept.text
    assert feature_consequences(compare(on(GROWTH), on(GROWTH, REFUNDS.facts))) == []
    (left,) = month_left(12, 30)
    assert left.text == "This month's limit becomes 30 bookings, of which 12 are used."
    assert month_left(30, 30) == [], "a month that is used up is told elsewhere"
