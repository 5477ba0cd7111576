"""What is sent to the processor to make an order's payment page."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from src.billing.domain.amounts import application_fee_minor
from src.billing.domain.methods import page_methods
from src.billing.domain.processor_amounts import to_processor
from src.billing.models import Order, OrderLine
from src.platform.i18n import _, use_locale

LONGEST_NAME = 250
LONGEST_THINGS = 180


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Where the processor sends the guest afterwards."""

    success_url: str
    cancel_url: str


def page_body(
    order: Order,
    lines: Sequence[OrderLine],
    page_id: UUID,
    expires_at: datetime,
    addresses: Addresses,
    *,
    fee_bp: int,
    code: str,
    methods: Sequence[str] = (),
    keeper: str | None = None,
) -> dict[str, Any]:
    """The body, complete and final: it is stored before the call and sent again word for word.

    `methods` are those that the business has chosen beside cards. `keeper` is who keeps the card
    that pays there, as the processor calls them; what is no card is never kept.
    """
    metadata = _metadata(order, page_id)
    body: dict[str, Any] = {
        "mode": "payment",
        "allowed_payment_method_types": page_methods(methods, order.currency),
        "line_items": _items(order, lines, code),
        "expires_at": int(expires_at.timestamp()),
        "client_reference_id": str(order.id),
        "metadata": metadata,
        "payment_intent_data": _intent(order, metadata, fee_bp, order.to_pay_minor),
        "success_url": addresses.success_url,
        "cancel_url": addresses.cancel_url,
    }
    if keeper is not None:
        body["customer"] = keeper
        usage = "off_session" if order.later_minor else "on_session"
        body["payment_method_options"] = {"card": {"setup_future_usage": usage}}
    elif order.guest_email:
        body["customer_email"] = order.guest_email
    return body


def part_page_body(
    order: Order,
    name: str,
    amount_minor: int,
    page_id: UUID,
    expires_at: datetime,
    addresses: Addresses,
    *,
    fee_bp: int,
    methods: Sequence[str] = (),
) -> dict[str, Any]:
    """The same of a page for later parts of an order that stands: one thing, by its `name`."""
    metadata = _metadata(order, page_id)
    body: dict[str, Any] = {
        "mode": "payment",
        "allowed_payment_method_types": page_methods(methods, order.currency),
        "line_items": [_priced(order, name, amount_minor, 1)],
        "expires_at": int(expires_at.timestamp()),
        "client_reference_id": str(order.id),
        "metadata": metadata,
        "payment_intent_data": _intent(order, metadata, fee_bp, amount_minor),
        "success_url": addresses.success_url,
        "cancel_url": addresses.cancel_url,
    }
    if order.guest_email:
        body["customer_email"] = order.guest_email
    return body


def _metadata(order: Order, page_id: UUID) -> dict[str, str]:
    return {
        "tenant_id": str(order.tenant_id),
        "order_id": str(order.id),
        "page_id": str(page_id),
    }


def _items(order: Order, lines: Sequence[OrderLine], code: str) -> list[dict[str, Any]]:
    """Where a voucher pays a part, or only the first part is paid now, it is one item: no line has
    a price of its own then.
    """
    if not order.voucher_minor and not order.later_minor:
        return [_item(order, line, code) for line in lines if line.total_minor]
    things = ", ".join(dict.fromkeys(line.description for line in lines))
    with use_locale(order.locale):
        if order.later_minor:
            name = _("%(things)s · the first part", things=things[:LONGEST_THINGS])
        else:
            name = _("%(things)s · what the voucher leaves to pay", things=things[:LONGEST_THINGS])
    return [_priced(order, name, order.to_pay_minor, 1)]


def _item(order: Order, line: OrderLine, code: str) -> dict[str, Any]:
    """A discounted line is shown as one, since its price a piece may be no whole number; the code
    that its discount comes from stands with it, for its price is not the one of the form.
    """
    discounted = line.discount_minor > 0
    unit_minor = line.total_minor if discounted else line.unit_minor
    name = " · ".join(filter(None, (line.description, line.tier, code if discounted else "")))
    if discounted and line.quantity > 1:
        name = f"{line.quantity} × {name}"
    return _priced(order, name, unit_minor, 1 if discounted else line.quantity)


def _priced(order: Order, name: str, unit_minor: int, quantity: int) -> dict[str, Any]:
    return {
        "quantity": quantity,
        "price_data": {
            "currency": order.currency.lower(),
            "unit_amount": to_processor(unit_minor, order.currency),
            "product_data": {"name": name[:LONGEST_NAME]},
        },
    }


def _intent(
    order: Order, metadata: Mapping[str, str], fee_bp: int, amount_minor: int
) -> dict[str, Any]:
    intent: dict[str, Any] = {"description": order.reference, "metadata": dict(metadata)}
    fee_minor = application_fee_minor(amount_minor, fee_bp)
    if fee_minor:
        intent["application_fee_amount"] = to_processor(fee_minor, order.currency)
    return intent
