import pytest

from src.billing.domain.amounts import (
    application_fee_minor,
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
