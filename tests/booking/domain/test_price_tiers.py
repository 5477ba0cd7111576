"""Prices beside the full one: which are open, what they are called by, and how a party shares."""

from datetime import date, timedelta
from itertools import product
from uuid import uuid4

import msgspec
import pytest

from src.billing.domain.coupons import AppliedCoupon
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.price_tiers import (
    FULL,
    Audience,
    PriceTier,
    document_of,
    first_choice,
    open_tiers,
    over_errors,
    put_off,
    read_tiers,
    tier_errors,
    with_keys,
)
from src.booking.domain.quotes import Person, Quote
from src.booking.queries.tiers import at_proportion, for_people, why_not_chosen

TODAY = date(2027, 3, 1)
CHILD = PriceTier(key="child", name="Child", price_minor=800)
EARLY = PriceTier(key="early", name="Early bird", price_minor=1200, until_on=TODAY)
MEMBER = PriceTier(key="member", name="Member", price_minor=1000, audience=Audience.STAFF)
ALL = (CHILD, EARLY, MEMBER)
ONLINE = SeriesPriceType.ONLINE


def a_quote(size: int, *, runs: int = 1, unit_minor: int = 1500) -> Quote:
    return Quote(
        kind="session",
        subject_id=uuid4(),
        service_id=uuid4(),
        description="Yoga",
        session_ids=tuple(uuid4() for _run in range(runs)),
        sequences=(0,) * runs,
        party_size=size,
        unit_minor=unit_minor,
        price_type=ONLINE,
        tax_rate_bp=0,
    )


def test_an_early_bird_ends_with_its_last_day() -> None:
    assert open_tiers(ALL, TODAY) == (CHILD, EARLY)
    assert open_tiers(ALL, TODAY + timedelta(days=1)) == (CHILD,)
    assert open_tiers(ALL, TODAY, by_staff=True) == ALL


def test_a_last_day_that_has_passed_is_refused_unless_it_was_there_before() -> None:
    tomorrow = TODAY + timedelta(days=1)
    assert over_errors(ALL, (), TODAY) == {}
    assert over_errors(ALL, (), tomorrow) == {"prices.1.until_on": "Its last day has passed."}
    assert over_errors(ALL, ALL, tomorrow) == {}
    moved = (msgspec.structs.replace(EARLY, until_on=TODAY - timedelta(days=1)),)
    assert list(over_errors(moved, ALL, TODAY)) == ["prices.0.until_on"]


def test_the_cheapest_early_bird_is_what_one_begins_with() -> None:
    cheaper = PriceTier(key="first", name="First ten", price_minor=900, until_on=TODAY)
    assert first_choice(()) == FULL
    assert first_choice((CHILD,)) == FULL
    assert first_choice((CHILD, EARLY, cheaper)) == "first"


def test_keys_are_made_from_names_and_never_twice() -> None:
    typed = (
        PriceTier(name=" Kind ", price_minor=1),
        PriceTier(name="Full", price_minor=2),
        PriceTier(name="KIND!", price_minor=3),
        CHILD,
    )
    keyed = with_keys(typed)
    assert [tier.key for tier in keyed] == ["kind", "full-2", "kind-2", "child"]
    assert keyed[0].name == "Kind"
    assert with_keys(keyed) == keyed


def test_tiers_are_kept_as_they_are() -> None:
    assert read_tiers(document_of(ALL)) == ALL


def test_a_later_term_has_its_early_bird_as_long_before() -> None:
    assert put_off(ALL, timedelta(weeks=10)) == (
        CHILD,
        PriceTier(
            key="early", name="Early bird", price_minor=1200, until_on=TODAY + timedelta(weeks=10)
        ),
        MEMBER,
    )


@pytest.mark.parametrize(
    ("tiers", "field"),
    [
        ((PriceTier(name=" ", price_minor=1200),), "prices.0.name"),
        ((PriceTier(name="x" * 61, price_minor=1200),), "prices.0.name"),
        ((CHILD, PriceTier(name="child ", price_minor=900)), "prices.1.name"),
        ((CHILD, PriceTier(key="child", name="Kid", price_minor=900)), "prices.0.name"),
        ((PriceTier(key=FULL, name="Adult", price_minor=900),), "prices.0.name"),
        ((PriceTier(name="Child", price_minor=-1),), "prices.0.price"),
        ((PriceTier(name="Child", price_minor=49),), "prices.0.price"),
        ((PriceTier(name="Child", price_minor=2_000_000_000),), "prices.0.price"),
        (tuple(PriceTier(name=str(n), price_minor=900) for n in range(9)), "prices"),
    ],
)
def test_what_cannot_be_is_said_at_its_row(tiers: tuple[PriceTier, ...], field: str) -> None:
    assert field in tier_errors(tiers, ONLINE, "EUR", 10)


def test_what_is_free_has_one_price_and_a_tier_may_be_free() -> None:
    assert list(tier_errors((CHILD,), SeriesPriceType.FREE, "EUR", 10)) == ["prices"]
    assert tier_errors((PriceTier(name="Baby", price_minor=0),), ONLINE, "EUR", 10) == {}


def test_late_joiners_pay_each_price_in_proportion() -> None:
    assert [tier.price_minor for tier in at_proportion(ALL, 2, 3)] == [533, 800, 667]


def test_a_party_pays_by_the_price_of_each() -> None:
    quote = for_people(a_quote(3), ALL, (FULL, "child", "child"))
    assert quote.people == (Person("", 1500), Person("Child", 800), Person("Child", 800))
    assert quote.total_minor == 3100
    assert [(line.tier, line.unit_minor, line.quantity) for line in quote.lines()] == [
        ("", 1500, 1),
        ("Child", 800, 2),
    ]


def test_who_all_pay_the_full_price_are_one_line_as_ever() -> None:
    quote = for_people(a_quote(2), ALL, (FULL, FULL))
    assert quote.people == ()
    assert [line.total_minor for line in quote.lines()] == [3000]


KEYS = (FULL, "child", "early")


@pytest.mark.parametrize(
    ("chosen", "runs", "discount"),
    list(product(product(KEYS, repeat=3), (1, 3, 7), (0, 1, 333))),
)
def test_shares_sum_to_their_lines_and_lines_to_the_total(
    chosen: tuple[str, ...], runs: int, discount: int
) -> None:
    quote = for_people(a_quote(3, runs=runs), ALL, chosen)
    if discount:
        applied = AppliedCoupon(coupon_id=uuid4(), code="X", discount_minor=discount)
        quote = Quote(
            **{name: getattr(quote, name) for name in quote.__slots__ if name != "coupon"},
            coupon=applied,
        )
    shares = quote.shares_minor()
    assert len(shares) == runs * 3
    assert sum(shares) == quote.total_minor == quote.full_minor - discount
    assert sum(line.discount_minor for line in quote.lines()) == discount
    names = [person.tier for _run in range(runs) for person in quote.party]
    for line in quote.lines():
        own = [share for share, name in zip(shares, names, strict=True) if name == line.tier]
        assert sum(own) == line.total_minor
        assert max(own) - min(own) <= 1


@pytest.mark.parametrize(
    ("chosen", "size", "fits"),
    [
        ((), 2, True),
        ((FULL, "child"), 2, True),
        (("child",), 2, False),
        (("student",), 1, False),
        (("",), 1, False),
    ],
)
def test_everyone_has_a_price_that_is_there(chosen: tuple[str, ...], size: int, fits: bool) -> None:
    assert (why_not_chosen((CHILD,), chosen, size) is None) is fits
