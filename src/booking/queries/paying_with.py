"""What a voucher does to a wish: its price stays, and less of it is left to pay."""

from collections.abc import Sequence

import msgspec

from src.billing.domain.coupons import FOR_BOOKINGS, CouponScope
from src.billing.domain.kinds import PaymentMode
from src.billing.domain.vouchers import AppliedVoucher, masked
from src.billing.queries.coupon_use import has_active_coupons
from src.billing.queries.voucher_use import has_spendable_vouchers
from src.booking.views.guest import PriceLine, Wish
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, current_locale
from src.platform.money import Money, format_money
from src.tenants.context import TenantSnapshot


async def takes_codes(
    uow: UnitOfWork, tenant: TenantSnapshot, scopes: Sequence[CouponScope] = FOR_BOOKINGS
) -> bool:
    """Whether a guest is to be asked for a code at all; `scopes` are those of coupons for what is
    sold there.
    """
    return await has_active_coupons(uow, tenant, scopes) or await has_spendable_vouchers(uow)


def with_voucher(wish: Wish, voucher: AppliedVoucher, currency: str) -> Wish:
    """The same with what is left to pay; the terms stay those of the price, for it is all paid."""
    left_minor = wish.total_minor - voucher.part_minor
    return msgspec.structs.replace(
        wish,
        takes_codes=True,
        lines=[*wish.lines, voucher_line(voucher, currency)],
        total_minor=left_minor,
        money_minor=left_minor,
        code_off_minor=voucher.part_minor,
        payment_mode=wish.payment_mode if left_minor else str(PaymentMode.FREE),
    )


def voucher_line(voucher: AppliedVoucher, currency: str) -> PriceLine:
    """What it pays, and what stays on it."""
    words = _("Voucher %(code)s", code=masked(voucher.code))
    left = _("nothing stays on it")
    if voucher.left_minor:
        amount = format_money(Money(voucher.left_minor, currency), current_locale())
        left = _("%(amount)s stay on it", amount=amount)
    return (words, -voucher.part_minor, left)
