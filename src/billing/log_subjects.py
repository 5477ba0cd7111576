"""Orders, coupons and vouchers as the log names them."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from src.billing.domain.vouchers import masked
from src.billing.models import Coupon, Order, Voucher
from src.platform.db.uow import UnitOfWork
from src.tenants.log_subjects import LogSubject, Subjects, register_log_subject


def register_log_subjects_of_billing() -> None:
    register_log_subject("order", _orders)
    register_log_subject("coupon", _coupons)
    register_log_subject("voucher", _vouchers)


async def _orders(uow: UnitOfWork, ids: Collection[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(Order.id, Order.reference, Order.guest_name).where(
            Order.tenant_id == uow.tenant, Order.id.in_(ids)
        )
    )
    return {
        row.id: LogSubject(" · ".join(filter(None, row[1:])), f"orders/{row.id}") for row in found
    }


async def _coupons(uow: UnitOfWork, ids: Collection[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(Coupon.id, Coupon.code).where(Coupon.tenant_id == uow.tenant, Coupon.id.in_(ids))
    )
    return {row.id: LogSubject(row.code, f"coupons/{row.id}") for row in found}


async def _vouchers(uow: UnitOfWork, ids: Collection[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(Voucher.id, Voucher.code).where(Voucher.tenant_id == uow.tenant, Voucher.id.in_(ids))
    )
    return {row.id: LogSubject(masked(row.code), f"vouchers/{row.id}") for row in found}
