"""What losing the coupons of a plan means for the codes that are about."""

from datetime import datetime

from sqlalchemy import exists, func, select

from src.billing.models import Coupon, Voucher, VoucherSettings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.tenants.domain.downgrade import Consequence, Weight
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.plans import Change


async def coupon_consequences(uow: UnitOfWork, change: Change, now: datetime) -> list[Consequence]:
    """A downgrade probe: codes that rest, or work again."""
    if Feature.COUPONS not in {*change.lost, *change.gained}:
        return []
    active = select(func.count(Coupon.id)).where(Coupon.tenant_id == uow.tenant, Coupon.active)
    count = await uow.session.scalar(active) or 0
    if not count:
        return []
    if Feature.COUPONS in change.gained:
        text = ngettext(
            "%(num)s coupon can be used again.", "%(num)s coupons can be used again.", count
        )
        return [Consequence(weight=Weight.NOTE, text=text)]
    text = ngettext(
        "%(num)s coupon cannot be used any more; what was booked with it keeps its price.",
        "%(num)s coupons cannot be used any more; what was booked with them keeps its price.",
        count,
    )
    return [Consequence(weight=Weight.LOSS, text=text)]


async def voucher_consequences(uow: UnitOfWork, change: Change, now: datetime) -> list[Consequence]:
    """A downgrade probe: vouchers that are out stay good, and no more are sold."""
    if Feature.COUPONS not in {*change.lost, *change.gained}:
        return []
    is_sold = exists().where(VoucherSettings.tenant_id == uow.tenant, VoucherSettings.is_on)
    if not await uow.session.scalar(select(is_sold)):
        return []
    if Feature.COUPONS in change.gained:
        text = _("Guests can buy vouchers again.")
        return [Consequence(weight=Weight.NOTE, text=text)]
    out = select(func.count(Voucher.id)).where(
        Voucher.tenant_id == uow.tenant, Voucher.balance_minor > 0
    )
    count = await uow.session.scalar(out) or 0
    text = _("Guests cannot buy vouchers any more.")
    if count:
        stay = ngettext("%(num)s that is out stays good.", "%(num)s that are out stay good.", count)
        text = f"{text} {stay}"
    return [Consequence(weight=Weight.LOSS, text=text)]
