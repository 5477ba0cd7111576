"""Codes, validity, and what of a price a voucher pays."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.billing.domain.minimums import least_online_minor
from src.billing.domain.vouchers import (
    code_from,
    expiry_of,
    is_over,
    last_day,
    masked,
    new_code,
    part_of_price,
    sending_moment,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def test_a_code_is_found_however_it_is_typed() -> None:
    code = new_code()
    assert re.fullmatch(r"([2-9BCDFGHJKMNPQRSTVWXYZ]{4}-){3}[2-9BCDFGHJKMNPQRSTVWXYZ]{4}", code)
    for typed in (code, code.lower(), code.replace("-", ""), f" {code.replace('-', ' ')} "):
        assert code_from(typed) == code
    assert code_from("SPRING") == ""
    assert code_from(code + "X") == ""
    assert masked(code) == f"•••• {code[-4:]}"
    assert len({new_code() for _ in range(100)}) == 100


def test_it_lasts_three_years_to_the_end_of_the_year() -> None:
    bought = date(2026, 11, 26)
    until = expiry_of(bought, AMSTERDAM, valid_months=36, to_year_end=True)
    assert until == datetime(2029, 12, 31, 23, tzinfo=UTC), "midnight by the business's clock"
    assert last_day(until, AMSTERDAM) == date(2029, 12, 31)
    exact = expiry_of(date(2024, 2, 29), AMSTERDAM, valid_months=12, to_year_end=False)
    assert exact is not None
    assert last_day(exact, AMSTERDAM) == date(2025, 2, 28)
    assert expiry_of(bought, AMSTERDAM, valid_months=0, to_year_end=True) is None


def test_the_second_that_ends_its_last_day_is_the_guests() -> None:
    until = datetime(2029, 12, 31, 23, tzinfo=UTC)
    assert not is_over(until, until)
    assert is_over(until, until.replace(second=1))
    assert not is_over(None, until)


def test_a_present_comes_in_the_morning_of_its_day() -> None:
    assert sending_moment(None, AMSTERDAM) is None
    assert sending_moment(date(2026, 12, 24), AMSTERDAM) == datetime(2026, 12, 24, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("balance", "total", "pays"),
    [(5000, 6000, 5000), (6000, 6000, 6000), (9000, 6000, 6000), (5980, 6000, 5950), (40, 50, 0)],
)
def test_it_leaves_nothing_that_nobody_can_pay(balance: int, total: int, pays: int) -> None:
    assert part_of_price(balance, total, pays_online=True, currency="EUR") == pays


@given(
    balance=st.integers(0, 10**7),
    total=st.integers(0, 10**7),
    pays_online=st.booleans(),
    currency=st.sampled_from(["EUR", "JPY", "HUF", "XXX"]),
)
def test_what_it_pays_is_within_both_and_leaves_a_rest_that_can_be_paid(
    balance: int, total: int, pays_online: bool, currency: str
) -> None:
    part = part_of_price(balance, total, pays_online=pays_online, currency=currency)
    rest = total - part
    assert 0 <= part <= min(balance, total)
    if pays_online and part:
        assert rest == 0 or rest >= least_online_minor(currency)
