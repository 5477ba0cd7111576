"""A coupon to begin a test with, and the numbers that have to agree about it."""

from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from src.billing.models import Coupon
from src.platform.db.uow import UowFactory
from src.tenants.models import Tenant

STANDING = (
    "SELECT c.used, (SELECT count(*) FROM coupon_uses u WHERE u.coupon_id = c.id"
    " AND u.returned_at IS NULL), (SELECT coalesce(sum(p.used), 0) FROM coupon_customers p"
    " WHERE p.coupon_id = c.id) FROM coupons c"
)


async def a_coupon(
    uow_factory: UowFactory, tenant_id: UUID, code: str = "SPRING", **more: Any
) -> Coupon:
    """Ten percent off everything, for ever, unless told otherwise."""
    async with uow_factory(tenant_id) as uow:
        now = uow.clock.now()
        values: dict[str, Any] = {"percent": None if "amount_minor" in more else 10, **more}
        coupon = Coupon(tenant_id=tenant_id, code=code, created_at=now, updated_at=now, **values)
        uow.session.add(coupon)
    return coupon


async def uses(uow_factory: UowFactory, tenant_id: UUID) -> int:
    """How often the one coupon is used; its counters and the orders' own rows agree about it."""
    async with uow_factory(tenant_id) as uow:
        counted, standing, of_customers = (await uow.session.execute(text(STANDING))).one()
    assert counted == standing == of_customers
    return int(counted)


async def change_coupon(uow_factory: UowFactory, tenant_id: UUID, **values: Any) -> None:
    """The one coupon, as if its owner had changed it meanwhile."""
    async with uow_factory(tenant_id) as uow:
        coupon = (await uow.session.scalars(select(Coupon))).one()
        for name, value in values.items():
            setattr(coupon, name, value)


async def lose_coupons(uow_factory: UowFactory, tenant_id: UUID) -> None:
    """From now on the plan of the business has everything but coupons."""
    async with uow_factory(tenant_id) as uow:
        tenant = await uow.session.get_one(Tenant, tenant_id)
        plan = tenant.entitlements["plan"]
        kept = [feature for feature in plan["features"] if feature != "coupons"]
        tenant.entitlements = {**tenant.entitlements, "plan": {**plan, "features": kept}}
