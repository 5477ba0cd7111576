"""Slugs: what an address may be called, and what we propose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.tenants.domain.slugs import (
    LONGEST,
    SlugProblem,
    normalise_slug,
    numbered_slug,
    slug_problem,
    suggest_slug,
)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Yoga Loft", "yoga-loft"),
        ("  Zoë's Café & Bar ", "zoe-s-cafe-bar"),
        ("Łódź Śpiewa", "lodz-spiewa"),
        ("Straße 9", "strasse-9"),
        ("Smørrebrød", "smorrebrod"),
        ("Yo", "yo-studio"),
        ("Admin", "admin-studio"),
        ("東京ヨガ", "my-business"),
        ("---", "my-business"),
    ],
)
def test_a_name_suggests_a_slug(name: str, slug: str) -> None:
    assert suggest_slug(name) == slug


@given(st.text(max_size=200))
def test_whatever_the_name_the_suggestion_can_be_used(name: str) -> None:
    assert slug_problem(suggest_slug(name)) is None


@pytest.mark.parametrize(
    ("slug", "problem"),
    [
        ("yoga-loft", None),
        ("a1b", None),
        ("yo", SlugProblem.TOO_SHORT),
        ("a" * 41, SlugProblem.TOO_LONG),
        ("-yoga", SlugProblem.MALFORMED),
        ("yoga--loft", SlugProblem.MALFORMED),
        ("yoga loft", SlugProblem.MALFORMED),
        ("yöga", SlugProblem.MALFORMED),
        ("١٢٣", SlugProblem.MALFORMED),
        ("admin", SlugProblem.RESERVED),
        ("sign-in", SlugProblem.RESERVED),
    ],
)
def test_a_slug_is_refused_for_a_reason(slug: str, problem: SlugProblem | None) -> None:
    assert slug_problem(slug) is problem


def test_blanks_and_capitals_are_forgiven() -> None:
    assert normalise_slug("  Yoga-Loft ") == "yoga-loft"


def test_the_next_slug_stays_within_the_limit() -> None:
    assert numbered_slug("yoga", 2) == "yoga-2"
    long = numbered_slug("a" * LONGEST, 12)
    assert len(long) == LONGEST
    assert slug_problem(long) is None
