"""What a date would have cost that a course is sold without, and who may still get it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from src.billing.domain.coupons import AppliedCoupon
from src.booking.domain.gaps import (
    Gaps,
    PurchaseFacts,
    gap_shares_minor,
    gaps_from,
    gaps_of,
    still_comes,
    who_lacks,
)
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.pricing import prorate
from src.booking.domain.quotes import Quote

DATE, ANN, BEN = uuid4(), UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("price", "remaining", "base", "in_term", "shares"),
    [
        (6000, 2, 3, [True], [2000]),
        (6000, 2, 4, [True, True], [1500, 1500]),
        (1000, 1, 3, [True, True], [334, 333]),
        (1000, 2, 3, [True], [333]),
        (6000, 2, 3, [False], [0]),
        (6000, 2, 3, [True, False], [2000, 0]),
        (0, 2, 3, [True], [0]),
    ],
)
def test_with_all_its_gaps_a_course_costs_what_it_costs_without_any(
    price: int, remaining: int, base: int, in_term: list[bool], shares: list[int]
) -> None:
    assert gap_shares_minor(price, remaining, base, in_term) == shares
    whole = prorate(price, remaining + sum(in_term), base)
    assert prorate(price, remaining, base) + sum(shares) == whole


def a_quote(coupon: AppliedCoupon | None = None) -> Quote:
    return Quote(
        kind="series",
        subject_id=uuid4(),
        service_id=uuid4(),
        description="Yoga",
        session_ids=(uuid4(),),
        sequences=(0,),
        party_size=1,
        unit_minor=4000,
        price_type=SeriesPriceType.ONLINE,
        tax_rate_bp=0,
        coupon=coupon,
        gaps={DATE: {"": 2000, "Child": 1000}},
    )


@pytest.mark.parametrize(
    ("percent", "minor"), [(None, 2000), (25, 1500), (100, 0)], ids=["amount", "percent", "all"]
)
def test_a_percentage_holds_for_what_is_missing_and_an_amount_was_given(
    percent: int | None, minor: int
) -> None:
    coupon = AppliedCoupon(coupon_id=uuid4(), code="SPRING", discount_minor=1000, percent=percent)
    assert gaps_of(a_quote(coupon)).shares[DATE][""] == minor


def test_a_percentage_is_rounded_for_each_date_and_person() -> None:
    """EUR 10.05 becomes EUR 5.02 each time, so two of them are a cent less than half of both."""
    coupon = AppliedCoupon(coupon_id=uuid4(), code="HALF", discount_minor=2000, percent=50)
    gaps = {uuid4(): {"": 1005}, uuid4(): {"": 1005}}
    kept = gaps_of(replace(a_quote(coupon), gaps=gaps)).shares
    assert [share[""] for share in kept.values()] == [502, 502]


def test_what_is_kept_with_a_booking_is_read_as_it_was() -> None:
    gaps = gaps_of(a_quote())
    assert gaps_from(gaps.document()) == gaps
    assert Gaps().document() == {}
    assert gaps_from({}) == Gaps()


def facts(**more: Any) -> PurchaseFacts:
    kept: dict[str, Any] = {
        "gaps": gaps_of(a_quote()),
        "session_id": DATE,
        "is_confirmed": True,
        "is_in_series": True,
        "is_cancelled": False,
        "comes": ((ANN, ""), (BEN, "Child")),
        "there": frozenset(),
    }
    return PurchaseFacts(**{**kept, **more})


def test_each_of_the_party_pays_the_share_of_their_own_price() -> None:
    lacking = who_lacks(facts(), "EUR")
    assert [(one.participant_id, one.tier, one.share_minor) for one in lacking] == [
        (ANN, "", 2000),
        (BEN, "Child", 1000),
    ]


@pytest.mark.parametrize(
    "more",
    [
        {"is_confirmed": False},
        {"is_in_series": False},
        {"is_cancelled": True},
        {"session_id": uuid4()},
        {"comes": ()},
        {"there": frozenset({ANN, BEN})},
    ],
    ids=[
        "not bought",
        "left the series",
        "cancelled",
        "was not left out",
        "nobody comes",
        "is there",
    ],
)
def test_nobody_lacks_a_date(more: dict[str, object]) -> None:
    assert who_lacks(facts(**more), "EUR") == ()


@pytest.mark.parametrize(
    ("days", "left_on", "comes"),
    [
        ([1, 2], [], True),
        ([1, 2, 4], [3], True),
        ([1, 2], [3], False),
        ([5], [3, 4], True),
        ([5], [3, 6], False),
        ([], [], False),
    ],
    ids=["all over", "had more", "left the last", "to come", "left later ones", "has none"],
)
def test_who_left_all_that_was_to_come_has_ended_the_course(
    days: list[int], left_on: list[int], comes: bool
) -> None:
    starts = [datetime(2026, 3, day, 18, tzinfo=UTC) for day in days]
    ended = [datetime(2026, 3, day, 9, tzinfo=UTC) for day in left_on]
    assert still_comes(starts, ended) is comes


def test_only_those_lack_it_who_are_not_there() -> None:
    assert [one.participant_id for one in who_lacks(facts(there=frozenset({ANN})), "EUR")] == [BEN]


@pytest.mark.parametrize(("pays", "minor"), [("online", 0), ("on_site", 30)])
def test_a_sum_that_nobody_can_pay_online_is_not_asked_for(pays: str, minor: int) -> None:
    gaps = Gaps(pays=SeriesPriceType(pays), shares={DATE: {"": 30}})
    [one] = who_lacks(facts(gaps=gaps, comes=((ANN, ""),)), "EUR")
    assert one.share_minor == minor
