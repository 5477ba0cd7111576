"""How the money of one order stands, as far as its guest is told."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import CTE, Select, func, select

from src.billing.domain.kinds import (
    GIVEN_UP_WHY,
    TRANSFER_METHOD,
    VOUCHER_METHOD,
    OrderState,
    PageState,
    PaymentMode,
    RefundState,
)
from src.billing.models import Order, Payment, PaymentPage, Refund
from src.billing.queries.disputes import is_payment_with_the_bank
from src.billing.queries.refund_failures import is_settled_otherwise, is_waiting
from src.platform.db.uow import UnitOfWork


class GuestMoney(msgspec.Struct, frozen=True, kw_only=True):
    """`is_kept`: some of what was paid is neither back nor on its way back. `returning_minor` is on
    its way, payments in another currency than the order's left out as on the order.

    `not_arrived_minor` could not be paid back, and the business has still to deal with it.
    `settled_minor` could not be either, and the business has said that it dealt with it elsewhere.
    Both together are never more than is left of what was paid, in the order's currency too.
    `is_mismatch`: a sum or currency came that is not the order's.
    """

    page_is_complete: bool
    has_paid: bool
    is_kept: bool
    is_mismatch: bool
    is_returning: bool
    returning_minor: int
    not_arrived_minor: int
    settled_minor: int

    @property
    def back(self) -> str:
        """What became of money that nothing was booked with: kept, pending, or returned."""
        if self.is_kept:
            return "kept"
        return "pending" if self.is_returning else "returned"


async def get_guest_money(uow: UnitOfWork, order_id: UUID) -> GuestMoney:
    """A refund that failed has set its amount free again, so that it counts as kept.

    It is read before the order: a payment that commits between the two is not known yet while the
    order is confirmed already, and never seen beside an order that is still open.
    """
    complete = select(func.count()).where(
        PaymentPage.tenant_id == uow.tenant,
        PaymentPage.order_id == order_id,
        PaymentPage.state == str(PageState.COMPLETE),
    )
    pending = select(func.count()).where(
        Refund.tenant_id == uow.tenant,
        Refund.order_id == order_id,
        Refund.state == str(RefundState.PENDING),
    )
    in_its_currency = _in_its_currency(
        select(func.coalesce(func.sum(Refund.amount_minor), 0)), uow.tenant, order_id
    ).where(Refund.state == str(RefundState.PENDING))
    failed = _failed(uow, order_id)
    asked = Order.total_minor - Order.voucher_minor - Order.later_minor
    # A transfer is matched by hand, and may come in parts.
    is_other = Payment.method.not_in([VOUCHER_METHOD, TRANSFER_METHOD]) & (
        (Payment.amount_minor != asked) | (Payment.currency != Order.currency)
    )
    row = (
        await uow.session.execute(
            select(
                complete.scalar_subquery(),
                pending.scalar_subquery(),
                in_its_currency.correlate(None).scalar_subquery(),
                func.count(Payment.id),
                func.bool_or(Payment.refunded_minor < Payment.amount_minor),
                func.bool_or(is_other),
                select(failed.c.not_arrived_minor).scalar_subquery(),
                select(failed.c.settled_minor).scalar_subquery(),
            )
            .select_from(Payment)
            .join(Order, (Order.tenant_id == Payment.tenant_id) & (Order.id == Payment.order_id))
            .where(Payment.tenant_id == uow.tenant, Payment.order_id == order_id)
        )
    ).one()
    return GuestMoney(
        page_is_complete=row[0] > 0,
        is_returning=row[1] > 0,
        returning_minor=int(row[2]),
        has_paid=row[3] > 0,
        is_kept=bool(row[4]),
        is_mismatch=bool(row[5]),
        not_arrived_minor=int(row[6]),
        settled_minor=int(row[7]),
    )


async def went_back(uow: UnitOfWork, order: Order, money: GuestMoney) -> dict[str, Any]:
    """What went back: as money, onto the voucher that had paid, and as new vouchers; no bank has to
    carry what goes to a voucher.
    """
    amount, was_by_it = func.sum(Refund.amount_minor), Refund.voucher_id == Payment.voucher_id
    found = await uow.session.execute(
        select(
            func.coalesce(amount.filter(was_by_it), 0),
            func.coalesce(amount.filter(Payment.voucher_id.is_(None)), 0),
            func.coalesce(amount.filter(Refund.state == str(RefundState.PENDING)), 0),
        )
        .join(Payment, (Payment.tenant_id == Refund.tenant_id) & (Payment.id == Refund.payment_id))
        .where(
            Refund.tenant_id == uow.tenant,
            Refund.order_id == order.id,
            Refund.voucher_id.is_not(None),
            Refund.state != str(RefundState.FAILED),
        )
    )
    to_voucher_minor, as_voucher_minor, on_its_way_minor = map(int, found.one())
    return {
        "to_voucher_minor": to_voucher_minor,
        "as_voucher_minor": as_voucher_minor,
        "refunded_minor": order.refunded_minor - to_voucher_minor - as_voucher_minor,
        "returning_minor": money.returning_minor - on_its_way_minor,
    }


def _in_its_currency(statement: Select[Any], tenant_id: UUID, order_id: UUID) -> Select[Any]:
    """The order's refunds of payments in its own currency."""
    return (
        statement.select_from(Refund)
        .join(Payment, (Payment.tenant_id == Refund.tenant_id) & (Payment.id == Refund.payment_id))
        .join(Order, (Order.tenant_id == Refund.tenant_id) & (Order.id == Refund.order_id))
        .where(
            Refund.tenant_id == tenant_id,
            Refund.order_id == order_id,
            Payment.currency == Order.currency,
        )
    )


def _failed(uow: UnitOfWork, order_id: UUID) -> CTE:
    """One row: what failed and waits, and what did and was dealt with elsewhere. Of each payment
    both together are at most what is left of it, what waits first; a payment that a bank has taken
    back is with the guest.
    """
    left = Payment.amount_minor - Payment.refunded_minor
    of_refunds = func.coalesce(func.sum(Refund.amount_minor).filter(is_waiting()), 0)
    waiting = func.least(of_refunds, left)
    settled = func.coalesce(func.sum(Refund.amount_minor).filter(is_settled_otherwise()), 0)
    both = select(
        waiting.label("not_arrived_minor"),
        func.least(settled, left - waiting).label("settled_minor"),
    )
    of_payment = (
        _in_its_currency(both, uow.tenant, order_id)
        .where(~is_payment_with_the_bank())
        .group_by(Payment.id, Payment.amount_minor, Payment.refunded_minor)
        .subquery()
    )
    return select(*(func.coalesce(func.sum(one), 0).label(one.name) for one in of_payment.c)).cte(
        "failed"
    )


def why_not_booked(order: Order, money: GuestMoney) -> str:
    """Why a payment booked nothing: mismatch, given_up, cancelled, part, or gone."""
    if money.is_mismatch:
        return "mismatch"
    if order.state == OrderState.CANCELLED:
        return "given_up" if order.closed_why == GIVEN_UP_WHY else "cancelled"
    is_transfer = order.payment_mode == PaymentMode.TRANSFER
    return "part" if is_transfer and order.paid_minor < order.to_pay_minor else "gone"
