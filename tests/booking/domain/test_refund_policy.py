"""What a policy comes to for each kind of buyer, and which policies are none."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from src.booking.domain.kinds import SeatState, SessionState
from src.booking.domain.leaving import (
    LeavingFacts,
    LeavingTerms,
    Tier,
    exchanged_until,
    gives_credit,
    gives_own_credit_back,
    is_late,
    percent_back,
    sold_under,
    terms_errors,
)
from src.booking.domain.refund_policy import (
    BuyerKind,
    BuyerRule,
    GivenBack,
    Gives,
    RefundPolicy,
    policy_errors,
    rule_that_holds,
)
from src.platform.ids import new_id

ZONE = ZoneInfo("Europe/Amsterdam")
STARTS_AT = datetime(2027, 3, 8, 18, tzinfo=UTC)
PACKAGE = GivenBack(package_id=new_id(), name="Beginner classes", tags=("beginners",))
PACKAGES = {PACKAGE.package_id: PACKAGE}
STEPS = (Tier(before=48, percent=100), Tier(before=24, percent=50))
SHORT_FIRST = (Tier(before=24, percent=50), Tier(before=48, percent=50))
PLAIN = LeavingTerms(tiers=(Tier(before=2, percent=100),), may_cancel=True)
CREDIT = BuyerRule(gives=Gives.PACKAGE, tiers=STEPS, package_id=PACKAGE.package_id)
MONEY = BuyerRule(gives=Gives.MONEY, tiers=STEPS)
NOTHING = BuyerRule(gives=Gives.NOTHING)


def facts(terms: LeavingTerms, **more: object) -> LeavingFacts:
    values: dict[str, object] = {
        "terms": terms,
        "seat": SeatState.CONFIRMED,
        "session": SessionState.SCHEDULED,
        "starts_at": STARTS_AT,
        "zone": ZONE,
        **more,
    }
    return LeavingFacts(**values)  # type: ignore[arg-type]


def hours_before(hours: float) -> datetime:
    return STARTS_AT - timedelta(hours=hours)


def test_without_a_rule_the_plain_steps_are_sold() -> None:
    assert sold_under(PLAIN, None, {}) == PLAIN
    assert sold_under(PLAIN, None, {}, by_credits=True).gives is Gives.CREDIT


def test_a_rule_whose_package_is_gone_sells_the_plain_steps() -> None:
    assert sold_under(PLAIN, CREDIT, {}) == PLAIN


def test_a_credit_is_whole_until_the_last_step_that_gives_anything() -> None:
    terms = sold_under(PLAIN, CREDIT, PACKAGES)
    assert (terms.gives, terms.package, terms.policy) == (Gives.PACKAGE, PACKAGE, None)
    for hours, given in ((50, True), (48, True), (30, True), (24, True), (23.9, False)):
        assert gives_credit(facts(terms), hours_before(hours)) is given
        assert percent_back(facts(terms), hours_before(hours)) == 0


def test_money_falls_by_its_steps() -> None:
    terms = sold_under(PLAIN, MONEY, {})
    back = [percent_back(facts(terms), hours_before(hours)) for hours in (48, 47, 24, 23)]
    assert back == [100, 50, 50, 0]
    assert not gives_credit(facts(terms), hours_before(48))


def test_nothing_means_nothing_and_who_is_late_is_so_by_the_plain_steps() -> None:
    """Else the strictest policy would ask least of who leaves at the last minute."""
    terms = sold_under(PLAIN, NOTHING, {}, by_credits=True)
    assert terms.tiers == PLAIN.tiers
    assert is_late(facts(terms), hours_before(0))
    assert percent_back(facts(terms), hours_before(500)) == 0
    assert not gives_own_credit_back(facts(terms), hours_before(500))


def test_what_the_business_moved_comes_back_whatever_the_policy_says() -> None:
    for rule in (CREDIT, NOTHING):
        terms = sold_under(PLAIN, rule, PACKAGES)
        moved = facts(terms, is_penalty_free=True)
        assert percent_back(moved, hours_before(1)) == 100
        assert not gives_credit(moved, hours_before(1))
        assert gives_own_credit_back(moved, hours_before(1))


def test_what_was_late_when_it_was_exchanged_brings_no_credit() -> None:
    terms = sold_under(PLAIN, CREDIT, PACKAGES)
    assert not gives_credit(facts(terms, most_percent=0), hours_before(100))


def test_the_series_rule_wins_and_a_course_has_no_other() -> None:
    series = RefundPolicy(card=MONEY)
    service = RefundPolicy(card=NOTHING, on_site=NOTHING, course=NOTHING)
    assert rule_that_holds(BuyerKind.CARD, series, service) == MONEY
    assert rule_that_holds(BuyerKind.ON_SITE, series, service) == NOTHING
    assert rule_that_holds(BuyerKind.COURSE, series, service) is None
    assert rule_that_holds(BuyerKind.CARD, None, None) is None


@pytest.mark.parametrize(
    ("kind", "rule", "field"),
    [
        ("card", BuyerRule(gives=Gives.MONEY, tiers=SHORT_FIRST), "tiers.1.before"),
        (
            "course",
            BuyerRule(
                gives=Gives.MONEY,
                tiers=(Tier(before=48, percent=50), Tier(before=24, percent=60)),
            ),
            "tiers.1.percent",
        ),
        ("course", BuyerRule(gives=Gives.PACKAGE, tiers=STEPS), "package_id"),
        ("credit", BuyerRule(gives=Gives.MONEY, tiers=STEPS), "gives"),
        ("on_site", BuyerRule(gives=Gives.CREDIT, tiers=STEPS), "gives"),
        ("card", BuyerRule(gives=Gives.MONEY), "tiers"),
        ("card", BuyerRule(gives=Gives.MONEY, tiers=(Tier(before=1, percent=0),)), "tiers"),
    ],
)
def test_what_is_no_policy_is_said_at_its_field(kind: str, rule: BuyerRule, field: str) -> None:
    wrong = policy_errors(RefundPolicy(**{kind: rule}), has_quiet=False)
    assert list(wrong) == [f"policy.{kind}.{field}"]


def test_what_is_on_offer_says_what_it_gives_in_its_policy_alone() -> None:
    sold = sold_under(PLAIN, CREDIT, PACKAGES)
    assert "policy" in terms_errors(sold)
    assert terms_errors(PLAIN.with_policy(RefundPolicy(course=CREDIT))) == {}


def test_as_long_as_a_credit_comes_back_it_may_be_exchanged_for_another_course() -> None:
    assert exchanged_until(sold_under(PLAIN, CREDIT, PACKAGES), STARTS_AT, ZONE) == hours_before(24)
    assert exchanged_until(sold_under(PLAIN, MONEY, PACKAGES), STARTS_AT, ZONE) is None
    by_credits = sold_under(LeavingTerms(), None, {}, by_credits=True)
    assert exchanged_until(by_credits, STARTS_AT, ZONE) == STARTS_AT
