"""Who may have what, by the collections it is in."""

from itertools import product
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from src.booking.domain.bookable import BusinessFacts, ServiceFacts, why_not_offered
from src.booking.domain.collections import (
    Access,
    CollectionDraft,
    Thing,
    ThingKind,
    access_of,
    admits,
    collection_errors,
    moved,
    read_thing,
    slug_of_title,
)
from src.booking.domain.reasons import ReasonCode

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], Access.OPEN),
        ([False], Access.OPEN),
        ([True], Access.ESTABLISHED),
        ([True, True], Access.ESTABLISHED),
        ([True, False], Access.OPEN),
        ([False, True, True], Access.OPEN),
    ],
)
def test_one_collection_for_everybody_opens_a_thing(flags: list[bool], expected: Access) -> None:
    assert access_of(flags) is expected


def test_what_it_belongs_to_closes_it_and_never_opens_it() -> None:
    for flags in product((True, False), repeat=2):
        assert access_of(flags, belongs_to=Access.ESTABLISHED) is Access.ESTABLISHED
    assert access_of([], belongs_to=Access.ESTABLISHED) is Access.ESTABLISHED
    assert access_of([True], belongs_to=Access.OPEN) is Access.ESTABLISHED


def test_only_established_customers_and_staff_get_past() -> None:
    assert admits(Access.OPEN, is_established=False)
    assert not admits(Access.ESTABLISHED, is_established=False)
    assert admits(Access.ESTABLISHED, is_established=True)
    assert admits(Access.ESTABLISHED, is_established=False, by_staff=True)


def test_the_reason_comes_before_what_else_stands_against_a_service() -> None:
    business = BusinessFacts(zone=ZoneInfo("Europe/Amsterdam"))
    service = ServiceFacts(active=False, is_kept_from_them=True)
    codes = [one.code for one in why_not_offered(business, service, pays_online=False)]
    assert codes == [ReasonCode.ESTABLISHED_ONLY, ReasonCode.SERVICE_INACTIVE]


def test_a_collection_needs_a_title_and_an_address_that_works() -> None:
    assert collection_errors(CollectionDraft(title="Regulars", slug="regulars")) == {}
    found = collection_errors(CollectionDraft(title=" ", slug="Not good", cover_text="x" * 6_000))
    assert set(found) == {"title", "slug", "cover_text"}
    assert set(collection_errors(CollectionDraft(title="x" * 121, slug="x" * 61))) == {
        "title",
        "slug",
    }


def test_an_address_is_made_from_the_title() -> None:
    assert slug_of_title("Für Stammgäste!") == "fur-stammgaste"
    assert slug_of_title("???") == "collection"


def test_things_move_one_place_and_no_further_than_the_end() -> None:
    order = [ONE, TWO, THREE]
    assert moved(order, TWO, up=True) == [TWO, ONE, THREE]
    assert moved(order, TWO, up=False) == [ONE, THREE, TWO]
    assert moved(order, ONE, up=True) == order
    assert moved(order, THREE, up=False) == order


def test_a_thing_is_read_back_from_its_key() -> None:
    thing = Thing(ThingKind.SERIES, TWO)
    assert read_thing(thing.key) == thing
    for broken in ("series", "series:x", f"voucher:{TWO}", ""):
        assert read_thing(broken) is None
