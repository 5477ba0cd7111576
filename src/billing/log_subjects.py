"""Orders, coupons, packages, credits and vouchers as the log names them."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from src.billing.domain.vouchers import masked
from src.billing.models import Coupon, CreditLot, Order, Package, Voucher
from src.platform.db.uow import UnitOfWork
from src.tenants.log_subjects import LogSubject, Subjects, register_log_subject
from src.tenants.models import Customer


def register_log_subjects_of_billing() -> None:
    register_log_subject("order", _orders)
    register_log_subject("coupon", _coupons)
    register_log_subject("package", _packages)
    register_log_subject("credit_lot", _lots)
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


async def _packages(uow: UnitOfWork, ids: Collection[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(Package.id, Package.name).where(Package.tenant_id == uow.tenant, Package.id.in_(ids))
    )
    return {row.id: LogSubject(row.name, f"packages/{row.id}") for row in found}


async def _lots(uow: UnitOfWork, ids: Collection[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(CreditLot.id, CreditLot.name, Customer.name.label("owner"))
        .join(
            Customer,
            (Customer.tenant_id == CreditLot.tenant_id) & (Customer.id == CreditLot.customer_id),
        )
        .where(CreditLot.tenant_id == uow.tenant, CreditLot.id.in_(ids))
    )
    return {
        row.id: LogSubject(" · ".join(filter(None, row[1:])), f"credits/{row.id}") for row in found
    }


async def _vouchers(uow: UnitOfWork, ids: Collection[UUID]) -> Subjects:
    found = await uow.session.execute(
        select(Voucher.id, Voucher.code).where(Voucher.tenant_id == uow.tenant, Voucher.id.in_(ids))
    )
    return {row.id: LogSubject(masked(row.code), f"vouchers/{row.id}") for row in found}
