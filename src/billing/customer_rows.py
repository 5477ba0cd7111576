"""Orders, and what was used in them, go with their customer."""

from typing import cast
from uuid import UUID

from sqlalchemy import Table, delete, select, update

from src.billing.models import CouponCustomer, CouponUse, Order
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import ngettext
from src.tenants.customer_rows import CustomerRows, register_customer_rows


class _CouponUses(CustomerRows):
    """Whoever was merged has ordered before, so that none of the uses is a first order's any more
    in the way of another.
    """

    async def move(self, uow: UnitOfWork, gone_id: UUID, kept_id: UUID) -> list[UUID]:
        await uow.session.execute(
            update(CouponUse)
            .where(CouponUse.tenant_id == uow.tenant, CouponUse.customer_id == gone_id)
            .values(is_first=False)
        )
        return await super().move(uow, gone_id, kept_id)


class _CouponCounts(CustomerRows):
    """What both have used of one coupon is one number afterwards."""

    async def move(self, uow: UnitOfWork, gone_id: UUID, kept_id: UUID) -> list[UUID]:
        mine = CouponCustomer.tenant_id == uow.tenant
        known = select(CouponCustomer.coupon_id).where(mine, CouponCustomer.customer_id == kept_id)
        doubles = await uow.session.execute(
            delete(CouponCustomer)
            .where(
                mine,
                CouponCustomer.customer_id == gone_id,
                CouponCustomer.coupon_id.in_(known),
            )
            .returning(CouponCustomer.coupon_id, CouponCustomer.used)
        )
        for coupon_id, used in sorted(doubles.tuples()):
            await uow.session.execute(
                update(CouponCustomer)
                .where(
                    mine,
                    CouponCustomer.customer_id == kept_id,
                    CouponCustomer.coupon_id == coupon_id,
                )
                .values(used=CouponCustomer.used + used)
            )
        return await super().move(uow, gone_id, kept_id)


def register_orders_of_customers() -> None:
    """Orders are locked one by one elsewhere, and so before all else by a merge."""
    register_customer_rows(
        CustomerRows(
            table=cast(Table, Order.__table__),
            words=lambda count: ngettext("%(num)s order", "%(num)s orders", count),
            is_contended=True,
        )
    )
    register_customer_rows(
        _CouponUses(
            table=cast(Table, CouponUse.__table__),
            words=lambda count: ngettext("%(num)s coupon used", "%(num)s coupons used", count),
        )
    )
    register_customer_rows(
        _CouponCounts(
            table=cast(Table, CouponCustomer.__table__),
            words=lambda count: ngettext("%(num)s coupon count", "%(num)s coupon counts", count),
        )
    )
