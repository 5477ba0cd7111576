"""What may be offered in parts, and when each is charged."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.billing.domain.parts import (
    LONGEST_PLAN,
    MOST_PARTS,
    can_be_paid_online,
    charged_at,
    next_try,
    plan_errors,
    reminded_at,
    schedule_key,
)
from src.billing.domain.schedules import Every, Unit, due_on, in_parts

MONTHLY = Every(1, Unit.MONTH)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
DAYS = st.dates(date(2024, 1, 1), date(2032, 12, 31))
EVERY = st.builds(Every, st.integers(1, 12), st.sampled_from(list(Unit)))


@given(st.integers(1, 10_000_000), st.integers(2, MOST_PARTS), EVERY, DAYS)
def test_what_can_be_paid_online_sums_to_the_price_and_leaves_no_part_too_small(
    price: int, parts: int, every: Every, day: date
) -> None:
    found = in_parts(price, parts, every, day)
    assert sum(part.minor for part in found) == price
    if can_be_paid_online(found, 50):
        assert all(part.minor >= 50 for part in found)
        assert found[0].due_on == day
        assert len({part.due_on for part in found}) == len(found)


@given(st.integers(0, 40), EVERY)
def test_the_last_part_never_falls_due_when_the_link_is_over(parts: int, every: Every) -> None:
    if not plan_errors(parts, every) and parts:
        begins_on = date(2001, 1, 1)
        assert due_on(begins_on, every, parts - 1) - begins_on <= LONGEST_PLAN


@pytest.mark.parametrize(
    ("parts", "every", "field"),
    [
        (1, MONTHLY, "parts"),
        (-3, MONTHLY, "parts"),
        (25, MONTHLY, "parts"),
        (3, Every(0, Unit.WEEK), "parts_every"),
        (3, Every(13, Unit.MONTH), "parts_every"),
        (2, Every(100_000, Unit.MONTH), "parts_every"),
        (2, Every(10**12, Unit.WEEK), "parts_every"),
        (0, Every(10**12, Unit.WEEK), "parts_every"),
    ],
)
def test_what_cannot_be_offered_is_said_at_its_field(parts: int, every: Every, field: str) -> None:
    assert list(plan_errors(parts, every)) == [field]


def test_none_and_the_longest_can_be() -> None:
    assert plan_errors(0, Every(0, Unit.WEEK)) == {}
    assert plan_errors(24, MONTHLY) == {}
    assert plan_errors(3, Every(12, Unit.MONTH)) == {}
    assert plan_errors(2, Every(104, Unit.WEEK)) == {}


def test_a_part_is_charged_in_the_morning_of_the_business() -> None:
    # Summer time begins on the 28th.
    assert charged_at(date(2027, 3, 27), AMSTERDAM) == datetime(2027, 3, 27, 8, tzinfo=UTC)
    assert charged_at(date(2027, 3, 28), AMSTERDAM) == datetime(2027, 3, 28, 7, tzinfo=UTC)
    assert reminded_at(date(2027, 3, 30), AMSTERDAM) == datetime(2027, 3, 27, 8, tzinfo=UTC)


def test_it_is_tried_again_after_one_three_and_five_days() -> None:
    day = date(2027, 2, 1)
    tries = [charged_at(day, AMSTERDAM)]
    for attempts in range(1, 4):
        at = next_try(day, attempts, tries[-1], AMSTERDAM)
        assert at is not None
        tries.append(at)
    assert [(at - tries[0]).days for at in tries] == [0, 1, 3, 5]
    assert next_try(day, 4, tries[-1], AMSTERDAM) is None


@given(st.integers(1, 3), st.integers(0, 60))
def test_who_was_late_with_one_try_is_not_at_once_with_the_next(attempts: int, late: int) -> None:
    day = date(2027, 2, 1)
    now = charged_at(day + timedelta(days=late), AMSTERDAM)
    at = next_try(day, attempts, now, AMSTERDAM)
    assert at is not None
    assert at - now >= timedelta(hours=20)


def test_another_day_or_amount_has_another_key() -> None:
    parts = in_parts(12_000, 4, MONTHLY, date(2027, 1, 31))
    assert schedule_key(parts) == (
        "2027-01-31:3000,2027-02-28:3000,2027-03-31:3000,2027-04-30:3000"
    )
    assert schedule_key(in_parts(12_000, 4, MONTHLY, date(2027, 2, 1))) != schedule_key(parts)
