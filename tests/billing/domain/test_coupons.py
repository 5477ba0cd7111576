"""What a coupon takes off, and why it may not be used: rules without a database."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from src.billing.domain.coupons import (
    CouponGuest,
    CouponScope,
    CouponTerms,
    Purchase,
    discount_minor,
    discount_within,
    guest_sentence,
    no_use,
    normalise_code,
    unknown_code,
    why_not_usable,
)
from src.platform.ids import new_id

NOON = datetime(2027, 3, 10, 12, tzinfo=UTC)
SERVICE, SERIES = new_id(), new_id()


def a_purchase(total_minor: int = 6000, **more: Any) -> Purchase:
    values: dict[str, Any] = {
        "total_minor": total_minor,
        "currency": "EUR",
        "pays_online": True,
        "subject_ids": frozenset({SERVICE, SERIES}),
    }
    return Purchase(**{**values, **more})


def against(terms: CouponTerms | None, at: datetime = NOON, **more: Any) -> list[str]:
    values: dict[str, Any] = {"plan_has_coupons": True, "purchase": a_purchase(), **more}
    return [str(reason.code) for reason in why_not_usable(terms, at, **values)]


@pytest.mark.parametrize(
    ("terms", "total_minor", "off_minor"),
    [
        (CouponTerms(percent=10), 6000, 600),
        (CouponTerms(percent=33), 1001, 330),
        (CouponTerms(percent=50), 1001, 501),
        (CouponTerms(percent=100), 6000, 6000),
        (CouponTerms(amount_minor=500), 6000, 500),
        (CouponTerms(amount_minor=9000), 6000, 6000),
        (CouponTerms(percent=10), 0, 0),
        (CouponTerms(percent=1), 20, 0),
    ],
)
def test_the_total_never_falls_below_nothing(
    terms: CouponTerms, total_minor: int, off_minor: int
) -> None:
    assert discount_minor(terms, a_purchase(total_minor)) == off_minor


@pytest.mark.parametrize(
    ("pays_online", "currency", "amount_minor", "left_minor"),
    [
        (True, "EUR", 950, 50),
        (True, "EUR", 951, 0),
        (False, "EUR", 951, 49),
        (True, "JPY", 951, 0),
        (True, "XXX", 999, 1),
    ],
)
def test_a_rest_that_nobody_can_pay_online_is_given_away(
    pays_online: bool, currency: str, amount_minor: int, left_minor: int
) -> None:
    """Row 2-52: a shop let totals go negative, and the processor charged its least amount."""
    purchase = a_purchase(1000, pays_online=pays_online, currency=currency)
    assert 1000 - discount_minor(CouponTerms(amount_minor=amount_minor), purchase) == left_minor


@pytest.mark.parametrize(
    ("at", "codes"),
    [
        (datetime(2027, 3, 9, 23, 59, 59, tzinfo=UTC), ["coupon_not_yet"]),
        (datetime(2027, 3, 10, tzinfo=UTC), []),
        (datetime(2027, 3, 12, 23, 59, 59, tzinfo=UTC), []),
        (datetime(2027, 3, 13, 0, 0, 0, tzinfo=UTC), []),
        (datetime(2027, 3, 13, 0, 0, 1, tzinfo=UTC), ["coupon_expired"]),
    ],
)
def test_its_days_count_in_full_and_the_guest_wins_at_the_boundary(
    at: datetime, codes: list[str]
) -> None:
    terms = CouponTerms(percent=10, starts_on=date(2027, 3, 10), ends_on=date(2027, 3, 12))
    assert against(terms, at) == codes


@pytest.mark.parametrize(
    ("terms", "more", "codes"),
    [
        (None, {}, ["coupon_unknown"]),
        (CouponTerms(percent=10), {}, []),
        (CouponTerms(percent=10), {"plan_has_coupons": False}, ["coupon_plan"]),
        (CouponTerms(percent=10, active=False), {}, ["coupon_inactive"]),
        (CouponTerms(percent=10, max_uses=2, used=1), {}, []),
        (CouponTerms(percent=10, max_uses=2, used=2), {}, ["coupon_used_up"]),
        (CouponTerms(percent=10, min_spend_minor=6000), {}, []),
        (CouponTerms(percent=10, min_spend_minor=6001), {}, ["coupon_min_spend"]),
        (CouponTerms(percent=10, max_per_customer=1), {"guest": CouponGuest()}, []),
        (
            CouponTerms(percent=10, max_per_customer=1),
            {"guest": CouponGuest(used=1)},
            ["coupon_customer_limit"],
        ),
        (
            CouponTerms(percent=10, first_order_only=True),
            {"guest": CouponGuest(has_ordered=True)},
            ["coupon_not_first_order"],
        ),
        (CouponTerms(percent=10), {"purchase": a_purchase(0)}, ["coupon_nothing_off"]),
        (CouponTerms(percent=10), {"purchase": None}, []),
    ],
)
def test_every_rule_has_its_reason(
    terms: CouponTerms | None, more: dict[str, Any], codes: list[str]
) -> None:
    assert against(terms, **more) == codes


@pytest.mark.parametrize(
    ("scope", "chosen", "bought", "fits"),
    [
        (CouponScope.SERVICES, SERVICE, {SERVICE}, True),
        (CouponScope.SERVICES, SERVICE, {SERVICE, SERIES}, True),
        (CouponScope.SERVICES, new_id(), {SERVICE, SERIES}, False),
        (CouponScope.SERIES, SERIES, {SERVICE, SERIES}, True),
        (CouponScope.SERIES, SERIES, {SERVICE}, False),
    ],
)
def test_a_service_brings_its_series_along_and_a_single_date_is_no_series(
    scope: CouponScope, chosen: Any, bought: set[Any], fits: bool
) -> None:
    terms = CouponTerms(percent=10, scope=scope, scope_ids=frozenset({chosen}))
    found = against(terms, purchase=a_purchase(subject_ids=frozenset(bought)))
    assert found == ([] if fits else ["coupon_not_for_this"])


def test_a_stranger_reads_one_sentence_whatever_stands_against_it() -> None:
    """Otherwise they could tell what somebody else has bought, and how the business sells."""
    secret = [
        (CouponTerms(percent=10, active=False), {}),
        (CouponTerms(percent=10, active=False, ends_on=date(2027, 3, 1)), {}),
        (CouponTerms(percent=10, max_uses=1, used=1, min_spend_minor=9000), {}),
        (CouponTerms(percent=10, max_per_customer=1), {"guest": CouponGuest(used=1)}),
        (CouponTerms(percent=10, first_order_only=True), {"guest": CouponGuest(has_ordered=True)}),
        (CouponTerms(percent=10), {"plan_has_coupons": False}),
    ]
    for terms, more in secret:
        values: dict[str, Any] = {"plan_has_coupons": True, "purchase": a_purchase(), **more}
        reasons = why_not_usable(terms, NOON, **values)
        assert guest_sentence(reasons) == no_use()
        assert all(reason.owner_sentence != no_use() for reason in reasons)


def test_a_mistyped_code_is_told_from_one_that_a_rule_stands_against() -> None:
    unknown = why_not_usable(None, NOON, plan_has_coupons=False, purchase=a_purchase())
    assert guest_sentence(unknown) == unknown_code() != no_use()
    assert guest_sentence(unknown, is_package=True) == unknown_code()


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"ends_on": date(2027, 3, 1)}, "This code was valid until March 1, 2027."),
        ({"starts_on": date(2027, 4, 1)}, "This code is valid from April 1, 2027 on."),
    ],
)
def test_who_has_a_code_reads_when_it_is_valid(terms: dict[str, Any], said: str) -> None:
    reasons = why_not_usable(CouponTerms(percent=10, **terms), NOON, plan_has_coupons=True)
    assert guest_sentence(reasons) == said


def test_a_code_is_one_however_it_is_typed() -> None:
    assert normalise_code(" Spring10 ") == normalise_code("SPRING10")


@pytest.mark.parametrize(
    ("off", "total", "part", "within"),
    [
        (320, 2880, 2880, 320),
        (320, 2880, 1440, 160),
        (320, 2880, 0, 0),
        (100, 300, 50, 17),
        (500, 0, 0, 500),
    ],
)
def test_a_part_of_the_total_has_its_part_of_the_discount(
    off: int, total: int, part: int, within: int
) -> None:
    assert discount_within(off, total, part) == within


PACKAGE = new_id()


@pytest.mark.parametrize(
    ("scope", "named", "for_booking", "for_package"),
    [
        (CouponScope.ALL, [], True, True),
        (CouponScope.ALL_BOOKINGS, [], True, False),
        (CouponScope.ALL_PACKAGES, [], False, True),
        (CouponScope.SERVICES, [SERVICE], True, False),
        (CouponScope.SERIES, [SERIES], True, False),
        (CouponScope.PACKAGES, [PACKAGE], False, True),
        (CouponScope.PACKAGES, [new_id()], False, False),
        (CouponScope.PACKAGES, [], False, False),
        (CouponScope.SERVICES, [PACKAGE], False, False),
        (CouponScope.PACKAGES, [SERVICE], False, False),
    ],
)
def test_a_coupon_is_for_bookings_or_packages_or_both(
    scope: CouponScope, named: list[Any], for_booking: bool, for_package: bool
) -> None:
    terms = CouponTerms(percent=10, scope=scope, scope_ids=frozenset(named))
    package = a_purchase(subject_ids=frozenset({PACKAGE}), is_package=True)
    assert (against(terms) == []) is for_booking
    assert (against(terms, purchase=package) == []) is for_package
    for wrong in (against(terms), against(terms, purchase=package)):
        assert wrong in ([], ["coupon_not_for_this"])
