"""Prices that are paid in parts."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.billing.domain.schedules import (
    Every,
    Part,
    Unit,
    by_period,
    covered,
    due_on,
    in_parts,
)

MONTHLY = Every(1, Unit.MONTH)
FOUR_WEEKLY = Every(4, Unit.WEEK)
DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))
EVERY = st.builds(Every, st.integers(1, 6), st.sampled_from(list(Unit)))


@pytest.mark.parametrize(
    ("first_on", "expected"),
    [
        (date(2027, 1, 31), ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]),
        (date(2027, 1, 30), ["2027-01-30", "2027-02-28", "2027-03-30", "2027-04-30"]),
        (date(2028, 1, 29), ["2028-01-29", "2028-02-29", "2028-03-29", "2028-04-29"]),
        (date(2027, 1, 29), ["2027-01-29", "2027-02-28", "2027-03-29", "2027-04-29"]),
    ],
)
def test_months_keep_the_day_they_began_on(first_on: date, expected: list[str]) -> None:
    assert [due_on(first_on, MONTHLY, number).isoformat() for number in range(4)] == expected


def test_four_weeks_are_no_month() -> None:
    first_on = date(2027, 1, 12)
    assert due_on(first_on, FOUR_WEEKLY, 13) == date(2028, 1, 11)
    assert due_on(first_on, MONTHLY, 12) == date(2028, 1, 12)


def test_a_price_in_parts() -> None:
    assert in_parts(10_000, 3, MONTHLY, date(2027, 1, 31)) == [
        Part(date(2027, 1, 31), 3334),
        Part(date(2027, 2, 28), 3333),
        Part(date(2027, 3, 31), 3333),
    ]
    assert in_parts(2, 3, MONTHLY, date(2027, 1, 31)) == [
        Part(date(2027, 1, 31), 1),
        Part(date(2027, 2, 28), 1),
    ]
    assert in_parts(0, 3, MONTHLY, date(2027, 1, 31)) == []


ENDS_ON = date(2027, 5, 31)


@pytest.mark.parametrize(
    ("every", "first_on", "price", "expected"),
    [
        # From 12 May 20 days of 31; from 26 May six of them.
        (MONTHLY, date(2027, 1, 12), 6200, [6200, 6200, 6200, 6200, 4000]),
        (MONTHLY, date(2027, 1, 26), 6200, [6200, 6200, 6200, 6200, 1200]),
        # Five periods from 12 January are 140 days, to 31 May; from 26 January 14 days fewer.
        (FOUR_WEEKLY, date(2027, 1, 12), 5600, [5600, 5600, 5600, 5600, 5600]),
        (FOUR_WEEKLY, date(2027, 1, 26), 5600, [5600, 5600, 5600, 5600, 2800]),
        (MONTHLY, date(2027, 6, 1), 6200, []),
        (MONTHLY, date(2027, 5, 31), 6000, [200]),
        (MONTHLY, date(2027, 5, 31), 10, []),
    ],
)
def test_who_begins_later_pays_for_what_is_left(
    every: Every, first_on: date, price: int, expected: list[int]
) -> None:
    assert [part.minor for part in by_period(price, every, first_on, ENDS_ON)] == expected


@given(st.integers(0, 10_000_000), st.integers(1, 60), EVERY, DAYS)
def test_parts_sum_to_the_price(price: int, parts: int, every: Every, first_on: date) -> None:
    found = in_parts(price, parts, every, first_on)
    amounts = [part.minor for part in found]
    assert sum(amounts) == price
    assert amounts == sorted(amounts, reverse=True)
    assert not amounts or amounts[0] - amounts[-1] <= 1
    days = [part.due_on for part in found]
    assert len(days) == len(set(days))
    assert days == sorted(days)


@given(st.integers(1, 1_000_000), EVERY, DAYS, st.integers(0, 390))
def test_whoever_begins_a_day_later_never_pays_more_for_the_last_period(
    price: int, every: Every, first_on: date, length: int
) -> None:
    ends_on = first_on + timedelta(days=length)
    found = by_period(price, every, first_on, ends_on)
    assert all(part.minor == price for part in found[:-1])
    assert all(first_on <= part.due_on <= ends_on for part in found)
    shorter = by_period(price, every, first_on, ends_on - timedelta(days=1))
    assert sum(part.minor for part in shorter) <= sum(part.minor for part in found)


@given(st.lists(st.integers(0, 5000), max_size=12), st.integers(0, 60_000))
def test_dates_are_covered_in_their_order(shares: list[int], received: int) -> None:
    paid = covered(shares, received)
    assert sum(shares[:paid]) <= received
    assert paid == len(shares) or sum(shares[: paid + 1]) > received
