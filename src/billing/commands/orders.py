"""Orders: how they are written and found again."""

from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import Table, select, update

from src.billing.commands.coupon_claims import insert_use
from src.billing.commands.due import add_due, add_transfer_reminder
from src.billing.commands.voucher_claims import Spent, insert_spend, voucher_payment
from src.billing.domain.amounts import tax_within_minor
from src.billing.domain.coupons import AppliedCoupon
from src.billing.domain.holds import HOLD_DUE, HOLD_LIFETIME, hold_expires_at
from src.billing.domain.kinds import WAITING_MODES, OrderState, PaymentMode
from src.billing.domain.references import new_reference
from src.billing.domain.transfers import reminded_at
from src.billing.domain.vouchers import AppliedVoucher
from src.billing.events import OrderConfirmed, TransferAwaited
from src.billing.models import Order, OrderLine, Payment
from src.platform.db.constraints import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, NotFound, Unavailable
from src.platform.i18n import _
from src.platform.ids import new_id

ORDERS = cast(Table, Order.__table__)
ORDER_LINES = cast(Table, OrderLine.__table__)
PAYMENTS = cast(Table, Payment.__table__)

register_constraint(
    "uq_orders_form_token",
    lambda: Conflict(_("This form was already sent."), code="already_submitted"),
)
register_constraint(
    "uq_orders_reference", lambda: Unavailable(_("Please try that once more."), code="busy")
)


class NewLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be sold: `quantity` x `unit_minor`, less its part of the order's discount."""

    kind: str
    subject_id: UUID
    description: str
    unit_minor: int
    quantity: int = 1
    tier: str = ""
    discount_minor: int = 0
    tax_rate_bp: int = 0

    @property
    def total_minor(self) -> int:
        return self.quantity * self.unit_minor - self.discount_minor


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order to be written. `form_token` finds it again, `fingerprint` tells its content.

    `hold_lifetime` is how long it waits for its payment, `later_minor` what of its price is paid in
    parts afterwards. The `coupon` is what its lines'
    discount comes from, and the `voucher` pays a part of the total; the caller claims them, after
    the sessions.
    """

    order_id: UUID
    customer_id: UUID
    payment_mode: PaymentMode
    currency: str
    lines: tuple[NewLine, ...]
    guest_name: str
    guest_email: str
    form_token: str
    fingerprint: str
    source: str
    guest_phone: str = ""
    locale: str = "en"
    consents: dict[str, Any] = msgspec.field(default_factory=dict)
    hold_lifetime: timedelta = HOLD_LIFETIME
    coupon: AppliedCoupon | None = None
    voucher: AppliedVoucher | None = None
    later_minor: int = 0

    @property
    def total_minor(self) -> int:
        return sum(line.total_minor for line in self.lines)

    @property
    def voucher_minor(self) -> int:
        return self.voucher.part_minor if self.voucher is not None else 0

    @property
    def waits_for_payment(self) -> bool:
        return self.payment_mode in WAITING_MODES and self.total_minor > self.voucher_minor


async def insert_order(
    uow: UnitOfWork, new: NewOrder, *, month: str | None, now: datetime
) -> Order:
    """Writes the order and its lines, reading nothing; a hold also gets its `due` row.

    An order that is to be paid online, or by bank transfer, is open until `hold_expires_at`; any
    other is confirmed at once. `month` is the counter's month that the caller claims a unit of, at
    the end of its transaction, or None when this sale does not count. The returned row is not in
    the session, and not in the database before `uow.settle()`.
    """
    order = _order_row(uow.tenant, new, month, now)
    uow.insert(ORDERS, [order])
    lines = [_line_row(uow.tenant, new.order_id, at, line) for at, line in enumerate(new.lines)]
    uow.insert(ORDER_LINES, lines)
    if new.coupon is not None:
        insert_use(uow, new.coupon, order, now)
    if new.voucher is not None:
        _insert_spend(uow, new.voucher, order, now)
    if new.waits_for_payment:
        await add_due(uow, HOLD_DUE, new.order_id, order["hold_expires_at"])
        if new.payment_mode is PaymentMode.TRANSFER:
            at = reminded_at(now, order["hold_expires_at"])
            await add_transfer_reminder(uow, new.order_id, at)
            uow.record(TransferAwaited(order_id=new.order_id))
    else:
        uow.record(OrderConfirmed(order_id=new.order_id))
    return Order(**order)


def _insert_spend(
    uow: UnitOfWork, voucher: AppliedVoucher, order: dict[str, Any], now: datetime
) -> None:
    """What the voucher pays is a payment as soon as the order stands."""
    insert_spend(uow, voucher, order, now)
    if order["state"] == OrderState.CONFIRMED:
        spent = Spent(voucher.voucher_id, voucher.part_minor)
        paid = voucher_payment(uow.tenant, order["id"], order["currency"], spent, now)
        uow.insert(PAYMENTS, [paid])


def _order_row(tenant_id: UUID, new: NewOrder, month: str | None, now: datetime) -> dict[str, Any]:
    waits = new.waits_for_payment
    return {
        "tenant_id": tenant_id,
        "id": new.order_id,
        "reference": new_reference(),
        "customer_id": new.customer_id,
        "state": str(OrderState.OPEN if waits else OrderState.CONFIRMED),
        "payment_mode": str(new.payment_mode),
        "currency": new.currency,
        "total_minor": new.total_minor,
        "discount_minor": sum(line.discount_minor for line in new.lines),
        "voucher_minor": new.voucher_minor,
        "later_minor": new.later_minor,
        "paid_minor": 0 if waits else new.voucher_minor,
        "refunded_minor": 0,
        "month": month,
        "form_token": new.form_token,
        "fingerprint": new.fingerprint,
        "guest_name": new.guest_name,
        "guest_email": new.guest_email,
        "guest_phone": new.guest_phone,
        "link_version": 0,
        "locale": new.locale,
        "source": new.source,
        "consents": new.consents,
        "hold_expires_at": hold_expires_at(now, new.hold_lifetime) if waits else None,
        "created_at": now,
        "confirmed_at": None if waits else now,
        "closed_at": None,
        "closed_why": None,
    }


def _line_row(tenant_id: UUID, order_id: UUID, position: int, line: NewLine) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": new_id(),
        "order_id": order_id,
        "position": position,
        "kind": line.kind,
        "subject_id": line.subject_id,
        "description": line.description,
        "tier": line.tier,
        "quantity": line.quantity,
        "unit_minor": line.unit_minor,
        "discount_minor": line.discount_minor,
        "total_minor": line.total_minor,
        "tax_rate_bp": line.tax_rate_bp,
        "tax_minor": tax_within_minor(line.total_minor, line.tax_rate_bp),
    }


async def find_order_by_form_token(uow: UnitOfWork, form_token: str) -> Order | None:
    """The order that this very form made before, whatever became of it."""
    found: Order | None = await uow.session.scalar(
        select(Order).where(Order.tenant_id == uow.tenant, Order.form_token == form_token)
    )
    return found


async def retire_form_token(uow: UnitOfWork, order_id: UUID) -> None:
    """The form that made an order which is over may make another."""
    await uow.session.execute(
        update(Order)
        .where(Order.tenant_id == uow.tenant, Order.id == order_id)
        .values(form_token=Order.form_token + f"/{order_id}")
    )


async def get_order(uow: UnitOfWork, order_id: UUID) -> Order:
    """Raises: NotFound."""
    order = await uow.session.scalar(
        select(Order).where(Order.tenant_id == uow.tenant, Order.id == order_id)
    )
    if order is None:
        raise NotFound(_("There is no such order."))
    return order


async def lock_order(uow: UnitOfWork, order_id: UUID) -> Order:
    """The order's row as it is now, locked first of all rows; see "Seats and locks".

    FOR NO KEY UPDATE, so that rows which merely refer to the order are not held up.
    Raises: NotFound.
    """
    order = await uow.session.scalar(
        select(Order)
        .where(Order.tenant_id == uow.tenant, Order.id == order_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if order is None:
        raise NotFound(_("There is no such order."))
    return order
