"""What makes a package valid, without a database."""

from dataclasses import replace
from typing import Any

import pytest

from src.billing.domain.credits import Scope
from src.billing.domain.package_drafts import PackageDraft, PackageWay, Purpose, package_errors

GOOD = PackageDraft(
    name="Ten",
    credits=10,
    price_minor=12_000,
    pays=(PackageWay.ONLINE,),
    scope=Scope(tags=frozenset({"yoga"})),
)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"credits": 0}, "credits"),
        ({"credits": 1001}, "credits"),
        ({"price_minor": -1}, "price_minor"),
        ({"validity_days": -1}, "validity_days"),
        ({"validity_days": 3651}, "validity_days"),
        ({"pays": ()}, "pays"),
        ({"scope": Scope()}, "scope"),
        ({"position": -1}, "position"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(changed: dict[str, Any], field: str) -> None:
    assert list(package_errors(replace(GOOD, **changed))) == [field]


def test_what_may_be() -> None:
    assert package_errors(GOOD) == {}
    assert package_errors(replace(GOOD, price_minor=0, pays=())) == {}
    assert package_errors(replace(GOOD, validity_days=0)) == {}


def test_what_is_given_back_needs_no_price_and_no_number() -> None:
    given = replace(GOOD, purpose=Purpose.REFUND, credits=0, price_minor=-5, pays=())
    assert package_errors(given) == {}
    assert list(package_errors(replace(given, scope=Scope()))) == ["scope"]
