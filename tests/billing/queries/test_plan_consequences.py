"""What a business is told of its coupons before its plan changes."""

import pytest

from src.billing.queries.plan_consequences import coupon_consequences
from src.platform.db.uow import UowFactory
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.plans import Change
from tests.support.builders import a_business
from tests.support.coupons import a_coupon

pytestmark = pytest.mark.anyio

LOST = Change(gained=(), lost=(Feature.COUPONS,), limits=())
GAINED = Change(gained=(Feature.COUPONS,), lost=(), limits=())
OTHER = Change(gained=(), lost=(Feature.SERIES,), limits=())


async def test_coupons_that_are_about_rest_and_come_back(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)

    async def told(change: Change) -> list[str]:
        async with uow_factory(business.id) as uow:
            return [one.text for one in await coupon_consequences(uow, change, uow.clock.now())]

    assert await told(LOST) == []
    await a_coupon(uow_factory, business.id)
    await a_coupon(uow_factory, business.id, "OFF", active=False)
    assert await told(LOST) == [
        "1 coupon cannot be used any more; what was booked with it keeps its price."
    ]
    assert await told(GAINED) == ["1 coupon can be used again."]
    assert await told(OTHER) == []
