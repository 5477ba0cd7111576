"""What losing the coupons or the packages of a plan means for what is about."""

from datetime import datetime

from sqlalchemy import exists, func, select

from src.billing.domain.credits import LotState
from src.billing.domain.package_drafts import Purpose
from src.billing.models import Coupon, CreditLot, Package, Voucher, VoucherSettings
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


async def package_consequences(uow: UnitOfWork, change: Change, now: datetime) -> list[Consequence]:
    """A downgrade probe: packages sold no more, and credits that stay good all the same."""
    if Feature.PACKAGES not in {*change.lost, *change.gained}:
        return []
    on_sale = await uow.session.scalar(
        select(func.count(Package.id)).where(
            Package.tenant_id == uow.tenant,
            Package.active,
            Package.purpose == str(Purpose.SALE),
        )
    )
    if Feature.PACKAGES in change.gained:
        return _sold_again(on_sale or 0)
    found = _sold_no_more(on_sale or 0)
    left = await uow.session.scalar(
        select(func.sum(CreditLot.balance)).where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.state == str(LotState.ACTIVE),
            CreditLot.balance > 0,
            (CreditLot.expires_at.is_(None)) | (CreditLot.expires_at >= now),
        )
    )
    return [*found, *_stay_good(int(left or 0))]


def _sold_again(count: int) -> list[Consequence]:
    if not count:
        return []
    text = ngettext("%(num)s package is sold again.", "%(num)s packages are sold again.", count)
    return [Consequence(weight=Weight.NOTE, text=text)]


def _sold_no_more(count: int) -> list[Consequence]:
    if not count:
        return []
    text = ngettext(
        "%(num)s package cannot be bought any more.",
        "%(num)s packages cannot be bought any more.",
        count,
    )
    return [Consequence(weight=Weight.LOSS, text=text)]


def _stay_good(count: int) -> list[Consequence]:
    if not count:
        return []
    text = ngettext(
        "%(num)s credit that a customer has stays good.",
        "%(num)s credits that customers have stay good.",
        count,
    )
    return [Consequence(weight=Weight.KEEPS, text=text)]


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
