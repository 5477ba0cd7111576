"""What of billing stands on guests' own pages."""

import msgspec

from src.billing.commands.voucher_settings import get_voucher_offer
from src.billing.fee_words import fee_reason
from src.billing.gates import may_sell_vouchers
from src.billing.models import Fee
from src.billing.queries.fees import list_guest_fees
from src.billing.views.fees import GuestFees
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_
from src.tenants.portal_sections import Portal, register_portal_section, register_portal_tab

VOUCHERS = 95
"""Below everything that is the guest's already."""
FEES = 15
"""Below what is lost unless it is paid soon, above what is to come."""


class VouchersOnSale(msgspec.Struct, frozen=True):
    href: str


def register_money_on_portal() -> None:
    register_portal_section("fees", FEES, find_fees, "billing/portal/_fees.html")
    register_portal_tab("cards", 55, N_("Cards"), "/cards")
    register_portal_section("vouchers", VOUCHERS, find_vouchers, "billing/portal/_vouchers.html")


async def find_fees(uow: UnitOfWork, portal: Portal) -> GuestFees | None:
    """What is asked of this guest and not paid."""
    whose = Fee.customer_id == portal.guest.customer_id
    known = await list_guest_fees(uow, portal.tenant, portal.settings, whose)
    asked = [(fee, fee_reason(fee.kind)) for fee in known if not fee.is_paid]
    return GuestFees(rows=asked, zone=portal.tenant.zone) if asked else None


async def find_vouchers(uow: UnitOfWork, portal: Portal) -> VouchersOnSale | None:
    """Nothing where none can be bought just now."""
    if not may_sell_vouchers(portal.tenant) or not (await get_voucher_offer(uow)).is_on:
        return None
    return VouchersOnSale(f"/b/{portal.tenant.slug}/vouchers")
