"""When the currency of a business is fixed."""

import pytest

from src.platform.db.uow import UowFactory
from src.tenants.queries.settings import currency_lock
from tests.support.builders import a_business
from tests.support.coupons import a_coupon

pytestmark = pytest.mark.anyio


async def test_an_amount_in_a_coupon_fixes_the_currency_and_a_percentage_does_not(
    uow_factory: UowFactory,
) -> None:
    business = await a_business(uow_factory)
    await a_coupon(uow_factory, business.id)
    async with uow_factory(business.id) as uow:
        assert await currency_lock(uow) is None
    await a_coupon(uow_factory, business.id, "FIVER", amount_minor=500)
    async with uow_factory(business.id) as uow:
        assert await currency_lock(uow) == "It cannot change while a coupon has an amount in it."
