"""Names in addresses, and titles that count."""

import pytest

from src.booking.domain.service_rules import LONGEST_SLUG, RESERVED_SLUGS, numbered, slug_for
from src.booking.domain.titles import pattern_error, titled


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Yin Yoga", "yin-yoga"),
        ("  Łódź & Straße -- 2 ", "lodz-strasse-2"),
        ("Œuvre à l'été", "oeuvre-a-l-ete"),
        ("瑜伽", "service"),
        ("Bookings", "bookings-1"),
        ("x" * 100, "x" * LONGEST_SLUG),
    ],
)
def test_a_name_becomes_an_address(name: str, slug: str) -> None:
    assert slug_for(name) == slug


def test_no_address_made_from_a_name_is_one_of_ours() -> None:
    assert not {slug_for(word) for word in RESERVED_SLUGS} & RESERVED_SLUGS


def test_the_next_address_is_no_longer_than_allowed() -> None:
    assert numbered("yoga", 2) == "yoga-2"
    assert len(numbered("x" * LONGEST_SLUG, 12)) == LONGEST_SLUG


def test_titles_count() -> None:
    assert titled(" Lesson {n}: {n} of 8 ", 3) == "Lesson 3: 3 of 8"
    assert titled("Yoga", 3) == "Yoga"


@pytest.mark.parametrize("pattern", ["{", "{m}", "{n", "{n!r}", "{0}", "x" * 116])
def test_a_pattern_with_other_braces_or_too_long_is_refused(pattern: str) -> None:
    assert pattern_error(pattern) is not None


@pytest.mark.parametrize("pattern", ["", "Lesson {n}", "100 % yoga", "x" * 115])
def test_a_plain_pattern_is_fine(pattern: str) -> None:
    assert pattern_error(pattern) is None
