import pytest

from src.billing.domain.minimums import LEAST_MINOR, least_online_minor
from src.sandbox.stripe.currencies import _MINIMUM_MINOR


def test_the_stand_in_refuses_below_the_same_sums() -> None:
    ours = {currency.lower(): LEAST_MINOR[currency] for currency in LEAST_MINOR}
    assert {key: ours[key] for key in _MINIMUM_MINOR} == _MINIMUM_MINOR


@pytest.mark.parametrize(("currency", "least"), [("EUR", 50), ("HUF", 17500), ("JPY", 50)])
def test_a_currency_has_its_own_least(currency: str, least: int) -> None:
    assert least_online_minor(currency) == least


def test_a_currency_that_nothing_is_said_about_is_left_to_the_processor() -> None:
    assert least_online_minor("KES") == 1
