"""What staff may do with credits, and what the unused ones are worth, without a database."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from src.billing.domain.credit_acts import (
    Unused,
    end_error,
    end_of,
    is_later,
    split_amount,
    split_credits,
    worth_minor,
)
from src.billing.domain.credits import RefundRule

ZONE = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)
TEN = Unused(
    rule=RefundRule.LINEAR,
    paid_minor=12_000,
    bought=10,
    unused=7,
    single_minor=1500,
    left_minor=12_000,
)

PARTLY: dict[str, object] = {"paid_minor": 3000, "left_minor": 3000, "to_come_minor": 9000}
"""One of four parts was paid, and a refund ends the others."""


@pytest.mark.parametrize(
    ("changed", "worth"),
    [
        ({}, 8400),
        ({"unused": 10}, 12_000),
        ({"unused": 0}, 0),
        ({"paid_minor": 10_000, "bought": 3, "unused": 1}, 3333),
        ({"rule": RefundRule.CLAW_BACK}, 7500),
        ({"rule": RefundRule.CLAW_BACK, "unused": 1}, 0),
        ({"rule": RefundRule.CLAW_BACK, "single_minor": 0}, 8400),
        ({"left_minor": 5000}, 5000),
        ({"left_minor": 0}, 0),
        ({"refunded": 5, "refunded_minor": 6000, "unused": 2}, 2400),
        ({"refunded": 7, "refunded_minor": 12_000, "unused": 1}, 0),
        ({"bought": 0, "paid_minor": 0, "unused": 0}, 0),
        (PARTLY | {"unused": 10}, 3000),
        (PARTLY | {"unused": 8}, 600),
        (PARTLY | {"unused": 5}, 0),
        (PARTLY | {"paid_minor": 9000, "left_minor": 9000, "to_come_minor": 3000}, 5400),
        (
            {"rule": RefundRule.CLAW_BACK, "paid_minor": 9000, "left_minor": 9000}
            | {"to_come_minor": 3000},
            4500,
        ),
    ],
)
def test_what_unused_credits_are_worth(changed: dict[str, object], worth: int) -> None:
    assert worth_minor(replace(TEN, **changed)) == worth  # type: ignore[arg-type]  # parametrised


def test_two_refunds_by_claw_back_are_worth_what_one_would_be() -> None:
    claw = replace(TEN, rule=RefundRule.CLAW_BACK)
    first = worth_minor(replace(claw, unused=6))
    second = worth_minor(replace(claw, unused=2, refunded=6, refunded_minor=first))
    assert first + second == worth_minor(replace(claw, unused=8))


def test_credits_end_with_the_day_of_the_business() -> None:
    assert end_of(date(2026, 11, 3), ZONE) == datetime(2026, 11, 3, 22, 59, 59, tzinfo=UTC)
    assert end_error(date(2026, 11, 3), NOW, ZONE) is None
    assert end_error(date(2026, 11, 2), NOW, ZONE) is not None
    assert end_error(date(2200, 1, 1), NOW, ZONE) is not None
    assert end_error(None, NOW, ZONE) is None


def test_for_ever_is_longer_than_any_day() -> None:
    day = end_of(date(2026, 11, 3), ZONE)
    assert is_later(None, day)
    assert not is_later(day, None)
    assert not is_later(day, day)


@pytest.mark.parametrize(
    ("amount", "lefts", "parts"),
    [
        (7200, [5000, 7000, 0], [5000, 2200, 0]),
        (3000, [5000, 7000], [3000, 0]),
        (100, [0, 60, 60], [0, 60, 40]),
        (200, [60, 60], [60, 60]),
    ],
)
def test_money_goes_back_one_way_after_the_other(
    amount: int, lefts: list[int], parts: list[int]
) -> None:
    assert split_amount(amount, lefts) == parts


@pytest.mark.parametrize(
    ("number", "parts", "leaving"),
    [
        (6, [5000, 2200], [5, 1]),
        (1, [5000, 2200], [1, 0]),
        (7, [8400], [7]),
        (10, [1, 9999], [1, 9]),
        (3, [1, 1, 1], [1, 1, 1]),
    ],
)
def test_credits_leave_with_the_money_and_none_is_lost(
    number: int, parts: list[int], leaving: list[int]
) -> None:
    assert split_credits(number, parts) == leaving
    assert sum(leaving) == number
