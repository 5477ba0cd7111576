"""Pages and endpoints of the billing package."""

from typing import Any

from src.billing.web import (
    fees,
    guest_voucher,
    guest_vouchers,
    hooks,
    mistaken_transfers,
    open_items,
    orders,
    parts,
    payments,
    portal_cards,
    transfers,
    voucher_selling,
    vouchers,
    ways,
)
from src.billing.web.onboarding import register_steps
from src.platform.services import Services
from src.platform.web.kit import WebKit

route_handlers: list[Any] = [
    hooks.platform_hook,
    hooks.connect_hook,
    orders.show_orders,
    orders.show_order,
    orders.mark_paid,
    orders.cancel_unpaid_package,
    orders.ask_refund,
    orders.give_refund,
    orders.try_refund_again,
    *open_items.route_handlers,
    *parts.route_handlers,
    payments.show_payments,
    payments.connect,
    payments.refresh,
    payments.come_back,
    payments.check,
    *ways.route_handlers,
    *transfers.route_handlers,
    *mistaken_transfers.route_handlers,
    *fees.route_handlers,
    *vouchers.route_handlers,
    *voucher_selling.route_handlers,
    *guest_vouchers.route_handlers,
    *guest_voucher.route_handlers,
    *portal_cards.route_handlers,
]


def install(kit: WebKit, services: Services) -> None:
    """Registers the step that leads to getting paid."""
    register_steps()
