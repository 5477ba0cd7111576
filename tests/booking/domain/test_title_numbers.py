"""Titles that count are counted anew over what is kept; others are left alone."""

import pytest

from src.booking.domain.title_numbers import number_anew


@pytest.mark.parametrize(
    ("titles", "kept", "renewed"),
    [
        ("Class 1|Class 2|Class 3|Class 4", "yes no yes yes", "Class 1|Class 2|Class 2|Class 3"),
        ("Class 1|Class 2|Class 4|Class 5", "yes yes yes yes", "Class 1|Class 2|Class 3|Class 4"),
        ("Class 1|Class 2|Class 3", "no yes yes", "Class 1|Class 1|Class 2"),
        ("Class 9|Class 10|Class 12", "yes yes yes", "Class 9|Class 10|Class 11"),
        ("Week 1: feet|Week 3: hands", "yes yes", "Week 1: feet|Week 2: hands"),
        ("1. Feet|3. Hands of 2", "yes yes", "1. Feet|2. Hands of 2"),
        ("Week 08|Week 10", "yes yes", "Week 08|Week 09"),
        ("1. Class|2. Class|3. Class", "yes no yes", "1. Class|2. Class|2. Class"),
        ("1|3", "yes yes", "1|2"),
        ("Class 1||Class 3|Party", "yes yes yes yes", "Class 1||Class 2|Party"),
    ],
)
def test_the_kept_are_counted_on_from_the_first(titles: str, kept: str, renewed: str) -> None:
    wanted = [word == "yes" for word in kept.split()]
    assert number_anew(titles.split("|"), wanted) == renewed.split("|")


@pytest.mark.parametrize(
    "titles",
    [
        "",
        "Yoga|Yoga",
        "Class 3|Yoga",
        "3 May|10 May|17 May",
        "3 May|5 May|8 May",
        "3 May|6 May",
        "3 May|5 May",
        "3. Mai: Füße|5. Mai: Hände|6. Mai: Kopf",
        "Class 2|Class 1",
        "Room 5|Room 5",
    ],
)
def test_what_does_not_count_is_not_counted(titles: str) -> None:
    assert number_anew(titles.split("|"), [True] * len(titles.split("|"))) is None
