import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.billing.domain.amounts import (
    application_fee_minor,
    fee_to_return_minor,
    tax_within_minor,
)


@pytest.mark.parametrize(
    ("gross", "rate_bp", "tax"), [(12000, 2000, 2000), (2000, 0, 0), (999, 1900, 160), (1, 2000, 0)]
)
def test_tax_is_the_part_of_a_gross_price(gross: int, rate_bp: int, tax: int) -> None:
    assert tax_within_minor(gross, rate_bp) == tax


def test_the_fee_never_exceeds_its_rate() -> None:
    assert application_fee_minor(1999, 250) == 49
    assert application_fee_minor(1999, 0) == 0


@given(
    parts=st.lists(st.integers(1, 5000), min_size=1, max_size=8),
    rate_bp=st.integers(0, 3000),
)
def test_refunds_in_any_steps_return_the_whole_fee_once(parts: list[int], rate_bp: int) -> None:
    amount = sum(parts)
    fee = application_fee_minor(amount, rate_bp)
    before, returned = 0, 0
    for part in parts:
        step = fee_to_return_minor(fee, amount, before, part)
        assert 0 <= step <= part
        returned += step
        before += part
    assert returned == fee
