"""What of billing stands on guests' own pages."""

import msgspec

from src.billing.commands.voucher_settings import get_voucher_offer
from src.billing.gates import may_sell_vouchers
from src.platform.db.uow import UnitOfWork
from src.tenants.portal_sections import Portal, register_portal_section

VOUCHERS = 95
"""Below everything that is the guest's already."""


class VouchersOnSale(msgspec.Struct, frozen=True):
    href: str


def register_portal_vouchers() -> None:
    register_portal_section("vouchers", VOUCHERS, find_vouchers, "billing/portal/_vouchers.html")


async def find_vouchers(uow: UnitOfWork, portal: Portal) -> VouchersOnSale | None:
    """Nothing where none can be bought just now."""
    if not may_sell_vouchers(portal.tenant) or not (await get_voucher_offer(uow)).is_on:
        return None
    return VouchersOnSale(f"/b/{portal.tenant.slug}/vouchers")
