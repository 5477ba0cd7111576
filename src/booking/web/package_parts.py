"""The parts that a package may be paid in, on the form that buys it."""

from datetime import datetime

from src.billing.commands.buying_in_parts import parts_of
from src.billing.domain.package_sale import PackageQuote, SellerFacts
from src.billing.domain.parts import consent_words, every_words, schedule_key
from src.booking.queries.paying_with import voucher_line
from src.booking.views.guest import PriceLine
from src.booking.views.guest_packages import OfferedParts
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot

IN_PARTS = "parts"
"""What the form sends as `way` for who pays in parts."""


def offered_parts(
    quoted: PackageQuote, tenant: TenantSnapshot, seller: SellerFacts, now: datetime, way: str
) -> OfferedParts | None:
    """With every day and amount; None where it is paid at once."""
    parts = parts_of(quoted, tenant, seller, now)
    if not parts:
        return None
    return OfferedParts(
        parts=parts,
        every=every_words(quoted.terms.parts_every),
        words=consent_words(tenant.name),
        key=schedule_key(parts),
        is_chosen=way == IN_PARTS,
    )


def price_lines(quoted: PackageQuote, currency: str) -> list[PriceLine]:
    """What it costs, what a coupon takes off and what a voucher pays."""
    lines = [(quoted.terms.name, quoted.terms.price_minor, "")]
    if quoted.coupon is not None:
        lines.append((_("Code %(code)s", code=quoted.coupon.code), -quoted.discount_minor, ""))
    if quoted.voucher is not None:
        lines.append(voucher_line(quoted.voucher, currency))
    return lines
