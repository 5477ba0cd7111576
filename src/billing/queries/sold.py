"""Whether anything was ever sold, or is promised, in the business's currency."""

from sqlalchemy import exists, select

from src.billing.models import Coupon, CreditLot, Order, Package, Voucher, VoucherSettings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _


async def lock_currency_by_sales(uow: UnitOfWork) -> str | None:
    """A sentence once there is an order that costs something, whatever became of it."""
    sold = exists().where(Order.tenant_id == uow.tenant, Order.total_minor > 0)
    if await uow.session.scalar(select(sold)):
        return _("It cannot change any more: you have sold something in it.")
    return None


async def lock_currency_by_coupons(uow: UnitOfWork) -> str | None:
    """A sentence while a coupon takes off, or asks for, an amount."""
    has_amount = (Coupon.amount_minor.is_not(None)) | (Coupon.min_spend_minor > 0)
    if await uow.session.scalar(select(exists().where(Coupon.tenant_id == uow.tenant, has_amount))):
        return _("It cannot change while a coupon has an amount in it.")
    return None


async def lock_currency_by_credits(uow: UnitOfWork) -> str | None:
    """A sentence while a package has a price, or a customer has credits that have a worth in it."""
    priced = exists().where(Package.tenant_id == uow.tenant, Package.price_minor > 0)
    worth = exists().where(
        CreditLot.tenant_id == uow.tenant,
        (CreditLot.paid_minor > 0) | (CreditLot.value_minor > 0),
    )
    if await uow.session.scalar(select(priced | worth)):
        return _("It cannot change while there are packages or credits with a price in it.")
    return None


async def lock_currency_by_vouchers(uow: UnitOfWork) -> str | None:
    """A sentence while there is money on a voucher, or amounts of them are offered."""
    has_money = exists().where(Voucher.tenant_id == uow.tenant, Voucher.balance_minor > 0)
    is_offered = exists().where(VoucherSettings.tenant_id == uow.tenant, VoucherSettings.is_on)
    if await uow.session.scalar(select(has_money | is_offered)):
        return _("It cannot change while there are vouchers in it.")
    return None
