"""Plans side by side."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from src.tenants.domain.downgrade import Standing, Weight, limit_consequences
from src.tenants.domain.entitlements import Entitlements, Feature, Limit
from src.tenants.domain.plans import (
    OfferedPlan,
    PlanVisibility,
    cheapest_with_feature,
    cheapest_with_more,
    compare,
    starting_plan,
    trial_plan,
)

BOOKINGS, MEMBERS = Limit.BOOKINGS_PER_MONTH, Limit.MEMBERS


def plan(
    key: str,
    monthly_minor: int,
    features: set[Feature],
    limits: dict[Limit, int],
    *,
    trial_days: int = 0,
    visibility: PlanVisibility = PlanVisibility.PUBLIC,
) -> OfferedPlan:
    return OfferedPlan(
        plan_id=UUID(int=monthly_minor),
        version_id=UUID(int=monthly_minor + 1),
        version=1,
        key=key,
        name=key.title(),
        summary="",
        position=monthly_minor,
        visibility=visibility,
        monthly_minor=monthly_minor,
        yearly_minor=monthly_minor * 10,
        currency="EUR",
        trial_days=trial_days,
        features=frozenset(features),
        limits=limits,
    )


FREE = plan("free", 0, {Feature.APPOINTMENTS}, {BOOKINGS: 30, MEMBERS: 1})
STARTER = plan("starter", 1900, {Feature.APPOINTMENTS}, {BOOKINGS: 200, MEMBERS: 3})
GROWTH = plan("growth", 4900, set(Feature), {BOOKINGS: 1000, MEMBERS: 10}, trial_days=14)
SCALE = plan("scale", 12900, set(Feature), {})
INTERNAL = plan("internal", 0, set(Feature), {}, visibility=PlanVisibility.INTERNAL)
ALL = [SCALE, INTERNAL, GROWTH, FREE, STARTER]


def may(features: set[Feature], limits: dict[Limit, int]) -> Entitlements:
    return Entitlements(
        plan_key="p", plan_name="P", features=frozenset(features), limits=limits, trial_ends_at=None
    )


def test_the_cheapest_plan_with_a_feature_is_a_public_one() -> None:
    assert cheapest_with_feature(ALL, Feature.SERIES) == GROWTH
    assert cheapest_with_feature(ALL, Feature.APPOINTMENTS) == FREE
    assert cheapest_with_feature([INTERNAL, FREE], Feature.SERIES) is None
    assert cheapest_with_feature([], Feature.SERIES) is None


def test_the_cheapest_plan_with_more_of_a_limit() -> None:
    assert cheapest_with_more(ALL, BOOKINGS, 30) == STARTER
    assert cheapest_with_more(ALL, BOOKINGS, 29) == FREE
    assert cheapest_with_more(ALL, BOOKINGS, 1000) == SCALE
    assert cheapest_with_more([FREE, STARTER], BOOKINGS, 200) is None


def test_no_plan_is_advised_that_takes_something_away() -> None:
    classes = may({Feature.GROUP_SERVICES}, {BOOKINGS: 20, MEMBERS: 3})
    assert cheapest_with_more(ALL, BOOKINGS, 20) == FREE
    assert cheapest_with_more(ALL, BOOKINGS, 20, classes) == GROWTH
    many = may(set(), {BOOKINGS: 20})
    assert cheapest_with_more(ALL, BOOKINGS, 20, many) == SCALE
    assert cheapest_with_feature(ALL, Feature.SERIES, many) == SCALE


def test_what_is_not_built_holds_nobody_to_a_plan() -> None:
    had = may({Feature.PRODUCTS}, {BOOKINGS: 30, MEMBERS: 1})
    assert cheapest_with_more(ALL, BOOKINGS, 30, had) == STARTER


@given(st.permutations(ALL), st.sampled_from(Feature))
def test_the_order_of_the_catalogue_does_not_matter(
    plans: list[OfferedPlan], feature: Feature
) -> None:
    assert cheapest_with_feature(plans, feature) == cheapest_with_feature(ALL, feature)


def test_what_a_new_business_gets() -> None:
    assert starting_plan(ALL) == FREE
    assert trial_plan(ALL) == GROWTH
    assert starting_plan([SCALE]) is None
    assert trial_plan([SCALE]) is None


def test_a_change_says_what_is_gained_and_lost() -> None:
    small = may({Feature.GROUP_SERVICES}, {BOOKINGS: 200, MEMBERS: 3})
    large = may(set(Feature), {MEMBERS: 3})
    up, down = compare(small, large), compare(large, small)
    assert up.gained == down.lost == tuple(f for f in Feature if f is not Feature.GROUP_SERVICES)
    assert up.lost == down.gained == ()
    assert [(c.limit, c.before, c.after) for c in down.limits] == [(BOOKINGS, None, 200)]
    assert down.takes_away
    assert not up.takes_away


def test_a_plan_without_anything_to_book_has_no_number_of_bookings() -> None:
    growth = may({Feature.GROUP_SERVICES}, {BOOKINGS: 1_000, MEMBERS: 5})
    down = compare(growth, may({Feature.COUPONS}, {BOOKINGS: 200, MEMBERS: 3}))
    assert [(c.limit, c.after) for c in down.limits] == [(MEMBERS, 3)]
    only_appointments = may({Feature.APPOINTMENTS}, {BOOKINGS: 200, MEMBERS: 3})
    both = [(BOOKINGS, 200), (MEMBERS, 3)]
    assert [(c.limit, c.after) for c in compare(growth, only_appointments).limits] == both


def test_no_change_says_nothing() -> None:
    same = may({Feature.SERIES}, {MEMBERS: 3})
    change = compare(same, same)
    assert (change.gained, change.lost, change.limits) == ((), (), ())


def test_a_smaller_plan_tells_what_does_not_fit() -> None:
    change = compare(may(set(), {}), may(set(), {BOOKINGS: 200, MEMBERS: 3}))
    found = limit_consequences(change, Standing(members=5, taken_this_month=412))
    assert [one.weight for one in found] == [Weight.LOSS, Weight.LOSS]
    assert "5 members" in found[0].text
    assert "room for 3" in found[0].text
    assert "412 bookings" in found[1].text


def test_a_smaller_plan_that_still_fits_tells_nothing() -> None:
    change = compare(may(set(), {}), may(set(), {BOOKINGS: 200, MEMBERS: 3}))
    assert limit_consequences(change, Standing(members=3, taken_this_month=199)) == []
